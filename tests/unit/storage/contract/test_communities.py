from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from nekonex.domain.matchmaking.model import (
    Community,
    CommunityType,
    GatheringFlag,
    Participant,
)
from nekonex.domain.matchmaking.ports import Outcome
from nekonex.domain.matchmaking.refusals import Refusal
from nekonex.storage import Stores
from nekonex.values import DateTime
from tests.support.gathering_stores import ADAPTERS, joining, refusal, setting

OpenStores = Callable[[], AbstractAsyncContextManager[Stores]]

NAMES = [name for name in ADAPTERS if name.startswith("communities")]

_16 = st.integers(0, 2**16 - 1)
_32 = st.integers(0, 2**32 - 1)
_64 = st.integers(0, 2**64 - 1)
_dates = st.builds(DateTime, _64)
_texts = st.text(max_size=300)
_members = st.builds(Participant, _64, _64, _16, _texts, _64)

_COMMUNITIES = st.builds(
    Community,
    owner=_64,
    host=_64,
    min_participants=_16,
    max_participants=_16,
    policy=_32,
    policy_argument=_32,
    flags=_32.map(GatheringFlag),
    state=_32,
    description=_texts,
    participants=st.lists(_members, max_size=6, unique_by=lambda member: member.pid).map(tuple),
    session_url=_texts,
    registered=st.floats(allow_nan=False),
    type=_32,
    password=_texts,
    attributes=st.lists(_64, max_size=9).map(tuple),
    application_data=st.binary(max_size=600),
    participation_start=_dates,
    participation_end=_dates,
)

_LARGE = Community(
    owner=2**64 - 1,
    host=2**63,
    flags=GatheringFlag(2**32 - 1),
    policy=2**32 - 1,
    state=2**32 - 1,
    description="\0ネコ\N{CAT FACE}" * 20_000,
    participants=tuple(Participant(2**64 - 1 - number, message="m") for number in range(3000)),
    attributes=(2**64 - 1,) * 100,
    application_data=bytes(range(256)) * 4096,
    participation_end=DateTime(2**64 - 1),
)

_EMPTY = Community(attributes=())


@pytest.mark.parametrize("name", NAMES)
@settings(max_examples=30)
@example(community=_LARGE, other=_EMPTY)
@example(community=_EMPTY, other=_LARGE)
@given(community=_COMMUNITIES, other=_COMMUNITIES)
async def test_every_field_comes_back(name: str, community: Community, other: Community) -> None:
    adapter = ADAPTERS[name]
    with TemporaryDirectory() as directory:
        async with adapter.open(Path(directory)) as store:
            stored = await store.create(community)
            assert stored == replace(community, gid=stored.gid)
            assert await store.get(stored.gid) == stored
            changed = replace(other, gid=stored.gid)
            await store.change(stored.gid, lambda _: Outcome(changed))
        if adapter.durable:
            async with adapter.open(Path(directory)) as store:
                assert await store.get(stored.gid) == changed


async def test_what_comes_back_is_of_the_same_types(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.communities("mk8")
        new = Community(flags=GatheringFlag.PERSISTENT, participants=(Participant(5),))
        found = await store.get((await store.create(new)).gid)
        assert found is not None
        assert found.has(GatheringFlag.PERSISTENT)
        assert {type(found.participants), type(found.attributes)} == {tuple}
        assert isinstance(found.participation_start, DateTime)


def official(start: int = 0, end: int = 0) -> Community:
    return Community(
        type=CommunityType.OFFICIAL,
        participation_start=DateTime(start),
        participation_end=DateTime(end),
    )


def gids(communities: Sequence[Community]) -> list[int]:
    return [community.gid for community in communities]


async def test_official_communities_in_pages(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.communities("mk8")
        await store.create(Community())
        wanted = [await store.create(official()) for _ in range(3)]
        await store.create(Community(type=CommunityType.PASSWORD))
        wanted.append(await store.create(official(2**64 - 1, 1)))
        assert list(await store.official(0, 10)) == wanted
        assert list(await store.official(1, 2)) == wanted[1:3]
        assert list(await store.official(4, 2)) == []
        await store.change(wanted[0].gid, setting(type=CommunityType.OPEN))
        await store.change(wanted[2].gid, joining(5))
        assert gids(await store.official(0, 10)) == gids(wanted[1:])


@pytest.mark.parametrize("now", [1000, 2**63 + 1000])
async def test_official_communities_that_are_open(open_stores: OpenStores, now: int) -> None:
    async with open_stores() as stores:
        store = stores.communities("mk8")
        periods = {
            "always": (0, 0),
            "from now on": (now, 0),
            "until now": (0, now),
            "just now": (now, now),
            "for long": (1, 2**64 - 1),
            "later": (now + 1, 0),
            "much later": (2**64 - 1, 0),
            "later, and for a while": (now + 1, now + 2),
            "earlier": (0, now - 1),
            "much earlier": (1, 2),
            "backwards": (now + 1, now - 1),
        }
        names = {}
        for name, (start, end) in periods.items():
            names[(await store.create(official(start, end))).gid] = name
        is_open = await store.official(0, 100, at=DateTime(now))
        assert [names[gid] for gid in gids(is_open)] == list(periods)[:5]
        assert list(await store.official(2, 2, at=DateTime(now))) == is_open[2:4]


async def test_games_know_nothing_of_each_other(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        mk8, splatoon = stores.communities("mk8"), stores.communities("splatoon")
        new = replace(official(), owner=5, participants=(Participant(5),))
        await mk8.create(new)
        ours = await mk8.create(new)
        theirs = await splatoon.create(new, max_owned=1)
        assert await splatoon.get(ours.gid) is None
        ending = splatoon.change(ours.gid, lambda _: Outcome(None))
        assert await refusal(ending) is Refusal.UNKNOWN_GATHERING
        assert list(await splatoon.of_owner(5, 0, 9)) == [theirs]
        assert list(await splatoon.of_participant(5)) == [theirs]
        assert list(await splatoon.official(0, 9)) == [theirs]
        assert list(await splatoon.official(0, 9, at=DateTime(1))) == [theirs]
        assert list(await splatoon.page(0, 9)) == [theirs]
        assert await splatoon.count() == 1
        other = await splatoon.create(Community())
        await splatoon.change(other.gid, joining(5), max_joined=2)
        assert await stores.communities("mk8").get(ours.gid) == ours
        assert await stores.communities("mk8").count() == 2


async def test_visits_count_for_members_only(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.communities("mk8")
        made = await store.create(
            Community(participants=(Participant(5), Participant(6, visits=2)))
        )
        await store.count_visits(made.gid, [6, 7])
        await stores.communities("other").count_visits(made.gid, [5])
        await store.count_visits(made.gid + 1, [5])
        found = await store.get(made.gid)
        assert found is not None
        assert [(member.pid, member.visits) for member in found.participants] == [(5, 0), (6, 3)]


async def test_the_founder_may_be_in_so_many(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.communities("mk8")
        new = Community(owner=5, participants=(Participant(5),))
        await store.create(new, max_joined=1)
        assert await refusal(store.create(new, max_joined=1)) is Refusal.TOO_MANY_JOINED
        assert await store.count() == 1
