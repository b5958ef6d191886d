"""The TCP port: uvicorn in this event loop, on a socket that was bound before, with limits."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
from collections.abc import Generator
from typing import Any, Final, cast

import h11
import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol
from uvicorn.server import ServerState

from nekonex.web.limits import HttpLimits
from nekonex.web.slots import Slots
from nekonex.web.stats import ClosedConnection, HttpStats

__all__ = ["BACKLOG", "CUT_SECONDS", "GRACE_SECONDS", "RECEIVE_BUFFER", "HttpListener"]

GRACE_SECONDS: Final = 2.0
"""How long requests that are being answered may go on when the port closes."""
CUT_SECONDS: Final = 1.0
"""How long they may take to notice that they were cut off after that."""

# Both are small so that many who come or send at once do not hold up the loop, which has the
# games' packets to answer: it takes in that much of each in one turn.
BACKLOG: Final = 128
"""Connections that wait to be accepted."""
RECEIVE_BUFFER: Final = 64 * 1024
"""Bytes that the system keeps for a connection until they are read; Linux doubles it."""


class HttpListener:
    """An ASGI application on a socket: from `start` until `close`, which also closes the socket.

    It counts its connections in ``stats``.
    """

    def __init__(
        self,
        application: ASGIApp,
        server: socket.socket,
        *,
        limits: HttpLimits | None = None,
        stats: HttpStats | None = None,
    ) -> None:
        self._socket = server
        config = _Config(application, limits or HttpLimits(), stats or HttpStats())
        self._server = _Server(config)
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Answer from now on."""
        for name in ("python_multipart", "multipart"):
            logging.getLogger(name).setLevel(logging.ERROR)  # strangers' mistakes are no news
        self._serving = asyncio.create_task(self._server.serve(sockets=[self._socket]))
        ready = asyncio.create_task(self._server.ready.wait())
        await asyncio.wait([ready, self._serving], return_when=asyncio.FIRST_COMPLETED)
        if not ready.done():
            ready.cancel()
            await self._serving

    async def close(self) -> None:
        """Take no new requests, let those in work come to an end for a while, and cut the rest."""
        if self._serving is None:
            self._socket.close()
            return
        self._server.stop()
        await asyncio.wait([self._serving], timeout=GRACE_SECONDS)
        self._server.cut()
        await asyncio.wait([self._serving], timeout=CUT_SECONDS)
        self._serving.cancel()
        await asyncio.gather(self._serving, return_exceptions=True)
        await self._server.cancel_requests()
        self._socket.close()


class _Config(uvicorn.Config):
    """uvicorn's configuration, with our limits for the connections."""

    def __init__(self, application: ASGIApp, limits: HttpLimits, stats: HttpStats) -> None:
        super().__init__(
            application,
            http=_Connection,
            ws="none",
            lifespan="off",
            log_config=None,
            log_level="error",
            access_log=False,
            server_header=False,
            proxy_headers=True,
            forwarded_allow_ips=["127.0.0.1", "::1"],
            backlog=BACKLOG,
            timeout_keep_alive=limits.keep_alive,
            h11_max_incomplete_event_size=limits.header_bytes,
        )
        self.limits = limits
        self.stats = stats
        self.slots = Slots(
            limits.max_connections,
            limits.max_connections_per_address,
            limit_loopback=limits.limit_loopback,
        )
        self.gone = asyncio.Event()
        """Set whenever a connection is gone."""


class _Server(uvicorn.Server):
    """uvicorn's server, which takes no signals and is told when to stop."""

    def __init__(self, config: _Config) -> None:
        super().__init__(config)
        self.ready = asyncio.Event()
        self._stopping = asyncio.Event()
        self._gone = config.gone

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to answer."""
        await super().startup(sockets)
        self.ready.set()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take no more, and wait until all is answered: uvicorn waits 0.1 s longer than that."""
        for listening in (*self.servers, *(sockets or ())):
            listening.close()
        for connection in list(self.server_state.connections):
            connection.shutdown()
        while tasks := self.server_state.tasks:
            await asyncio.wait(set(tasks))
        while self.server_state.connections:
            self._gone.clear()
            await self._gone.wait()

    def stop(self) -> None:
        """Begin to stop."""
        self.should_exit = True
        self._stopping.set()

    def cut(self) -> None:
        """Close all connections, whatever is still to be sent."""
        for connection in list(self.server_state.connections):
            if isinstance(connection, _Connection):
                connection.transport.abort()

    async def cancel_requests(self) -> None:
        """Cancel the requests that do not come to an end by themselves."""
        tasks = list(self.server_state.tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def main_loop(self) -> None:
        """Keep the date of the answers until it is time to stop."""
        while not await self.on_tick(0):
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(1.0):
                    await self._stopping.wait()

    @contextlib.contextmanager
    def capture_signals(self) -> Generator[None, None, None]:
        """Leave the signals to the process."""
        yield


class _Connection(H11Protocol):
    """A connection that may neither dawdle with its requests nor with taking the answers."""

    def __init__(
        self,
        config: _Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._limits = config.limits
        self._stats = config.stats
        self._slots = config.slots
        self._gone = config.gone
        self._address: str | None = None
        self._too_late: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._discarded = 0
        self._is_closed = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take a connection, or close it where there are too many."""
        super().connection_made(cast("asyncio.Transport", transport))
        peer = transport.get_extra_info("peername")
        address = str(peer[0]) if peer else ""
        if not self._slots.take(address):
            full = self._slots.full
            self._close(
                ClosedConnection.TOO_MANY if full else ClosedConnection.TOO_MANY_FROM_ADDRESS
            )
            return
        self._address = address
        self._stats.connections += 1
        self._watch_request()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        if self._address is not None:
            self._slots.give_back(self._address)
            self._address = None
        for timer in (self._too_late, self._stalled):
            if timer is not None:
                timer.cancel()
        self._gone.set()

    def data_received(self, data: bytes) -> None:
        """Take in what the client sends; not for long what it sends after its answer."""
        super().data_received(data)
        if self._is_answered() and self.conn.their_state is h11.SEND_BODY:
            self._discarded += len(data)
            if self._discarded > self._limits.discard_bytes:
                self._close(ClosedConnection.UNWANTED)
        else:
            self._discarded = 0
        self._watch_request()

    def send_400_response(self, msg: str) -> None:
        """Answer what is no request."""
        self._stats.closed[ClosedConnection.MALFORMED] += 1
        super().send_400_response(msg)

    def pause_writing(self) -> None:
        """Give the client some time to take what waits for it."""
        super().pause_writing()
        self._stalled = self.loop.call_later(
            self._limits.send_timeout, self._close, ClosedConnection.STALLED
        )

    def resume_writing(self) -> None:
        """Send on."""
        super().resume_writing()
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None

    def _is_answered(self) -> bool:
        """Return whether there is no request that waits for its answer."""
        return self.cycle is None or self.cycle.response_complete

    def _watch_request(self) -> None:
        """See to it that the headers of a request that is being sent come in time."""
        if not self._is_answered():
            if self._too_late is not None:
                self._too_late.cancel()
                self._too_late = None
        elif self._too_late is None:
            self._too_late = self.loop.call_later(
                self._limits.header_timeout, self._close, ClosedConnection.LATE
            )

    def _close(self, reason: ClosedConnection) -> None:
        """Close the connection at once, unless it is being closed, and count it."""
        if not self._is_closed:
            self._is_closed = True
            self._stats.closed[reason] += 1
        self.transport.abort()
