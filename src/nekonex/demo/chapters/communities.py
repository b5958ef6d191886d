"""Players who belong together for good."""

from typing import Final

from nekonex.demo.chapter import Chapter
from nekonex.demo.stage import Stage
from nekonex.demo.structures import community, criteria, first_results, room
from nekonex.domain.matchmaking import MatchmakeSystem

__all__ = ["CHAPTER"]

_PASSWORD: Final = "one-up"  # noqa: S105


async def play(stage: Stage) -> None:
    """Found a community, play in it, and find it again when its founder is gone."""
    founder, member = await stage.console("toad"), await stage.console("toadette")
    gid = 0
    founder_pid = await stage.pid_of(founder)
    async with founder.online() as toad, member.online() as toadette:
        with stage.step("Toad founds a community", "it takes a password to join it") as step:
            gid = await toad.extension.create_community(community(_PASSWORD), "")
            step.saw(f"community {gid}")
        with (
            stage.step("Toadette guesses the password", "it is another") as step,
            step.refusal("RendezVous::InvalidGatheringPassword"),
        ):
            await toadette.extension.join_community(gid, "", "mushroom")
        with stage.step("she is told it", "she is a member") as step:
            await toadette.extension.join_community(gid, "", _PASSWORD)
            members = (await stage.kart.matchmaking.gatherings.get(gid)).pids
            step.expect(members == (toad.pid, toadette.pid), f"members are {members}")
            step.saw(f"{len(members)} members")
        race = room(matchmake_system=MatchmakeSystem.COMMUNITY, attribs=[gid, 0, 0, 0, 0, 0])
        with stage.step("Toad opens a race there", "the community has one session") as step:
            await toad.extension.create_matchmake_session(race, "", 1)
            (counted,) = await toad.extension.get_simple_community([gid])
            step.expect(
                counted.matchmake_session_count == 1, f"it has {counted.matchmake_session_count}"
            )
            step.saw(f"{counted.matchmake_session_count} session")
        with stage.step("Toadette looks for races there", "she joins Toad's") as step:
            looked_for = criteria(str(gid), matchmake_system=str(int(MatchmakeSystem.COMMUNITY)))
            joined = await toadette.extension.auto_matchmake_with_search_criteria_postpone(
                [looked_for], race, ""
            )
            step.expect(joined.owner == toad.pid, f"she is in one of {joined.owner}")
            step.saw(f"{joined.num_participants} of {joined.max_participants}")
    with stage.step("both go home, she comes back", "the community is still there") as step:
        step.expect(await stage.deserted(), "somebody is still there")
        async with member.online() as toadette:
            (found,) = await toadette.extension.find_community_by_participant(
                toadette.pid, first_results(5)
            )
            step.expect((found.id, found.owner) == (gid, founder_pid), "it is another one")
            # For members the protocol counts how often they took part in its sessions.
            step.expect(found.num_participants == 1, f"she played {found.num_participants} times")
            step.saw(f"community {found.id}, Toad's")


CHAPTER: Final = Chapter(
    "A community", "Members stay members when they are offline.", play, narrated=False
)
