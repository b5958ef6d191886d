"""Accounts of the local store: what one is, and adding, changing and finding them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, field

from nekonex.domain.errors import (
    InvalidNameError,
    InvalidPasswordError,
    InvalidPidError,
    NameTakenError,
    NoFreePidError,
    NoSuchAccountError,
    PidTakenError,
)
from nekonex.domain.names import name_problem, pid_of_name
from nekonex.domain.ports import AccountStore, Clock, KeyDeriver
from nekonex.domain.special import MAX_PID, SPECIAL_PIDS, SpecialUsers

__all__ = [
    "FIRST_FREE_PID",
    "KEY_DERIVATIONS",
    "KEY_SIZE",
    "LAST_FREE_PID",
    "PASSWORD_LIMIT",
    "Account",
    "AccountService",
    "check_name",
    "check_password",
    "check_pid",
]

FIRST_FREE_PID = 1_000_000_000
"""First principal id that is given out by itself; smaller ones seem to be refused by consoles."""

LAST_FREE_PID = 1_799_999_999
"""Last principal id that is given out by itself; Nintendo counted down from here."""

KEY_DERIVATIONS = (0, 1)
"""Key derivations an account has a key for: 0 of Wii U and 3DS, 1 of the Switch."""

KEY_SIZE = 16
"""Bytes of a derived key."""

PASSWORD_LIMIT = 64
"""Most bytes (UTF-8) of a password; a Wii U has a field of 64 and a terminator for it."""

_PAGE = 500
_ADD_ATTEMPTS = 16


@dataclass(frozen=True, slots=True)
class Account:
    """A player's account. The password is not kept, only the keys derived from it.

    ``keys`` maps a derivation to its 16-byte key; an imported account may have only one.
    ``name`` is the principal id in decimal where the player was given no name, as on consoles.
    ``created`` is in POSIX seconds.
    """

    pid: int
    name: str
    keys: Mapping[int, bytes] = field(repr=False)
    created: float

    def __post_init__(self) -> None:
        if not 0 < self.pid <= MAX_PID:
            raise ValueError(f"{self.pid} is not a PID")
        if not self.keys:
            raise ValueError("an account has at least one key")
        for derivation, key in self.keys.items():
            if derivation not in KEY_DERIVATIONS or len(key) != KEY_SIZE:
                raise ValueError(f"an account's keys are of {KEY_SIZE} bytes, derivations 0 and 1")


def check_pid(pid: int) -> int:
    """Return ``pid`` if an account may have it, else raise InvalidPidError."""
    if not 0 < pid <= MAX_PID:
        raise InvalidPidError(f"a PID is between 1 and {MAX_PID}, not {pid}")
    if pid in SPECIAL_PIDS:
        raise InvalidPidError(f"the PID {pid} belongs to a special user of every server")
    return pid


def check_password(password: str) -> bytes:
    """Return ``password`` as bytes if an account may have it, else raise InvalidPasswordError."""
    encoded = password.encode("utf-8", "surrogatepass")
    if not encoded:
        raise InvalidPasswordError("a password must not be empty")
    if len(encoded) > PASSWORD_LIMIT:
        raise InvalidPasswordError(f"a password has at most {PASSWORD_LIMIT} bytes in UTF-8")
    if "\0" in password:
        raise InvalidPasswordError("a password has no zero characters")
    return encoded


def check_name(name: str, special: SpecialUsers) -> str:
    """Return ``name`` if an account may have it, else raise InvalidNameError."""
    problem = name_problem(name)
    if problem is None and special.by_name(name) is not None:
        problem = f"the name {name!r} belongs to a special user"
    if problem is not None:
        raise InvalidNameError(problem)
    return name


class AccountService:
    """Keeps the accounts of this server and the rules about them.

    Every method raises `nekonex.domain.errors.AccountError` for what the rules refuse, and
    ServiceUnavailable when the store or the key derivation is out of order.
    """

    def __init__(
        self,
        store: AccountStore,
        deriver: KeyDeriver,
        *,
        special: SpecialUsers | None = None,
        clock: Clock = time.time,
    ) -> None:
        self._store = store
        self._deriver = deriver
        self._special = special or SpecialUsers()
        self._clock = clock
        self._allotting = asyncio.Lock()

    @property
    def special(self) -> SpecialUsers:
        """The special users, whose names no account may have."""
        return self._special

    def now(self) -> float:
        """Return the time that accounts made now are dated with, in POSIX seconds."""
        return self._clock()

    async def find(self, pid: int) -> Account | None:
        """Return the account with this principal id."""
        return await self._store.get(pid) if 0 < pid <= MAX_PID else None

    async def find_by_user_name(self, user_name: str) -> Account | None:
        """Return the account that a console means by this user name.

        That is the principal id in decimal, or else the account's name, whatever its case.
        """
        pid = pid_of_name(user_name)
        if pid is not None:
            return await self.find(pid)
        return None if name_problem(user_name) else await self._store.find_by_name(user_name)

    async def names(self, pids: Collection[int]) -> dict[int, str]:
        """Return the names of the accounts with these principal ids, of those that there are."""
        wanted = [pid for pid in dict.fromkeys(pids) if 0 < pid <= MAX_PID]
        found: dict[int, str] = {}
        for start in range(0, len(wanted), _PAGE):
            found.update(await self._store.names(wanted[start : start + _PAGE]))
        return found

    async def accounts(self) -> AsyncIterator[Account]:
        """Go through all accounts in the order of their principal ids, some at a time."""
        after = 0
        while page := await self._store.page(after, _PAGE):
            for account in page:
                yield account
            after = page[-1].pid

    async def count(self) -> int:
        """Return how many accounts there are."""
        return await self._store.count()

    async def add(self, name: str | None, password: str, pid: int | None = None) -> Account:
        """Make an account and return it.

        Without a name it is called by its principal id. Without a principal id it gets the
        next one from `FIRST_FREE_PID` on that no account has, or ever had.
        """
        if name is not None:
            check_name(name, self._special)
        encoded = check_password(password)
        if pid is not None:
            return await self._add_with(name, encoded, check_pid(pid))
        # One at a time: those at work together would all derive keys for the same next PID.
        async with self._allotting:
            for _ in range(_ADD_ATTEMPTS):
                free = await self._store.next_pid(FIRST_FREE_PID, LAST_FREE_PID)
                if free is None:
                    break
                try:
                    return await self._add_with(name, encoded, free)
                except PidTakenError:
                    continue  # another process was faster
        raise NoFreePidError(f"no PID from {FIRST_FREE_PID} to {LAST_FREE_PID} could be had")

    async def add_all(self, accounts: Sequence[Account]) -> None:
        """Add accounts that are checked already (an import's), or none of them."""
        await self._store.add(accounts)

    async def set_password(self, pid: int, password: str) -> None:
        """Give an account another password."""
        encoded = check_password(password)
        # The store checks again; asking first spares the work of deriving keys in vain.
        if await self.find(pid) is None:
            raise NoSuchAccountError(pid)
        if not await self._store.set_keys(pid, await self.derive_keys(pid, encoded)):
            raise NoSuchAccountError(pid)

    async def remove(self, pid: int) -> None:
        """Remove an account; its principal id is not given out again by itself.

        What else the player left (reports and so on) belongs to other services.
        """
        if await self.find(pid) is None or not await self._store.remove(pid):
            raise NoSuchAccountError(pid)

    async def derive_keys(self, pid: int, password: bytes) -> dict[int, bytes]:
        """Return the keys of all derivations."""
        return {kind: await self._deriver.derive(pid, password, kind) for kind in KEY_DERIVATIONS}

    async def _add_with(self, name: str | None, password: bytes, pid: int) -> Account:
        if await self.find(pid) is not None:
            raise PidTakenError(pid)
        if name is not None and await self._store.find_by_name(name) is not None:
            raise NameTakenError(name)
        keys = await self.derive_keys(pid, password)
        account = Account(pid, name if name is not None else str(pid), keys, self.now())
        await self._store.add([account])
        return account
