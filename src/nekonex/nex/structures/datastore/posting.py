"""Posting and updating objects, and changing what is known of them.

Fields as in NintendoClients' ``datastore.py``, since when as in nex-protocols-go.
"""

from __future__ import annotations

from nekonex.nex.structures.datastore.objects import (
    DataStoreKeyValue,
    DataStorePermission,
    DataStorePersistenceInitParam,
    DataStorePersistenceTarget,
)
from nekonex.nex.structures.datastore.ratings import DataStoreRatingInitParamWithSlot
from nekonex.wire import (
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
    "DataStoreChangeMetaCompareParam",
    "DataStoreChangeMetaParam",
    "DataStoreCompletePostParam",
    "DataStoreCompleteUpdateParam",
    "DataStoreDeleteParam",
    "DataStorePreparePostParam",
    "DataStorePrepareUpdateParam",
    "DataStoreReqPostInfo",
    "DataStoreReqUpdateInfo",
]


class DataStorePreparePostParam(Structure, key="datastore"):
    """An object to post."""

    size: UInt32
    name: String
    data_type: UInt16
    meta_binary: QBuffer = b""
    permission: DataStorePermission = field(default=DataStorePermission())
    delete_permission: DataStorePermission = field(default=DataStorePermission())
    flag: UInt32 = 0
    period: UInt16 = 90
    refer_data_id: UInt32 = 0
    tags: list[String] = field(default=[])
    rating_init_param: list[DataStoreRatingInitParamWithSlot] = field(default=[])
    persistence_init_param: DataStorePersistenceInitParam = field(
        default=DataStorePersistenceInitParam()
    )
    extra_data: list[String] = field(default=[], when=V("3.5"))


class DataStoreReqPostInfo(Structure, key="datastore"):
    """How the file of a new object is uploaded: an HTTP form, whose last part is the file."""

    data_id: UInt64
    url: String
    headers: list[DataStoreKeyValue]
    form: list[DataStoreKeyValue]
    root_ca_cert: Buffer


class DataStoreCompletePostParam(Structure, key="datastore"):
    """How the upload of a new object ended."""

    data_id: UInt64
    success: bool


class DataStorePrepareUpdateParam(Structure, key="datastore"):
    """An object whose file shall be replaced."""

    data_id: UInt32 = field(wide_since=V("3.0"))
    size: UInt32
    update_password: UInt64 = field(default=0, when=V("3.0"), secret=True)
    extra_data: list[String] = field(default=[], when=V("3.5"))


class DataStoreReqUpdateInfo(Structure, key="datastore"):
    """How the new file of an object is uploaded, and which version it will be."""

    version: UInt16 = field(wide_since=V("3.0"))
    url: String
    headers: list[DataStoreKeyValue]
    form: list[DataStoreKeyValue]
    root_ca_cert: Buffer


class DataStoreCompleteUpdateParam(Structure, key="datastore"):
    """How the upload of a new version ended."""

    data_id: UInt32 = field(wide_since=V("3.0"))
    version: UInt16 = field(wide_since=V("3.0"))
    success: bool


class DataStoreDeleteParam(Structure, key="datastore"):
    """An object to delete, and the password that lets anybody do so."""

    data_id: UInt64
    update_password: UInt64 = field(default=0, secret=True)


class DataStoreChangeMetaCompareParam(Structure, key="datastore"):
    """What an object must still be like to be changed; the flag says what of it counts.

    The flag has 32 bits, as NintendoClients and the nintendo-wiki say; nex-protocols-go has had
    16 since 2.3.
    """

    comparison_flag: UInt32 = 0
    name: String = ""
    permission: DataStorePermission = field(default=DataStorePermission())
    delete_permission: DataStorePermission = field(default=DataStorePermission())
    period: UInt16 = 0
    meta_binary: QBuffer = b""
    tags: list[String] = field(default=[])
    referred_count: UInt32 = 0
    data_type: UInt16 = 0
    status: UInt8 = 0


class DataStoreChangeMetaParam(Structure, key="datastore"):
    """New values for an object; the flag says which of them count.

    NintendoClients always writes the target, but announces it by no revision: from it the
    field is not read.
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
    referred_count: UInt32 = 0
    data_type: UInt16 = 0
    status: UInt8 = 0
    compare_param: DataStoreChangeMetaCompareParam = field(
        default=DataStoreChangeMetaCompareParam()
    )
    persistence_target: DataStorePersistenceTarget = field(
        default=DataStorePersistenceTarget(), when=Rev(1)
    )
