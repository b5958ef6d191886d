"""A secure server and a NAT traversal server in memory, and consoles that note their probes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

from nekonex.domain.matchmaking.relations.unreachable import UnreachablePairs
from nekonex.nex import SecureConnection
from nekonex.nex.nat_traversal import NATStats, NATTraversal, NATTraversalServer
from nekonex.rmc import Session, Stub
from nekonex.settings import Settings
from nekonex.values import StationURL
from tests.support.nexlab import Clock, Lab, lab
from tests.support.pipe import PipeServer

__all__ = ["Console", "Friends", "NATLab", "ProbeInbox", "nat_lab", "target"]


class ProbeInbox(NATTraversal):
    """What a console serves: it notes what it is to probe."""

    def __init__(self) -> None:
        self.probes: list[str] = []

    async def initiate_probe(self, client: Session, station_to_probe: StationURL) -> None:
        self.probes.append(str(station_to_probe))


class Friends:
    """Says who shares a gathering; ``groups`` may change at any time."""

    def __init__(self, *groups: Iterable[int]) -> None:
        self.groups = [set(group) for group in groups]
        self.asked: list[tuple[int, int]] = []
        self.error: Exception | None = None

    async def share_gathering(self, pid: int, other: int) -> bool:
        self.asked.append((pid, other))
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error
        return any({pid, other} <= group for group in self.groups)


@dataclass
class Console:
    """A registered console."""

    session: Session
    own: Session
    """The server's end."""
    nat: Stub
    inbox: ProbeInbox
    cid: int

    async def settled(self) -> None:
        """Wait until what was sent to the console has arrived."""
        for _ in range(5):
            await asyncio.sleep(0)


def target(cid: int) -> StationURL:
    """Return a URL that names a connection."""
    return StationURL("prudp", address="198.51.100.77", port=1, RVCID=cid)


class NATLab:
    """The parts of a game that tests look at; ``clock.now`` is the time."""

    def __init__(self, made: Lab, options: dict[str, Any]) -> None:
        self.made = made
        self.secure = made.secure_server
        self.clock: Clock = made.clock
        self.unreachable = UnreachablePairs(clock=made.clock)
        self.server = NATTraversalServer(
            made.settings,
            secure=self.secure,
            **{
                "unreachable": self.unreachable,
                "clock": made.clock,
                "monotonic": made.clock,
                **options,
            },
        )
        self.pipe = PipeServer([self.secure, self.server], made.secure.context)

    @property
    def stats(self) -> NATStats:
        return self.server.stats

    @contextlib.asynccontextmanager
    async def console(
        self,
        pid: int | None,
        address: tuple[str, int] = ("192.0.2.1", 50001),
        urls: Iterable[StationURL] | None = None,
    ) -> AsyncIterator[Console]:
        """Connect a console; with no URLs at all it does not register."""
        inbox = ProbeInbox()
        async with self.pipe.client(pid=pid, address=address, servers=[inbox]) as session:
            own = self.pipe.session_of(session)
            found = [StationURL("prudp", address="192.168.0.10", port=50000)]
            found = found if urls is None else list(urls)
            if found:
                reply = await SecureConnection.client(session).register(found)
                assert reply.connection_id == own.id
            yield Console(session, own, NATTraversal.client(session), inbox, own.id)

    def public_url(self, cid: int) -> StationURL:
        """Return what others see as a console's public URL."""
        player = self.secure.player(cid)
        assert player is not None
        return player.stations.public


@contextlib.asynccontextmanager
async def nat_lab(
    settings: Settings | None = None,
    *,
    secure: dict[str, Any] | None = None,
    **options: Any,
) -> AsyncIterator[NATLab]:
    """Make the servers; *options* are keyword arguments of the NAT traversal server."""
    async with lab(settings, secure=secure) as made:
        nat = NATLab(made, options)
        try:
            yield nat
        finally:
            nat.pipe.close()
