"""The servers that nex_protocols_common_py names, with its keyword arguments.

They are nekonex's own servers behind those names: they go to `nekonex.compat.serve`, beside
servers written for NintendoClients, and have all hooks of `nekonex.nex`.
"""

import secrets
from collections.abc import Iterable
from typing import Any

from nekonex.compat.collections import ReportCollection, SessionCollection
from nekonex.domain import (
    AccessService,
    AuthenticationUser,
    CallbackSource,
    IdentityService,
    PlayerRegistry,
    SpecialUsers,
)
from nekonex.domain.identity import NexPasswordCallback
from nekonex.events import EventBus
from nekonex.kerberos import TokenVerifier, WorkerKeyDeriver, derive_key
from nekonex.nex import AuthenticationServer, ConnectedPlayer, SecureConnectionServer
from nekonex.nex.authentication import AuthCallback
from nekonex.nex.secure import MayRequestURLs
from nekonex.settings import Settings, SettingsSource
from nekonex.values import StationURL

__all__ = [
    "AuthenticationUser",
    "CommonAuthenticationServer",
    "CommonSecureConnectionServer",
    "secure_key",
]

SECURE_SERVER_PID = 2
_SID = 1
_STREAM = 10
_PUBLIC = 2


def secure_key(user: AuthenticationUser, settings: SettingsSource | None = None) -> bytes:
    """Return the key for ``serve(…, key=…)`` of the secure server, from its special user.

    It takes some 20 ms, so call it once, before serving.
    """
    if user.key is not None:
        return user.key
    derivation = (
        0 if settings is None else Settings.from_mapping(settings)["kerberos.key_derivation"]
    )
    return derive_key(user.password, user.pid, derivation)


class _Deriver:
    """Derives keys in a worker process that starts when it is needed, and again after `close`."""

    def __init__(self) -> None:
        self._worker: WorkerKeyDeriver | None = None

    async def derive(self, pid: int, password: bytes, derivation: int = 0) -> bytes:
        """Return the key of a user."""
        if self._worker is None:
            self._worker = WorkerKeyDeriver()
        return await self._worker.derive(pid, password, derivation)

    async def close(self) -> None:
        """End the worker process."""
        worker, self._worker = self._worker, None
        if worker is not None:
            await worker.close()


class CommonAuthenticationServer(AuthenticationServer):
    """Logs in whoever ``get_nex_password_func(pid)`` has a password for.

    ``special_users`` are the ticket targets and, if it is among them, the guest, who may log in;
    the user with PID 2 is the secure server. Callbacks are plain functions, which run in worker
    threads, or coroutine functions; ``auth_callback`` returns NintendoClients' ``Result`` or
    nekonex's, or raises an RMC error of either. See `AuthenticationServer` for the rest.

    Raises ValueError if the secure server's user is missing.
    """

    def __init__(
        self,
        settings: SettingsSource,
        secure_host: str,
        secure_port: int,
        build_string: str,
        special_users: Iterable[AuthenticationUser],
        get_nex_password_func: NexPasswordCallback,
        auth_callback: AuthCallback | None = None,
        *,
        game: str = "",
        access: AccessService | None = None,
        token_verifier: TokenVerifier | None = None,
        require_token: bool = False,
        events: EventBus | None = None,
    ) -> None:
        users = SpecialUsers(special_users)
        if users.by_pid(SECURE_SERVER_PID) is None:
            raise ValueError("special_users lacks the secure server, PID 2")
        self._deriver = _Deriver()
        super().__init__(
            settings,
            identities=IdentityService(
                users,
                [CallbackSource(get_nex_password_func)],
                self._deriver,
                derivation=Settings.from_mapping(settings)["kerberos.key_derivation"],
            ),
            secure_station=StationURL(
                "prudps",
                address=secure_host,
                port=secure_port,
                CID=1,
                PID=SECURE_SERVER_PID,
                sid=_SID,
                stream=_STREAM,
                type=_PUBLIC,
            ),
            build_string=build_string,
            game=game,
            access=access,
            auth_callback=auth_callback,
            token_verifier=token_verifier,
            require_token=require_token,
            events=events,
        )

    async def aclose(self) -> None:
        """Release what the server started; `nekonex.compat.serve` does so at its end."""
        await self._deriver.close()


class CommonSecureConnectionServer(SecureConnectionServer):
    """Registers consoles, and writes down sessions and reports where collections are given.

    ``sessions_db`` and ``reportdata_db`` are collections as pymongo has them, blocking or
    asynchronous; blocking ones are used in worker threads. Sessions are kept up to date for
    other programs to read: this server does not read them.
    """

    def __init__(
        self,
        settings: SettingsSource,
        sessions_db: Any = None,
        reportdata_db: Any = None,
        *,
        players: PlayerRegistry | None = None,
        token_verifier: TokenVerifier | None = None,
        allow_register: bool | None = None,
        may_request_urls: MayRequestURLs | None = None,
        game: str = "",
        events: EventBus | None = None,
    ) -> None:
        self._sessions = (
            None
            if sessions_db is None
            else SessionCollection(sessions_db, server=secrets.token_hex(8))
        )
        super().__init__(
            settings,
            players=players or PlayerRegistry(game, events or EventBus()),
            reports=None if reportdata_db is None else ReportCollection(reportdata_db),
            token_verifier=token_verifier,
            allow_register=allow_register,
            may_request_urls=may_request_urls,
            game=game,
        )

    async def on_register(self, player: ConnectedPlayer) -> None:
        """Write down the session of a console."""
        if self._sessions is not None:
            await self._sessions.put(player)

    async def on_change(self, player: ConnectedPlayer) -> None:
        """Write down the new station URLs of a console."""
        if self._sessions is not None:
            await self._sessions.put(player)

    async def on_logout(self, player: ConnectedPlayer) -> None:
        """Remove the session of a console."""
        if self._sessions is not None:
            await self._sessions.remove(player.connection_id)
