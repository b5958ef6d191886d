"""``serve``: the call of ``nintendo.nex.rmc.serve``, on this engine."""

import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Sequence
from typing import Any

from anynet import util

from nekonex.compat.matchmaking import GatheringServer
from nekonex.compat.servant import Clients, NintendoServer
from nekonex.nex import SecureConnectionServer
from nekonex.prudp.limits import DropReason, Limits
from nekonex.rmc import Protocol
from nekonex.rmc.limits import RMCLimits, RMCStats
from nekonex.rmc.listener import Service, listen
from nekonex.settings import Settings

__all__ = ["CompatService", "serve"]


class CompatService:
    """A running :func:`serve`."""

    def __init__(self, service: Service) -> None:
        self._service = service

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that the socket is bound to, also where port 0 was asked for."""
        return self._service.address

    @property
    def drops(self) -> Counter[DropReason]:
        """Counts of dropped packets, by reason."""
        return self._service.drops

    @property
    def stats(self) -> RMCStats:
        """Counts of calls."""
        return self._service.stats


@contextlib.asynccontextmanager
async def serve(
    settings: Any,
    servers: Sequence[NintendoServer | Protocol],
    host: str = "",
    port: int = 0,
    vport: int = 1,
    context: object = None,
    key: bytes | None = None,
    *,
    limits: Limits | None = None,
    rmc_limits: RMCLimits | None = None,
) -> AsyncIterator[CompatService]:
    """Serve NintendoClients-style *servers*, unchanged, on nekonex's engine.

    Servers of nekonex's own may be among them; those that have an ``aclose()`` are
    closed at the end, and match making servers play with the players of the secure
    connection server beside them. The arguments are those of ``nintendo.nex.rmc.serve``; an empty
    *host* is this machine's address on its network, as there. *context* (TLS) must be
    None. What differs: a malformed request is answered with ``Core::InvalidArgument``
    and a handler that raises with ``Core::Exception`` (there: ``PythonCore::*``), and a
    waiting handler holds up nobody.

    Raises ValueError at once for two servers of one protocol and for a transport
    other than UDP.
    """
    if context is not None:
        raise ValueError("TLS is for the TCP and WebSocket transports, which are not served")
    _check(settings, servers)
    servers = _introduced(servers)
    own = Settings.from_mapping(settings)
    # NintendoClients decides by the negotiated minor version alone.
    own["nex.struct_header"] = int(settings["nex.struct_header"])
    clients = Clients(settings, servers)
    async with (
        _closing(servers),
        listen(
            own,
            host or util.local_address(),
            port,
            limits=limits,
            minor_version=int(settings["prudp.minor_version"]),
        ) as listener,
        listener.serve(
            [
                server if isinstance(server, Protocol) else clients.servant(server)
                for server in servers
            ],
            vport=vport,
            key=key,
            settings=settings,
            limits=rmc_limits,
        ) as service,
    ):
        yield CompatService(service)


@contextlib.asynccontextmanager
async def _closing(servers: Iterable[NintendoServer | Protocol]) -> AsyncIterator[None]:
    """Let nekonex's own servers release what they started."""
    try:
        yield
    finally:
        for server in servers:
            close = getattr(server, "aclose", None)
            if isinstance(server, Protocol) and close is not None:
                await close()


def _introduced(
    servers: Sequence[NintendoServer | Protocol],
) -> Sequence[NintendoServer | Protocol]:
    """Make match making servers known to the secure connection server, and put that first.

    There it is the first to forget who has gone, which the others go by.
    """
    secure = next((each for each in servers if isinstance(each, SecureConnectionServer)), None)
    matching = [each for each in servers if isinstance(each, GatheringServer)]
    if secure is None or not matching:
        return servers
    for server in matching:
        server.adopt(secure)
    return [secure, *(each for each in servers if each is not secure)]


def _check(settings: Any, servers: Iterable[NintendoServer | Protocol]) -> None:
    if settings["prudp.transport"] != settings.TRANSPORT_UDP:
        raise ValueError("only the UDP transport is served (prudp.transport = 0)")
    seen: set[int] = set()
    for server in servers:
        number = server.PROTOCOL_ID
        if number in seen:
            raise ValueError(f"two servers for protocol {number}")
        seen.add(number)
