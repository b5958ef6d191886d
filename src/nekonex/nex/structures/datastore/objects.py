"""What objects are: their permissions, their meta data, and the slots that keep them.

Fields as in NintendoClients' ``datastore.py``.
"""

from __future__ import annotations

from nekonex.nex.structures.datastore.ratings import DataStoreRatingInfoWithSlot
from nekonex.values import DateTime
from nekonex.wire import (
    PID,
    QBuffer,
    String,
    Structure,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    field,
)

__all__ = [
    "DataStoreKeyValue",
    "DataStoreMetaInfo",
    "DataStorePasswordInfo",
    "DataStorePermission",
    "DataStorePersistenceInfo",
    "DataStorePersistenceInitParam",
    "DataStorePersistenceTarget",
    "DataStoreSpecificMetaInfo",
]


class DataStoreKeyValue(Structure, key="datastore"):
    """A header of an HTTP request, or a field of an HTTP form."""

    key: String
    value: String


class DataStorePermission(Structure, key="datastore"):
    """Who may.

    0 is everybody, 1 the owner's friends, 2 the recipients, 3 the owner alone, 4 those of the
    recipients who are friends.
    """

    permission: UInt8 = 3
    recipients: list[PID] = field(default=[])


class DataStorePersistenceTarget(Structure, key="datastore"):
    """An object by its owner and the slot that keeps it; 65535 is no slot."""

    owner_id: PID = 0
    persistence_id: UInt16 = 65535


class DataStorePersistenceInitParam(Structure, key="datastore"):
    """Which slot shall keep a new object, and whether the one before it there is deleted."""

    persistence_id: UInt16 = 65535
    delete_last_object: bool = True


class DataStorePersistenceInfo(Structure, key="datastore"):
    """What a slot keeps. Without arguments it is what stands for one that could not be given."""

    owner_id: PID = 0
    slot_id: UInt16 = 0
    data_id: UInt64 = 0


class DataStorePasswordInfo(Structure, key="datastore"):
    """The passwords of an object. Without arguments it stands for one that could not be given."""

    data_id: UInt64 = 0
    access_password: UInt64 = field(default=0, secret=True)
    update_password: UInt64 = field(default=0, secret=True)


class DataStoreMetaInfo(Structure, key="datastore"):
    """All about an object but its file.

    Without arguments it is what stands in a list for an object that could not be given.
    """

    data_id: UInt64 = 0
    owner_id: PID = 0
    size: UInt32 = 0
    name: String = ""
    data_type: UInt16 = 0
    meta_binary: QBuffer = b""
    permission: DataStorePermission = field(default=DataStorePermission(0))
    delete_permission: DataStorePermission = field(default=DataStorePermission(0))
    """Who may change the object, not only delete it."""
    create_time: DateTime = field(default=DateTime(0))
    update_time: DateTime = field(default=DateTime(0))
    period: UInt16 = 0
    """For how many days the object is kept."""
    status: UInt8 = 0
    referred_count: UInt32 = 0
    refer_data_id: UInt32 = 0
    flag: UInt32 = 0
    """32 bits in every version: nex-protocols-go has fewer since 2.3, against all others."""
    referred_time: DateTime = field(default=DateTime(0))
    expire_time: DateTime = field(default=DateTime(0))
    tags: list[String] = field(default=[])
    ratings: list[DataStoreRatingInfoWithSlot] = field(default=[])


class DataStoreSpecificMetaInfo(Structure, key="datastore"):
    """The least about an object that tells whether a copy of its file is still good."""

    data_id: UInt64
    owner_id: PID
    size: UInt32
    data_type: UInt16
    version: UInt32
