"""A game with its two servers, on free ports of this machine, for tests of logins."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from nekonex.domain import (
    AccessService,
    Account,
    AccountService,
    AccountSource,
    AuthenticationUser,
    IdentityService,
    PlayerRegistry,
    ReportService,
    SpecialUsers,
)
from nekonex.domain.identity import UserSource
from nekonex.events import Event, EventBus
from nekonex.kerberos import derive_key
from nekonex.nex import AuthenticationServer, SecureConnectionServer
from nekonex.rmc import Servant
from nekonex.rmc.listener import Service, serve
from nekonex.settings import Settings, SettingsSource, default
from nekonex.storage.memory import MemoryAccessStore, MemoryAccountStore, MemoryReportStore
from nekonex.values import StationURL

__all__ = [
    "ACCESS_KEY",
    "GUEST",
    "PLAYERS",
    "SECURE_SERVER",
    "DirectDeriver",
    "Game",
    "game_settings",
    "serve_game",
    "station",
]

ACCESS_KEY = "6f599f81"
SECURE_SERVER = AuthenticationUser(2, "Quazal Rendez-Vous", "a server secret")
GUEST = AuthenticationUser(100, "guest", "MMQea3n!fsik")
PLAYERS = {1000: "first password", 1001: "second password"}

_derive = functools.lru_cache(derive_key)


class DirectDeriver:
    """Derives keys there and then; each once for all tests of a process."""

    def __init__(self) -> None:
        self.calls = 0

    async def derive(self, pid: int, password: bytes, derivation: int = 0) -> bytes:
        self.calls += 1
        return _derive(password, pid, derivation)


def game_settings(version: str = "3.5.4", **changes: Any) -> Settings:
    """Return settings of a game; ``prudp__version=0`` stands for ``prudp.version``."""
    settings = default()
    settings.configure(ACCESS_KEY, version, client_version=1)
    settings["prudp.version"] = 1
    for name, value in changes.items():
        settings[name.replace("__", ".")] = value
    return settings


def station(port: int, pid: int = 2) -> StationURL:
    """Return the station URL of a secure server on loopback."""
    return StationURL(
        "prudps", address="127.0.0.1", port=port, CID=1, PID=pid, sid=1, stream=10, type=2
    )


@dataclass
class Game:
    """The parts of a game that tests look at."""

    settings: Settings
    derivation: int = 0
    events: list[Event] = field(default_factory=list)
    special: list[AuthenticationUser] = field(default_factory=lambda: [SECURE_SERVER, GUEST])

    def __post_init__(self) -> None:
        self.derivation = self.settings["kerberos.key_derivation"]
        self.bus = EventBus()
        self.bus.subscribe(Event, self.events.append)
        self.deriver = DirectDeriver()
        users = SpecialUsers(self.special)
        self.accounts = AccountService(MemoryAccountStore(), self.deriver, special=users)
        self.identities: IdentityService
        self.use_sources(AccountSource(self.accounts, derivation=self.derivation))
        self.access = AccessService(MemoryAccessStore())
        self.reports = ReportService(MemoryReportStore())
        self.players = PlayerRegistry("test", self.bus)
        self.auth: Service
        self.secure: Service

    def use_sources(self, *sources: UserSource) -> None:
        """Have players come from somewhere else than the accounts."""
        self.identities = IdentityService(
            SpecialUsers(self.special), sources, self.deriver, derivation=self.derivation
        )

    def derive(self, pid: int, password: str) -> bytes:
        """Return the key of a user."""
        return _derive(password.encode(), pid, self.derivation)

    @property
    def server_key(self) -> bytes:
        server = self.special[0]
        return self.derive(server.pid, server.password)

    async def add_accounts(self, players: Mapping[int, str]) -> None:
        accounts = [
            Account(pid, str(pid), {self.derivation: self.derive(pid, password)}, 0.0)
            for pid, password in players.items()
        ]
        await self.accounts.add_all(accounts)

    def authentication_server(self, port: int = 1, **options: Any) -> AuthenticationServer:
        options = {"secure_station": station(port), "access": self.access, **options}
        return AuthenticationServer(
            self.settings, identities=self.identities, game="test", events=self.bus, **options
        )

    def secure_server(self, **options: Any) -> SecureConnectionServer:
        options = {"reports": self.reports, **options}
        return SecureConnectionServer(self.settings, players=self.players, **options)


@contextlib.asynccontextmanager
async def serve_game(
    settings: SettingsSource | None = None,
    *,
    players: Mapping[int, str] = PLAYERS,
    auth: Mapping[str, Any] | None = None,
    secure: Mapping[str, Any] | None = None,
    more: Iterable[Servant] = (),
) -> AsyncIterator[Game]:
    """Serve a game; *auth* and *secure* are keyword arguments of its two servers."""
    game = Game(Settings.from_mapping(settings) if settings is not None else game_settings())
    await game.add_accounts(players)
    secure_server = game.secure_server(**(secure or {}))
    async with serve(
        game.settings, [secure_server, *more], "127.0.0.1", key=game.server_key
    ) as game.secure:
        server = game.authentication_server(game.secure.address[1], **(auth or {}))
        async with serve(game.settings, [server], "127.0.0.1") as game.auth:
            yield game
