from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.domain.matchmaking.ports import Privacy
from nekonex.domain.matchmaking.refusals import Refusal
from nekonex.storage import Stores, memory_stores, open_local
from tests.support.gathering_stores import refusal

OpenStores = Callable[[], AbstractAsyncContextManager[Stores]]


async def test_at_first_nobody_is_blocked_and_everything_shown(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.preferences("mk8")
        assert list(await store.block_list(5)) == []
        assert await store.privacy(5) == Privacy(online_status=True, community_participation=True)
        await store.clear_block_list(5)


async def test_a_block_list_is_in_the_order_of_blocking(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.preferences("mk8")
        assert list(await store.change_block_list(5, add=[9, 2**64 - 1, 7], limit=10)) == [
            9,
            2**64 - 1,
            7,
        ]
        after = await store.change_block_list(5, add=[8, 7, 8, 6], remove=[9, 1], limit=10)
        assert list(after) == [2**64 - 1, 7, 8, 6]
        assert list(await store.block_list(5)) == [2**64 - 1, 7, 8, 6]
        after = await store.change_block_list(5, add=[7], remove=[7], limit=10)
        assert list(after) == [2**64 - 1, 8, 6, 7]
        assert list(await store.change_block_list(5, limit=10)) == list(after)
        await store.clear_block_list(5)
        assert list(await store.block_list(5)) == []


async def test_more_than_the_limit_are_refused_and_nothing_changes(
    open_stores: OpenStores,
) -> None:
    async with open_stores() as stores:
        store = stores.preferences("mk8")
        await store.change_block_list(5, add=[1, 2, 3], limit=3)
        for add, remove in [([4], []), ([4, 5], [1])]:
            changing = store.change_block_list(5, add=add, remove=remove, limit=3)
            assert await refusal(changing) is Refusal.INVALID
            assert list(await store.block_list(5)) == [1, 2, 3]
        assert list(await store.change_block_list(5, add=[2, 4], remove=[1], limit=3)) == [2, 3, 4]
        assert await refusal(store.change_block_list(6, add=[1, 2], limit=1)) is Refusal.INVALID
        assert list(await store.block_list(6)) == []


async def test_a_list_from_when_the_limit_was_higher_may_shrink(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.preferences("mk8")
        await store.change_block_list(5, add=[1, 2, 3, 4], limit=4)
        assert list(await store.change_block_list(5, remove=[2], limit=2)) == [1, 3, 4]
        assert list(await store.change_block_list(5, add=[1], limit=2)) == [1, 3, 4]
        changing = store.change_block_list(5, add=[9], remove=[1], limit=2)
        assert await refusal(changing) is Refusal.INVALID
        assert list(await store.change_block_list(5, add=[9], remove=[1, 3], limit=2)) == [4, 9]


async def test_of_many_who_are_blocked_at_once_none_is_lost(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.preferences("mk8")
        refusals = await asyncio.gather(
            *[refusal(store.change_block_list(5, add=[pid], limit=20)) for pid in range(1, 31)]
        )
        assert refusals.count(Refusal.INVALID) == 10
        assert len(set(await store.block_list(5))) == 20


async def test_privacy(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.preferences("mk8")
        for pid in (5, 2**64 - 1):
            for shown in (Privacy(False, True), Privacy(True, False), Privacy(False, False)):
                await store.set_privacy(pid, shown)
                assert await store.privacy(pid) == shown
        await store.set_privacy(5, Privacy())
        assert await store.privacy(5) == Privacy()
        assert await store.privacy(2**64 - 1) == Privacy(False, False)


async def test_players_and_games_know_nothing_of_each_other(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        mk8, splatoon = stores.preferences("mk8"), stores.preferences("splatoon")
        await mk8.change_block_list(5, add=[1], limit=9)
        await mk8.change_block_list(6, add=[2], limit=9)
        await splatoon.change_block_list(5, add=[3], limit=1)
        await mk8.set_privacy(5, Privacy(False, False))
        assert await splatoon.privacy(5) == await mk8.privacy(6) == Privacy()
        await mk8.clear_block_list(6)
        assert list(await stores.preferences("mk8").block_list(5)) == [1]
        assert list(await splatoon.block_list(5)) == [3]
        assert await stores.preferences("mk8").privacy(5) == Privacy(False, False)


async def test_what_is_returned_is_the_callers_own(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.preferences("mk8")
        added = [1, 2]
        after = await store.change_block_list(5, add=added, limit=9)
        for returned in (added, after, await store.block_list(5)):
            assert isinstance(returned, list)
            returned.clear()
        assert list(await store.block_list(5)) == [1, 2]


async def test_all_is_there_after_a_restart(tmp_path: Path) -> None:
    async with open_local(tmp_path) as stores:
        await stores.preferences("mk8").change_block_list(5, add=[2, 1], limit=9)
        await stores.preferences("mk8").set_privacy(5, Privacy(False, True))
    async with open_local(tmp_path) as stores:
        assert list(await stores.preferences("mk8").block_list(5)) == [2, 1]
        assert await stores.preferences("mk8").privacy(5) == Privacy(False, True)


_pids = st.lists(st.integers(1, 6), max_size=5)
_steps = st.lists(st.tuples(st.sampled_from(["mk8", "splatoon"]), _pids, _pids), max_size=15)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
@settings(max_examples=20)
@given(steps=_steps)
async def test_a_store_does_what_the_model_does(
    kind: str, steps: list[tuple[str, list[int], list[int]]]
) -> None:
    lists: dict[str, list[int]] = {"mk8": [], "splatoon": []}
    async with AsyncExitStack() as stack:
        if kind == "memory":
            stores = memory_stores()
        else:
            directory = stack.enter_context(TemporaryDirectory())
            stores = await stack.enter_async_context(open_local(Path(directory)))
        for game, add, remove in steps:
            after = [pid for pid in lists[game] if pid not in remove]
            after += [pid for pid in dict.fromkeys(add) if pid not in after]
            store = stores.preferences(game)
            changing = store.change_block_list(5, add=add, remove=remove, limit=4)
            if len(after) > 4:
                assert await refusal(changing) is Refusal.INVALID
            else:
                lists[game] = after
                assert list(await changing) == after
            assert {name: list(await stores.preferences(name).block_list(5)) for name in lists} == (
                lists
            )
