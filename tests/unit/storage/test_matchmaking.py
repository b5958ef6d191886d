"""The matchmaking that keeps everything in memory."""

from __future__ import annotations

import pytest

from nekonex.domain import PlayerRegistry
from nekonex.domain.matchmaking import (
    Community,
    Company,
    MatchmakeSession,
    MatchmakingError,
    MatchmakingLimits,
    Refusal,
)
from nekonex.events import EventBus, GatheringCreated
from nekonex.storage import memory_matchmaking
from tests.support.matchmaking import Console


async def test_players_meet_and_found_communities_within_its_limits() -> None:
    events = EventBus()
    made: list[int] = []
    events.subscribe(GatheringCreated, lambda event: made.append(event.gid))
    players = PlayerRegistry("game", EventBus())
    consoles = [Console(pid, connection_id=pid) for pid in (1, 2, 3)]
    for console in consoles:
        players.register(console)
    limits = MatchmakingLimits(max_gatherings=1)
    matchmaking = memory_matchmaking(players, limits=limits, events=events)
    template = MatchmakeSession(max_participants=2)
    found = [
        await matchmaking.matchmaker.auto_matchmake(console, template, Company())
        for console in consoles[:2]
    ]
    assert found[0].gid == found[1].gid
    assert found[1].pids == (1, 2)
    with pytest.raises(MatchmakingError) as caught:
        await matchmaking.matchmaker.auto_matchmake(consoles[2], template, Company())
    assert caught.value.refusal is Refusal.TOO_MANY
    community = await matchmaking.communities.create(consoles[2], Community(), "")
    assert made == [found[0].gid, community.gid]
