"""Unique ids: numbers that name what a player has saved, whichever account it is used with.

A console acquires one, keeps it in the save data together with its password, and associates it
with the account that plays. Acquiring does not associate. An id that is not any more associated
can be again, by anybody who knows the password: save data moves to other accounts.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum

from nekonex.domain.errors import DomainError
from nekonex.domain.ports import Clock, UniqueIdStore
from nekonex.values.unavailable import ServiceUnavailable

__all__ = [
    "AssociationCheck",
    "KnownUniqueId",
    "Refusal",
    "UniqueId",
    "UniqueIdError",
    "UniqueIdLimits",
    "UniqueIds",
    "check_association",
]

_DRAWS = 8
"""How often a number is drawn again that is 0 or in use: with 64 bits not even once."""


@dataclass(frozen=True, slots=True)
class UniqueId:
    """A unique id and what proves that it was given to whoever says it; 0 where nothing does."""

    value: int
    password: int = field(default=0, repr=False)


@dataclass(frozen=True, slots=True)
class KnownUniqueId:
    """What a store knows of a unique id."""

    unique_id: UniqueId
    owner: int | None
    """The player that it is associated with."""
    expires: float | None
    """When it is forgotten unless somebody associates it; None: it was associated once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UniqueIdLimits:
    """How many unique ids are kept."""

    max_associated: int = 16
    """Ids that one player has at a time, and that one call may name."""
    max_acquired: int = 16
    """Ids that one player acquired and nobody ever associated; the oldest makes room."""
    max_acquired_in_all: int = 65_536
    """The same, of all players of a game together."""
    acquired_seconds: float = 30 * 86_400.0
    """How long an id is kept that was acquired and that nobody ever associated."""
    max_released: int = 64
    """Ids that one player had and has no more; the one given up first is forgotten."""

    def __post_init__(self) -> None:
        numbers = (
            self.max_associated,
            self.max_acquired,
            self.max_acquired_in_all,
            self.max_released,
        )
        if min(numbers) < 1 or not self.acquired_seconds > 0:
            raise ValueError("limits of unique ids are above 0")


class Refusal(Enum):
    """The rules that something may be against; protocol servers have a code for each."""

    INVALID = "there are too many unique ids, or one is named twice"
    UNKNOWN = "there is no such unique id"
    DENIED = "the unique id is another player's, or the password is another"


class UniqueIdError(DomainError):
    """Something was refused, and nothing has changed."""

    name = "unique_id"

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(f"{refusal.value} ({detail})" if detail else refusal.value)
        self.refusal = refusal


AssociationCheck = Callable[[Mapping[int, KnownUniqueId]], None]
"""Raises UniqueIdError if unique ids, as they are known, may not be associated.

It has no side effects and waits for nothing: a store may call it in a thread of its own.
"""


def check_association(pid: int, wanted: Iterable[UniqueId], now: float) -> AssociationCheck:
    """Return what tells whether a player may have unique ids."""

    def check(known: Mapping[int, KnownUniqueId]) -> None:
        for each in wanted:
            found = known.get(each.value)
            if found is None or (found.expires is not None and found.expires <= now):
                raise UniqueIdError(Refusal.UNKNOWN, f"{each.value}")
            if found.owner not in {None, pid} or found.unique_id.password != each.password:
                raise UniqueIdError(Refusal.DENIED, f"{each.value}")

    return check


class UniqueIds:
    """The unique ids of one game.

    ``clock`` is the time in POSIX seconds, ``draw`` gives a number of 64 bits that nobody can
    guess. All methods raise ServiceUnavailable where the store is out of order.
    """

    def __init__(
        self,
        store: UniqueIdStore,
        *,
        limits: UniqueIdLimits | None = None,
        clock: Clock = time.time,
        draw: Callable[[], int] = lambda: secrets.randbits(64),
    ) -> None:
        self.limits = limits or UniqueIdLimits()
        self._store = store
        self._clock = clock
        self._draw = draw

    async def acquire(self, pid: int, *, with_password: bool) -> UniqueId:
        """Make a unique id for a player and return it; it is not associated with the player."""
        for _ in range(_DRAWS):
            made = UniqueId(self._number(), self._number() if with_password else 0)
            if await self._store.create(made, pid, now=self._clock(), limits=self.limits):
                return made
        raise ServiceUnavailable("no unique id could be made")

    async def associate(self, pid: int, unique_ids: Sequence[UniqueId]) -> None:
        """Let a player have these unique ids and no others, the first as the primary one.

        Where the number is 0 no id is meant. Raises UniqueIdError.
        """
        if len(unique_ids) > self.limits.max_associated:
            raise UniqueIdError(Refusal.INVALID, f"{len(unique_ids)} unique ids")
        wanted = [each for each in unique_ids if each.value]
        values = [each.value for each in wanted]
        if len(set(values)) < len(values):
            raise UniqueIdError(Refusal.INVALID)
        now = self._clock()
        check = check_association(pid, wanted, now)
        await self._store.associate(pid, values, check, now=now, limits=self.limits)

    async def of(self, pid: int) -> Sequence[UniqueId]:
        """Return a player's unique ids, the primary one first."""
        return await self._store.of(pid)

    async def forget(self, pid: int) -> int:
        """Remove all ids that a player acquired, has or had last; return how many there were."""
        return await self._store.remove_of(pid)

    def _number(self) -> int:
        for _ in range(_DRAWS):
            if number := self._draw():
                return number
        raise ServiceUnavailable("no unique id could be made")
