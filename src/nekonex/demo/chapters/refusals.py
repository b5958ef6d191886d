"""Who does not get in."""

from dataclasses import replace
from typing import Final

from nekonex.demo.chapter import Chapter
from nekonex.demo.stage import Stage, eventually

__all__ = ["CHAPTER"]


async def play(stage: Stage) -> None:
    """Try to log in without being entitled to."""
    bowser = await stage.console("bowser")
    with (
        stage.step("Bowser mistypes his password", "the ticket stays sealed for him") as step,
        step.refusal("ValueError"),
    ):
        async with replace(bowser, password="princess").log_in():  # noqa: S106
            pass
    with (
        stage.step("somebody nobody knows", "there is no such user") as step,
        step.refusal("RendezVous::InvalidUsername"),
    ):
        async with replace(bowser, name="kamek").log_in():
            pass
    pid = await stage.pid_of(bowser)
    with stage.step(
        "Bowser is banned while he plays", "he is disconnected within a second"
    ) as step:
        async with bowser.online():
            await stage.server.access.ban(pid, "kidnapping")
            step.saw(f"disconnected {await stage.server.enforce_access()}")
            players = stage.kart.players
            step.expect(await eventually(lambda: not players.newest(pid)), "he plays on")
    with (
        stage.step("and tries again", "his account is disabled") as step,
        step.refusal("RendezVous::AccountDisabled"),
    ):
        async with bowser.log_in():
            pass
    await stage.server.access.unban(pid)
    with stage.step("he is forgiven", "he plays again") as step:
        async with bowser.online() as online:
            step.saw(f"connection {online.connection_id}")


CHAPTER: Final = Chapter(
    "Refusals", "A login is refused with the error that the console has a text for.", play
)
