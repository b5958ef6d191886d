"""A room for those who know its passwords."""

from typing import Final

from nekonex.demo.chapter import Chapter
from nekonex.demo.stage import Stage
from nekonex.demo.structures import create_param, join_param, room

__all__ = ["CHAPTER"]

_PASSWORD: Final = "calamari"  # noqa: S105


async def play(stage: Stage) -> None:
    """Make a room with a password, and let others try to get in."""
    callie, marie, judd = [
        await stage.console(name, stage.squid) for name in ("callie", "marie", "judd")
    ]
    async with callie.online() as host, marie.online() as guest, judd.online() as other:
        gid = 0
        with stage.step("Callie makes a room with a password", "she is in it") as step:
            private = room(max_participants=8, user_password=_PASSWORD, user_password_enabled=True)
            made = await host.extension.create_matchmake_session_with_param(create_param(private))
            gid = made.id
            step.expect(made.num_participants == 1, f"{made.num_participants} are in it")
        with stage.step("Judd looks for any room", "he does not find that one") as step:
            found = await other.extension.auto_matchmake_postpone(room(max_participants=8), "")
            step.expect(found.id != gid, "he is in it")
            step.saw("he gets one of his own")
        with (
            stage.step("Marie tries a password", "it is another") as step,
            step.refusal("RendezVous::MatchmakeSessionUserPasswordUnmatch"),
        ):
            wrong = join_param(gid, user_password="octopus")  # noqa: S106
            await guest.extension.join_matchmake_session_with_param(wrong)
        right = join_param(gid, user_password=_PASSWORD)
        with stage.step("and the right one", "she is in") as step:
            joined = await guest.extension.join_matchmake_session_with_param(right)
            step.expect(joined.num_participants == 2, f"{joined.num_participants} are in it")
            step.saw(f"{joined.num_participants} of 8")
        system = ""
        with stage.step(
            "Callie has the server add another", "it has 16 random letters and digits"
        ) as step:
            system = await host.extension.generate_matchmake_session_system_password(gid)
            step.expect(len(system) == 16, f"it has {len(system)}")
        with (
            stage.step("Judd knows the first only", "both are needed now") as step,
            step.refusal("RendezVous::MatchmakeSessionSystemPasswordUnmatch"),
        ):
            await other.extension.join_matchmake_session_with_param(right)
        with stage.step("then he is told the second", "he is in") as step:
            both = join_param(gid, user_password=_PASSWORD, system_password=system)
            joined = await other.extension.join_matchmake_session_with_param(both)
            step.expect(joined.num_participants == 3, f"{joined.num_participants} are in it")
            step.saw(f"{joined.num_participants} of 8")
    await stage.deserted(stage.squid)


CHAPTER: Final = Chapter(
    "A private room",
    "A session can have its owner's password, one of the server's, or both.",
    play,
    narrated=False,
)
