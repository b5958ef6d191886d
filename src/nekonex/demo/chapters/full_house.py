"""Many consoles in two titles at once."""

import asyncio
from typing import Final

from nekonex.demo.chapter import Chapter
from nekonex.demo.clients import Console
from nekonex.demo.stage import Stage, eventually

__all__ = ["CHAPTER"]

_KART: Final = ("mario", "luigi", "peach", "toad")
_SQUID: Final = ("callie", "marie", "judd", "sheldon")


async def play(stage: Stage) -> None:
    """Log in eight consoles at the same time, and out again."""
    with stage.step("eight accounts are added", "each gets a number of its own") as step:
        consoles = [await stage.console(name, stage.kart) for name in _KART]
        consoles += [await stage.console(name, stage.squid) for name in _SQUID]
        pids = [await stage.pid_of(console) for console in consoles]
        step.expect(len(set(pids)) == len(pids), "a number was given twice")
        step.saw(f"{pids[0]} to {pids[-1]}")

    everybody, home = asyncio.Event(), asyncio.Event()
    ids: list[int] = []

    async def evening(console: Console) -> None:
        async with console.online() as online:
            ids.append(online.connection_id)
            if len(ids) == len(consoles):
                everybody.set()
            await home.wait()

    async with asyncio.TaskGroup() as group:
        evenings = [group.create_task(evening(console)) for console in consoles]
        try:
            with stage.step("they all log in at once", "four are in each title") as step:
                there = await eventually(lambda: everybody.is_set() or _failed(evenings), 8)
                step.expect(there and everybody.is_set(), f"{len(ids)} of them made it")
                counts = (stage.kart.players.count, stage.squid.players.count)
                step.expect(counts == (4, 4), f"{counts[0]} and {counts[1]} are")
                step.expect(len(set(ids)) == len(ids), "a connection id was given twice")
                step.saw(f"{counts[0]} in Mario Kart 8, {counts[1]} in Splatoon")
        finally:
            home.set()

    with stage.step("they all go home", "nobody is online") as step:
        games = (stage.kart, stage.squid)
        gone = await eventually(lambda: not any(game.players.count for game in games))
        step.expect(gone, "somebody is still there")


def _failed(tasks: list[asyncio.Task[None]]) -> bool:
    return any(task.done() for task in tasks)


CHAPTER: Final = Chapter(
    "A full house", "Eight consoles in two titles: one process, four UDP ports, one database.", play
)
