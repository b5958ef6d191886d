from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager

from nekonex.domain import AccessRules, Ban, MaintenanceWindow, Whitelist
from nekonex.storage import Stores

OpenStores = Callable[[], AbstractAsyncContextManager[Stores]]


async def rules(stores: Stores) -> AccessRules:
    revision, loaded = await stores.access.load()
    assert revision == await stores.access.revision()
    return loaded


async def test_there_are_no_rules_at_first(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        assert await rules(stores) == AccessRules()


async def test_maintenance(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        await stores.access.set_maintenance("", MaintenanceWindow(1.5, 2.5))
        await stores.access.set_maintenance("mk8", MaintenanceWindow(3))
        await stores.access.set_maintenance("mk8", MaintenanceWindow(None, 4))
        assert (await rules(stores)).maintenance == {
            "": MaintenanceWindow(1.5, 2.5),
            "mk8": MaintenanceWindow(None, 4),
        }
        await stores.access.set_maintenance("", None)
        await stores.access.set_maintenance("never", None)
        assert set((await rules(stores)).maintenance) == {"mk8"}


async def test_whitelists(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        access = stores.access
        await access.change_whitelist("mk8", add=[1, 2, 3, 2**64 - 1])
        assert (await rules(stores)).whitelists == {
            "mk8": Whitelist(enabled=False, pids=frozenset({1, 2, 3, 2**64 - 1}))
        }
        await access.set_whitelist("mk8", enabled=True)
        await access.set_whitelist("", enabled=True)
        await access.change_whitelist("mk8", add=[2, 4], remove=[1, 9])
        assert (await rules(stores)).whitelists == {
            "": Whitelist(enabled=True),
            "mk8": Whitelist(enabled=True, pids=frozenset({2, 3, 4, 2**64 - 1})),
        }
        await access.set_whitelist("mk8", enabled=False)
        assert (await rules(stores)).whitelists["mk8"].pids == {2, 3, 4, 2**64 - 1}


async def test_who_is_added_and_removed_at_once_is_on_the_list(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        await stores.access.change_whitelist("", add=[1], remove=[1])
        assert (await rules(stores)).whitelists[""].pids == {1}


async def test_bans(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        everywhere = Ban(5, "cheating ü", None, "", 1.5)
        here = Ban(5, "", 9.5, "mk8", 2.5)
        large = Ban(2**64 - 1)
        for ban in (here, Ban(5), everywhere, large):
            await stores.access.put_ban(ban)
        assert (await rules(stores)).bans == {5: (everywhere, here), 2**64 - 1: (large,)}
        assert await stores.access.remove_ban(5, "mk8")
        assert not await stores.access.remove_ban(5, "mk8")
        assert not await stores.access.remove_ban(6, "")
        assert (await rules(stores)).bans[5] == (everywhere,)


async def test_every_change_moves_the_revision(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        access = stores.access
        changes: list[Callable[[], Awaitable[object]]] = [
            lambda: access.set_maintenance("", MaintenanceWindow()),
            lambda: access.set_maintenance("", None),
            lambda: access.set_whitelist("", enabled=True),
            lambda: access.change_whitelist("", add=[5]),
            lambda: access.put_ban(Ban(5)),
            lambda: access.remove_ban(5, ""),
        ]
        seen = {await access.revision()}
        for change in changes:
            await change()
            seen.add(await access.revision())
        assert len(seen) == len(changes) + 1
        assert await access.revision() in seen


async def test_loaded_rules_do_not_change_afterwards(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        before = await rules(stores)
        await stores.access.set_maintenance("", MaintenanceWindow())
        await stores.access.put_ban(Ban(5))
        assert before == AccessRules()
