from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from nekonex.domain import Account
from nekonex.domain.errors import NameTakenError, PidTakenError
from nekonex.storage import Stores

OpenStores = Callable[[], AbstractAsyncContextManager[Stores]]

KEYS = {0: bytes(range(16)), 1: bytes(range(16, 32))}


def account(pid: int, name: str | None = None) -> Account:
    return Account(pid, str(pid) if name is None else name, KEYS, 1234.5)


async def test_what_was_added_is_found(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        neko = account(1234, "Néko")
        await stores.accounts.add([neko])
        assert await stores.accounts.get(1234) == neko
        assert await stores.accounts.find_by_name("NÉKO") == neko
        assert await stores.accounts.get(1235) is None
        assert await stores.accounts.find_by_name("inu") is None
        assert await stores.accounts.count() == 1


async def test_names_of_many_at_once(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        await stores.accounts.add([account(5, "Five"), account(6), account(0xFFFFFFFF, "Last")])
        found = await stores.accounts.names([0xFFFFFFFF, 7, 5])
        assert found == {5: "Five", 0xFFFFFFFF: "Last"}
        assert await stores.accounts.names([]) == {}


@pytest.mark.parametrize("keys", [{0: bytes(16)}, {1: b"\xff" * 16}])
async def test_an_account_with_one_key(open_stores: OpenStores, keys: dict[int, bytes]) -> None:
    async with open_stores() as stores:
        await stores.accounts.add([Account(5, "a", keys, 0.0)])
        found = await stores.accounts.get(5)
        assert found is not None
        assert found.keys == keys


@pytest.mark.parametrize("pid", [1, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF])
async def test_pids_of_32_bits(open_stores: OpenStores, pid: int) -> None:
    async with open_stores() as stores:
        await stores.accounts.add([account(pid)])
        found = await stores.accounts.get(pid)
        assert found is not None
        assert found.pid == pid


async def test_all_or_none_are_added(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        await stores.accounts.add([account(5, "five")])
        with pytest.raises(PidTakenError, match="5"):
            await stores.accounts.add([account(6), account(5)])
        with pytest.raises(NameTakenError, match="FIVE"):
            await stores.accounts.add([account(7), account(8, "FIVE")])
        with pytest.raises(PidTakenError):
            await stores.accounts.add([account(9, "a"), account(9, "b")])
        with pytest.raises(NameTakenError):
            await stores.accounts.add([account(10, "a"), account(11, "A")])
        assert [one.pid for one in await stores.accounts.page(0, 100)] == [5]
        await stores.accounts.add([])


async def test_of_two_who_add_the_same_one_wins(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        adding = [stores.accounts.add([account(5, name)]) for name in "abcdefgh"]
        results = await asyncio.gather(*adding, return_exceptions=True)
        assert results.count(None) == 1
        assert sum(isinstance(result, PidTakenError) for result in results) == 7


async def test_pages_in_the_order_of_pids(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        await stores.accounts.add([account(pid) for pid in (9, 0xFFFFFFFF, 5, 7, 3)])
        assert [one.pid for one in await stores.accounts.page(0, 2)] == [3, 5]
        assert [one.pid for one in await stores.accounts.page(5, 2)] == [7, 9]
        assert [one.pid for one in await stores.accounts.page(9, 2)] == [0xFFFFFFFF]
        assert list(await stores.accounts.page(0xFFFFFFFF, 2)) == []


async def test_the_next_pid_is_one_that_nobody_has_or_had(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        accounts = stores.accounts
        assert await accounts.next_pid(10, 13) == 10
        await accounts.add([account(pid) for pid in (9, 11, 14)])
        assert await accounts.next_pid(10, 13) == 10
        await accounts.add([account(10)])
        assert await accounts.next_pid(10, 13) == 12
        await accounts.remove(11)
        assert await accounts.next_pid(10, 13) == 12
        assert await accounts.next_pid(11, 13) == 12
        await accounts.add([account(12), account(13)])
        assert await accounts.next_pid(10, 13) is None
        assert await accounts.next_pid(10, 15) == 15


async def test_keys_are_replaced_altogether(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        await stores.accounts.add([account(5, "a")])
        assert await stores.accounts.set_keys(5, {0: b"n" * 16})
        assert await stores.accounts.get(5) == Account(5, "a", {0: b"n" * 16}, 1234.5)
        assert not await stores.accounts.set_keys(6, {0: b"n" * 16})


async def test_removing_frees_name_and_pid(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        await stores.accounts.add([account(5, "a")])
        assert await stores.accounts.remove(5)
        assert not await stores.accounts.remove(5)
        assert await stores.accounts.get(5) is None
        assert await stores.accounts.find_by_name("a") is None
        await stores.accounts.add([account(5, "a")])
        assert await stores.accounts.remove(5)


async def test_what_the_caller_changes_later_is_not_stored(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        keys = dict(KEYS)
        await stores.accounts.add([Account(5, "a", keys, 0.0)])
        keys[0] = b"x" * 16
        found = await stores.accounts.get(5)
        assert found is not None
        assert found.keys == KEYS
