"""A search that finds nothing, and why."""

from typing import Final

from nekonex.app.control_matchmaking import explain
from nekonex.demo.chapter import Chapter
from nekonex.demo.clients import Online
from nekonex.demo.stage import Stage
from nekonex.demo.structures import criteria, first_results, room

__all__ = ["CHAPTER"]

_RACE: Final = 2
_BATTLE: Final = 3


async def play(stage: Stage) -> None:
    """Open three rooms that are no good for one console, and have the server say why."""
    names = ("diddy", "funky", "dixie", "lanky")
    seeker, battle, closed, distant = [await stage.console(name) for name in names]
    async with (
        seeker.online() as diddy,
        battle.online() as funky,
        closed.online() as dixie,
        distant.online() as lanky,
    ):
        other_mode = await _open(funky, _BATTLE)
        shut = await _open(dixie, _RACE)
        await dixie.extension.close_participation(shut)
        far = await _open(lanky, _RACE)
        with stage.step(
            "Diddy cannot reach Lanky, and reports it", "the server takes note"
        ) as step:
            await diddy.extension.join_matchmake_session(far, "")
            await diddy.nat_traversal.report_nat_traversal_result(lanky.connection_id, False)
            await diddy.leave(far)
            failures = stage.kart.nat_stats.failures
            step.expect(failures == 1, f"it counts {failures} failures")
            minutes = stage.kart.config.limits.unreachable_seconds / 60
            step.saw(f"the two are kept apart for {minutes:g} minutes")
        with stage.step("he looks for other races", "there is none for him") as step:
            wanted = criteria(game_mode=str(_RACE))
            found = await diddy.extension.browse_matchmake_session(wanted, first_results(10))
            step.expect(not found, f"he finds {len(found)}")
            step.saw(f"none of {await stage.rooms()}")
        reasons: dict[int, str] = {}
        with stage.step("the server is asked why", "it has a reason for each session") as step:
            told = await explain([stage.kart], {"pid": diddy.pid})
            for session in told["candidates"]:
                reasons[session["gid"]] = "; ".join(each["text"] for each in session["reasons"])
            step.expect(told["fitting"] == 0, f"{told['fitting']} would do")
            step.saw(", ".join(told["failed"]))
        for whose, gid, expectation, reason in (
            ("Funky's", other_mode, "it is no race", f"game mode is {_BATTLE}, not {_RACE}"),
            ("Dixie's", shut, "it is closed", "participation is closed"),
            (
                "Lanky's",
                far,
                "they did not reach each other",
                f"a connection with PID {lanky.pid} failed a short while ago",
            ),
        ):
            with stage.step(f"why not {whose}?", expectation) as step:
                step.expect(reasons.get(gid) == reason, f"{reasons.get(gid)}")
                step.saw(reason)
    await stage.deserted()


async def _open(console: Online, mode: int) -> int:
    made = await console.extension.create_matchmake_session(room(game_mode=mode), "", 1)
    return int(made.gid)


CHAPTER: Final = Chapter(
    "Why nobody was found",
    "`nekonex game explain` knows what keeps a player alone.",
    play,
    narrated=False,
)
