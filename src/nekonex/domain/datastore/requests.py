"""What players rate, look for and are told: what they ask for, and what they are answered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Final

from nekonex.domain.datastore.model import ANY_TYPE, StoredObject
from nekonex.domain.datastore.query import OrderColumn, OwnerType, Target

__all__ = [
    "RANDOM_OFFSET",
    "CountType",
    "Found",
    "GivenRating",
    "NotificationUrl",
    "RatingTarget",
    "SearchRequest",
]

RANDOM_OFFSET: Final = 0xFFFFFFFF
"""As the offset of a search: a random sample of what fits, instead of a range of it."""


@dataclass(frozen=True, slots=True)
class RatingTarget:
    """A rating slot of an object."""

    data_id: int
    slot: int = 0


@dataclass(frozen=True, slots=True)
class GivenRating:
    """What a player gives a rating slot."""

    value: int
    password: int = field(default=0, repr=False)
    """The object's access password, for those who have it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRequest:
    """A search as it came, in the order of the wire. Times are POSIX seconds; None: any."""

    target: int = Target.PUBLIC
    """0 counts as `Target.PUBLIC`."""
    owners: Sequence[int] = ()
    owner_type: int = OwnerType.ANY
    recipients: Sequence[int] = ()
    data_type: int = ANY_TYPE
    """Counts where ``data_types`` is empty."""
    created_after: int | None = None
    created_before: int | None = None
    updated_after: int | None = None
    updated_before: int | None = None
    refer_data_id: int = 0
    tags: Sequence[str] = ()
    order: int = OrderColumn.DATA_ID
    descending: int = 0
    """1 if it is; 0 if the results ascend."""
    offset: int = 0
    """`RANDOM_OFFSET` for a sample."""
    limit: int = 20
    """0: only the number is wanted."""
    minimum_ratings: int = 0
    count: bool = True
    """Whether it is to be said how many objects there are."""
    data_types: Sequence[int] = ()


class CountType(IntEnum):
    """What the total of a search's results is."""

    EXACT = 0
    MINIMUM = 1
    ESTIMATE = 2
    DISABLED = 3


@dataclass(frozen=True, slots=True)
class Found:
    """What a search found, and how much there is."""

    objects: Sequence[StoredObject]
    total: int
    count_type: CountType


@dataclass(frozen=True, slots=True)
class NotificationUrl:
    """Where a player's console looks for notifications, in pieces that make a URL in a row."""

    url: str
    key: str
    query: str
    root_ca_cert: bytes = b""
