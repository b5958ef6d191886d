"""Principal ids, user names and the special users that every NEX server knows.

The ids and names of the special users are Nintendo's: see the nintendo-wiki, "NEX / Kerberos".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from nekonex.domain.names import name_key

__all__ = [
    "AUTHENTICATION_PID",
    "GUEST_PID",
    "MAX_PID",
    "SECURE_SERVER_PID",
    "SPECIAL_PIDS",
    "AuthenticationUser",
    "SpecialUsers",
]

MAX_PID = 0xFFFFFFFF
"""The largest principal id of an account; consoles store 32 bits."""

AUTHENTICATION_PID = 1
"""The authentication server itself, "Quazal Authentication"."""

SECURE_SERVER_PID = 2
"""The secure server, "Quazal Rendez-Vous": tickets for games are made out to it."""

GUEST_PID = 100
"""The shared account of consoles that have none yet."""

SPECIAL_PIDS = frozenset({AUTHENTICATION_PID, SECURE_SERVER_PID, *range(GUEST_PID, 111)})
"""Principal ids that no player's account may have: the two servers, the guest, Nintendo's own."""


@dataclass(frozen=True, slots=True)
class AuthenticationUser:
    """Who logs in, or whom a ticket is for, as user callbacks see it.

    ``password`` is empty where only the key is known (accounts of the local store). A special
    user that nobody logs in as needs no password either: its ``key``, 16 bytes that are as good
    as random, is taken as it is, and none has to be derived.
    """

    pid: int
    name: str
    password: str = field(default="", repr=False)
    key: bytes | None = field(default=None, repr=False)


class SpecialUsers:
    """The special users of one server, found by principal id or by name.

    All of them are ticket targets. Only the guest may log in, and only where it is in the list;
    the secure server never may, because whoever held its ticket could be anybody.
    """

    def __init__(self, users: Iterable[AuthenticationUser] = ()) -> None:
        """Raise ValueError for two users with one principal id or name."""
        self._by_pid: dict[int, AuthenticationUser] = {}
        self._by_name: dict[str, AuthenticationUser] = {}
        for user in users:
            key = name_key(user.name)
            if user.pid in self._by_pid or key in self._by_name:
                raise ValueError(
                    f"two special users share the PID {user.pid} or name {user.name!r}"
                )
            self._by_pid[user.pid] = user
            self._by_name[key] = user

    def __iter__(self) -> Iterator[AuthenticationUser]:
        return iter(self._by_pid.values())

    def by_pid(self, pid: int) -> AuthenticationUser | None:
        """Return the special user with this principal id."""
        return self._by_pid.get(pid)

    def by_name(self, name: str) -> AuthenticationUser | None:
        """Return the special user of this name; case does not count."""
        return self._by_name.get(name_key(name))
