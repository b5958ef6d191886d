"""Where objects are kept, as `typing.Protocol`s; `nekonex.storage` has the adapters.

Objects change by *transitions*: pure functions of the rules that take an object and return an
`Outcome`. A store applies them one at a time to each object and commits before it returns, so
nothing that a transition checked can change before its outcome is stored. A transition may be
called several times; only the last outcome counts.

What is to become of files is stored together with what is known of the objects, and carried out
afterwards: a server that dies in between goes on when it starts again. See `FileOperation`.

Refusals are `DataStoreError`s, and change nothing. An outage is
`nekonex.values.unavailable.ServiceUnavailable`, never an empty answer.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from nekonex.domain.datastore.model import Rating, RatingLog, StoredObject
from nekonex.domain.datastore.query import ObjectQuery
from nekonex.domain.datastore.refusals import DataStoreError

__all__ = [
    "Change",
    "FileOperation",
    "Notification",
    "ObjectStore",
    "Outcome",
    "Quota",
    "RatingChange",
    "RatingOutcome",
    "RatingRequest",
    "RatingTransition",
    "Release",
    "SearchPage",
    "StoredOperation",
    "Transition",
    "Usage",
]

Release = Callable[[StoredObject], StoredObject | None]
"""What becomes of the object whose persistence slot another takes; None: it is deleted."""


@dataclass(frozen=True, slots=True)
class FileOperation:
    """Move a file to another key, in place of what is there, or remove it (``target`` None)."""

    source: str
    target: str | None = None


@dataclass(frozen=True, slots=True)
class StoredOperation:
    """A file operation that has to be carried out, in the order of the numbers."""

    number: int
    operation: FileOperation


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a transition makes of an object."""

    after: StoredObject | None
    """The object from now on; None if it is deleted, with its ratings, slot and notifications."""
    release: Release | None = None
    """Asked where ``after`` is complete and takes a slot that another object has; None: delete."""
    files: tuple[FileOperation, ...] = ()
    """What happens to files because of it. The store adds what follows for other objects, by
    `nekonex.domain.datastore.rules.settling`."""
    notify: tuple[int, ...] = ()
    """The players who are to find a notification of the object."""


Transition = Callable[[StoredObject], Outcome]
"""Makes an outcome of an object, or raises DataStoreError.

It has no side effects and waits for nothing: a store calls it in a thread of its own.
"""


@dataclass(frozen=True, slots=True)
class Change:
    """An object before and after a transition, and what is left to do because of it."""

    before: StoredObject
    after: StoredObject | None
    operations: tuple[StoredOperation, ...] = ()
    notified: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Quota:
    """How much one player may store; unfinished uploads count."""

    objects: int
    size: int
    """Bytes of all contents."""


@dataclass(frozen=True, slots=True)
class Usage:
    """How much a player stores; unfinished uploads count with the size that they announced."""

    objects: int
    size: int


@dataclass(frozen=True, slots=True)
class RatingOutcome:
    """A slot, and the rater's log, from now on."""

    rating: Rating
    log: RatingLog


RatingTransition = Callable[[StoredObject, RatingLog | None], RatingOutcome]
"""Makes an outcome of an object and of what the rater gave the slot last, as a `Transition`."""


@dataclass(frozen=True, slots=True)
class RatingRequest:
    """One rating, and an object that is posted if and only if it is accepted.

    ``post`` is treated as `ObjectStore.create` treats its ``new``.
    """

    data_id: int
    slot: int
    pid: int
    transition: RatingTransition
    post: Outcome | None = None


@dataclass(frozen=True, slots=True)
class RatingChange:
    """A slot after a rating, and what was posted with it."""

    rating: Rating
    posted: Change | None = None


@dataclass(frozen=True, slots=True)
class SearchPage:
    """A page of what a search found; ``exact`` is False where ``total`` is a lower bound."""

    objects: Sequence[StoredObject]
    total: int
    exact: bool = True


@dataclass(frozen=True, slots=True)
class Notification:
    """A player's notification of an object. Numbers grow, for all players together."""

    number: int
    data_id: int


