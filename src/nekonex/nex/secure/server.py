"""The secure connection server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from nekonex.domain import GUEST_PID, AccessService, PlayerRegistry, call_user
from nekonex.kerberos import TokenError, TokenVerifier
from nekonex.nex.logs import login_logger, where
from nekonex.nex.secure.definition import (
    ConnectionDataReply,
    RegisterReply,
    SecureConnection,
    URLsReply,
)
from nekonex.nex.secure.player import ConnectedPlayer
from nekonex.nex.secure.stations import Stations
from nekonex.nex.structures import ConnectionData
from nekonex.nex.tokens import VALIDATION_FAILED, register_login_data, verify_login_data
from nekonex.rmc import BoundMethod, Session
from nekonex.settings import Settings, SettingsSource
from nekonex.values import Result, RMCError, ServiceUnavailable, StationURL
from nekonex.wire import PID, AnyData, QBuffer, UInt32, WireContext

__all__ = ["MayRequestURLs", "ReportSink", "SecureConnectionServer", "SecureLimits"]

_logger = logging.getLogger(__name__)

KICK_SECONDS: Final = 5.0
"""How long a second login waits until the first connection's logout hooks have run."""

MayRequestURLs = Callable[[Session, ConnectedPlayer], Awaitable[bool] | bool]
"""``may_request_urls(client, target)``: whether a client may learn the addresses of another."""


