"""The two servers of a game in memory, and clients of them, for tests without sockets."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any

from nekonex.domain import AccessService, AuthenticationUser, ReportService
from nekonex.kerberos import ClientTicket, ServerTicket
from nekonex.nex import AuthenticationServer, SecureConnectionServer
from nekonex.nex.structures import default_holders
from nekonex.rmc.contexts import context_of
from nekonex.settings import Settings
from nekonex.storage.memory import MemoryAccessStore, MemoryReportStore
from tests.support.login import GUEST, PLAYERS, SECURE_SERVER, Game, game_settings
from tests.support.pipe import PipeServer

__all__ = ["NOW", "Lab", "lab", "lab_settings"]

NOW = 1_800_000_000.0

# One for all: methods are compiled once for each context, and holders are part of it.
_HOLDERS = default_holders()


@dataclass
class Clock:
    now: float = NOW

    def __call__(self) -> float:
        return self.now


def lab_settings(version: str = "3.5.4", **changes: Any) -> Settings:
    """Return settings whose keys take no time to derive."""
    return game_settings(version, **{"kerberos__key_derivation": 1, **changes})


class Lab:
    """A game without network. ``clock.now`` is the time of all its parts."""

    def __init__(
        self, settings: Settings, auth: dict[str, Any], secure: dict[str, Any], game: Game
    ) -> None:
        self.clock = Clock()
        self.settings = settings
        self.game = game
        game.access = AccessService(MemoryAccessStore(), clock=self.clock)
        game.reports = ReportService(MemoryReportStore(), clock=self.clock)
        self.auth_server: AuthenticationServer = game.authentication_server(
            1224, **{"clock": self.clock, "monotonic": self.clock, **auth}
        )
        self.secure_server: SecureConnectionServer = game.secure_server(
            **{"clock": self.clock, **secure}
        )
        context = context_of(settings, holders=_HOLDERS)
        self.auth = PipeServer([self.auth_server], context)
        self.secure = PipeServer([self.secure_server], context)

    def opened(self, sealed: bytes, pid: int, password: str) -> tuple[ClientTicket, ServerTicket]:
        """Open both halves of a ticket with the password of its owner."""
        key = self.game.derive(pid, password)
        return self.opened_with(sealed, key)

    def opened_with(self, sealed: bytes, key: bytes) -> tuple[ClientTicket, ServerTicket]:
        transport = self.settings.transport()
        sizes = (transport.session_key_size, transport.pid_size)
        ticket = ClientTicket.open(sealed, key, *sizes)
        target = next(user for user in self.game.special if user.pid == ticket.target)
        inner = ServerTicket.open(
            ticket.internal,
            self.game.derive(target.pid, target.password),
            transport.ticket_version,
            *sizes,
        )
        return ticket, inner

    def close(self) -> None:
        self.auth.close()
        self.secure.close()


@contextlib.asynccontextmanager
async def lab(
    settings: Settings | None = None,
    *,
    auth: dict[str, Any] | None = None,
    secure: dict[str, Any] | None = None,
    special: tuple[AuthenticationUser, ...] = (SECURE_SERVER, GUEST),
    change: Callable[[Game], None] | None = None,
) -> AsyncIterator[Lab]:
    """Make a game; *auth* and *secure* are keyword arguments of its servers."""
    settings = lab_settings() if settings is None else settings
    game = Game(settings, special=list(special))
    if change is not None:
        change(game)
    await game.add_accounts(PLAYERS)
    made = Lab(settings, auth or {}, secure or {}, game)
    try:
        yield made
    finally:
        made.close()
