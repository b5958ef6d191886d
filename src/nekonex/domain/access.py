"""Who may log in: maintenance, whitelists and bans, for all games or for one.

A scope is the name of a game, or `ALL_GAMES`. The rules, in the order in which a console is told:

- banned players get ``RendezVous::AccountDisabled``: a ban's reason matters more to them than a
  maintenance that will pass;
- during maintenance everybody else gets ``Authentication::UnderMaintenance``, whitelisted players
  too: a whitelist says who may play, and whoever maintains a server wants nobody in it;
- where a whitelist is on, for all games or for this one, whoever is on neither of the two gets
  ``RendezVous::PermissionDenied``, guests too unless PID 100 is listed.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from nekonex.domain.errors import InvalidPidError
from nekonex.domain.ports import AccessStore, Clock
from nekonex.domain.special import GUEST_PID, MAX_PID, SPECIAL_PIDS

__all__ = [
    "ALL_GAMES",
    "BANNED",
    "NOT_WHITELISTED",
    "UNDER_MAINTENANCE",
    "AccessRules",
    "AccessService",
    "Ban",
    "MaintenanceWindow",
    "Whitelist",
]

ALL_GAMES = ""
"""The scope of a rule that is for every game."""

BANNED = "RendezVous::AccountDisabled"
UNDER_MAINTENANCE = "Authentication::UnderMaintenance"
NOT_WHITELISTED = "RendezVous::PermissionDenied"


@dataclass(frozen=True, slots=True)
class MaintenanceWindow:
    """From when until when nobody may log in, in POSIX seconds; None leaves that end open."""

    start: float | None = None
    end: float | None = None

    def __post_init__(self) -> None:
        if self.start is not None and self.end is not None and self.end <= self.start:
            raise ValueError("a maintenance ends after it starts")

    def contains(self, now: float) -> bool:
        """Whether the maintenance is going on; it begins at ``start`` and is over at ``end``."""
        return (self.start is None or self.start <= now) and (self.end is None or now < self.end)


@dataclass(frozen=True, slots=True)
class Whitelist:
    """Who may play where ``enabled``; kept while it is off."""

    enabled: bool = False
    pids: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class Ban:
    """A player who may not log in, for ever or until a time in POSIX seconds."""

    pid: int
    reason: str = ""
    until: float | None = None
    scope: str = ALL_GAMES
    created: float = 0.0

    def in_force(self, game: str, now: float) -> bool:
        """Whether the ban is for this game and has not run out."""
        return self.scope in (ALL_GAMES, game) and (self.until is None or now < self.until)


_NO_WHITELIST = Whitelist()


@dataclass(frozen=True, slots=True)
class AccessRules:
    """All rules at one moment: maintenance and whitelists by scope, bans by principal id."""

    maintenance: Mapping[str, MaintenanceWindow] = field(default_factory=dict)
    whitelists: Mapping[str, Whitelist] = field(default_factory=dict)
    bans: Mapping[int, tuple[Ban, ...]] = field(default_factory=dict)

    def check(self, pid: int, game: str, now: float) -> str | None:
        """Return the name of the error that keeps a player out of a game, or None."""
        if self.ban_of(pid, game, now) is not None:
            return BANNED
        if self.under_maintenance(game, now):
            return UNDER_MAINTENANCE
        lists = [self.whitelists.get(scope, _NO_WHITELIST) for scope in (ALL_GAMES, game)]
        if any(one.enabled for one in lists) and not any(pid in one.pids for one in lists):
            return NOT_WHITELISTED
        return None

    def ban_of(self, pid: int, game: str, now: float) -> Ban | None:
        """Return a ban that keeps the player out of the game now."""
        return next((ban for ban in self.bans.get(pid, ()) if ban.in_force(game, now)), None)

    def under_maintenance(self, game: str, now: float) -> bool:
        """Whether the game is under maintenance now."""
        return any(window.contains(now) for window in self._windows(game))

    def _windows(self, game: str) -> list[MaintenanceWindow]:
        scopes = {ALL_GAMES, game}
        return [self.maintenance[scope] for scope in scopes if scope in self.maintenance]


class AccessService:
    """Keeps the access rules and answers, at each login, whether a player may come in.

    A snapshot of the rules is kept and its revision compared at every check, so that a change is
    seen at the next login, also one that another process made. Every method raises
    ServiceUnavailable when the store is out of order: nobody gets in unchecked.
    """

    def __init__(self, store: AccessStore, *, clock: Clock = time.time) -> None:
        self._store = store
        self._clock = clock
        self._revision: int | None = None
        self._rules = AccessRules()

    async def rules(self) -> AccessRules:
        """Return the rules as they are now."""
        if await self._store.revision() != self._revision:
            self._revision, self._rules = await self._store.load()
        return self._rules

    async def check(self, pid: int, game: str, now: float) -> str | None:
        """Return the name of the error that keeps a player out of a game, or None."""
        return (await self.rules()).check(pid, game, now)

    async def start_maintenance(
        self, scope: str = ALL_GAMES, *, start: float | None = None, end: float | None = None
    ) -> None:
        """Announce a maintenance, or start one now; it replaces the scope's earlier one.

        Players who are online are the business of whoever runs the game. Raises ValueError if
        it would end before it starts.
        """
        start = self._clock() if start is None else start
        await self._store.set_maintenance(scope, MaintenanceWindow(start, end))

    async def end_maintenance(self, scope: str = ALL_GAMES) -> None:
        """End the maintenance of a scope, or call it off."""
        await self._store.set_maintenance(scope, None)

    async def enable_whitelist(self, scope: str = ALL_GAMES, *, enabled: bool = True) -> None:
        """Switch a whitelist on or off; who is on it stays."""
        await self._store.set_whitelist(scope, enabled=enabled)

    async def whitelist(self, *pids: int, scope: str = ALL_GAMES) -> None:
        """Put players on a whitelist; raises InvalidPidError for what is no player's PID."""
        for pid in pids:
            _check_player(pid)
        await self._store.change_whitelist(scope, add=pids)

    async def unwhitelist(self, *pids: int, scope: str = ALL_GAMES) -> None:
        """Take players off a whitelist; those who are not on it do not matter."""
        await self._store.change_whitelist(scope, remove=pids)

    async def ban(
        self, pid: int, reason: str = "", *, until: float | None = None, scope: str = ALL_GAMES
    ) -> Ban:
        """Ban a player, in place of an earlier ban in the same scope, and return the ban.

        Raises InvalidPidError for what is no player's PID.
        """
        ban = Ban(_check_player(pid), reason, until, scope, self._clock())
        await self._store.put_ban(ban)
        return ban

    async def unban(self, pid: int, *, scope: str = ALL_GAMES) -> bool:
        """Lift a player's ban in exactly this scope; False if there was none."""
        return await self._store.remove_ban(pid, scope)


def _check_player(pid: int) -> int:
    """Return ``pid`` if a player or the guest can have it, else raise InvalidPidError."""
    if not 0 < pid <= MAX_PID or (pid in SPECIAL_PIDS and pid != GUEST_PID):
        raise InvalidPidError(f"no player can have the PID {pid}")
    return pid
