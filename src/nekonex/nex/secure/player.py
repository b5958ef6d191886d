"""A registered console, as the rest of the server sees it."""

from __future__ import annotations

from nekonex.domain import Notification
from nekonex.nex.notification import event_of, notify
from nekonex.nex.secure.stations import Stations
from nekonex.rmc import Session

__all__ = ["ConnectedPlayer"]


class ConnectedPlayer:
    """A console that registered at the secure server: `nekonex.domain.Player`, and its stations.

    ``session`` is where it can be called; ``stations`` is how other consoles reach it.
    """

    __slots__ = ("_pid", "_reason", "session", "stations")

    def __init__(self, session: Session, pid: int, stations: Stations) -> None:
        self.session = session
        self.stations = stations
        self._pid = pid
        self._reason = ""

    @property
    def pid(self) -> int:
        """The principal id; guests share one."""
        return self._pid

    @property
    def connection_id(self) -> int:
        """The number of this connection."""
        return self.session.id

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that the console's datagrams come from."""
        return self.session.remote_address

    @property
    def leave_reason(self) -> str:
        """Why the connection ended: what `close` was told, or what the transport says."""
        return self._reason or str(self.session.close_reason or "")

    def close(self, reason: str) -> None:
        """Disconnect the console; ``reason`` is for the log. Harmless when it is gone."""
        if self.session.open:
            self._reason = reason
            self.session.disconnect()

    def drop(self, reason: str) -> None:
        """Do as `close` does, but do not wait for the console, which may be long gone."""
        if self.session.open:
            self._reason = reason
            self.session.close()

    def notify(self, event: Notification) -> None:
        """Send the console a notification, without waiting. Harmless when it is gone.

        Raises ValueError for one that does not fit the wire of the console's version.
        """
        notify(self.session, event_of(event))
