"""The structures of the first methods, from before objects had numbers of 64 bits.

Fields as in NintendoClients' ``datastore.py``, where they are named so.
"""

from __future__ import annotations

from nekonex.nex.structures.datastore.objects import DataStoreKeyValue, DataStorePermission
from nekonex.nex.structures.datastore.ratings import DataStoreRatingInitParamWithSlot
from nekonex.wire import (
    PID,
    Buffer,
    QBuffer,
    String,
    Structure,
    UInt16,
    UInt32,
    UInt64,
    field,
)

__all__ = [
    "DataStoreChangeMetaParamV1",
    "DataStoreCompletePostParamV1",
    "DataStoreGetSpecificMetaParamV1",
    "DataStoreNotificationV1",
    "DataStorePrepareGetParamV1",
    "DataStorePreparePostParamV1",
    "DataStoreReqGetInfoV1",
    "DataStoreReqPostInfoV1",
    "DataStoreSpecificMetaInfoV1",
]


class DataStorePreparePostParamV1(Structure, key="datastore"):
    """An object to post, which no slot shall keep."""

    size: UInt32
    name: String
    data_type: UInt16 = 0
    meta_binary: QBuffer = b""
    permission: DataStorePermission = field(default=DataStorePermission())
    delete_permission: DataStorePermission = field(default=DataStorePermission())
    flag: UInt32 = 0
    period: UInt16 = 90
    refer_data_id: UInt32 = 0
    tags: list[String] = field(default=[])
    rating_init_param: list[DataStoreRatingInitParamWithSlot] = field(default=[])


class DataStoreReqPostInfoV1(Structure, key="datastore"):
    """How the file of a new object is uploaded: an HTTP form, whose last part is the file."""

    data_id: UInt32
    url: String
    headers: list[DataStoreKeyValue]
    form: list[DataStoreKeyValue]
    root_ca_cert: Buffer


class DataStoreCompletePostParamV1(Structure, key="datastore"):
    """How the upload of a new object ended."""

    data_id: UInt32
    success: bool


class DataStorePrepareGetParamV1(Structure, key="datastore"):
    """An object to download."""

    data_id: UInt32
    lock_id: UInt32 = 0


class DataStoreReqGetInfoV1(Structure, key="datastore"):
    """Where the file of an object is."""

    url: String
    headers: list[DataStoreKeyValue]
    size: UInt32
    root_ca_cert: Buffer


class DataStoreChangeMetaParamV1(Structure, key="datastore"):
    """New values for an object; the flag says which of them count.

    The number of the object has 64 bits here already.
    """

    data_id: UInt64
    modifies_flag: UInt32
    name: String = ""
    permission: DataStorePermission = field(default=DataStorePermission())
    delete_permission: DataStorePermission = field(default=DataStorePermission())
    period: UInt16 = 0
    meta_binary: QBuffer = b""
    tags: list[String] = field(default=[])
    update_password: UInt64 = field(default=0, secret=True)


class DataStoreGetSpecificMetaParamV1(Structure, key="datastore"):
    """Objects of which a little is wanted."""

    data_ids: list[UInt32]


class DataStoreSpecificMetaInfoV1(Structure, key="datastore"):
    """The least about an object that tells whether a copy of its file is still good."""

    data_id: UInt32
    owner_id: PID
    size: UInt32
    data_type: UInt16
    version: UInt16


class DataStoreNotificationV1(Structure, key="datastore"):
    """An object that the caller shall know of."""

    notification_id: UInt64
    data_id: UInt32
