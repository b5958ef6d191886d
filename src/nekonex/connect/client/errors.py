"""What a client raises besides errors of the network."""

from __future__ import annotations

from typing import Final

from nekonex.connect.context import ConnectionClosed
from nekonex.connect.protocol.status import Status

__all__ = ["DisconnectedError", "StatusError", "status_text"]

_MEANINGS: Final[dict[int, str]] = {
    Status.BAD_FRAME: "the server does not accept a frame",
    Status.NOT_FOUND: "no plugin has that greeter",
    Status.TIMEOUT: "the server has waited too long",
    Status.TOO_LARGE: "a frame is larger than allowed",
    Status.TOO_MANY: "too many frames or failed logins",
    Status.PLUGIN_FAILED: "the plugin has failed",
    Status.UNAVAILABLE: "the server is full, or it stops",
}


def status_text(status: int) -> str:
    """Return a status and what it means, as far as that is known."""
    meaning = _MEANINGS.get(status)
    return f"status {status} ({meaning})" if meaning else f"status {status}"


class StatusError(Exception):
    """The server has answered a request with a status, such as 404 or 500."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server answered with {status_text(status)}")
        self.status = status


class DisconnectedError(ConnectionClosed):
    """The connection is over."""

    def __init__(self, text: str, *, status: int | None = None, was_closed: bool = False) -> None:
        super().__init__(text if status is None else f"{text}: {status_text(status)}")
        self.status = status
        """What the server said last, where that was why; such as 413 and 503."""
        self.was_closed = was_closed
        """Whether either end has closed it, between two frames; else it is broken."""
