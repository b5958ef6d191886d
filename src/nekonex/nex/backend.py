"""Logging in as a console does: for tests, bots and load.

The steps are those of NintendoClients' ``backend.py``.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

from nekonex.kerberos import ClientTicket, derive_key
from nekonex.nex.authentication import Authentication
from nekonex.nex.structures import NullData, ValidateAndRequestTicketParam, default_holders
from nekonex.prudp.client import Credentials
from nekonex.rmc import RMCLimits, Servant, Session, Stub
from nekonex.rmc.connector import connect
from nekonex.settings import Settings, SettingsSource, TransportSettings, Version
from nekonex.values import StationURL
from nekonex.wire import Structure, WireContext

__all__ = ["GUEST_PASSWORD", "SecureLogin", "login", "request_login"]

GUEST_PASSWORD: Final = "MMQea3n!fsik"  # noqa: S105 - it is the same on every console
"""The password of the user ``guest``."""

SAME_ADDRESS: Final = "0.0.0.1"
"""The host text by which an authentication server means its own address."""

_PARAM_SINCE: Final = (4, 4, 0)
_KEYED_SINCE: Final = (4, 0, 0)
_SWITCH: Final = 3

_derive = functools.lru_cache(maxsize=16_384)(derive_key)


@dataclass(frozen=True, slots=True)
class SecureLogin:
    """What a login gave: where the secure server is, and what to show there."""

    host: str
    port: int
    vport: int
    credentials: Credentials = field(repr=False)


@contextlib.asynccontextmanager
async def login(
    settings: SettingsSource,
    host: str,
    port: int,
    username: str,
    password: str | None = None,
    *,
    key: bytes | None = None,
    auth_info: Structure | None = None,
    servers: Iterable[Servant] = (),
    context: WireContext | None = None,
    limits: RMCLimits | None = None,
) -> AsyncIterator[Session]:
    """Log in at the authentication server of this address and connect to the secure server.

    Gives the session with the secure server. ``auth_info`` is the login data, ``servers``
    answer what the secure server calls. ``context`` is for games with structures of their own
    in data holders; by default it follows from the settings, and all consoles share it.
    ``key`` is the key that the password would give: it
    takes 20 ms to derive one, so who runs many consoles passes it, or the same password for the
    same principal id again, which is remembered.

    Raises RMCError if the login is refused, KerberosError for a wrong password,
    ConnectionRefusedError if a server does not answer, ValueError if neither password nor key is
    given and the server gives no key.
    """
    own = Settings.from_mapping(settings)
    if context is None:
        context = _context_of(own)
    found = await request_login(
        own, host, port, username, password, key=key, auth_info=auth_info, context=context
    )
    async with connect(
        own,
        found.host,
        found.port,
        vport=found.vport,
        credentials=found.credentials,
        servers=servers,
        context=context,
        limits=limits,
    ) as session:
        yield session


async def request_login(
    settings: SettingsSource,
    host: str,
    port: int,
    username: str,
    password: str | None = None,
    *,
    key: bytes | None = None,
    auth_info: Structure | None = None,
    context: WireContext | None = None,
) -> SecureLogin:
    """Log in at an authentication server only; raises what `login` raises."""
    own = Settings.from_mapping(settings)
    transport = own.transport()
    async with connect(own, host, port, context=context or _context_of(own)) as session:
        stub = Authentication.client(session)
        pid, sealed, station, source_key = await _log_in(stub, own, username, auth_info)
        if source_key:
            key = bytes.fromhex(source_key)
        elif key is None:
            if password is None:
                raise ValueError("the account needs a password or a key")
            key = await asyncio.to_thread(_derive, password, pid, transport.key_derivation)
        ticket = _opened(sealed, key, transport)
        if ticket.target != station["PID"]:
            reply = await stub.request_ticket(pid, station["PID"])
            reply.result.raise_if_error()
            ticket = _opened(reply.ticket, key, transport)
        # From where the server was reached: a name would have to be looked up again.
        address = session.remote_address
    credentials = Credentials(
        pid=pid, cid=station["CID"], session_key=ticket.session_key, ticket=ticket.internal
    )
    target = address if station["address"] == SAME_ADDRESS else station.address
    return SecureLogin(*target, station["sid"], credentials)


async def _log_in(
    stub: Stub, settings: Settings, username: str, auth_info: Structure | None
) -> tuple[int, bytes, StationURL, str]:
    """Return principal id, ticket, station and source key, by the method of the version."""
    version = settings.nex_version
    reply: Any
    if version >= _PARAM_SINCE:
        param = ValidateAndRequestTicketParam(
            platform=_SWITCH,
            username=username,
            data=NullData() if auth_info is None else auth_info,
            skip_version_check=False,
            nex_version=settings["nex.version"],
            client_version=settings["nex.client_version"],
        )
        reply = await stub.validate_and_request_ticket_with_param(param)
        return reply.pid, reply.ticket, reply.server_url, reply.source_key
    source_key = ""
    if version >= _KEYED_SINCE:
        if auth_info is None:
            reply = await stub.validate_and_request_ticket(username)
        else:
            reply = await stub.validate_and_request_ticket_with_custom_data(username, auth_info)
            source_key = reply.source_key
    elif auth_info is None:
        reply = await stub.login(username)
    else:
        reply = await stub.login_ex(username, auth_info)
    reply.result.raise_if_error()
    return reply.pid, reply.ticket, reply.connection_data.main_station, source_key


def _context_of(settings: Settings) -> WireContext:
    """Return what consoles with these settings speak: the same object for all of them."""
    return _shared_context(
        settings.nex_version,
        tuple(settings.nex_versions.items()),
        settings["nex.pid_size"],
        settings.struct_header,
    )


@functools.lru_cache(maxsize=64)
def _shared_context(
    version: Version, versions: tuple[tuple[str, Version], ...], pid_size: int, headers: bool
) -> WireContext:
    return WireContext(
        version,
        versions=dict(versions),
        pid_size=pid_size,
        struct_header=headers,
        holders=default_holders(),
    )


def _opened(sealed: bytes, key: bytes, transport: TransportSettings) -> ClientTicket:
    return ClientTicket.open(
        sealed, key, key_size=transport.session_key_size, pid_size=transport.pid_size
    )
