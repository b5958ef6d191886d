"""Secure connection (protocol 11): where consoles say how they can be reached.

Methods and fields as in NintendoClients' ``secure.py``.
"""

from __future__ import annotations

from typing import NamedTuple

from nekonex.nex.structures import ConnectionData
from nekonex.rmc import Protocol, Session, method
from nekonex.values import Result, StationURL
from nekonex.wire import PID, AnyData, QBuffer, UInt32

__all__ = ["ConnectionDataReply", "RegisterReply", "SecureConnection", "URLsReply"]


class RegisterReply(NamedTuple):
    """The reply to a registration: the number of the connection, and its public address."""

    result: Result
    connection_id: UInt32
    public_station: StationURL


class ConnectionDataReply(NamedTuple):
    """How another console can be reached, with the number of its connection."""

    result: bool
    connection_data: list[ConnectionData]


class URLsReply(NamedTuple):
    """How another console can be reached."""

    result: bool
    urls: list[StationURL]


class SecureConnection(Protocol, id=11):
    """The protocol; `nekonex.nex.SecureConnectionServer` serves it."""

    @method(1)
    async def register(self, client: Session, urls: list[StationURL]) -> RegisterReply:
        """Say how the console can be reached."""
        raise NotImplementedError

    @method(2)
    async def request_connection_data(
        self, client: Session, cid: UInt32, pid: PID
    ) -> ConnectionDataReply:
        """Ask how another console can be reached."""
        raise NotImplementedError

    @method(3)
    async def request_urls(self, client: Session, cid: UInt32, pid: PID) -> URLsReply:
        """Ask how another console can be reached."""
        raise NotImplementedError

    @method(4)
    async def register_ex(
        self, client: Session, urls: list[StationURL], login_data: AnyData
    ) -> RegisterReply:
        """Say how the console can be reached, and show a token."""
        raise NotImplementedError

    @method(5)
    async def test_connectivity(self, client: Session) -> None:
        """Do nothing, to see whether the server is there."""
        raise NotImplementedError

    @method(6)
    async def update_urls(self, client: Session, urls: list[StationURL]) -> None:
        """Replace the console's own addresses."""
        raise NotImplementedError

    @method(7)
    async def replace_url(self, client: Session, url: StationURL, new: StationURL) -> None:
        """Replace one of the console's own addresses."""
        raise NotImplementedError

    @method(8)
    async def send_report(self, client: Session, report_id: UInt32, data: QBuffer) -> None:
        """Leave a report."""
        raise NotImplementedError
