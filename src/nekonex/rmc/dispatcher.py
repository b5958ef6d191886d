"""What all connections of one served port share."""

import asyncio
import logging
from collections.abc import Iterable
from typing import Any

from nekonex.prudp.constants import MINOR_STRUCTURE_HEADERS
from nekonex.rmc.channel import Channel
from nekonex.rmc.limits import RMCLimits, RMCStats
from nekonex.rmc.pool import TaskPool
from nekonex.rmc.servant import Routes, Servant
from nekonex.rmc.session import Session
from nekonex.rmc.watchdog import Watchdog
from nekonex.wire import WireContext

__all__ = ["Dispatcher"]

logger = logging.getLogger("nekonex.rmc")


class Dispatcher:
    """Gives every connection its `Session`, and the calls of all of them their servants.

    ``servants`` are asked to log a client out in the order given. ``settings``
    is handed through to handlers (`Session.settings`) and not looked at.
    Dispatchers of one process may share stats, pool and watchdog.

    ValueError for two servants of one protocol, TypeError for one without a
    number or with definitions that cannot be compiled.
    """

    def __init__(
        self,
        servants: Iterable[Servant],
        context: WireContext,
        *,
        settings: Any = None,
        limits: RMCLimits | None = None,
        stats: RMCStats | None = None,
        pool: TaskPool | None = None,
        watchdog: Watchdog | None = None,
    ) -> None:
        self.servants = tuple(servants)
        self.context = context
        self.settings = settings
        self.limits = RMCLimits() if limits is None else limits
        self.stats = RMCStats() if stats is None else stats
        self.pool = TaskPool() if pool is None else pool
        self.watchdog = Watchdog() if watchdog is None else watchdog
        self.closing: set[Session] = set()
        """Sessions whose connections are over and whose logout hooks have not all run."""
        self._all_ended: asyncio.Future[None] | None = None
        _check_protocol_ids(self.servants)
        self._routes: dict[WireContext, Routes] = {}
        self.routes(context)

    def accept(
        self,
        channel: Channel,
        *,
        context: WireContext | None = None,
        predecessor: Session | None = None,
    ) -> Session:
        """Make the session of a new connection.

        Its values are encoded as ``context`` says; without one as the server
        does, and with structure headers if the transport agreed on a minor
        version of 3 or more (NintendoClients' ``rmc.py`` does the same).
        Requests, and the ``connected`` hooks of servants, wait until ``predecessor``,
        the session of a connection that this one replaces, has ended.
        """
        if context is None:
            context = self.context
            if channel.minor_version >= MINOR_STRUCTURE_HEADERS:
                context = context.with_(struct_header=True)
            elif channel.minor_version and context.struct_header:
                self.stats.old_minor_versions += 1
                logger.info(
                    "Connection %d: minor version %d, but the game has structure headers",
                    channel.id,
                    channel.minor_version,
                )
        session = Session(channel, self, self.routes(context))
        if predecessor is None or not session.follow(predecessor):
            session.greet()
        return session

    def routes(self, context: WireContext) -> Routes:
        """Return the tables of a wire context; they are made once."""
        routes = self._routes.get(context)
        if routes is None:
            routes = self._routes[context] = Routes(self.servants, context)
        return routes

    def tick(self, now: float) -> None:
        """Cancel handlers that take too long. To be called about once a second, with any clock."""
        self.watchdog.tick(now)
        self.pool.trim()

    def session_ended(self, session: Session) -> None:
        """Take note of a session whose logout hooks have all run."""
        self.closing.discard(session)
        if not self.closing and self._all_ended is not None:
            self._all_ended.set_result(None)
            self._all_ended = None

    async def wait_logouts(self) -> None:
        """Wait until every session whose connection is over has ended.

        After the connections have been closed, this is when a server may stop.
        """
        while self.closing:
            if self._all_ended is None:
                self._all_ended = asyncio.get_running_loop().create_future()
            await asyncio.shield(self._all_ended)

    def close(self) -> None:
        """Let the tasks of the pool end; what still has to be done is done first."""
        self.pool.close()


def _check_protocol_ids(servants: Iterable[Servant]) -> None:
    seen: dict[int, Servant] = {}
    for servant in servants:
        name = type(servant).__name__
        number = getattr(servant, "PROTOCOL_ID", None)
        if not isinstance(number, int):
            raise TypeError(f"{name} has no PROTOCOL_ID; is it a class without an id?")
        if not 0 <= number <= 0xFFFF:
            raise ValueError(f"{name}.PROTOCOL_ID is {number}; a protocol has 16 bits")
        if number in seen:
            other = type(seen[number]).__name__
            raise ValueError(f"protocol {number} is served twice: by {other} and by {name}")
        seen[number] = servant
