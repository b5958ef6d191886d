"""A chat that goes on beside everything else."""

from typing import Final

from nekonex.demo.chapter import Chapter
from nekonex.demo.plugins import client_of, enter_room
from nekonex.demo.stage import Stage, StepFailedError, eventually
from nekonex.demo.talk import ROOM, Talk

__all__ = ["CHAPTER"]

_REMEMBERED: Final = 50
"""Lines that a room of the chat plugin remembers."""


async def begin(stage: Stage) -> None:
    """Let three players talk from now on."""
    talk = Talk()
    stage.closing.push_async_callback(talk.close)
    await talk.begin(lambda: client_of(stage.server), lambda: stage.chapter)
    stage.talk = talk


async def play(stage: Stage) -> None:
    """Compare what they have heard, and let two more try to come in."""
    talk = stage.talk
    if talk is None:
        raise StepFailedError("nobody has begun to chat")
    with stage.step(
        "three have chatted all the while", "each has heard every line, in the same order"
    ) as step:
        await talk.end()
        complete = await eventually(lambda: talk.is_complete)
        counts = [len(heard) for heard in talk.heard.values()]
        step.expect(complete, f"they have heard {counts} of {len(talk.said)} lines")
        step.expect(talk.said, "nobody has said anything")
        first, *others = talk.heard.values()
        step.expect(all(heard == first for heard in others), "they have not heard the same")
        step.expect(sorted(first) == sorted(talk.said), "they have heard what nobody said")
        step.saw(f"{len(first)} lines, in {len(talk.chapters)} chapters")
    with stage.step("Blathers comes late", "he reads what was said last") as step:
        async with client_of(stage.server) as late:
            found = await enter_room(late, "blathers", ROOM)
        expected = next(iter(talk.heard.values()))[-_REMEMBERED:]
        step.expect(found == expected, f"he reads {len(found)} other lines")
        step.saw(f"{len(found)} lines; the last is “{found[-1]}”")
    with (
        stage.step("somebody guesses the password", "the door stays shut") as step,
        step.refusal("status 400"),
    ):
        async with client_of(stage.server, "nya"):
            pass


CHAPTER: Final = Chapter(
    "NekoConnect: a chat beside the games",
    "The same process runs plugins behind a socket of its own; this one is for chatting.",
    play,
    begin=begin,
    narrated=False,
)
