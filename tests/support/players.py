"""Players for tests inside one process: our own client, at a game of a running server."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from typing import Any

from nekonex.app import HostedGame
from nekonex.nex import SecureConnection
from nekonex.nex.backend import GUEST_PASSWORD, login
from nekonex.rmc import Servant, Session
from nekonex.values import StationURL

__all__ = ["playing", "sign_in"]


def sign_in(
    game: HostedGame,
    name: str = "guest",
    password: str = GUEST_PASSWORD,
    **more: Any,
) -> contextlib.AbstractAsyncContextManager[Session]:
    """Log in; the value is the session with the secure server."""
    return login(game.settings, *game.auth.address, name, password, **more)


@contextlib.asynccontextmanager
async def playing(
    game: HostedGame,
    name: str = "guest",
    password: str = GUEST_PASSWORD,
    servers: Iterable[Servant] = (),
) -> AsyncIterator[tuple[Session, int]]:
    """Log in and register; the value is the session and the connection id."""
    async with sign_in(game, name, password, servers=servers) as session:
        url = StationURL("prudp", address="127.0.0.1", port=50000, sid=15, type=0)
        reply = await SecureConnection.client(session).register([url])
        reply.result.raise_if_error()
        yield session, reply.connection_id
