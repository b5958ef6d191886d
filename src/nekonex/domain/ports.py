"""What the domain needs from outside, as `typing.Protocol`s; `nekonex.storage` has the adapters.

All stores share these promises. A method that returned has committed: the change survives the
death of the process. A method changes all it was asked to, or nothing. An outage is
`nekonex.values.unavailable.ServiceUnavailable`, never an empty answer. Times are POSIX seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from nekonex.domain.access import AccessRules, Ban, MaintenanceWindow
    from nekonex.domain.accounts import Account
    from nekonex.domain.reports import Report
    from nekonex.domain.unique_ids import AssociationCheck, UniqueId, UniqueIdLimits

__all__ = [
    "AccessStore",
    "AccountStore",
    "Clock",
    "KeyDeriver",
    "ReportStore",
    "SecretStore",
    "UniqueIdStore",
]

Clock = Callable[[], float]
"""Wall-clock time in POSIX seconds; `time.time` where nothing else is given."""


class KeyDeriver(Protocol):
    """Makes the key of a user from the password, without blocking the event loop."""

    async def derive(self, pid: int, password: bytes, derivation: int = 0) -> bytes:
        """Return the 16-byte key; raises ServiceUnavailable when it cannot be computed."""


class AccountStore(Protocol):
    """Accounts, unique by principal id and by `nekonex.domain.names.name_key` of the name."""

    async def get(self, pid: int) -> Account | None:
        """Return the account with this principal id."""

    async def find_by_name(self, name: str) -> Account | None:
        """Return the account of this name; case does not count."""

    async def names(self, pids: Collection[int]) -> Mapping[int, str]:
        """Return the names of the accounts with these principal ids, of those that there are."""

    async def page(self, after_pid: int, limit: int) -> Sequence[Account]:
        """Return up to ``limit`` accounts with larger principal ids, in their order."""

    async def count(self) -> int:
        """Return how many accounts there are."""

    async def next_pid(self, first: int, last: int) -> int | None:
        """Return the smallest principal id of the range that no account has or had."""

    async def add(self, accounts: Sequence[Account]) -> None:
        """Add all of these accounts, or none.

        Raises PidTakenError or NameTakenError, which also two of ``accounts`` may cause.
        """

    async def set_keys(self, pid: int, keys: dict[int, bytes]) -> bool:
        """Replace all keys of an account; False if there is no such account."""

    async def remove(self, pid: int) -> bool:
        """Remove an account and remember that its principal id was in use; False if unknown."""


class AccessStore(Protocol):
    """Maintenance, whitelists and bans, by scope: a game's name, or "" for all games."""

    async def revision(self) -> int:
        """Return a number that differs after every change, another process's too. Cheap."""

    async def load(self) -> tuple[int, AccessRules]:
        """Return all rules, and the revision that they are of."""

    async def set_maintenance(self, scope: str, window: MaintenanceWindow | None) -> None:
        """Replace the maintenance of a scope, or end it with None."""

    async def set_whitelist(self, scope: str, *, enabled: bool) -> None:
        """Switch the whitelist of a scope on or off; who is on it stays."""

    async def change_whitelist(
        self, scope: str, *, add: Collection[int] = (), remove: Collection[int] = ()
    ) -> None:
        """Put principal ids on the whitelist of a scope and take others off."""

    async def put_ban(self, ban: Ban) -> None:
        """Store a ban in place of an earlier one of that principal id and scope."""

    async def remove_ban(self, pid: int, scope: str) -> bool:
        """Lift the ban of a principal id in exactly this scope; False if there was none."""


class ReportStore(Protocol):
    """Reports of consoles, numbered as they come in."""

    async def add(self, report: Report, quota: int) -> int:
        """Store a report and return its number, dropping the player's oldest above ``quota``."""

    async def page(self, after: int, limit: int, pid: int | None = None) -> Sequence[Report]:
        """Return up to ``limit`` reports with larger numbers, of one player or of all."""

    async def count(self, pid: int | None = None) -> int:
        """Return how many reports there are, of one player or of all."""

    async def remove_of(self, pid: int) -> int:
        """Remove all reports of a player and return how many there were."""


class SecretStore(Protocol):
    """Secrets that a server makes for itself once, such as the secure server's password."""

    async def get_or_create(self, name: str, factory: Callable[[], bytes]) -> bytes:
        """Return the secret of this name, stored from ``factory()`` if there was none.

        Two processes that ask at once get the same one. ``name`` is lower-case letters, digits,
        ``-`` and ``_``; ValueError otherwise.
        """


class UniqueIdStore(Protocol):
    """The unique ids of one game's players, see `nekonex.domain.unique_ids`.

    An id is acquired, associated with a player, or released: associated once and now with nobody.
    """

    async def create(
        self, unique_id: UniqueId, pid: int, *, now: float, limits: UniqueIdLimits
    ) -> bool:
        """Store an id that a player acquired; False, and nothing changes, if there is one already.

        Of the acquired ids that nobody ever associated, the player's oldest above ``max_acquired``
        are forgotten, everybody's oldest above ``max_acquired_in_all``, and those that are older
        than ``acquired_seconds``, of these perhaps not all at once.
        """

    async def associate(
        self,
        pid: int,
        values: Sequence[int],
        check: AssociationCheck,
        *,
        now: float,
        limits: UniqueIdLimits,
    ) -> None:
        """Let a player have these ids, in this order, and no others, atomically.

        ``check`` is asked about those that are known, by their numbers; it passes only where all
        are. What it raises is raised, and nothing has changed. The others that the player had are
        released, and the player's above ``max_released`` forgotten, those given up first.
        """

    async def of(self, pid: int) -> Sequence[UniqueId]:
        """Return the ids that are associated with a player, in the order of associating."""

    async def remove_of(self, pid: int) -> int:
        """Remove all ids that a player acquired or has or had last; return how many there were."""

    async def count(self) -> int:
        """Return how many ids there are, whosever they are."""
