"""Stores in memory: the reference for what the others must do, and the default in tests.

No method awaits anything, so each is atomic on its event loop.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from itertools import islice

from nekonex.domain.access import AccessRules, Ban, MaintenanceWindow, Whitelist
from nekonex.domain.accounts import Account
from nekonex.domain.errors import NameTakenError, PidTakenError
from nekonex.domain.names import name_key
from nekonex.domain.reports import Report
from nekonex.storage.secrets import check_secret_name

__all__ = ["MemoryAccessStore", "MemoryAccountStore", "MemoryReportStore", "MemorySecretStore"]


class MemoryAccountStore:
    """`nekonex.domain.ports.AccountStore` in two dictionaries."""

    def __init__(self) -> None:
        self._accounts: dict[int, Account] = {}
        self._pids: dict[str, int] = {}
        self._retired: set[int] = set()

    async def get(self, pid: int) -> Account | None:
        """Return the account with this principal id."""
        return self._accounts.get(pid)

    async def find_by_name(self, name: str) -> Account | None:
        """Return the account of this name; case does not count."""
        pid = self._pids.get(name_key(name))
        return None if pid is None else self._accounts[pid]

    async def names(self, pids: Collection[int]) -> Mapping[int, str]:
        """Return the names of the accounts with these principal ids, of those that there are."""
        return {pid: self._accounts[pid].name for pid in pids if pid in self._accounts}

    async def page(self, after_pid: int, limit: int) -> Sequence[Account]:
        """Return up to ``limit`` accounts with larger principal ids, in their order."""
        later = sorted(pid for pid in self._accounts if pid > after_pid)
        return [self._accounts[pid] for pid in later[:limit]]

    async def count(self) -> int:
        """Return how many accounts there are."""
        return len(self._accounts)

    async def next_pid(self, first: int, last: int) -> int | None:
        """Return the smallest principal id of the range that no account has or had."""
        return next(
            (
                pid
                for pid in range(first, last + 1)
                if pid not in self._accounts and pid not in self._retired
            ),
            None,
        )

    async def add(self, accounts: Sequence[Account]) -> None:
        """Add all of these accounts, or none: PidTakenError, NameTakenError."""
        pids: set[int] = set()
        names: set[str] = set()
        for account in accounts:
            key = name_key(account.name)
            if account.pid in self._accounts or account.pid in pids:
                raise PidTakenError(account.pid)
            if key in self._pids or key in names:
                raise NameTakenError(account.name)
            pids.add(account.pid)
            names.add(key)
        for account in accounts:
            self._accounts[account.pid] = replace(account, keys=dict(account.keys))
            self._pids[name_key(account.name)] = account.pid

    async def set_keys(self, pid: int, keys: dict[int, bytes]) -> bool:
        """Replace all keys of an account; False if there is no such account."""
        account = self._accounts.get(pid)
        if account is None:
            return False
        self._accounts[pid] = replace(account, keys=dict(keys))
        return True

    async def remove(self, pid: int) -> bool:
        """Remove an account and remember that its principal id was in use; False if unknown."""
        account = self._accounts.pop(pid, None)
        if account is None:
            return False
        del self._pids[name_key(account.name)]
        self._retired.add(pid)
        return True


class MemoryAccessStore:
    """`nekonex.domain.ports.AccessStore` in dictionaries."""

    def __init__(self) -> None:
        self._revision = 0
        self._maintenance: dict[str, MaintenanceWindow] = {}
        self._whitelists: dict[str, Whitelist] = {}
        self._bans: dict[tuple[int, str], Ban] = {}

    async def revision(self) -> int:
        """Return a number that differs after every change."""
        return self._revision

    async def load(self) -> tuple[int, AccessRules]:
        """Return all rules, and the revision that they are of."""
        bans: dict[int, tuple[Ban, ...]] = {}
        for key in sorted(self._bans):
            ban = self._bans[key]
            bans[ban.pid] = (*bans.get(ban.pid, ()), ban)
        rules = AccessRules(dict(self._maintenance), dict(self._whitelists), bans)
        return self._revision, rules

    async def set_maintenance(self, scope: str, window: MaintenanceWindow | None) -> None:
        """Replace the maintenance of a scope, or end it with None."""
        self._revision += 1
        if window is None:
            self._maintenance.pop(scope, None)
        else:
            self._maintenance[scope] = window

    async def set_whitelist(self, scope: str, *, enabled: bool) -> None:
        """Switch the whitelist of a scope on or off; who is on it stays."""
        self._revision += 1
        self._whitelists[scope] = replace(self._whitelist(scope), enabled=enabled)

    async def change_whitelist(
        self, scope: str, *, add: Collection[int] = (), remove: Collection[int] = ()
    ) -> None:
        """Put principal ids on the whitelist of a scope and take others off."""
        self._revision += 1
        old = self._whitelist(scope)
        self._whitelists[scope] = replace(old, pids=(old.pids - set(remove)) | set(add))

    async def put_ban(self, ban: Ban) -> None:
        """Store a ban in place of an earlier one of that principal id and scope."""
        self._revision += 1
        self._bans[ban.pid, ban.scope] = ban

    async def remove_ban(self, pid: int, scope: str) -> bool:
        """Lift the ban of a principal id in exactly this scope; False if there was none."""
        if self._bans.pop((pid, scope), None) is None:
            return False
        self._revision += 1
        return True

    def _whitelist(self, scope: str) -> Whitelist:
        return self._whitelists.get(scope, Whitelist())


class MemoryReportStore:
    """`nekonex.domain.ports.ReportStore` in a dictionary."""

    def __init__(self) -> None:
        self._last = 0
        self._reports: dict[int, Report] = {}

    async def add(self, report: Report, quota: int) -> int:
        """Store a report and return its number, dropping the player's oldest above ``quota``."""
        self._last += 1
        self._reports[self._last] = replace(report, number=self._last)
        own = [one.number for one in self._of(report.pid)]
        for number in own[: max(0, len(own) - quota)]:
            del self._reports[number]
        return self._last

    async def page(self, after: int, limit: int, pid: int | None = None) -> Sequence[Report]:
        """Return up to ``limit`` reports with larger numbers, of one player or of all."""
        return list(islice((one for one in self._of(pid) if one.number > after), limit))

    async def count(self, pid: int | None = None) -> int:
        """Return how many reports there are, of one player or of all."""
        return len(self._of(pid))

    async def remove_of(self, pid: int) -> int:
        """Remove all reports of a player and return how many there were."""
        own = self._of(pid)
        for report in own:
            del self._reports[report.number]
        return len(own)

    def _of(self, pid: int | None) -> list[Report]:
        return [one for one in self._reports.values() if pid is None or one.pid == pid]


class MemorySecretStore:
    """`nekonex.domain.ports.SecretStore` in a dictionary."""

    def __init__(self) -> None:
        self._secrets: dict[str, bytes] = {}

    async def get_or_create(self, name: str, factory: Callable[[], bytes]) -> bytes:
        """Return the secret of this name, stored from ``factory()`` if there was none."""
        check_secret_name(name)
        if name not in self._secrets:
            self._secrets[name] = factory()
        return self._secrets[name]
