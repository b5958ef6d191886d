"""Why a player cannot join: what is told is what a join would meet."""

from __future__ import annotations

import logging
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.domain import Player
from nekonex.domain.matchmaking import (
    Community,
    Credentials,
    Gathering,
    MatchmakeSession,
    MatchmakingError,
    MatchmakingHooks,
    MatchmakingLimits,
    Outcome,
    Participant,
    Refusal,
    SessionQuery,
)
from nekonex.domain.matchmaking.reasons import Reason
from nekonex.domain.matchmaking.search.explaining import explain_join, explain_search
from nekonex.values import DateTime, RMCError
from tests.support.matchmaking import World

PASSWORDS = {"user password", "system password", "password"}

sessions = st.builds(
    MatchmakeSession,
    max_participants=st.integers(0, 3),
    policy=st.sampled_from([1, 8, 98]),
    open_participation=st.booleans(),
    user_password=st.just("user"),
    user_password_enabled=st.booleans(),
    system_password=st.sampled_from(["", "system"]),
)


async def criteria(world: World, player: Player, gid: int) -> list[str]:
    gathering = await world.get(gid)
    return [each.criterion for each in await explain_join(world.service, player, gathering)]


@given(
    sessions,
    st.lists(st.integers(2, 6), max_size=4, unique=True),
    st.sets(st.integers(1, 6)),
    st.sets(st.integers(1, 6)),
    st.sets(st.integers(1, 6)),
)
@settings(max_examples=60)
async def test_a_join_succeeds_if_and_only_if_nothing_is_told(
    template: MatchmakeSession,
    inside: list[int],
    friends: set[int],
    blocked: set[int],
    blockers: set[int],
) -> None:
    world = World(friends={2: friends})
    consoles = {each.pid: each for each in world.consoles(6)}
    await world.preferences.change_block_list(2, add=blocked, limit=10)
    for pid in blockers:
        await world.preferences.change_block_list(pid, add=[2], limit=10)
    players = [Participant(pid, consoles[pid].connection_id) for pid in inside]
    made = replace(template, owner=1, host=1, participants=tuple(players))
    made = replace(made, gid=(await world.live.create(made)).gid)
    told = await criteria(world, consoles[2], made.gid)
    shown = Credentials(user_password="user", system_password=made.system_password)
    try:
        await world.join(consoles[2], made.gid, shown)
    except MatchmakingError as error:
        assert set(told) - PASSWORDS
        name = error.refusal.name.lower().replace("_", " ")
        assert {"already participating": "already in"}.get(name, name) in told
    else:
        assert set(told) <= PASSWORDS
    assert ("user password" in told) is made.user_password_enabled
    assert ("system password" in told) is bool(made.system_password)


async def test_a_community_has_reasons_of_its_own() -> None:
    limits = MatchmakingLimits(max_joined_communities=1, max_members=2)
    world = World(limits=limits)
    one, two, three = world.consoles(3)
    past = DateTime.make(2000)
    made = await world.matchmaking.communities.create(one, Community(password="hush"), "")
    await world.communities.change(
        made.gid, lambda old: Outcome(replace(old, participation_end=past))
    )
    assert await criteria(world, two, made.gid) == ["password", "outside period"]
    await world.communities.change(
        made.gid, lambda old: Outcome(replace(old, password="", participation_end=DateTime(0)))
    )
    assert await criteria(world, two, made.gid) == []
    await world.matchmaking.communities.join(two, made.gid, "", "")
    assert await criteria(world, two, made.gid) == ["already in"]
    assert await criteria(world, three, made.gid) == ["full"]
    other = await world.matchmaking.communities.create(three, Community(), "")
    assert await criteria(world, two, other.gid) == ["too many joined"]


async def test_who_lost_its_connection_may_come_back_to_a_full_session() -> None:
    world = World()
    one, two = world.consoles(2)
    template = MatchmakeSession(max_participants=1, owner=1, participants=(Participant(1, 99),))
    made = await world.live.create(template)
    assert await criteria(world, one, made.gid) == []
    assert await criteria(world, two, made.gid) == ["full"]


async def test_who_is_in_too_many_sessions_is_told_so() -> None:
    world = World(limits=MatchmakingLimits(max_joined=1))
    one, two = world.consoles(2)
    made = await world.create(one)
    await world.create(two)
    assert await criteria(world, two, made.gid) == ["too many joined"]


