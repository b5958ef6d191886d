"""What a hosted game is made of: its services, its users, and the servers on its two ports."""

import hashlib
import hmac
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from nekonex.app.addresses import ExternalAddress
from nekonex.app.matchmaking import make_matchmaking, matchmaking_servers
from nekonex.app.records import make_data_store, make_rankings, record_servers
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
from nekonex.domain.datastore.files import FileStore
from nekonex.domain.ports import Clock, KeyDeriver
from nekonex.domain.unique_ids import UniqueIds
from nekonex.events import EventBus
from nekonex.game import Game, GameServices
from nekonex.kerberos import LegacyTokenVerifier, TokenVerifier
from nekonex.kerberos.derivation import KEY_SIZE
from nekonex.nex import (
    AuthenticationServer,
    CrossplayAuthenticationServer,
    LoginLimits,
    SecureConnectionServer,
    check_token_rules,
)
from nekonex.nex.backend import GUEST_PASSWORD
from nekonex.nex.nat_traversal import NATStats
from nekonex.rmc import Protocol, Session
from nekonex.settings import Settings
from nekonex.storage import Stores
from nekonex.values import StationURL

__all__ = [
    "RESERVED_USERS",
    "Servers",
    "Shared",
    "make_identities",
    "make_servers",
    "make_services",
]

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
    stores: Stores
    deriver: KeyDeriver
    events: EventBus
    clock: Clock
    secret: bytes
    """The secret that the games' secure servers have their keys from."""
    files: Callable[[str, ExternalAddress], FileStore]
    """The files of a game, by its name and by what its consoles are told of this machine."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Servers:
    """The protocol servers of a game's two ports."""

    auth: Sequence[Protocol]
    secure: Sequence[Protocol]


def make_services(
    config: GameConfig, settings: Settings, shared: Shared, files: FileStore
) -> GameServices:
    """Return the services of a game; what the game itself adds to them comes later."""
    stores, events, clock = shared.stores, shared.events, shared.clock
    players = PlayerRegistry(config.name, events)
    matchmaking = make_matchmaking(
        config,
        players,
        communities=stores.communities(config.name),
        preferences=stores.preferences(config.name),
        events=events,
        clock=clock,
    )
    friends = matchmaking.friends
    return GameServices(
        name=config.name,
        settings=settings.copy(),
        players=players,
        accounts=shared.accounts,
        access=shared.access,
        reports=ReportService(
            stores.reports,
            events=events,
            clock=clock,
            size_limit=config.limits.report_max_bytes,
            quota=config.limits.reports_per_pid,
        ),
        matchmaking=matchmaking,
        rankings=make_rankings(
            config, stores.scores(config.name), friends, events=events, clock=clock
        ),
        data_store=make_data_store(
            config, stores.objects(config.name), files, friends, events=events, clock=clock
        ),
        unique_ids=UniqueIds(stores.unique_ids(config.name), clock=clock),
        events=events,
        clock=clock,
    )


def make_identities(config: GameConfig, settings: Settings, shared: Shared) -> IdentityService:
    """Return who may log in to a game, and for whom tickets are made."""
    derivation = settings["kerberos.key_derivation"]
    return IdentityService(
        SpecialUsers(_special_users(config, shared.secret)),
        [AccountSource(shared.accounts, derivation=derivation)],
        shared.deriver,
        derivation=derivation,
    )


def make_servers(
    config: GameConfig,
    game: Game,
    settings: Settings,
    services: GameServices,
    identities: IdentityService,
    *,
    secure_station: Callable[[Session], StationURL],
    nat_stats: NATStats,
) -> Servers:
    """Return what a game serves; ``secure_station`` tells a console where the secure port is.

    Raises ValueError for rules about tokens that contradict each other.
    """
    services.matchmaking.extend(
        hooks=game.matchmaking_hooks(services), get_friend_pids=game.get_friend_pids(services)
    )
    services.rankings.extend(hooks=game.ranking_hooks(services))
    services.data_store.extend(
        hooks=game.data_store_hooks(services), keys=game.object_keys(services)
    )
    verifier = _token_verifier(config, game, services)
    rules = config.login_rules(can_verify=verifier is not None)
    secure = SecureConnectionServer(
        settings,
        players=services.players,
        reports=services.reports,
        token_verifier=verifier,
        allow_register=rules.register_without_token,
        game=services.name,
        access=services.access,
        may_request_urls=game.may_request_urls(services),
        clock=services.clock,
    )
    auth_class = CrossplayAuthenticationServer if config.crossplay else AuthenticationServer
    auth = auth_class(
        settings,
        identities=identities,
        secure_station=secure_station,
        build_string=config.build_string,
        game=services.name,
        access=services.access,
        auth_callback=game.auth_callback(services),
        token_verifier=verifier,
        require_token=not rules.login_without_token,
        limits=LoginLimits(limit_loopback=config.limits.limit_loopback),
        events=services.events,
        clock=services.clock,
    )
    check_token_rules(auth, secure)
    own = game.protocols(replace(services, secure=secure))
    # The others ask the secure connection server that is in service where somebody is.
    for protocol in own:
        if isinstance(protocol, SecureConnectionServer):
            secure = protocol
    play = matchmaking_servers(config, settings, services, secure, nat_stats)
    records = record_servers(config, settings, services)
    return Servers(auth=[auth], secure=_merge([secure, *play, *records], own))


def _merge(common: Sequence[Protocol], own: Sequence[Protocol]) -> list[Protocol]:
    """Put a game's protocols in the places of common ones with their numbers, or at the end.

    Places matter at a logout: the secure connection server is the first to forget a player.
    """
    replacements = {protocol.PROTOCOL_ID: protocol for protocol in reversed(own)}
    placed = [replacements.get(each.PROTOCOL_ID, each) for each in common]
    return [*placed, *(each for each in own if not any(each is other for other in placed))]


def _token_verifier(config: GameConfig, game: Game, services: GameServices) -> TokenVerifier | None:
    own = game.token_verifier(services)
    if own is not None or not config.token_key:
        return own
    titles = config.token_title_ids or config.title_ids
    return LegacyTokenVerifier(
        bytes.fromhex(config.token_key), title_ids=[int(title, 16) for title in titles]
    )


def _special_users(config: GameConfig, secret: bytes) -> list[AuthenticationUser]:
    # A key for each game: a ticket for one game must not open another, whose bans and whitelist
    # may differ.
    key = hmac.digest(secret, config.name.casefold().encode(), hashlib.sha256)[:KEY_SIZE]
    users = [AuthenticationUser(SECURE_SERVER_PID, SECURE_SERVER_NAME, key=key)]
    if config.guest:
        users.append(AuthenticationUser(GUEST_PID, GUEST_NAME, GUEST_PASSWORD))
    return users
