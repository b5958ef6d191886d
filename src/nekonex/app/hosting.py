"""One game of the configuration, with its two ports and what is served there."""

import hashlib
import hmac
import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from nekonex.app.addresses import ExternalAddress, format_address
from nekonex.app.ports import GamePort
from nekonex.config import GameConfig
from nekonex.domain import (
    AUTHENTICATION_PID,
    GUEST_PID,
    SECURE_SERVER_PID,
    AccessService,
    AccountService,
    AccountSource,
    AuthenticationUser,
    IdentityService,
    PlayerRegistry,
    ReportService,
    SpecialUsers,
)
from nekonex.domain.ports import Clock, KeyDeriver, ReportStore
from nekonex.events import EventBus
from nekonex.game import Game, GameServices
from nekonex.kerberos import LegacyTokenVerifier, TokenVerifier
from nekonex.nex import (
    AuthenticationServer,
    CrossplayAuthenticationServer,
    LoginLimits,
    SecureConnectionServer,
    check_token_rules,
)
from nekonex.nex.backend import GUEST_PASSWORD
from nekonex.nex.logs import login_logger, where
from nekonex.nex.structures import default_holders
from nekonex.rmc import Protocol, Session
from nekonex.values import StationURL

__all__ = ["RESERVED_USERS", "HostedGame", "Shared"]

logger = logging.getLogger(__name__)

GUEST_NAME: Final = "guest"
SECURE_SERVER_NAME: Final = "Quazal Rendez-Vous"
AUTHENTICATION_NAME: Final = "Quazal Authentication"

RESERVED_USERS: Final = SpecialUsers(
    AuthenticationUser(pid, name)
    for pid, name in (
        (AUTHENTICATION_PID, AUTHENTICATION_NAME),
        (SECURE_SERVER_PID, SECURE_SERVER_NAME),
        (GUEST_PID, GUEST_NAME),
    )
)
"""The users whose names no account may have, whether or not a game has them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shared:
    """What all games of a server share."""

    accounts: AccountService
    access: AccessService
    reports: ReportStore
    deriver: KeyDeriver
    events: EventBus
    clock: Clock
    secret: bytes
    """The secret that the games' secure servers have their passwords from."""


class HostedGame:
    """A game that is being served: made with its ports bound, answers after `start`."""

    def __init__(
        self, config: GameConfig, game: Game, *, auth: GamePort, secure: GamePort, shared: Shared
    ) -> None:
        self.config = config
        self.auth = auth
        self.secure = secure
        self.settings = config.settings()
        self.players = PlayerRegistry(config.name, shared.events)
        self.external = ExternalAddress(config.name, config.external_address, secure.address[0])
        self._game = game
        self._shared = shared
        self._special = SpecialUsers(_special_users(config, shared.secret))
        self.services = GameServices(
            name=config.name,
            settings=self.settings.copy(),
            players=self.players,
            accounts=shared.accounts,
            access=shared.access,
            reports=ReportService(
                shared.reports,
                events=shared.events,
                clock=shared.clock,
                size_limit=config.limits.report_max_bytes,
                quota=config.limits.reports_per_pid,
            ),
            events=shared.events,
            clock=shared.clock,
        )

    @property
    def name(self) -> str:
        """The game's name in the configuration."""
        return self.config.name

    @property
    def ports(self) -> tuple[GamePort, GamePort]:
        """The authentication server's and the secure server's port."""
        return self.auth, self.secure

    async def start(self) -> None:
        """Serve both ports, the secure one first: whoever logs in finds it.

        Raises StartError for an external address that is none, ServiceUnavailable where no key
        can be derived, and ValueError for protocols of the game that do not fit together.
        """
        await self.external.start()
        identities = self._identities()
        secure_server = await identities.by_pid(SECURE_SERVER_PID)
        if secure_server is None:
            raise ValueError("the secure server is not among the special users")
        verifier = self._token_verifier()
        rules = self.config.login_rules(can_verify=verifier is not None)
        secure = SecureConnectionServer(
            self.settings,
            players=self.players,
            reports=self.services.reports,
            token_verifier=verifier,
            allow_register=rules.register_without_token,
            game=self.name,
            access=self._shared.access,
            may_request_urls=self._game.may_request_urls(self.services),
            clock=self._shared.clock,
        )
        auth_class = (
            CrossplayAuthenticationServer if self.config.crossplay else AuthenticationServer
        )
        auth = auth_class(
            self.settings,
            identities=identities,
            secure_station=self.secure_station,
            build_string=self.config.build_string,
            game=self.name,
            access=self._shared.access,
            auth_callback=self._game.auth_callback(self.services),
            token_verifier=verifier,
            require_token=not rules.login_without_token,
            limits=LoginLimits(limit_loopback=self.config.limits.limit_loopback),
            events=self._shared.events,
            clock=self._shared.clock,
        )
        check_token_rules(auth, secure)
        own = self._game.protocols(self.services)
        holders = default_holders()
        await self.secure.serve(_merge([secure], own), holders=holders, key=secure_server.key)
        await self.auth.serve([auth], holders=holders)
        logger.info(
            "listening",
            extra={
                "game": self.name,
                "auth": format_address(self.auth.address),
                "secure": format_address(self.secure.address),
            },
        )

    def secure_station(self, client: Session) -> StationURL:
        """Return where a console that logs in finds the secure server."""
        return StationURL(
            "prudps",
            address=self.external.towards(client.remote_address[0]),
            port=self.secure.address[1],
            CID=1,
            PID=SECURE_SERVER_PID,
            sid=1,
            stream=10,
            type=2,
        )

    def sessions(self) -> list[Session]:
        """Return the connections to the secure server, registered or not."""
        return self.secure.sessions()

    def kick(self, pid: int, reason: str) -> int:
        """Disconnect all consoles of a player, and return how many they were."""
        found = [session for session in self.sessions() if session.pid == pid]
        for session in found:
            self.disconnect(session, reason)
        return len(found)

    def disconnect(self, session: Session, reason: str) -> None:
        """Say goodbye to a console; the reason is for the log."""
        player = self.players.get(session.id)
        if player is not None:
            player.close(reason)
            return
        login_logger.info(
            "connection closed by the server", extra=where(session, self.name, reason=reason)
        )
        session.disconnect()

    def _identities(self) -> IdentityService:
        derivation = self.settings["kerberos.key_derivation"]
        return IdentityService(
            self._special,
            [AccountSource(self._shared.accounts, derivation=derivation)],
            self._shared.deriver,
            derivation=derivation,
        )

    def _token_verifier(self) -> TokenVerifier | None:
        own = self._game.token_verifier(self.services)
        if own is not None or not self.config.token_key:
            return own
        titles = self.config.token_title_ids or self.config.title_ids
        return LegacyTokenVerifier(
            bytes.fromhex(self.config.token_key), title_ids=[int(title, 16) for title in titles]
        )


def _special_users(config: GameConfig, secret: bytes) -> list[AuthenticationUser]:
    # A password for each game: a ticket for one game must not open another, whose bans and
    # whitelist may differ.
    password = hmac.digest(secret, config.name.casefold().encode(), hashlib.sha256).hex()
    users = [AuthenticationUser(SECURE_SERVER_PID, SECURE_SERVER_NAME, password)]
    if config.guest:
        users.append(AuthenticationUser(GUEST_PID, GUEST_NAME, GUEST_PASSWORD))
    return users


def _merge(common: Sequence[Protocol], own: Sequence[Protocol]) -> list[Protocol]:
    replaced = {protocol.PROTOCOL_ID for protocol in own}
    return [*(each for each in common if each.PROTOCOL_ID not in replaced), *own]
