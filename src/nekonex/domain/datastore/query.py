"""What a search asks for, and which objects answer it: the definition for every store."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from nekonex.domain.datastore.model import Level, Status, StoredObject

__all__ = [
    "FIRST_AVERAGE_COLUMN",
    "FIRST_TOTAL_COLUMN",
    "OWN_LEVELS",
    "OWN_STATUS",
    "ObjectQuery",
    "OrderColumn",
    "OwnerType",
    "Target",
]

FIRST_TOTAL_COLUMN: Final = 64
"""The order column that is the rating total of slot 0; of the other slots those that follow."""
FIRST_AVERAGE_COLUMN: Final = 96
"""The order column that is the average rating of slot 0; of the other slots those that follow."""


class Target(IntEnum):
    """Which kind of objects is looked for, as seen by whoever searches."""

    PUBLIC = 1
    SENT_TO_FRIENDS = 2
    SENT_TO_SPECIFIED = 3
    SENT_TO_SPECIFIED_FRIENDS = 4
    SENT = 5
    FRIENDS = 6
    RECEIVED_SPECIFIED = 7
    RECEIVED = 8
    PRIVATE = 9
    OWN = 10
    PUBLIC_OF_STRANGERS = 11
    OWN_PENDING = 12
    OWN_REJECTED = 13
    OWN_ALL = 14


class OwnerType(IntEnum):
    """Whose objects are looked for."""

    ANY = 0
    """Those of the owners named; of all, if none is named."""
    FRIENDS = 1
    EXCEPT = 2
    """Those of all but the owners named."""


class OrderColumn(IntEnum):
    """What results are ordered by, besides ratings; objects that are equal by their data ids."""

    DATA_ID = 0
    SIZE = 1
    NAME = 2
    DATA_TYPE = 3
    REFERRED_COUNT = 4
    CREATED = 5
    UPDATED = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class ObjectQuery:
    """A search. ``viewer`` searches at the time ``now``; what it may not see is not found."""

    viewer: int
    now: int
    friends: frozenset[int] = frozenset()
    target: int = Target.PUBLIC
    owner_type: int = OwnerType.ANY
    owners: frozenset[int] = frozenset()
    recipients: frozenset[int] = frozenset()
    """Objects that are for any of these; empty: for whomever."""
    data_types: frozenset[int] = frozenset()
    """Empty: of every type."""
    created_from: int | None = None
    created_to: int | None = None
    updated_from: int | None = None
    updated_to: int | None = None
    refer_data_id: int = 0
    """0: whatever it refers to."""
    tags: frozenset[str] = frozenset()
    """An object must have all of them."""
    minimum_ratings: int = 0
    """How often an object must have been rated, all slots together."""
    order: int = OrderColumn.DATA_ID
    descending: bool = False
    offset: int = 0
    limit: int = 20
    random: bool = False
    """A sample, instead of a range of an order."""
    max_total: int = 0
    """Up to which number the matches are counted; 0: they are not."""

    def matches(self, stored: StoredObject) -> bool:
        """Tell whether an object is found."""
        return self._is_there(stored) and self._is_meant(stored) and self._is_wanted(stored)

    def _is_there(self, stored: StoredObject) -> bool:
        alive = stored.expires is None or stored.expires > self.now
        return stored.complete and alive

    def _is_meant(self, stored: StoredObject) -> bool:
        """Tell whether an object is of the target, which says who may see it too."""
        if stored.owner == self.viewer:
            return _is_own(self.target, stored)
        return stored.status == Status.NORMAL and self._is_others(stored)

    def _is_others(self, stored: StoredObject) -> bool:
        by_friend = stored.owner in self.friends
        level = stored.access.level
        received = self.viewer in stored.access.recipients and (
            level == Level.SPECIFIED or (level == Level.SPECIFIED_FRIENDS and by_friend)
        )
        from_friend = level == Level.FRIENDS and by_friend
        match self.target:
            case Target.PUBLIC:
                return level == Level.PUBLIC
            case Target.PUBLIC_OF_STRANGERS:
                return level == Level.PUBLIC and not by_friend
            case Target.FRIENDS:
                return from_friend
            case Target.RECEIVED_SPECIFIED:
                return received
            case Target.RECEIVED:
                return received or from_friend
        return False

    def _is_wanted(self, stored: StoredObject) -> bool:
        return (
            self._is_by_owner(stored.owner)
            and (not self.recipients or not self.recipients.isdisjoint(stored.access.recipients))
            and (not self.data_types or stored.data_type in self.data_types)
            and _between(stored.created, self.created_from, self.created_to)
            and _between(stored.updated, self.updated_from, self.updated_to)
            and self.refer_data_id in {0, stored.refer_data_id}
            and self.tags.issubset(stored.tags)
            and sum(rating.count for rating in stored.ratings) >= self.minimum_ratings
        )

    def _is_by_owner(self, owner: int) -> bool:
        match self.owner_type:
            case OwnerType.FRIENDS:
                return owner in self.friends
            case OwnerType.EXCEPT:
                return owner not in self.owners
        return not self.owners or owner in self.owners

    def sort_key(self, stored: StoredObject) -> tuple[float | str, int]:
        """Return what objects are ordered by; equal ones come by data id, whatever the order.

        A slot that an object does not have counts as 0, and so does the average of no rating.
        """
        order = self.order
        if order >= FIRST_TOTAL_COLUMN:
            average = order >= FIRST_AVERAGE_COLUMN
            slot = order - (FIRST_AVERAGE_COLUMN if average else FIRST_TOTAL_COLUMN)
            rating = stored.rating(slot)
            if rating is None:
                return 0, stored.data_id
            if average:
                return (rating.total / rating.count if rating.count else 0.0), stored.data_id
            return rating.total, stored.data_id
        values: dict[int, float | str] = {
            OrderColumn.DATA_ID: stored.data_id,
            OrderColumn.SIZE: stored.size,
            OrderColumn.NAME: stored.name,
            OrderColumn.DATA_TYPE: stored.data_type,
            OrderColumn.REFERRED_COUNT: stored.referred_count,
            OrderColumn.CREATED: stored.created,
            OrderColumn.UPDATED: stored.updated,
        }
        return values[order], stored.data_id


OWN_LEVELS: Final[dict[int, frozenset[int]]] = {
    Target.PUBLIC: frozenset({Level.PUBLIC}),
    Target.SENT_TO_FRIENDS: frozenset({Level.FRIENDS}),
    Target.SENT_TO_SPECIFIED: frozenset({Level.SPECIFIED}),
    Target.SENT_TO_SPECIFIED_FRIENDS: frozenset({Level.SPECIFIED_FRIENDS}),
    Target.SENT: frozenset({Level.FRIENDS, Level.SPECIFIED, Level.SPECIFIED_FRIENDS}),
    Target.PRIVATE: frozenset({Level.PRIVATE}),
    Target.OWN: frozenset(Level),
}
"""The access levels of what is the searcher's own, by the targets that mean such objects."""

OWN_STATUS: Final[dict[int, frozenset[int]]] = {
    Target.OWN_PENDING: frozenset({Status.PENDING}),
    Target.OWN_REJECTED: frozenset({Status.REJECTED}),
    Target.OWN_ALL: frozenset(Status),
}
"""The states of what is the searcher's own, by the targets that ask for them."""


def _is_own(target: int, stored: StoredObject) -> bool:
    """Tell whether a target means an object of whoever searches."""
    if target in OWN_STATUS:
        return stored.status in OWN_STATUS[target]
    return stored.status == Status.NORMAL and stored.access.level in OWN_LEVELS.get(target, ())


def _between(value: int, first: int | None, last: int | None) -> bool:
    return (first is None or value >= first) and (last is None or value <= last)
