"""Getting objects, searching for them, and hearing of new ones.

Fields as in NintendoClients' ``datastore.py``, since when as in nex-protocols-go.
"""

from __future__ import annotations

from nekonex.nex.structures.common import ResultRange
from nekonex.nex.structures.datastore.objects import (
    DataStoreKeyValue,
    DataStoreMetaInfo,
    DataStorePersistenceTarget,
)
from nekonex.values import DateTime
from nekonex.wire import (
    PID,
    Buffer,
    QBuffer,
    Rev,
    String,
    Structure,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    V,
    field,
)

__all__ = [
    "DataStoreGetMetaParam",
    "DataStoreGetNewArrivedNotificationsParam",
    "DataStoreGetNotificationUrlParam",
    "DataStoreGetSpecificMetaParam",
    "DataStoreNotification",
    "DataStorePrepareGetParam",
    "DataStoreReqGetAdditionalMeta",
    "DataStoreReqGetInfo",
    "DataStoreReqGetNotificationUrlInfo",
    "DataStoreSearchParam",
    "DataStoreSearchResult",
    "DataStoreTouchObjectParam",
]


class DataStorePrepareGetParam(Structure, key="datastore"):
    """An object to download, by its number or by the slot that keeps it."""

    data_id: UInt64 = 0
    lock_id: UInt32 = 0
    persistence_target: DataStorePersistenceTarget = field(default=DataStorePersistenceTarget())
    access_password: UInt64 = field(default=0, secret=True)
    extra_data: list[String] = field(default=[], when=V("3.5"))


class DataStoreReqGetInfo(Structure, key="datastore"):
    """Where the file of an object is. Without arguments it stands for one that was not given."""

    url: String = ""
    headers: list[DataStoreKeyValue] = field(default=[])
    size: UInt32 = 0
    root_ca_cert: Buffer = b""
    data_id: UInt64 = field(default=0, when=V("3.5"))


class DataStoreReqGetAdditionalMeta(Structure, key="datastore"):
    """What of an object is not in its file. The version has 16 bits, as in NintendoClients."""

    owner_id: PID
    data_type: UInt16
    version: UInt16
    meta_binary: QBuffer


class DataStoreTouchObjectParam(Structure, key="datastore"):
    """An object that is used, although it is not downloaded."""

    data_id: UInt64
    lock_id: UInt32 = 0
    access_password: UInt64 = field(default=0, secret=True)


class DataStoreGetMetaParam(Structure, key="datastore"):
    """An object, and how much is wanted of it: 1 tags, 2 ratings, 4 meta binary, 8 recipients."""

    data_id: UInt64 = 0
    persistence_target: DataStorePersistenceTarget = field(default=DataStorePersistenceTarget())
    result_option: UInt8 = 0
    access_password: UInt64 = field(default=0, secret=True)


class DataStoreGetSpecificMetaParam(Structure, key="datastore"):
    """Objects of which a little is wanted."""

    data_ids: list[UInt64]


class DataStoreSearchParam(Structure, key="datastore"):
    """Which objects are wanted, and in what order.

    A date in the far future and data type 65535 are no condition. Until NEX 4 the last three
    fields have come with revisions 1, 3 and 2, in this order. NintendoClients writes them
    always and announces them never, so from it they are read from NEX 4 on.
    """

    search_target: UInt8 = 1
    owner_ids: list[PID] = field(default=[])
    owner_type: UInt8 = 0
    destination_ids: list[PID] = field(default=[])
    """As wide as PIDs are; NintendoClients has 64 bits."""
    data_type: UInt16 = 65535
    created_after: DateTime = field(default=DateTime.future())
    created_before: DateTime = field(default=DateTime.future())
    updated_after: DateTime = field(default=DateTime.future())
    updated_before: DateTime = field(default=DateTime.future())
    refer_data_id: UInt32 = 0
    tags: list[String] = field(default=[])
    result_order_column: UInt8 = 0
    result_order: UInt8 = 0
    result_range: ResultRange = field(default=ResultRange())
    result_option: UInt8 = 0
    minimal_rating_frequency: UInt32 = 0
    use_cache: bool = field(default=False, when=Rev(1) | V("4.0"))
    total_count_enabled: bool = field(default=True, when=Rev(3) | V("4.0"))
    data_types: list[UInt16] = field(default=[], when=Rev(2) | V("4.0"))


class DataStoreSearchResult(Structure, key="datastore"):
    """A part of what was found, and of how much: exact 0, at least 1, about 2, not counted 3."""

    total_count: UInt32
    result: list[DataStoreMetaInfo]
    total_count_type: UInt8


class DataStoreGetNotificationUrlParam(Structure, key="datastore"):
    """Where the caller has asked for news so far."""

    previous_url: String


class DataStoreReqGetNotificationUrlInfo(Structure, key="datastore"):
    """Where news of the caller's objects are, in pieces of a URL."""

    url: String
    key: String
    query: String
    root_ca_cert: Buffer


class DataStoreGetNewArrivedNotificationsParam(Structure, key="datastore"):
    """After which notification, and how many."""

    last_notification_id: UInt64
    limit: UInt16


class DataStoreNotification(Structure, key="datastore"):
    """An object that the caller shall know of."""

    notification_id: UInt64
    data_id: UInt64
