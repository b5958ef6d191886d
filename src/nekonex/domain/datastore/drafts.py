"""What a player wants an object to be: as it is posted, and how it is to change."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntFlag
from typing import Final

from nekonex.domain.datastore.callers import ObjectTarget
from nekonex.domain.datastore.model import NO_SLOT, Permission, RatingRules

__all__ = ["COMPARE_ALL", "Compare", "Draft", "MetaChange", "MetaComparison", "Modify"]

PRIVATE: Final = Permission()
NOTHING: Final = ObjectTarget()


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """An object that a player posts, as it came."""

    size: int = 0
    name: str = ""
    data_type: int = 0
    meta_binary: bytes = b""
    access: Permission = PRIVATE
    update: Permission = PRIVATE
    flags: int = 0
    period: int = 90
    refer_data_id: int = 0
    tags: tuple[str, ...] = ()
    rating_rules: tuple[tuple[int, RatingRules], ...] = ()
    """Rating slots and how they work."""
    slot: int = NO_SLOT
    delete_last_object: bool = True
    """Whether the object that has the slot is deleted, or only loses it."""
    extra_data: tuple[str, ...] = ()


class Modify(IntFlag):
    """Which values of a `MetaChange` count."""

    NAME = 0x01
    ACCESS = 0x02
    UPDATE = 0x04
    PERIOD = 0x08
    META_BINARY = 0x10
    TAGS = 0x20
    UPDATED_TIME = 0x40
    """The object counts as updated now."""
    DATA_TYPE = 0x80
    REFERRED_COUNT = 0x100
    STATUS = 0x200


class Compare(IntFlag):
    """Which values of a `MetaComparison` count; not the bits of `Modify`."""

    NAME = 0x01
    ACCESS = 0x02
    UPDATE = 0x04
    PERIOD = 0x08
    META_BINARY = 0x10
    TAGS = 0x20
    DATA_TYPE = 0x40
    REFERRED_COUNT = 0x80
    STATUS = 0x100


COMPARE_ALL: Final = 0xFFFF


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaComparison:
    """What an object must still be like to be changed."""

    flags: int = 0
    name: str = ""
    access: Permission = PRIVATE
    update: Permission = PRIVATE
    period: int = 0
    meta_binary: bytes = b""
    tags: tuple[str, ...] = ()
    data_type: int = 0
    referred_count: int = 0
    status: int = 0


UNCONDITIONAL: Final = MetaComparison()


@dataclass(frozen=True, slots=True, kw_only=True)
class MetaChange:
    """New values for an object; ``flags`` (`Modify`) say which of them count."""

    target: ObjectTarget = NOTHING
    flags: int = 0
    name: str = ""
    access: Permission = PRIVATE
    update: Permission = PRIVATE
    period: int = 0
    meta_binary: bytes = b""
    tags: tuple[str, ...] = ()
    password: int = field(default=0, repr=False)
    """The object's update password, for those who have it."""
    referred_count: int = 0
    data_type: int = 0
    status: int = 0
    compare: MetaComparison = UNCONDITIONAL