class ReportSink(Protocol):
    """What takes the reports of consoles; `nekonex.domain.ReportService` does."""

    async def submit(self, pid: int, report_id: int, data: bytes, *, game: str = "") -> bool:
        """Store a report; raises ServiceUnavailable if that cannot be done now."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SecureLimits:
    """Bounds of a secure connection server."""

    max_urls: int = 8
    """Station URLs that a console may register or update at once."""


class SecureConnectionServer(SecureConnection):
    """Registers consoles, which makes them players, and keeps their station URLs.

    Everything is kept by connection: an old connection's end never harms a newer one. A second
    connection of the same player (guests apart) ends the older one first, with all that its
    logout does. The connection id that consoles are told is the number of the connection.

    With ``token_verifier`` the token of ``register_ex`` is verified. ``allow_register`` says
    whether ``register``, which has no token, is accepted; None: where nothing verifies tokens.
    With ``access`` the rules are looked at again, for who had a ticket already when they changed.
    Addresses of others are told to nobody, unless ``may_request_urls(client, target)``, plain or
    a coroutine function, returns True.
    """

    def __init__(
        self,
        settings: SettingsSource,
        *,
        players: PlayerRegistry,
        reports: ReportSink | None = None,
        token_verifier: TokenVerifier | None = None,
        allow_register: bool | None = None,
        access: AccessService | None = None,
        may_request_urls: MayRequestURLs | None = None,
        game: str = "",
        limits: SecureLimits | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        Settings.from_mapping(settings).transport()
        self.game = game or players.game
        self.players = players
        self.verifies_tokens = token_verifier is not None
        self.accepts_register_without_token = (
            token_verifier is None if allow_register is None else allow_register
        )
        self._reports = reports
        self._verifier = token_verifier
        self._access = access
        self._may_request_urls = may_request_urls
        self._limits = limits or SecureLimits()
        self._clock = clock
        self._connected: dict[int, ConnectedPlayer] = {}
        self._logged_in: set[int] = set()

    def bind(self, context: WireContext) -> dict[int, BoundMethod]:
        """Return the methods; makes the structures of login data known to the server."""
        register_login_data(context.holders)
        return super().bind(context)

    # -- for other protocol servers -------------------------------------------

    def player(self, connection_id: int) -> ConnectedPlayer | None:
        """Return the player on a connection."""
        return self._connected.get(connection_id)

    def player_of(self, client: Session) -> ConnectedPlayer | None:
        """Return a client as a player; None if it did not register."""
        return self._connected.get(client.id)

    def newest_player(self, pid: int) -> ConnectedPlayer | None:
        """Return the player with this principal id who registered last."""
        player = self.players.newest(pid)
        return None if player is None else self._connected.get(player.connection_id)

    # -- registration ----------------------------------------------------------

    async def register(self, client: Session, urls: list[StationURL]) -> RegisterReply:
        """Register a console without a token."""
        if not self.accepts_register_without_token:
            return self._refuse(client, VALIDATION_FAILED, "a registration without a token")
        return await self._register(client, urls)

    async def register_ex(
        self, client: Session, urls: list[StationURL], login_data: AnyData
    ) -> RegisterReply:
        """Register a console with a token; without a verifier the token does not matter."""
        if self._verifier is not None:
            pid = _pid_of(client)
            try:
                await verify_login_data(self._verifier, login_data, pid=pid, now=self._clock())
            except TokenError as error:
                return self._refuse(client, error.result_name, error.reason)
        return await self._register(client, urls)

    async def _register(self, client: Session, urls: Sequence[StationURL]) -> RegisterReply:
        pid = _pid_of(client)
        stations = self._stations(client, pid, urls)
        if self._access is not None:
            error = await self._access.check(pid, self.game, self._clock())
            if error is not None:
                return self._refuse(client, error, "the access rules")
        player = self._connected.get(client.id)
        if player is None:
            await self._end_older(client, pid)
            player = ConnectedPlayer(client, pid, stations)
            self._connected[client.id] = player
            self.players.register(player)
        else:
            player.stations = stations
        await self.on_register(player)
        return RegisterReply(Result.success(), player.connection_id, stations.public)

    async def on_register(self, player: ConnectedPlayer) -> None:
        """Take note of a registration, also of a repeated one; to be overridden."""

    async def on_change(self, player: ConnectedPlayer) -> None:
        """Take note of station URLs that changed; to be overridden."""

    async def on_logout(self, player: ConnectedPlayer) -> None:
        """Take note of a registered player who is gone; to be overridden."""

    async def _end_older(self, client: Session, pid: int) -> None:
        """End the other connections of a player, and wait for what their logout does."""
        if pid == GUEST_PID:
            return
        while others := self.players.all_of(pid):
            older = self._connected.get(others[0].connection_id)
            if older is None:
                self.players.unregister(others[0].connection_id)
                continue
            older.drop(f"replaced by connection {client.id}")
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(KICK_SECONDS):
                    await older.session.wait_ended()
            # Its hooks may have failed or may still be at work: it is gone all the same.
            await self.logout(older.session)

    def _stations(self, client: Session, pid: int, urls: Sequence[StationURL]) -> Stations:
        if len(urls) > self._limits.max_urls:
            raise RMCError("Core::InvalidArgument")
        try:
            return Stations(urls, client.remote_address, pid, client.id)
        except ValueError:
            raise RMCError("Core::InvalidArgument") from None

    def _refuse(self, client: Session, error: str, reason: str) -> RegisterReply:
        extra = where(client, self.game, error=error, reason=reason)
        login_logger.warning("registration refused", extra=extra)
        return RegisterReply(Result.error(error), 0, StationURL())

    def connected(self, client: Session) -> None:
        """Log a player in: a ticket was shown, whether or not the console registers then."""
        if client.pid is not None:
            self._logged_in.add(client.id)
            login_logger.info("player logged in", extra=where(client, self.game))

    async def logout(self, client: Session) -> None:
        """Forget a client; harmless for one that never registered."""
        player = self._connected.pop(client.id, None)
        if player is not None:
            self.players.unregister(client.id)
        if client.id in self._logged_in:
            self._logged_in.discard(client.id)
            reason = client.close_reason if player is None else player.leave_reason
            extra = where(client, self.game, reason=str(reason))
            login_logger.info("player logged out", extra=extra)
        if player is not None:
            await self.on_logout(player)

    # -- station URLs ----------------------------------------------------------

    async def update_urls(self, client: Session, urls: list[StationURL]) -> None:
        """Replace a console's local URLs. Ignored for one that did not register.

        A list without a local URL is ``Core::InvalidArgument``, as at registration.
        """
        player = self._connected.get(client.id)
        if player is None:
            return
        if len(urls) > self._limits.max_urls:
            raise RMCError("Core::InvalidArgument")
        try:
            player.stations.update(urls)
        except ValueError:
            raise RMCError("Core::InvalidArgument") from None
        await self.on_change(player)

    async def replace_url(self, client: Session, url: StationURL, new: StationURL) -> None:
        """Replace the URL of the same address and port; nothing happens if there is none."""
        player = self._connected.get(client.id)
        if player is None:
            return
        try:
            replaced = player.stations.replace(url, new)
        except ValueError:
            raise RMCError("Core::InvalidArgument") from None
        if replaced:
            await self.on_change(player)

    async def request_connection_data(
        self, client: Session, cid: UInt32, pid: PID
    ) -> ConnectionDataReply:
        """Tell how another player can be reached, if that is allowed."""
        target = await self._find_for(client, cid, pid)
        data = [ConnectionData(url, target.connection_id) for url in target.stations.urls]
        return ConnectionDataReply(result=True, connection_data=data)

    async def request_urls(self, client: Session, cid: UInt32, pid: PID) -> URLsReply:
        """Tell how another player can be reached, if that is allowed."""
        target = await self._find_for(client, cid, pid)
        return URLsReply(result=True, urls=target.stations.urls)

    async def _find_for(self, client: Session, cid: int, pid: int) -> ConnectedPlayer:
        if self._may_request_urls is None:
            raise RMCError("Core::AccessDenied")
        target = self.player(cid) or self.newest_player(pid)
        if target is None:
            raise RMCError("Core::InvalidArgument")
        if await call_user(self._may_request_urls, client, target) is not True:
            raise RMCError("Core::AccessDenied")
        return target

    # -- the rest --------------------------------------------------------------

    async def test_connectivity(self, client: Session) -> None:
        """Do nothing."""

    async def send_report(self, client: Session, report_id: UInt32, data: QBuffer) -> None:
        """Store a report. It always succeeds, because consoles repeat one that fails."""
        if self._reports is None or client.pid is None:
            return
        try:
            await self._reports.submit(client.pid, report_id, data, game=self.game)
        except ServiceUnavailable:
            _logger.warning("lost a report of PID %d: its store is out of order", client.pid)


def _pid_of(client: Session) -> int:
    """Return who a client is; a server without key knows nobody, and registers nobody."""
    if client.pid is None:
        raise RMCError("RendezVous::NotAuthenticated")
    return client.pid
