"""One account on two consoles."""

from typing import Final

from nekonex.demo.chapter import Chapter
from nekonex.demo.stage import Stage, eventually

__all__ = ["CHAPTER"]


async def play(stage: Stage) -> None:
    """Log in a second time while the first console still plays."""
    players = stage.kart.players
    bike, car = await stage.console("koopa"), await stage.console("koopa")
    pid = await stage.pid_of(bike)
    with stage.step("Koopa logs in on a second console", "the first one has to go") as step:
        async with bike.online() as first, car.online() as second:
            alone = await eventually(lambda: players.get(first.connection_id) is None)
            step.expect(alone, "the first one is still online")
            ids = [player.connection_id for player in players.all_of(pid)]
            step.expect(ids == [second.connection_id], f"online are the connections {ids}")
            await second.secure.test_connectivity()
            step.saw(f"connection {first.connection_id} ended, {second.connection_id} plays on")


CHAPTER: Final = Chapter(
    "Two consoles, one account", "A player is in a game once: the newer connection counts.", play
)
