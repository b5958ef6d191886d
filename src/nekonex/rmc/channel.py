"""What remote calls need of the connection below them."""

from typing import Protocol

__all__ = ["Channel"]


class Channel(Protocol):
    """A connection that carries whole messages, in order, on each substream.

    Its owner calls `Session.on_message` for every message that arrives and
    `Session.on_closed` once when it has ended, whatever ended it. All of it
    happens in one event loop.
    """

    @property
    def id(self) -> int:
        """Number of the connection, unique for the life of the process, never 0."""

    @property
    def pid(self) -> int | None:
        """Account that the ticket named; None on a server that needs no ticket."""

    @property
    def cid(self) -> int | None:
        """Connection id that the ticket's owner gave; None like `pid`."""

    @property
    def remote_address(self) -> tuple[str, int]:
        """Host and port that the peer's packets come from."""

    @property
    def local_address(self) -> tuple[str, int]:
        """Host and port that the peer's packets arrive on."""

    @property
    def local_port(self) -> int:
        """Virtual port on this side."""

    @property
    def remote_port(self) -> int:
        """Virtual port on the peer's side."""

    @property
    def minor_version(self) -> int:
        """Minor version that both sides agreed on; 0 where the transport has none."""

    @property
    def open(self) -> bool:
        """Whether messages can still be sent."""

    def send(self, data: bytes, substream: int = 0) -> None:
        """Queue a message. ConnectionError if the connection is closed."""

    def close(self) -> None:
        """End the connection at once, without a goodbye."""

    def disconnect(self) -> None:
        """End the connection after what is queued has been sent, with a goodbye."""

    def pause_reading(self) -> None:
        """Stop taking (and acknowledging) messages; those under way may still be delivered."""

    def resume_reading(self) -> None:
        """Take messages again."""
