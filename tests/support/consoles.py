"""Consoles for tests: NintendoClients' client, at the server of Mario Kart 8's identity."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from nintendo.nex import backend, common, secure
from nintendo.nex import settings as nintendo_settings

__all__ = ["GUEST", "log_in", "online"]

GUEST = ("guest", "MMQea3n!fsik")


def _settings() -> Any:
    settings = nintendo_settings.default()
    settings.configure("25dbf96a", 30504)
    settings["prudp.version"] = 1
    settings["prudp.max_substream_id"] = 1
    return settings


@contextlib.asynccontextmanager
async def log_in(
    address: Sequence[Any], name: str, password: str, servers: Sequence[Any] = ()
) -> AsyncIterator[Any]:
    """Log in at an authentication server's address; the value is the secure connection."""
    async with contextlib.AsyncExitStack() as stack:
        auth = await stack.enter_async_context(backend.connect(_settings(), *address))
        try:
            client = await stack.enter_async_context(
                auth.login(name, password, servers=list(servers))
            )
        except Exception:
            await stack.pop_all().aclose()
            raise
        yield client


@contextlib.asynccontextmanager
async def online(
    address: Sequence[Any], name: str, password: str, servers: Sequence[Any] = ()
) -> AsyncIterator[tuple[Any, int]]:
    """Log in and register; the value is the secure protocol's client and the connection id."""
    async with log_in(address, name, password, servers) as client:
        host, port = client.local_address()
        protocol = secure.SecureConnectionClient(client)
        url = common.StationURL(scheme="prudp", address=host, port=port, sid=15, type=0)
        reply = await protocol.register([url])
        reply.result.raise_if_error()
        yield protocol, reply.connection_id