class ObjectStore(Protocol):
    """The objects of one game."""

    async def new_ids(self, count: int) -> Sequence[int]:
        """Return data ids that were never given out; from `FIRST_DATA_ID` on."""

    async def create(self, new: Outcome, quota: Quota) -> Change:
        """Store an object, ``new.after``, which has its data id; both sides of the change are it.

        Raises DataStoreError: OVER_CAPACITY where its owner would be above the quota, NOT_ALLOWED
        if there is an object with this id.
        """

    async def get(self, data_id: int) -> StoredObject | None:
        """Return an object."""

    async def get_many(self, data_ids: Sequence[int]) -> Sequence[StoredObject | None]:
        """Return objects, each in the place of its id."""

    async def in_slot(self, owner: int, slot: int) -> StoredObject | None:
        """Return the complete object in a player's persistence slot."""

    async def in_slots(self, owner: int, slots: Sequence[int]) -> Sequence[StoredObject | None]:
        """Return the complete objects in persistence slots, each in the place of its slot."""

    async def change(self, data_id: int, transition: Transition) -> Change:
        """Apply a transition to an object; DataStoreError: NOT_FOUND, or what that raises."""

    async def change_each(
        self, requests: Sequence[tuple[int, Transition]]
    ) -> Sequence[Change | DataStoreError]:
        """Apply transitions, in order and each for itself, and return the changes or refusals."""

    async def change_all(self, requests: Sequence[tuple[int, Transition]]) -> Sequence[Change]:
        """Apply transitions, in order, or none of them; raises the first refusal."""

    async def rate_each(
        self, requests: Sequence[RatingRequest], quota: Quota
    ) -> Sequence[RatingChange | DataStoreError]:
        """Rate, in order and each for itself, and return the changes or refusals."""

    async def rate_all(
        self, requests: Sequence[RatingRequest], quota: Quota
    ) -> Sequence[RatingChange]:
        """Rate, in order, or nothing at all; raises the first refusal."""

    async def rating_log(self, data_id: int, slot: int, pid: int) -> RatingLog | None:
        """Return what a player gave a slot last."""

    async def reset_ratings(
        self, requests: Sequence[tuple[int, Transition]], *, together: bool
    ) -> Sequence[Change | DataStoreError]:
        """Apply transitions that set ratings back, and forget who rated the slots they changed.

        With ``together`` all or none, raising the first refusal.
        """

    async def search(self, query: ObjectQuery) -> SearchPage:
        """Return the objects that `ObjectQuery.matches`, in its order and of its range."""

    async def notifications(
        self, pid: int, after: int, limit: int
    ) -> tuple[Sequence[Notification], bool]:
        """Return notifications above a number, the oldest first, and whether there are more.

        Those up to the number were read, and are forgotten.
        """

    async def last_notification(self, pid: int) -> Notification | None:
        """Return the newest notification of a player."""

    async def usage(self, pid: int) -> Usage:
        """Return how much a player stores."""

    async def operations(self, limit: int) -> Sequence[StoredOperation]:
        """Return the file operations that were not carried out yet, in their order."""

    async def operation_done(self, number: int) -> None:
        """Forget a file operation that was carried out."""

    async def page(self, after: int, limit: int) -> Sequence[StoredObject]:
        """Return up to ``limit`` objects with larger data ids, in their order, in any state."""

    async def count(self) -> int:
        """Return how many objects there are, in any state."""

    async def of_owner(self, pid: int, limit: int) -> Sequence[StoredObject]:
        """Return up to ``limit`` objects of a player, in any state."""

    async def expired(self, now: int, limit: int) -> Sequence[int]:
        """Return data ids of complete objects whose time is over."""

    async def unfinished(self, before: int, limit: int) -> Sequence[int]:
        """Return data ids of objects with an upload that started before a time."""

    async def forget_rater(self, pid: int) -> int:
        """Forget a player who rated, but not what it was worth; return how many logs that was."""