@pytest.mark.parametrize("code", [None, "RendezVous::PermissionDenied"])
async def test_the_game_has_a_say(code: str | None) -> None:
    class Rules(MatchmakingHooks):
        async def can_join(self, player: Player, gathering: Gathering) -> bool:
            if code is not None:
                raise RMCError(code)
            return False

    world = World(hooks=Rules())
    one, two = world.consoles(2)
    made = await world.create(one)
    (reason,) = await explain_join(world.service, two, await world.get(made.gid))
    assert reason.criterion == "game"
    assert (code or "the game does not permit it") in reason


class TurnsAway(MatchmakingHooks):
    async def can_join(self, player: Player, gathering: Gathering) -> bool:
        return gathering.owner == player.pid


@pytest.mark.parametrize(
    ("blocking", "hooks", "criterion"),
    [
        ({2: [3]}, None, "blocked by participant"),
        ({3: [2]}, None, "blocked"),
        ({}, TurnsAway(), "game"),
        ({}, None, None),
    ],
)
async def test_a_search_is_not_said_to_fit_what_only_a_join_refuses(
    blocking: dict[int, list[int]], hooks: MatchmakingHooks | None, criterion: str | None
) -> None:
    world = World(hooks=hooks)
    one, two, three = world.consoles(3)
    for pid, blocked in blocking.items():
        await world.preferences.change_block_list(pid, add=blocked, limit=10)
    made = await world.create(one)
    players = (*made.participants, Participant(two.pid, two.connection_id))
    await world.live.change(made.gid, lambda old: Outcome(replace(old, participants=players)))
    joined = await world.auto(three, queries=[SessionQuery()])
    assert (joined.gid == made.gid) is (criterion is None)
    if criterion is None:
        await world.service.leave_sessions(three)
    last = world.matchmaking.searching.last_search(3)
    assert last is not None
    explained = await explain_search(world.matchmaking.searching, three, last)
    told = {found.gid: [reason.criterion for reason in why] for found, why in explained}
    assert told[made.gid] == ([criterion] if criterion else [])
    # Who only browses is shown it.
    await world.browse(three)
    last = world.matchmaking.searching.last_search(3)
    assert last is not None
    explained = await explain_search(world.matchmaking.searching, three, last)
    assert explained[0] == (await world.get(made.gid), [])


async def test_hooks_that_fail_are_named() -> None:
    class Broken(MatchmakingHooks):
        def accepts(self, player: Player, session: MatchmakeSession) -> bool:
            if session.game_mode == 1:
                raise ValueError("no such table")
            return True

        async def can_join(self, player: Player, gathering: Gathering) -> bool:
            raise LookupError("no such row")

    world = World(hooks=Broken())
    one, two, three = world.consoles(3)
    unseen = await world.create(one, MatchmakeSession(max_participants=2, game_mode=1))
    seen = await world.create(two, MatchmakeSession(max_participants=2))
    with pytest.raises((ValueError, LookupError)):
        await world.auto(three, queries=[SessionQuery()])
    last = world.matchmaking.searching.last_search(3)
    assert last is not None, "a search that fails is a search"
    told = {
        found.gid: why
        for found, why in await explain_search(world.matchmaking.searching, three, last)
    }
    assert told[unseen.gid] == ["the game's own filter fails: ValueError: no such table"]
    assert told[seen.gid] == ["the game's own check fails: LookupError: no such row"]
    assert {reason.criterion for why in told.values() for reason in why} == {"game"}


def test_a_reason_is_a_text() -> None:
    reason = Reason("places", "0 places are free")
    assert reason == "0 places are free"
    assert "; ".join(["first", *[reason]]) == "first; 0 places are free"
    assert reason.criterion == "places"


async def test_a_refused_join_is_logged_for_those_who_want_to_know(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    one, two = world.consoles(2)
    made = await world.create(one, MatchmakeSession(max_participants=1))
    for level, lines in ((logging.INFO, 0), (logging.DEBUG, 1)):
        with (
            caplog.at_level(level, "nekonex.matchmaking"),
            pytest.raises(MatchmakingError) as caught,
        ):
            await world.join(two, made.gid)
        assert caught.value.refusal is Refusal.FULL
        assert len(caplog.records) == lines
    (record,) = caplog.records
    assert vars(record).items() >= {"pid": 2, "gid": made.gid}.items()
    assert "2 places needed, 1 there are" in vars(record)["reason"]
