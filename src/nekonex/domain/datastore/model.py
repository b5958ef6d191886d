"""What a stored object is: immutable values, the same for every store.

Times are whole POSIX seconds. Numbers of enumerations and flags are those of the wire.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Final

__all__ = [
    "ANY_TYPE",
    "FIRST_DATA_ID",
    "NO_SLOT",
    "SLOTS",
    "SYSTEM_DATA_IDS",
    "SYSTEM_PID",
    "Flag",
    "Level",
    "LockType",
    "Permission",
    "Rating",
    "RatingFlag",
    "RatingInternalFlag",
    "RatingLog",
    "RatingRules",
    "Status",
    "StoredObject",
    "Upload",
    "staged_data_id",
    "staging_key",
]

FIRST_DATA_ID: Final = 1_000_000
"""The first data id that is given to what players store; none is given twice."""
SYSTEM_DATA_IDS: Final = range(900_000, 1_000_000)
"""Objects of the game itself, which belong to `SYSTEM_PID` and which nobody may change."""
SYSTEM_PID: Final = 2
NO_SLOT: Final = 65_535
"""The persistence slot of an object that is in none."""
SLOTS: Final = range(16)
"""The persistence slots of a player."""
ANY_TYPE: Final = 65_535
"""In a search, every data type; no object has it."""


_STAGED: Final = re.compile(r"~([0-9]+)\.[0-9]+$")


class Level(IntEnum):
    """Whom a permission lets in, besides the owner."""

    PUBLIC = 0
    FRIENDS = 1
    SPECIFIED = 2
    PRIVATE = 3
    SPECIFIED_FRIENDS = 4


class Flag(IntFlag):
    """What an object's poster asked for; other bits are kept as they came."""

    NEEDS_REVIEW = 0x01
    PERIOD_FROM_LAST_REFERENCE = 0x02
    READ_LOCK = 0x04
    NOTIFY_ON_POST = 0x08
    NOTIFY_ON_UPDATE = 0x10
    NO_FILE = 0x20
    NEEDS_COMPLETION = 0x40


class Status(IntEnum):
    """What a review found; the owner sees an object whatever it is."""

    NORMAL = 0
    PENDING = 2
    REJECTED = 5


class RatingFlag(IntFlag):
    """How a slot may be rated."""

    MODIFIABLE = 0x04
    """Rating again replaces the earlier value, instead of adding to it."""
    NOT_NEGATIVE = 0x08
    """The total never falls below 0."""
    NOT_BY_OWNER = 0x10


class RatingInternalFlag(IntFlag):
    """Which bounds of a slot hold."""

    HAS_MINIMUM = 0x02
    HAS_MAXIMUM = 0x04


class LockType(IntEnum):
    """Until when somebody who rated may not rate again."""

    NONE = 0
    INTERVAL = 1
    PERIOD = 2
    PERMANENT = 3


@dataclass(frozen=True, slots=True)
class Permission:
    """Who may do something with an object, besides its owner and who knows the password."""

    level: int = Level.PRIVATE
    recipients: tuple[int, ...] = ()
    """For the levels that name people: who is meant, in the order given."""


@dataclass(frozen=True, slots=True)
class RatingRules:
    """How a rating slot works, as the object's poster said."""

    flags: int = 0
    internal_flags: int = 0
    lock_type: int = LockType.NONE
    initial_value: int = 0
    minimum: int = 0
    maximum: int = 0
    period_hour: int = 0
    """For LockType.PERIOD: the hour (UTC) at which the lock ends."""
    period_duration: int = 0
    """For LockType.INTERVAL: seconds. For LockType.PERIOD: -1 to -7 for Monday to Sunday, -17
    for the first of the month."""


@dataclass(frozen=True, slots=True)
class Rating:
    """A rating slot of an object, with what its raters made of it."""

    slot: int
    rules: RatingRules
    total: int
    """The initial value and all ratings."""
    count: int = 0
    """How many ratings were given; one that replaces an earlier one does not count again."""


@dataclass(frozen=True, slots=True)
class RatingLog:
    """What a player gave a slot last. ``locked_until`` 0: it may rate again at once."""

    pid: int
    value: int
    rated: int
    locked_until: int = 0


@dataclass(frozen=True, slots=True)
class Upload:
    """Content that a console was told to upload and has not reported as complete."""

    version: int
    size: int
    started: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredObject:
    """An object of a player: what is known about it, and where its content is.

    It exists for others once `complete`. Until then ``upload`` is its first content; afterwards
    an ``upload`` is content that will replace the present one, which is served meanwhile.
    """

    owner: int
    data_id: int = 0
    name: str = ""
    data_type: int = 0
    size: int = 0
    """Bytes of the content that is served."""
    version: int = 1
    meta_binary: bytes = b""
    access: Permission = Permission()
    update: Permission = Permission()
    access_password: int = field(default=0, repr=False)
    update_password: int = field(default=0, repr=False)
    flags: int = 0
    period: int = 90
    """Days that the object is kept."""
    refer_data_id: int = 0
    tags: tuple[str, ...] = ()
    status: int = Status.NORMAL
    slot: int = NO_SLOT
    """The persistence slot that it is in; that which it will take while it is not complete."""
    replaces: bool = True
    """Whether the object that has the slot is deleted when this one takes it, or only loses it."""
    key: str = ""
    """Where its content is published; empty for objects without a file."""
    complete: bool = False
    upload: Upload | None = None
    created: int = 0
    updated: int = 0
    referred: int = 0
    referred_count: int = 0
    expires: int | None = None
    """When it is gone; None: never."""
    ratings: tuple[Rating, ...] = ()
    """In the order of their slots."""

    @property
    def has_file(self) -> bool:
        """Whether it has, or will have, content besides its meta binary."""
        return not self.flags & Flag.NO_FILE

    @property
    def staging_key(self) -> str:
        """Where the content of ``upload`` is until it is complete; empty without one."""
        return (
            "" if self.upload is None else staging_key(self.key, self.data_id, self.upload.version)
        )

    def rating(self, slot: int) -> Rating | None:
        """Return a rating slot."""
        return next((each for each in self.ratings if each.slot == slot), None)


def staging_key(key: str, data_id: int, version: int) -> str:
    """Return where a version of an object is that is not, or not any more, published.

    It is the same whether or not the object was displaced, which gave it another key: a console
    uploads to where it was told.
    """
    return f"{key.partition('~')[0]}~{data_id}.{version}"


def staged_data_id(key: str) -> int | None:
    """Return the data id of the object that a `staging_key` is of; None for any other key."""
    found = _STAGED.search(key)
    return None if found is None else int(found[1])
