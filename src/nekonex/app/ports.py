"""The UDP ports of the games, and what all ports share: all are bound before any is served."""

import asyncio
import contextlib
import errno
import logging
import os
import socket
import typing
from collections.abc import Callable, Iterable
from functools import partial
from typing import Final, Literal

from nekonex.app.errors import StartError
from nekonex.app.origin import origin_of
from nekonex.config import Config, GameConfig, LimitsSection
from nekonex.prudp.limits import Limits
from nekonex.rmc import Protocol, RMCLimits, Session
from nekonex.rmc.listener import Listener, Service, listen
from nekonex.wire import HolderRegistry

__all__ = ["Closable", "GamePort", "PortKind", "bind_refusal", "close_all"]

logger = logging.getLogger(__name__)

PortKind = Literal["auth", "secure"]

CLOSE_SECONDS: Final = 3.5
"""How long consoles, logout hooks and plugins get to come to an end when the server stops."""


class GamePort:
    """One UDP port of a game: bound by `open`, in service after `serve`, released by `close`."""

    def __init__(
        self,
        kind: PortKind,
        listener: Listener,
        stack: contextlib.AsyncExitStack,
        limits: RMCLimits,
    ) -> None:
        self.kind = kind
        self.listener = listener
        self._stack = stack
        self._limits = limits
        self._service: Service | None = None

    @classmethod
    async def open(cls, config: Config, game: GameConfig, kind: PortKind) -> "GamePort":
        """Bind the port; StartError in one sentence if it cannot be had."""
        port = game.auth_port if kind == "auth" else game.secure_port
        limits = game.limits
        stack = contextlib.AsyncExitStack()
        try:
            listener = await stack.enter_async_context(
                listen(game.settings(), game.host, port, limits=_transport_limits(limits))
            )
        except OSError as error:
            key_of = partial(origin_of, config, game)
            raise bind_refusal(key_of, f"{kind}_port", port, game.host, error) from error
        rmc_limits = RMCLimits(
            max_waiting_requests=limits.max_waiting_requests,
            request_timeout=limits.request_timeout,
            call_timeout=limits.call_timeout,
        )
        return cls(kind, listener, stack, rmc_limits)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that are bound."""
        return self.listener.address

    @property
    def service(self) -> Service | None:
        """What is served here; None before `serve`."""
        return self._service

    def sessions(self) -> list[Session]:
        """Return the sessions of the open connections."""
        return [] if self._service is None else self._service.sessions()

    async def serve(
        self, servers: Iterable[Protocol], *, holders: HolderRegistry, key: bytes | None = None
    ) -> None:
        """Answer calls from now on; with a key, of those who have a ticket for it."""
        self._service = await self._stack.enter_async_context(
            self.listener.serve(servers, key=key, holders=holders, limits=self._limits)
        )

    async def close(self) -> None:
        """Tell the consoles goodbye, let their logout hooks run, and release the port."""
        await self._stack.aclose()


class Closable(typing.Protocol):
    """A port of any kind."""

    async def close(self) -> None:
        """Let what goes on there come to an end, and release the port."""


async def close_all(ports: Iterable[Closable]) -> None:
    """Close ports all at once, and those that are not done in time without more ado."""
    closing = [asyncio.create_task(port.close()) for port in ports]
    if not closing:
        return
    _, late = await asyncio.wait(closing, timeout=CLOSE_SECONDS)
    for task in late:
        task.cancel()
    results = await asyncio.gather(*closing, return_exceptions=True)
    if late:
        logger.warning(
            "consoles, logout hooks or plugins took too long; %d ports were cut", len(late)
        )
    for result in results:
        if isinstance(result, Exception):
            logger.error("a port was not closed properly", exc_info=result)


def _transport_limits(limits: LimitsSection) -> Limits:
    return Limits(
        max_connections=limits.max_connections,
        max_connections_per_address=limits.max_connections_per_address,
        handshakes_per_second=limits.handshakes_per_second,
        tracked_addresses=limits.tracked_addresses,
        limit_loopback=limits.limit_loopback,
        max_message_size=limits.max_message_size,
        window=limits.window,
        max_queued_bytes=limits.max_queued_bytes,
    )


def bind_refusal(
    key_of: Callable[[str], str], port_key: str, port: int, host: str, error: OSError
) -> StartError:
    """Return why a port cannot be had; *key_of* tells where a key came from, and its name."""
    if error.errno == errno.EADDRINUSE:
        return StartError(
            f"{key_of(port_key)} is {port}, which another program uses on {host}; "
            "give another port, or 0 for any free one"
        )
    if error.errno == errno.EACCES:
        return StartError(
            f"{key_of(port_key)} is {port}, which this user may not open; give a port above 1023"
        )
    return StartError(
        f'{key_of("host")} is "{host}", which cannot be listened on '
        f"({_reason(error)}); give an address of this machine, or 0.0.0.0 for all"
    )


def _reason(error: OSError) -> str:
    """Return what the system says, without what `socket` adds to it."""
    if not error.errno or isinstance(error, socket.gaierror):
        return str(error.strerror)
    return os.strerror(error.errno)
