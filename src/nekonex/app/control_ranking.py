"""What an operator does with scores, in a running server or without one."""

from collections.abc import Awaitable, Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from nekonex.app.control import CommandRefusedError
from nekonex.domain import MAX_PID
from nekonex.domain.ranking import RankedScore, RankingError, Rankings, Refusal
from nekonex.values import ServiceUnavailable

__all__ = ["MAX_TOP", "RANKING_COMMANDS", "RankingCommand"]

MAX_TOP: Final = 1000
"""Scores that one answer lists at most: players wait meanwhile, about 10 ms."""

_U32: Final = (1 << 32) - 1
_U64: Final = (1 << 64) - 1

RankingCommand = Callable[[Mapping[str, Rankings], Mapping[str, Any]], Awaitable[Any]]
"""Does something with the started rankings of games, by their names, and returns the answer."""


async def _list(rankings: Mapping[str, Rankings], _: Mapping[str, Any]) -> Any:
    """Return the categories of all games, with how many scores they have."""
    try:
        return [
            {
                "game": game,
                "category": each.category,
                "order": "descending" if each.descending else "ascending",
                "scores": each.scores,
            }
            for game, found in rankings.items()
            for each in await found.categories()
        ]
    except ServiceUnavailable as error:
        raise CommandRefusedError(f"the scores cannot be read: {error}") from error


async def _top(rankings: Mapping[str, Rankings], arguments: Mapping[str, Any]) -> Any:
    """Return the best of a category."""
    category = _whole(arguments, "category", _U32)
    count = _whole(arguments, "count", MAX_TOP)
    try:
        game, chosen = await _having(rankings, category)
        return [_as_dict(game, each) for each in await chosen.top(category, count)]
    except ServiceUnavailable as error:
        raise CommandRefusedError(f"the scores cannot be read: {error}") from error


async def _remove(rankings: Mapping[str, Rankings], arguments: Mapping[str, Any]) -> Any:
    """Remove a player's scores from a category, those of all unique ids unless one is named."""
    category = _whole(arguments, "category", _U32)
    pid = _whole(arguments, "pid", MAX_PID)
    named = arguments.get("unique_id") is not None
    unique_id = _whole(arguments, "unique_id", _U64) if named else None
    try:
        game, chosen = await _having(rankings, category)
        removed = await chosen.remove(pid, category, unique_id)
    except RankingError as error:
        if error.refusal is not Refusal.NOT_FOUND:
            raise CommandRefusedError(str(error)) from error
        under = "" if unique_id is None else f" under the unique id {unique_id}"
        raise CommandRefusedError(
            f"the player {pid} has no score in category {category} of {game}{under}"
        ) from error
    except ServiceUnavailable as error:
        raise CommandRefusedError(f"the scores cannot be changed: {error}") from error
    return {"game": game, "category": category, "pid": pid, "scores": [s.score for s in removed]}


RANKING_COMMANDS: Final[Mapping[str, RankingCommand]] = MappingProxyType(
    {"rankings": _list, "top_scores": _top, "remove_scores": _remove}
)
"""The commands by their names on the control socket."""


async def _having(rankings: Mapping[str, Rankings], category: int) -> tuple[str, Rankings]:
    """Return the one game that has a category."""
    having = {
        game: found
        for game, found in rankings.items()
        if any(each.category == category for each in await found.categories())
    }
    if not having:
        where = next(iter(rankings)) if len(rankings) == 1 else "any game"
        raise CommandRefusedError(f"there is no category {category} in {where}")
    if len(having) > 1:
        names = " and ".join(having)
        raise CommandRefusedError(f"{names} have a category {category} each; say which with --game")
    return next(iter(having.items()))


def _as_dict(game: str, ranked: RankedScore) -> dict[str, Any]:
    score = ranked.score
    return {
        "game": game,
        "rank": ranked.rank,
        "pid": score.pid,
        "unique_id": score.unique_id,
        "score": score.score,
        "groups": list(score.groups),
        "param": score.param,
        "updated": score.updated / 1_000_000,
    }


def _whole(arguments: Mapping[str, Any], name: str, largest: int) -> int:
    value = arguments.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= largest:
        raise CommandRefusedError(f'"{name}" is a whole number from 0 to {largest}')
    return value
