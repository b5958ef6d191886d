"""How objects are rated.

Fields as in NintendoClients' ``datastore.py``. The signs of the slots are those of
nex-protocols-go: NintendoClients has them the other way round, which are the same bytes.
"""

from __future__ import annotations

from nekonex.values import DateTime
from nekonex.wire import (
    PID,
    SInt8,
    SInt16,
    SInt32,
    SInt64,
    Structure,
    UInt8,
    UInt32,
    UInt64,
    field,
)

__all__ = [
    "DataStoreRateObjectParam",
    "DataStoreRatingInfo",
    "DataStoreRatingInfoWithSlot",
    "DataStoreRatingInitParam",
    "DataStoreRatingInitParamWithSlot",
    "DataStoreRatingLog",
    "DataStoreRatingTarget",
]


class DataStoreRatingTarget(Structure, key="datastore"):
    """Which rating of which object."""

    data_id: UInt64
    slot: UInt8


class DataStoreRateObjectParam(Structure, key="datastore"):
    """How the caller rates, and the password that lets anybody do so."""

    rating_value: SInt32
    access_password: UInt64 = field(default=0, secret=True)


class DataStoreRatingInfo(Structure, key="datastore"):
    """All ratings together. Without arguments it stands for one that could not be given."""

    total_value: SInt64 = 0
    count: UInt32 = 0
    initial_value: SInt64 = 0


class DataStoreRatingInfoWithSlot(Structure, key="datastore"):
    """All ratings of a slot."""

    slot: SInt8
    info: DataStoreRatingInfo


class DataStoreRatingInitParam(Structure, key="datastore"):
    """How an object shall be rated: range, who again and when, and where the total begins."""

    flag: UInt8 = 0
    internal_flag: UInt8 = 0
    lock_type: UInt8 = 0
    initial_value: SInt64 = 0
    range_min: SInt32 = 0
    range_max: SInt32 = 0
    period_hour: SInt8 = 0
    period_duration: SInt16 = 0


class DataStoreRatingInitParamWithSlot(Structure, key="datastore"):
    """How one of the ratings of an object shall be."""

    slot: SInt8
    param: DataStoreRatingInitParam


class DataStoreRatingLog(Structure, key="datastore"):
    """How the caller rated, and until when not again."""

    is_rated: bool
    pid: PID
    rating_value: SInt32
    lock_expiration_time: DateTime
