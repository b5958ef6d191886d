"""The client that NintendoClients-style servers are given."""

from typing import TYPE_CHECKING, Any, Self

from nintendo.nex import common

from nekonex.prudp.constants import MINOR_STRUCTURE_HEADERS
from nekonex.rmc.errors import RMCConnectionClosed
from nekonex.rmc.session import Session
from nekonex.values import RMCError

if TYPE_CHECKING:
    from nekonex.compat.servant import Clients

__all__ = ["CompatClient", "CompatTransport", "SharedSettings"]

_FIRST_CALL_ID_BY_HAND = 0x8000_0000
"""Far from the ids of awaited calls, which count from 1: a reply to a call that was
encoded by hand must not be taken for the reply to another one."""


class SharedSettings:
    """A server's settings as its connections read them: without and with structure headers."""

    def __init__(self, settings: Any) -> None:
        self._plain = settings.copy()
        self._with_headers = settings.copy()
        self._with_headers["nex.struct_header"] = True

    def of(self, session: Session) -> Any:
        """Return what is right for a connection; it must not be changed."""
        if session.channel.minor_version >= MINOR_STRUCTURE_HEADERS:
            return self._with_headers
        return self._plain


class CompatTransport:
    """What code reaches for as ``client.client``: the PRUDP connection by its old names."""

    __slots__ = ("_session",)

    def __init__(self, session: Session) -> None:
        self._session = session

    @property
    def user_pid(self) -> int | None:
        """The player's account, None without a ticket."""
        return self._session.pid

    @property
    def user_cid(self) -> int | None:
        """The connection id that the player's CONNECT named."""
        return self._session.cid

    def pid(self) -> int | None:
        """Return the player's account, None without a ticket."""
        return self._session.pid

    def minor_version(self) -> int:
        """Return the negotiated minor version."""
        return self._session.channel.minor_version

    async def send(self, data: bytes, substream: int = 0) -> None:
        """Send a message that is encoded already."""
        self._session.channel.send(data, substream)


class CompatClient:
    """One object a connection, with the names that NintendoClients' ``RMCClient`` has."""

    __slots__ = (
        "_call_id",
        "_clients",
        "_own_settings",
        "_servers",
        "_session",
        "_shared_settings",
    )

    def __init__(
        self, session: Session, settings: Any, servers: dict[int, Any], clients: "Clients"
    ) -> None:
        self._clients = clients
        self._session = session
        self._shared_settings = settings
        self._own_settings: Any = None
        self._servers = servers
        self._call_id = _FIRST_CALL_ID_BY_HAND

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.cleanup()

    @property
    def stream_settings(self) -> Any:
        """The settings that requests of this client are read with; not to be changed."""
        return self._shared_settings if self._own_settings is None else self._own_settings

    @property
    def settings(self) -> Any:
        """This connection's own copy of the settings."""
        if self._own_settings is None:
            self._own_settings = self._shared_settings.copy()
        return self._own_settings

    @property
    def client(self) -> CompatTransport:
        """The connection below."""
        return CompatTransport(self._session)

    @property
    def servers(self) -> dict[int, Any]:
        """The servers that answer this client, by protocol id."""
        return self._servers

    @property
    def call_id(self) -> int:
        """A number for a call that is encoded by hand; counts up by each request."""
        return self._call_id

    @call_id.setter
    def call_id(self, value: int) -> None:
        self._call_id = value & 0xFFFFFFFF

    def register_server(self, server: Any) -> None:
        """Let *server* answer its protocol on this connection only.

        Raises ValueError if the protocol is served already.
        """
        if server.PROTOCOL_ID in self._servers:
            raise ValueError(f"Server with protocol id {server.PROTOCOL_ID} already exists")
        self._session.add_servant(self._clients.servant(server))
        self._servers = {**self._servers, server.PROTOCOL_ID: server}

    async def request(
        self,
        protocol: int,
        method: int,
        body: bytes,
        noresponse: bool = False,
    ) -> bytes:
        """Call a method of the console.

        Raises nintendo's ``RMCError`` if it answers with an error, RuntimeError if
        the connection is or gets closed and TimeoutError if no answer comes.
        """
        self.call_id += 1
        try:
            return await self._session.call(protocol, method, body, noresponse=noresponse)
        except RMCError as error:
            raise common.RMCError(error.code) from error
        except RMCConnectionClosed as error:
            raise RuntimeError("RMC connection is closed") from error

    async def close(self) -> None:
        """End the connection at once. The servers' ``logout`` follows."""
        self._session.close()

    async def disconnect(self) -> None:
        """End the connection with a goodbye. The servers' ``logout`` follows."""
        self._session.disconnect()

    async def cleanup(self) -> None:
        """End the connection; what it means in NintendoClients, and safe to repeat."""
        self._session.close()

    def pid(self) -> int | None:
        """Return the player's account, None on a server without key."""
        return self._session.pid

    def local_address(self) -> tuple[str, int]:
        """Return host and port on this side."""
        return self._session.local_address

    def remote_address(self) -> tuple[str, int]:
        """Return host and port of the console."""
        return self._session.remote_address

    def local_sid(self) -> int:
        """Return the virtual port on this side."""
        return self._session.channel.local_port

    def remote_sid(self) -> int:
        """Return the console's virtual port."""
        return self._session.channel.remote_port
