"""What a running server tells about its gatherings: which there are, and why nobody finds them."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import fields
from typing import Any, Final

from nekonex.app.control import CommandRefusedError
from nekonex.app.hosting import HostedGame
from nekonex.domain import Player
from nekonex.domain.matchmaking import Community, Gathering, MatchmakeSession, SessionQuery
from nekonex.domain.matchmaking.reasons import Reason
from nekonex.domain.matchmaking.search.explaining import explain_join, explain_search
from nekonex.values import ServiceUnavailable

__all__ = ["explain", "gathering_counts", "list_gatherings"]

PAGE: Final = 500
"""Gatherings that are looked at before the play gets its turn."""
MAX_CANDIDATES: Final = 1000
"""Sessions that one answer explains at most."""


async def list_gatherings(games: Sequence[HostedGame]) -> list[dict[str, Any]]:
    """Return what is open: sessions and other gatherings, but not communities."""
    return [
        {"game": game.name, **_as_dict(gathering, game.services.clock())}
        for game in games
        async for gathering in _open_gatherings(game)
    ]


async def gathering_counts(game: HostedGame) -> dict[str, int | None]:
    """Return how many gatherings there are, and how many places are taken in the open ones.

    The number of communities is None while their store is out of order.
    """
    taken = [gathering.places_taken async for gathering in _open_gatherings(game)]
    communities = None
    with contextlib.suppress(ServiceUnavailable):
        communities = await game.matchmaking.gatherings.communities.count()
    return {"gatherings": len(taken), "participants": sum(taken), "communities": communities}


async def explain(games: Sequence[HostedGame], arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Say why a player's last search finds so little, or why it cannot join a gathering."""
    pid = _whole(arguments, "pid")
    if pid is None:
        raise CommandRefusedError('explain needs a "pid", a whole number')
    gid = _whole(arguments, "gid")
    limit = _whole(arguments, "limit")
    game, player = _online(games, pid)
    about = {"game": game.name, "pid": pid}
    try:
        if gid is not None:
            return {**about, **await _explain_join(game, player, gid)}
        return {**about, **await _explain_search(game, player, 10 if limit is None else limit)}
    except ServiceUnavailable as error:
        raise CommandRefusedError(f"the server's stores cannot be read: {error}") from error


def _online(games: Sequence[HostedGame], pid: int) -> tuple[HostedGame, Player]:
    found = [(game, player) for game in games if (player := game.players.newest(pid)) is not None]
    if not found:
        raise CommandRefusedError(f"the player {pid} is not online")
    if len(found) > 1:
        names = ", ".join(game.name for game, _ in found)
        raise CommandRefusedError(f"the player {pid} is online in {names}; say which game")
    return found[0]


async def _explain_search(game: HostedGame, player: Player, limit: int) -> dict[str, Any]:
    searching = game.matchmaking.searching
    last = searching.last_search(player.pid)
    if last is None:
        raise CommandRefusedError(f"the player {player.pid} has not searched for sessions")
    explained = await explain_search(searching, player, last)
    now = game.services.clock()
    failed = Counter(reason.criterion for _, reasons in explained for reason in reasons)
    return {
        "search": {
            "seconds_ago": round(max(now - last.time, 0.0), 1),
            "joining": last.joining,
            "found": last.found,
            "queries": [_query_as_dict(query) for query in last.queries],
        },
        "sessions": len(explained),
        "fitting": sum(not reasons for _, reasons in explained),
        "failed": dict(sorted(failed.items(), key=lambda each: (-each[1], each[0]))),
        "candidates": [
            {**_as_dict(session, now), "reasons": _reasons(reasons)}
            for session, reasons in explained[: min(limit, MAX_CANDIDATES)]
        ],
    }


async def _explain_join(game: HostedGame, player: Player, gid: int) -> dict[str, Any]:
    service = game.matchmaking.gatherings
    gathering = await service.find(gid)
    if gathering is None:
        raise CommandRefusedError(f"there is no gathering {gid} in {game.name}")
    reasons = await explain_join(service, player, gathering)
    about = _as_dict(gathering, game.services.clock())
    return {"gathering": about, "reasons": _reasons(reasons)}


async def _open_gatherings(game: HostedGame) -> AsyncIterator[Gathering]:
    after = 0
    while page := await game.matchmaking.gatherings.live.page(after, PAGE):
        for gathering in page:
            yield gathering
        after = page[-1].gid
        await asyncio.sleep(0)


def _reasons(reasons: Sequence[Reason]) -> list[dict[str, str]]:
    return [{"criterion": reason.criterion, "text": str(reason)} for reason in reasons]


def _as_dict(gathering: Gathering, now: float) -> dict[str, Any]:
    """Return what everybody may know of a gathering: no password, key or buffer."""
    told: dict[str, Any] = {
        "gid": gathering.gid,
        "kind": type(gathering).__name__,
        "owner": gathering.owner,
        "host": gathering.host,
        "places_taken": gathering.places_taken,
        "max_participants": gathering.max_participants,
        "participants": list(gathering.pids),
        "policy": gathering.policy,
        "description": gathering.description,
        "seconds": round(max(now - gathering.registered, 0.0), 1),
    }
    if isinstance(gathering, MatchmakeSession):
        told |= {
            "game_mode": gathering.game_mode,
            "attributes": list(gathering.attributes),
            "matchmake_system": gathering.matchmake_system,
            "open": gathering.open_participation,
            "password": gathering.has_password,
            "progress_score": gathering.progress_score,
        }
    elif isinstance(gathering, Community):
        told |= {
            "attributes": list(gathering.attributes),
            "type": gathering.type,
            "password": bool(gathering.password),
        }
    return told


def _query_as_dict(query: SessionQuery) -> dict[str, Any]:
    """Return what a query asks for; what is any is left out."""
    told: dict[str, Any] = {}
    for each in fields(query):
        value = getattr(query, each.name)
        if each.name == "friends":
            continue  # follows from who searches
        if each.name == "attributes":
            wanted = {str(index): str(one) for index, one in enumerate(value) if one is not None}
            if wanted:
                told[each.name] = wanted
        elif each.name == "codeword":
            if value:
                told[each.name] = True  # it opens doors, so that there is one is enough
        elif value != each.default:
            told[each.name] = _plain(value)
    told["selection"] = query.selection.value
    return told


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | str):
        return value
    return sorted(value) if isinstance(value, frozenset) else str(value)


def _whole(arguments: Mapping[str, Any], name: str) -> int | None:
    value = arguments.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise CommandRefusedError(f'the "{name}" of explain is a whole number, 0 or more')
    return value
