"""A console that is gone, and has told nobody."""

import contextlib
import time
from typing import Final

from nekonex.demo.chapter import Chapter
from nekonex.demo.clients import Vanished
from nekonex.demo.stage import Stage, eventually
from nekonex.events import PlayerLoggedOut

__all__ = ["CHAPTER"]


async def play(stage: Stage) -> None:
    """Pull the plug, and wait for the server to notice."""
    boo = await stage.console("boo")
    pid = await stage.pid_of(boo)
    logouts: list[PlayerLoggedOut] = []
    unsubscribe = stage.server.events.subscribe(PlayerLoggedOut, logouts.append)
    try:
        with stage.step("somebody pulls Boo's plug", "the server does not know it yet") as step:
            with contextlib.suppress(Vanished, BaseExceptionGroup):
                async with boo.online():
                    raise Vanished
            gone = time.perf_counter()
            step.expect(stage.kart.players.newest(pid), "it said goodbye")
        with stage.step("the server pings, and waits", "it logs Boo out, once") as step:
            noticed = await eventually(lambda: logouts)
            step.expect(noticed, "it waits still")
            step.expect(stage.kart.players.newest(pid) is None, "Boo is still online")
            step.saw(f"noticed after {time.perf_counter() - gone:.1f} s")
        with stage.step("Boo comes back", "as if nothing had been") as step:
            async with boo.online() as online:
                step.saw(f"connection {online.connection_id}")
            await eventually(lambda: len(logouts) > 1)
            step.expect(len(logouts) == 2, f"there were {len(logouts)} logouts in all")
    finally:
        unsubscribe()


CHAPTER: Final = Chapter(
    "A console vanishes", "No goodbye, just silence: pings find out, here in a hurry.", play
)
