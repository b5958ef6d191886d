"""NAT traversal (protocol 3): how two consoles behind routers get to each other.

Methods and fields as in NintendoClients' ``nattraversal.py``; since when there is a round trip
time as in the nintendo-wiki.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from nekonex.rmc import Protocol, Session, method
from nekonex.values import DateTime, StationURL
from nekonex.wire import SInt32, String, UInt16, UInt32, V

__all__ = ["NATTraversal", "RelaySignatureKey"]


class RelaySignatureKey(NamedTuple):
    """Where the relay of those is who cannot reach each other; mode 0 says that there is none."""

    mode: SInt32
    time: DateTime
    address: String
    port: UInt16
    address_type: SInt32
    game_server_id: UInt32


class NATTraversal(Protocol, id=3, key="nat_traversal"):
    """The protocol. Consoles serve `initiate_probe`, `NATTraversalServer` serves the rest.

    Not every console of NEX 3 sends the round trip time with a result (those of the 3DS do not,
    nor does NintendoClients), so it may be missing: it is 0 then.
    """

    @method(1)
    async def request_probe_initiation(
        self, client: Session, target_urls: list[StationURL]
    ) -> None:
        """Have other consoles send something to the caller."""
        raise NotImplementedError

    @method(2)
    async def initiate_probe(self, client: Session, station_to_probe: StationURL) -> None:
        """Send something to another console, so that the own router lets its packets in."""
        raise NotImplementedError

    @method(3)
    async def request_probe_initiation_ext(
        self, client: Session, target_urls: list[StationURL], station_to_probe: StationURL
    ) -> None:
        """Have other consoles send something to a station of the caller."""
        raise NotImplementedError

    @method(4)
    async def report_nat_traversal_result(
        self, client: Session, cid: UInt32, result: bool, rtt: Annotated[UInt32, V("3.0")] = 0
    ) -> None:
        """Say whether another console could be reached; the round trip time is in ms."""
        raise NotImplementedError

    @method(5)
    async def report_nat_properties(
        self, client: Session, natm: UInt32, natf: UInt32, rtt: UInt32
    ) -> None:
        """Say what the own router does."""
        raise NotImplementedError

    @method(6)
    async def get_relay_signature_key(self, client: Session) -> RelaySignatureKey:
        """Ask for the relay of those who cannot reach each other."""
        raise NotImplementedError

    @method(7)
    async def report_nat_traversal_result_detail(
        self,
        client: Session,
        cid: UInt32,
        result: bool,
        detail: SInt32,
        rtt: Annotated[UInt32, V("3.0")] = 0,
    ) -> None:
        """Say whether another console could be reached, and why not."""
        raise NotImplementedError
