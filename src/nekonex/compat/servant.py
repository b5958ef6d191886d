"""NintendoClients-style servers as servants of our dispatcher."""

import traceback
from collections.abc import Iterable
from typing import Any, Protocol

from nintendo.nex import common, streams

from nekonex import rmc
from nekonex.compat.client import CompatClient, SharedSettings
from nekonex.rmc.servant import Servant
from nekonex.rmc.session import Session
from nekonex.values import RMCError

__all__ = ["Clients", "CompatServant", "NintendoServer"]


class NintendoServer(Protocol):
    """A server object as NintendoClients generates them, or one written like those."""

    PROTOCOL_ID: int

    async def handle(self, client: Any, method: int, input: Any, output: Any) -> None:  # noqa: A002
        """Read the request from *input* and write the reply to *output*."""

    async def logout(self, client: Any) -> None:
        """Forget a client."""


class Clients:
    """Knows the client object of each session of one service."""

    def __init__(self, settings: Any, servers: Iterable[NintendoServer | rmc.Protocol]) -> None:
        self._settings = SharedSettings(settings)
        self._servers = {server.PROTOCOL_ID: server for server in servers}

    def of(self, session: Session) -> CompatClient:
        """Return the one client object of a session, made when it is first asked for."""
        client = session.state.get(self)
        if client is None:
            client = CompatClient(session, self._settings.of(session), self._servers, self)
            session.state[self] = client
        found: CompatClient = client
        return found

    def servant(self, server: NintendoServer) -> Servant:
        """Return *server* as a servant."""
        return CompatServant(server, self)


class CompatServant:
    """One NintendoClients-style server."""

    def __init__(self, server: NintendoServer, clients: Clients) -> None:
        self.PROTOCOL_ID = server.PROTOCOL_ID
        self.NORESPONSE = bool(getattr(server, "NORESPONSE", False))
        self._server = server
        self._clients = clients

    async def handle(self, session: Session, method: int, body: bytes) -> bytes:
        """Answer one request."""
        client = self._clients.of(session)
        settings = client.stream_settings
        output = streams.StreamOut(settings)
        try:
            await self._server.handle(client, method, streams.StreamIn(body, settings), output)
        except common.RMCError as error:
            raise RMCError(int(error.result().code())) from error
        except Exception as error:
            if _is_malformed(error):
                raise RMCError("Core::InvalidArgument") from error
            raise
        reply: bytes = output.get()
        return reply

    async def logout(self, session: Session) -> None:
        """Forget a client."""
        await self._server.logout(self._clients.of(session))


_READERS = {"DataHolder.decode", "StationURL.parse", "Structure.decode"}


def _is_malformed(error: Exception) -> bool:
    """Tell whether an error came from NintendoClients' reading of the request.

    Its streams raise OverflowError, UnicodeDecodeError, ValueError or KeyError for
    bytes that do not fit; a handler that has a bug of its own may raise the same.
    """
    *_, (frame, _) = traceback.walk_tb(error.__traceback__)
    module = frame.f_globals.get("__name__", "")
    if not module.startswith(("anynet.", "nintendo.nex.")):
        return False
    name = frame.f_code.co_qualname
    return name in _READERS or name.startswith("StreamIn.")
