"""Closing the server for a while."""

from typing import Final

from nekonex.demo.chapter import Chapter
from nekonex.demo.stage import Stage, eventually

__all__ = ["CHAPTER"]


async def play(stage: Stage) -> None:
    """Begin a maintenance while somebody plays, and end it."""
    access, players = stage.server.access, stage.kart.players
    birdo = await stage.console("birdo")
    with stage.step("maintenance begins while Birdo plays", "everybody is disconnected") as step:
        async with birdo.online():
            await access.start_maintenance()
            step.saw(f"disconnected {await stage.server.enforce_access()}")
            step.expect(await eventually(lambda: not players.count), "somebody plays on")
    with (
        stage.step("Birdo tries again", "the console is told of the maintenance") as step,
        step.refusal("Authentication::UnderMaintenance"),
    ):
        async with birdo.log_in():
            pass
    with stage.step("maintenance ends", "Birdo plays again") as step:
        await access.end_maintenance()
        async with birdo.online() as online:
            step.saw(f"connection {online.connection_id}")


CHAPTER: Final = Chapter(
    "Maintenance", "Now, or from one time to another; for all games or for one.", play
)
