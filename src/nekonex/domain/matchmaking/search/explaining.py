"""Why a player finds no session, or cannot join a gathering: everything at once.

A search, or a join, stops at the first reason.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from nekonex.domain.matchmaking.model import (
    LAST_COMMUNITY_GID,
    Community,
    Gathering,
    MatchmakeSession,
)
from nekonex.domain.matchmaking.reasons import Reason
from nekonex.domain.matchmaking.rules.admission import Credentials, Relations, objections
from nekonex.domain.matchmaking.search.searching import LastSearch, SearchService, fewest_reasons
from nekonex.domain.matchmaking.services.gatherings import GatheringService
from nekonex.domain.players import Player
from nekonex.values import DateTime, RMCError

__all__ = ["explain_join", "explain_search", "join_reasons"]

_JOINS_EXPLAINED: Final = 100
"""Of how many sessions that a search finds it is looked up whether a join would be refused."""


def join_reasons(
    gathering: Gathering, pid: int, relations: Relations, now: DateTime, *, returning: bool = False
) -> Iterator[Reason]:
    """Say what keeps a player, who comes alone, from joining a gathering.

    That a password is needed is told, whether or not the player knows it. With ``returning`` the
    player takes part with a connection that is over, which it may replace.
    """
    taken = gathering.places_taken
    known = gathering.participant(pid)
    if known is not None and not returning:
        yield Reason("already in", "the player is in it already")
    elif gathering.max_participants and taken >= gathering.max_participants and known is None:
        yield Reason("full", f"no place is free: {taken} of {gathering.max_participants} are taken")
    yield from _passwords(gathering)
    for error in objections(gathering, pid, _fitting(gathering), relations, now):
        yield Reason(error.refusal.name.lower().replace("_", " "), str(error))


def _passwords(gathering: Gathering) -> Iterator[Reason]:
    if isinstance(gathering, MatchmakeSession):
        if gathering.user_password_enabled:
            yield Reason("user password", "joining takes its user password")
        if gathering.system_password:
            yield Reason("system password", "joining takes its system password")
    elif isinstance(gathering, Community) and gathering.password:
        yield Reason("password", "joining takes its password")


def _fitting(gathering: Gathering) -> Credentials:
    """Return what opens a gathering, so that only other objections are left."""
    if isinstance(gathering, MatchmakeSession):
        return Credentials(
            user_password=gathering.user_password, system_password=gathering.system_password
        )
    if isinstance(gathering, Community):
        return Credentials(community_password=gathering.password)
    return Credentials()


async def explain_join(
    service: GatheringService, player: Player, gathering: Gathering
) -> list[Reason]:
    """Return everything that keeps a player from joining a gathering at this moment.

    Raises ServiceUnavailable.
    """
    pid = player.pid
    known = gathering.participant(pid)
    # A member of a community has no connection in it.
    returning = (
        known is not None
        and bool(known.connection_id)
        and service.players.get(known.connection_id) is None
    )
    relations = await service.relations(player, gathering)
    reasons = list(join_reasons(gathering, pid, relations, service.now(), returning=returning))
    if known is None:
        if gathering.gid <= LAST_COMMUNITY_GID:
            members = service.limits.max_members
            if len(gathering.participants) >= members:
                reasons.append(Reason("full", f"it has {members} members, the most there may be"))
            joined = len(await service.communities.of_participant(pid))
            most = service.limits.max_joined_communities
        else:
            joined, most = len(await service.live.of_participant(pid)), service.limits.max_joined
        if joined >= most:
            reasons.append(Reason("too many joined", f"the player is in {joined} others already"))
    try:
        if not await service.hooks.can_join(player, gathering):
            reasons.append(Reason("game", "the game does not permit it"))
    except RMCError as error:
        reasons.append(Reason("game", f"the game does not permit it: {error.name}"))
    except Exception as error:  # noqa: BLE001 - whatever a game's code raises is the reason
        what = f"{type(error).__name__}: {error}"
        reasons.append(Reason("game", f"the game's own check fails: {what}"))
    return reasons


async def explain_search(
    searching: SearchService, player: Player, last: LastSearch
) -> list[tuple[MatchmakeSession, list[Reason]]]:
    """Say of every session what keeps a player's search from finding it at this moment.

    Where the search was to join what it finds, that is also what only a join looks at. The
    nearest misses come first. Raises ServiceUnavailable.
    """
    searcher = await searching.searcher(player)
    explained = await searching.explain(searcher, last.queries, in_turns=True)
    if last.joining:
        fitting = [each for each in explained if not each[1]]
        for session, reasons in fitting[:_JOINS_EXPLAINED]:
            reasons.extend(await explain_join(searcher.service, player, session))
        explained.sort(key=fewest_reasons)
    return explained
