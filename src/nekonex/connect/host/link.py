"""A connection, as the plugins behind it see it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from nekonex.connect.protocol.status import Status

if TYPE_CHECKING:
    from nekonex.connect.host.channel import Channel

__all__ = ["Link"]


class Link(Protocol):
    """An authenticated client. Everything here is for the event loop's thread."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the client."""

    @property
    def client_id(self) -> str:
        """What tells this connection from every other one."""

    @property
    def channels(self) -> dict[str, Channel]:
        """What the client has opened so far, by greeter."""

    @property
    def is_open(self) -> bool:
        """Whether something can be sent to the client."""

    @property
    def is_heard(self) -> bool:
        """Whether something more may come of the client."""

    @property
    def is_congested(self) -> bool:
        """Whether the client is slow to take what was sent."""

    def push(self, greeter: bytes, op: int, data: bytes) -> None:
        """Send a frame; who lets too much wait is disconnected. Raises ValueError."""

    async def drain(self) -> None:
        """Wait until the client is not slow any more, or gone."""

    async def aclose(self) -> None:
        """Send what waits to be sent, and close the connection; wait while the client is slow."""

    def tell(self, status: Status) -> None:
        """Send a status."""

    def reject(self, status: Status, reason: str) -> None:
        """Send a status and close the connection; the reason is for the log."""

    def consumed(self, size: int) -> None:
        """Say that a plugin has taken a frame with so many bytes of data."""

    def put_back(self, size: int) -> None:
        """Say that a plugin has not taken such a frame after all."""

    def idle(self) -> None:
        """Say that a plugin has nothing more to do for this client, for now."""
