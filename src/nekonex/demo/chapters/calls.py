"""Calls in the other direction."""

import struct
from typing import Any, Final

from nekonex.demo.chapter import Chapter
from nekonex.demo.clients import Inbox
from nekonex.demo.game import Doorbell
from nekonex.demo.stage import Stage, eventually
from nekonex.domain import Notification

__all__ = ["CHAPTER"]

_LISTEN: Final = 1
_RING: Final = 2


class Door:
    """A console's side of the demo's own protocol."""

    PROTOCOL_ID = Doorbell.PROTOCOL_ID
    NORESPONSE = False

    async def handle(self, _client: Any, _method: int, data: Any, output: Any) -> None:
        """Answer when the server rings."""
        caller, text = data.u32(), data.string()
        output.string(f"{text} Who is there? {caller}?")

    async def logout(self, _client: Any) -> None:
        """Take note that the connection is over."""


async def play(stage: Stage) -> None:
    """Notify a console, and call one from within another's call."""
    wario, waluigi = await stage.console("wario"), await stage.console("waluigi")
    inbox = Inbox()
    async with wario.online() as caller, waluigi.online([Door(), inbox.server]) as called:
        with stage.step("the server notifies Waluigi's console", "it gets the event") as step:
            player = stage.kart.players.get(called.connection_id)
            if player is not None:
                player.notify(
                    Notification(kind=109000, source_pid=2, param1=8, text="It is race night.")
                )
            step.expect(await eventually(lambda: inbox.events), "nothing came")
            step.saw(f"“{inbox.events[0].text}”")
        with stage.step(
            "Wario rings at Waluigi's", "the server calls, and brings the answer"
        ) as step:
            pid = await stage.pid_of(waluigi)
            await called.client.request(Doorbell.PROTOCOL_ID, _LISTEN, b"")
            text = b"Knock, knock.\0"
            body = struct.pack("<IH", pid, len(text)) + text
            reply = await caller.client.request(Doorbell.PROTOCOL_ID, _RING, body)
            answer = reply[2:-1].decode()
            step.expect(answer.startswith("Knock, knock. Who is there?"), f"{answer!r}")
            step.saw(f"“{answer}”")


CHAPTER: Final = Chapter(
    "The server calls", "A protocol of one's own is a class; both sides of it can call.", play
)
