from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from nekonex.domain.matchmaking.model import Gathering, Participant
from nekonex.domain.matchmaking.notices import Notice
from nekonex.domain.matchmaking.ports import GatheringStore, Outcome
from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal
from nekonex.domain.players import Notification
from tests.support.gathering_stores import (
    ADAPTERS,
    Adapter,
    joining,
    leaving,
    refusal,
    setting,
)


@dataclass(frozen=True)
class Opener:
    """An adapter, and a directory for it."""

    adapter: Adapter
    directory: Path

    def __call__(self) -> AbstractAsyncContextManager[GatheringStore[Any]]:
        return self.adapter.open(self.directory)

    def make(self, *pids: int, **values: Any) -> Any:
        participants = tuple(Participant(pid) for pid in pids)
        return self.adapter.make(participants=participants, **values)


@pytest.fixture(params=ADAPTERS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    return Opener(ADAPTERS[request.param], tmp_path / "data")


def gids(gatherings: Iterable[Gathering]) -> list[int]:
    return [gathering.gid for gathering in gatherings]


def never(gathering: Gathering) -> Outcome[Gathering]:
    pytest.fail(f"a transition of {gathering.gid} was called")


async def test_what_was_created_is_found_under_its_gid(opened: Opener) -> None:
    async with opened() as store:
        new = opened.make(7, 5, owner=5, host=7, description="néko", registered=12.5)
        stored = await store.create(new)
        assert stored == replace(new, gid=stored.gid)
        assert stored.gid in opened.adapter.gids
        assert await store.get(stored.gid) == stored
        assert gids(await store.of_owner(5, 0, 10)) == [stored.gid]
        assert gids(await store.of_participant(7)) == [stored.gid]
        assert await store.count() == 1


async def test_a_new_gathering_has_a_gid_that_none_had_before(opened: Opener) -> None:
    async with opened() as store:
        first = await store.create(opened.make(owner=1))
        again = await store.create(first)
        await store.change(again.gid, lambda _: Outcome(None))
        others = [await store.create(opened.make(owner=1)) for _ in range(5)]
        everyone = gids([first, again, *others])
        assert len(set(everyone)) == 7
        assert all(gid in opened.adapter.gids for gid in everyone)
        assert await store.count() == 6


async def test_all_of_them_in_pages(opened: Opener) -> None:
    async with opened() as store:
        made = gids([await store.create(opened.make(owner=pid, state=pid)) for pid in range(5)])
        assert gids(await store.page(0, 3)) == made[:3]
        assert gids(await store.page(made[2], 3)) == made[3:]
        assert list(await store.page(made[4], 3)) == []
        assert list(await store.page(0, 0)) == []
        await store.change(made[1], lambda _: Outcome(None))
        await store.change(made[0], setting(state=9))
        await store.change(made[3], joining(7))
        left = await store.page(0, 9)
        assert [(one.gid, one.state, one.pids) for one in left] == [
            (made[0], 9, ()),
            (made[2], 2, ()),
            (made[3], 3, (7,)),
            (made[4], 4, ()),
        ]
        assert gids(await store.page(made[1], 1)) == [made[2]]
        assert gids(await store.page(made[0] - 1, 1)) == [made[0]]


@pytest.mark.parametrize("gid", [0, 1, 0x3FFFFFFF, 0x40000000, 0x7FFFFFFF, 2**31, 2**32 - 1])
async def test_an_unknown_gathering(opened: Opener, gid: int) -> None:
    async with opened() as store:
        assert await store.get(gid) is None
        assert await refusal(store.change(gid, never)) is Refusal.UNKNOWN_GATHERING
        assert list(await store.of_owner(1, 0, 10)) == []
        assert list(await store.of_participant(1)) == []
        assert await store.count() == 0


async def test_a_change_is_stored_and_returned(opened: Opener) -> None:
    async with opened() as store:
        before = await store.create(opened.make(5, owner=5))
        notice = Notice((5,), Notification(3001, source_pid=6))
        after = replace(before, state=3, participants=(Participant(5), Participant(6)))
        change = await store.change(before.gid, lambda _: Outcome(after, (notice,)))
        assert change.before == before
        assert change.outcome == Outcome(after, (notice,))
        assert await store.get(before.gid) == after
        assert list(await store.of_participant(6)) == [after]


class OwnError(Exception):
    """A test's own."""


@pytest.mark.parametrize(
    "error", [MatchmakingError(Refusal.CLOSED, "so there"), OwnError("?"), KeyError(5)]
)
async def test_what_a_transition_raises_is_raised_and_nothing_changes(
    opened: Opener, error: Exception
) -> None:
    def refuse(_: Any) -> Outcome[Any]:
        raise error

    async with opened() as store:
        before = await store.create(opened.make(5, owner=5))
        with pytest.raises(type(error)) as caught:
            await store.change(before.gid, refuse)
        assert caught.value is error
        assert await store.get(before.gid) == before
        change = await store.change(before.gid, setting(state=1))
        assert change.before == before


async def test_a_change_to_the_same_changes_nothing(opened: Opener) -> None:
    async with opened() as store:
        before = await store.create(opened.make(5, 6, owner=5))
        change = await store.change(before.gid, Outcome, max_joined=1)
        assert change.before == change.outcome.after == before
        assert await store.get(before.gid) == before


async def test_a_gathering_keeps_its_gid(opened: Opener) -> None:
    async with opened() as store:
        one, two = [await store.create(opened.make(5, owner=5)) for _ in range(2)]
        for gid in (two.gid, 0):
            with pytest.raises(ValueError, match="transition"):
                await store.change(one.gid, setting(gid=gid, state=1))
        assert [await store.get(each.gid) for each in (one, two)] == [one, two]
        assert await store.count() == 2


async def test_what_ends_is_gone(opened: Opener) -> None:
    async with opened() as store:
        kept = await store.create(opened.make(5, 6, owner=5))
        ended = await store.create(opened.make(5, 6, owner=5))
        change = await store.change(ended.gid, lambda _: Outcome(None))
        assert change.before == ended
        assert change.outcome.after is None
        assert await store.get(ended.gid) is None
        assert await refusal(store.change(ended.gid, never)) is Refusal.UNKNOWN_GATHERING
        assert list(await store.of_owner(5, 0, 10)) == [kept]
        assert list(await store.of_participant(6)) == [kept]
        assert await store.count() == 1


async def test_who_comes_and_goes_is_found_where_they_are(opened: Opener) -> None:
    async with opened() as store:
        one, two, three = [await store.create(opened.make(5, owner=5)) for _ in range(3)]
        for gathering in (three, one, two):
            await store.change(gathering.gid, joining(6))
        assert gids(await store.of_participant(6)) == [one.gid, two.gid, three.gid]
        await store.change(two.gid, leaving(6))
        assert gids(await store.of_participant(6)) == [one.gid, three.gid]
        assert gids(await store.of_participant(5)) == [one.gid, two.gid, three.gid]
        await store.change(two.gid, leaving(5))
        assert gids(await store.of_participant(5)) == [one.gid, three.gid]


async def test_participants_keep_the_order_of_their_coming(opened: Opener) -> None:
    async with opened() as store:
        gathering = await store.create(opened.make(9, 8, 7, 6))

        async def order(*changed: int) -> tuple[int, ...]:
            participants = tuple(Participant(pid) for pid in changed)
            await store.change(gathering.gid, setting(participants=participants))
            found = await store.get(gathering.gid)
            assert found is not None
            assert found.participants == participants
            return changed

        for pids in [(9, 7, 6), (9, 7, 6, 8), (8, 9, 7, 6), (8, 1, 9, 2, 6), (6, 9, 8), (), (1, 6)]:
            assert await order(*pids) == pids


async def test_what_a_player_owns_in_pages(opened: Opener) -> None:
    async with opened() as store:
        own = gids([await store.create(opened.make(owner=5 + n % 2)) for n in range(10)])[::2]
        assert gids(await store.of_owner(5, 0, 3)) == own[:3]
        assert gids(await store.of_owner(5, 3, 3)) == own[3:]
        assert gids(await store.of_owner(5, 1, 100)) == own[1:]
        for offset, limit in ((5, 3), (0xFFFFFFFF, 3), (0, 0)):
            assert list(await store.of_owner(5, offset, limit)) == []


async def test_a_new_owner(opened: Opener) -> None:
    async with opened() as store:
        one, two = [await store.create(opened.make(owner=5)) for _ in range(2)]
        await store.change(one.gid, setting(owner=6))
        assert gids(await store.of_owner(5, 0, 10)) == [two.gid]
        assert gids(await store.of_owner(6, 0, 10)) == [one.gid]
        assert await refusal(store.create(opened.make(owner=5), max_owned=2)) is None
        assert (
            await refusal(store.create(opened.make(owner=6), max_owned=1)) is Refusal.TOO_MANY_OWNED
        )


async def test_nobody_owns_more_than_allowed(opened: Opener) -> None:
    async with opened() as store:
        refusals = await asyncio.gather(
            *[refusal(store.create(opened.make(owner=5), max_owned=4)) for _ in range(10)]
        )
        assert refusals.count(None) == 4
        assert refusals.count(Refusal.TOO_MANY_OWNED) == 6
        assert await store.count() == 4
        assert await refusal(store.create(opened.make(owner=6), max_owned=4)) is None
        assert await refusal(store.create(opened.make(owner=5))) is None
        for gathering in await store.of_owner(5, 0, 2):
            await store.change(gathering.gid, lambda _: Outcome(None))
        assert await refusal(store.create(opened.make(owner=5), max_owned=4)) is None
        assert len(await store.of_owner(5, 0, 10)) == 4


async def test_nobody_is_in_more_than_allowed(opened: Opener) -> None:
    async with opened() as store:
        all_gids = gids([await store.create(opened.make(owner=5)) for _ in range(24)])
        refusals = await asyncio.gather(
            *[refusal(store.change(gid, joining(6), max_joined=16)) for gid in all_gids]
        )
        assert refusals.count(None) == 16
        assert refusals.count(Refusal.TOO_MANY_JOINED) == 8
        joined = gids(await store.of_participant(6))
        assert joined == [gid for gid, no in zip(all_gids, refusals, strict=True) if no is None]
        await store.change(joined[0], joining(7))
        await store.change(joined[0], leaving(6))
        assert await refusal(store.change(all_gids[-1], joining(6), max_joined=16)) is None
        assert len(await store.of_participant(6)) == 16


async def test_who_is_in_already_does_not_count_and_all_come_or_none(opened: Opener) -> None:
    async with opened() as store:
        one, two = [await store.create(opened.make(5, owner=5)) for _ in range(2)]
        await store.change(one.gid, joining(6))
        # 5 is in two, which does not matter where it does not come in.
        await store.change(two.gid, setting(state=1), max_joined=1)
        await store.change(one.gid, leaving(5), max_joined=1)
        await store.change(two.gid, joining(8), max_joined=1)

        def both(gathering: Gathering) -> Outcome[Gathering]:
            after = (*gathering.participants, Participant(7), Participant(6))
            return Outcome(replace(gathering, participants=after))

        before = await store.get(two.gid)
        assert await refusal(store.change(two.gid, both, max_joined=1)) is Refusal.TOO_MANY_JOINED
        assert await store.get(two.gid) == before
        assert list(await store.of_participant(7)) == []
        assert await refusal(store.change(two.gid, both, max_joined=2)) is None
        assert gids(await store.of_participant(7)) == [two.gid]


async def test_of_many_who_join_at_once_exactly_as_many_get_in_as_there_is_room(
    opened: Opener,
) -> None:
    async with opened() as store:
        gathering = await store.create(opened.make(owner=1, max_participants=12))
        refusals = await asyncio.gather(
            *[refusal(store.change(gathering.gid, joining(pid))) for pid in range(1, 201)]
        )
        assert refusals.count(None) == 12
        assert refusals.count(Refusal.FULL) == 188
        found = await store.get(gathering.gid)
        assert found is not None
        inside = {pid for pid, no in enumerate(refusals, 1) if no is None}
        assert set(found.pids) == inside
        for pid in range(1, 201):
            assert bool(await store.of_participant(pid)) is (pid in inside)


async def test_no_change_of_many_at_once_is_lost(opened: Opener) -> None:
    def count(gathering: Any) -> Outcome[Any]:
        return Outcome(replace(gathering, state=gathering.state + 1))

    async with opened() as store:
        one, two = [await store.create(opened.make(owner=1)) for _ in range(2)]
        changes = await asyncio.gather(
            *[store.change((one, two)[number % 2].gid, count) for number in range(60)]
        )
        assert sorted(change.before.state for change in changes) == sorted([*range(30)] * 2)
        for gathering in (one, two):
            assert await store.get(gathering.gid) == replace(gathering, state=30)


async def test_of_leaving_and_joining_at_once_the_gathering_ends_or_lives_on(
    opened: Opener,
) -> None:
    async with opened() as store:
        for _ in range(5):
            gathering = await store.create(opened.make(5, owner=5))
            left, joined = await asyncio.gather(
                refusal(store.change(gathering.gid, leaving(5))),
                refusal(store.change(gathering.gid, joining(6))),
            )
            assert left is None
            found = await store.get(gathering.gid)
            if joined is None:
                assert found is not None
                assert found.pids == (6,)
            else:
                assert joined is Refusal.UNKNOWN_GATHERING
                assert found is None


@pytest.mark.parametrize("name", [name for name in ADAPTERS if ADAPTERS[name].durable])
async def test_all_is_there_after_a_restart_and_gids_go_on(name: str, tmp_path: Path) -> None:
    opened = Opener(ADAPTERS[name], tmp_path / "data")
    async with opened() as store:
        kept, ended = [await store.create(opened.make(7, 5, owner=5)) for _ in range(2)]
        await store.change(ended.gid, lambda _: Outcome(None))
        after = (await store.change(kept.gid, joining(6))).outcome.after
    async with opened() as store:
        assert await store.get(kept.gid) == after
        assert list(await store.of_participant(6)) == [after]
        assert await store.count() == 1
        assert (await store.create(opened.make(owner=5))).gid > ended.gid
