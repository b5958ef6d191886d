"""A leaderboard with ties, in both ways of counting ranks."""

import contextlib
from collections.abc import Mapping
from typing import Any, Final

from nekonex.connect import Client
from nekonex.demo.chapter import Chapter
from nekonex.demo.clients import Online
from nekonex.demo.plugins import client_of, next_board, watch_board
from nekonex.demo.records import order, score
from nekonex.demo.stage import Stage, Step

__all__ = ["CHAPTER"]

_TRACK: Final = 12
_NAME_SIZE: Final = 0xD4
"""Mario Kart 8 sends its common data, which has the player's name, in so many bytes."""
_TIMES: Final[Mapping[str, int]] = {
    "daisy": 92_110,
    "rosalina": 91_532,
    "luigi": 92_110,
    "mario": 93_007,
    "yoshi": 93_007,
    "wario": 95_400,
}
"""Milliseconds, in the order in which they come in."""
_RANGE, _NEAR = 0, 1
_STANDARD, _ORDINAL = 0, 1


async def play(stage: Stage) -> None:
    """Let six players race, and read the board."""
    async with contextlib.AsyncExitStack() as doors:
        viewer = await doors.enter_async_context(client_of(stage.server))
        empty = await watch_board(viewer, stage.kart.name, _TRACK)
        players = {}
        for name in _TIMES:
            console = await stage.console(name)
            players[name] = await doors.enter_async_context(console.online())
        with stage.step("six players upload their times", "all of them are ranked") as step:
            for name, online in players.items():
                await online.ranking.upload_common_data(_named(name), 0)
                await online.ranking.upload_score(score(_TRACK, _TIMES[name]), 0)
            board = await _read(players["mario"], _STANDARD)
            step.expect(board.total == len(_TIMES), f"{board.total} are")
            step.saw(f"{board.total} in all")
        with stage.step(
            "a viewer hears of it over NekoConnect", "the record is pushed, with the others"
        ) as step:
            step.expect(not empty, "there were scores before")
            _tell_pushed(step, await _last_board(viewer))
        with stage.step("Wario is slower than before", "his better time stays") as step:
            await players["wario"].ranking.upload_score(score(_TRACK, 99_999), 0)
            worst = (await _read(players["wario"], _STANDARD)).data[-1]
            step.expect(worst.score == _TIMES["wario"], f"it is {worst.score}")
            step.saw(_time(worst.score))
        with stage.step("ranks with gaps", "who ties shares a rank: 1 2 2 4 4 6") as step:
            _tell(step, await _read(players["mario"], _STANDARD), [1, 2, 2, 4, 4, 6])
        with stage.step("ranks without gaps", "of equals the earlier is ahead") as step:
            _tell(step, await _read(players["mario"], _ORDINAL), [1, 2, 3, 4, 5, 6])
        with stage.step("Yoshi looks around himself", "one ahead, himself, one behind") as step:
            near = await _read(players["yoshi"], _ORDINAL, mode=_NEAR, count=3)
            _tell(step, near, [4, 5, 6])


async def _read(online: Online, calculation: int, *, mode: int = _RANGE, count: int = 10) -> Any:
    return await online.ranking.get_ranking(mode, _TRACK, order(calculation, count), 0, 0)


async def _last_board(viewer: Client) -> list[dict[str, Any]]:
    """Return what the scoreboard plugin pushes when all have come in."""
    while len(board := await next_board(viewer)) < len(_TIMES):
        pass
    return board


def _tell_pushed(step: Step, board: list[dict[str, Any]]) -> None:
    times = {each["name"]: each["score"] for each in board}
    step.expect(times == _TIMES, f"it has {times}")
    record = board[0]
    step.saw(f"{record['rank']} {record['name'].capitalize()} {_time(record['score'])}, and 5 more")
    step.expect(record["score"] == min(_TIMES.values()), "that is not the record")


def _tell(step: Step, board: Any, ranks: list[int]) -> None:
    found = [row.rank for row in board.data]
    names = [row.common_data.rstrip(b"\0").decode().capitalize() for row in board.data]
    step.saw(" · ".join(map(_row, found, names)))
    step.expect(found == ranks, f"ranks are {found}")
    ordered = sorted(_TIMES, key=_TIMES.__getitem__)  # stable: of equals the earlier
    expected = [name.capitalize() for name in ordered][-len(ranks) :]
    step.expect(names == expected, f"the order is {names}")


def _row(rank: int, name: str) -> str:
    return f"{rank} {name} {_time(_TIMES[name.lower()])}"


def _time(milliseconds: int) -> str:
    minutes, rest = divmod(milliseconds, 60_000)
    return f"{minutes}:{rest / 1000:06.3f}"


def _named(name: str) -> bytes:
    return name.encode().ljust(_NAME_SIZE, b"\0")


CHAPTER: Final = Chapter(
    "A leaderboard", "Six times on one track, some of them the same.", play, narrated=False
)
