"""A matchmaking that keeps everything in memory, for servers without the app."""

from __future__ import annotations

from random import Random

from nekonex.domain.matchmaking import (
    GetFriendPids,
    Matchmaking,
    MatchmakingHooks,
    MatchmakingLimits,
    TitleRules,
)
from nekonex.domain.players import PlayerRegistry
from nekonex.events import EventBus
from nekonex.storage.memory_gatherings import MemoryCommunityStore, MemoryLiveStore
from nekonex.storage.memory_preferences import MemoryPreferenceStore

__all__ = ["memory_matchmaking"]


def memory_matchmaking(
    players: PlayerRegistry,
    *,
    get_friend_pids: GetFriendPids | None = None,
    hooks: MatchmakingHooks | None = None,
    rules: TitleRules | None = None,
    limits: MatchmakingLimits | None = None,
    events: EventBus | None = None,
) -> Matchmaking:
    """Return the matchmaking of one game, with nothing open, for the players of ``players``.

    Communities and block lists are in memory too, and gone when the process ends; with stores of
    your own, make a `Matchmaking` yourself. ``events`` is where gatherings are told of.
    """
    limits = limits or MatchmakingLimits()
    return Matchmaking(
        players=players,
        live=MemoryLiveStore(Random(), max_gatherings=limits.max_gatherings),
        communities=MemoryCommunityStore(),
        preferences=MemoryPreferenceStore(),
        get_friend_pids=get_friend_pids,
        hooks=hooks,
        rules=rules,
        limits=limits,
        events=events,
    )
