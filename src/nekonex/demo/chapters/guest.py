"""A console without an account."""

from typing import Final

from nekonex.demo.chapter import Chapter
from nekonex.demo.stage import Stage, eventually

__all__ = ["CHAPTER"]


async def play(stage: Stage) -> None:
    """Let the guest in where it may."""
    players = stage.kart.players
    with stage.step("the guest logs in to Mario Kart 8", "it registers and is told its id") as step:
        async with stage.guest(stage.kart).online() as console:
            step.expect(console.connection_id, "the connection id is 0")
            step.expect(players.count == 1, f"{players.count} players are online")
            step.saw(
                f"connection {console.connection_id}, seen at port {console.public_station['port']}"
            )
    with stage.step("and leaves", "nobody is online") as step:
        step.expect(await eventually(lambda: not players.count), "it is still there")
    with (
        stage.step("it tries Splatoon", "no guests there: there is no such user") as step,
        step.refusal("RendezVous::InvalidUsername"),
    ):
        async with stage.guest(stage.squid).log_in():
            pass


CHAPTER: Final = Chapter(
    "A guest", "Guests are off, unless a game's configuration lets them in.", play
)
