"""Who a user name or principal id is, and with which key tickets for that user are sealed."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from nekonex.domain.accounts import Account, AccountService
from nekonex.domain.callbacks import call_user
from nekonex.domain.names import pid_of_name
from nekonex.domain.ports import KeyDeriver
from nekonex.domain.special import (
    GUEST_PID,
    MAX_PID,
    SPECIAL_PIDS,
    AuthenticationUser,
    SpecialUsers,
)
from nekonex.values.unavailable import ServiceUnavailable

__all__ = [
    "AccountSource",
    "CallbackSource",
    "Identity",
    "IdentityService",
    "KnownUser",
    "NexPasswordCallback",
    "UserSource",
]

_logger = logging.getLogger(__name__)

NexPasswordCallback = Callable[[int], Awaitable[str | bytes | None] | str | bytes | None]
"""A user's ``get_nex_password(pid)``, plain or a coroutine function: see `CallbackSource`."""

_NO_SUCH_USER_CODES = frozenset({"INVALID_ARGUMENT", "NOT_FOUND"})


@dataclass(frozen=True, slots=True)
class KnownUser:
    """A user as a source knows it: with a stored key, or with a password, or with both."""

    pid: int
    name: str
    key: bytes | None = field(default=None, repr=False)
    password: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Identity:
    """A user with the 16-byte key that seals what only this user may read.

    ``password`` is None where only the key is stored. ``special`` users are ticket targets.
    """

    pid: int
    name: str
    key: bytes = field(repr=False)
    password: str | None = field(default=None, repr=False)
    guest: bool = False
    special: bool = False

    @property
    def may_log_in(self) -> bool:
        """Whether this user may ask for a ticket of its own: players and the guest may."""
        return self.guest or not self.special

    @property
    def user(self) -> AuthenticationUser:
        """The user as login callbacks get it; the password is empty where it is not known."""
        return AuthenticationUser(self.pid, self.name, self.password or "")


class UserSource(Protocol):
    """Where players come from. None means no such user; an outage is ServiceUnavailable."""

    async def by_pid(self, pid: int, /) -> KnownUser | None:
        """Return the player with this principal id, which is never a special user's."""

    async def by_name(self, name: str, /) -> KnownUser | None:
        """Return the player of this name, which is never a principal id in decimal."""


class AccountSource:
    """Players are the accounts of the local store."""

    def __init__(self, accounts: AccountService, *, derivation: int = 0) -> None:
        self._accounts = accounts
        self._derivation = derivation

    async def by_pid(self, pid: int) -> KnownUser | None:
        """Return the account with this principal id as a user."""
        return self._known(await self._accounts.find(pid))

    async def by_name(self, name: str) -> KnownUser | None:
        """Return the account of this name as a user; case does not count."""
        return self._known(await self._accounts.find_by_user_name(name))

    def _known(self, account: Account | None) -> KnownUser | None:
        if account is None:
            return None
        key = account.keys.get(self._derivation)
        if key is None:
            _logger.warning(
                "account %d was imported without a key for derivation %d and cannot log in",
                account.pid,
                self._derivation,
            )
            return None
        return KnownUser(account.pid, account.name, key=key)


class CallbackSource:
    """Players are whoever ``get_nex_password(pid)`` has a password for; a name is a PID.

    The callback says that there is no such user by returning None or an empty password, by
    raising a LookupError, or by raising an error whose ``code()`` is named INVALID_ARGUMENT or
    NOT_FOUND, as those of gRPC are. Any other exception is an outage: it is logged, and the
    login fails with ServiceUnavailable.
    """

    def __init__(self, get_nex_password: NexPasswordCallback) -> None:
        self._get_nex_password = get_nex_password

    async def by_pid(self, pid: int) -> KnownUser | None:
        """Ask the callback for the password of a principal id."""
        try:
            password = _password_bytes(await call_user(self._get_nex_password, pid))
        except Exception as error:
            if isinstance(error, LookupError) or _grpc_code(error) in _NO_SUCH_USER_CODES:
                return None
            _logger.exception("get_nex_password failed for PID %d", pid)
            raise ServiceUnavailable("the source of passwords failed") from error
        return KnownUser(pid, str(pid), password=password) if password else None

    async def by_name(self, _name: str, /) -> KnownUser | None:
        """Return None: this source knows principal ids only."""
        return None


def _password_bytes(password: object) -> bytes:
    if password is None:
        return b""
    if isinstance(password, str):
        return password.encode("utf-8", "surrogatepass")
    if isinstance(password, bytes):
        return password
    raise TypeError(f"get_nex_password returned {type(password).__name__}, not text")


def _grpc_code(error: Exception) -> str | None:
    code = getattr(error, "code", None)
    if not callable(code):
        return None
    try:
        return getattr(code(), "name", None)
    except Exception:
        _logger.exception("the code() of %s failed", type(error).__name__)
        return None


class IdentityService:
    """Resolves users for the authentication server.

    Special users come first; then the sources are asked in order and the first that knows the
    user wins. Principal ids of special users never reach a source, so nobody can be given the
    secure server's identity by a careless database.
    """

    def __init__(
        self,
        special: SpecialUsers,
        sources: Sequence[UserSource],
        deriver: KeyDeriver,
        *,
        derivation: int = 0,
    ) -> None:
        self._special = special
        self._sources = tuple(sources)
        self._deriver = deriver
        self._derivation = derivation

    async def by_user_name(self, user_name: str) -> Identity | None:
        """Return who a login's user name is, with the key; None if nobody.

        Raises ServiceUnavailable if that cannot be found out.
        """
        return await self._identity(await self.find_user_name(user_name))

    async def by_pid(self, pid: int) -> Identity | None:
        """Return who a principal id is, with the key; None if nobody.

        Raises ServiceUnavailable if that cannot be found out.
        """
        return await self._identity(await self.find_pid(pid))

    async def find_user_name(self, user_name: str) -> KnownUser | None:
        """Return who a user name is without the work of deriving a key."""
        pid = pid_of_name(user_name)
        if pid is not None:
            return await self.find_pid(pid)
        user = self._special.by_name(user_name)
        if user is not None:
            return _known_special(user)
        for source in self._sources:
            found = await source.by_name(user_name)
            if found is not None:
                return found
        return None

    async def find_pid(self, pid: int) -> KnownUser | None:
        """Return who a principal id is without the work of deriving a key."""
        user = self._special.by_pid(pid)
        if user is not None:
            return _known_special(user)
        if not 0 < pid <= MAX_PID or pid in SPECIAL_PIDS:
            return None
        for source in self._sources:
            found = await source.by_pid(pid)
            if found is not None:
                return found
        return None

    async def _identity(self, user: KnownUser | None) -> Identity | None:
        if user is None:
            return None
        key = user.key
        if key is None:
            if user.password is None:
                raise ValueError(f"the source knows neither key nor password of PID {user.pid}")
            key = await self._deriver.derive(user.pid, user.password, self._derivation)
        password = None if user.password is None else user.password.decode("utf-8", "replace")
        special = self._special.by_pid(user.pid) is not None
        return Identity(
            user.pid,
            user.name,
            key,
            password,
            guest=special and user.pid == GUEST_PID,
            special=special,
        )


def _known_special(user: AuthenticationUser) -> KnownUser:
    if user.key is not None:
        return KnownUser(user.pid, user.name, key=user.key)
    return KnownUser(user.pid, user.name, password=user.password.encode("utf-8", "surrogatepass"))
