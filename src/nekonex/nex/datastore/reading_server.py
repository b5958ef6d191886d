"""The part of the data store's server that gives objects, and what is known of them."""

from __future__ import annotations

from nekonex.domain.datastore.callers import ObjectDownload, ObjectTarget, Passwords
from nekonex.domain.datastore.model import StoredObject
from nekonex.nex.datastore.definition import DataStore
from nekonex.nex.datastore.errors import results_of
from nekonex.nex.datastore.from_wire import target_of
from nekonex.nex.datastore.replies import (
    GetInfosReply,
    GetMetasReply,
    MetasReply,
    ObjectOrMetaBinaryReply,
    PasswordsReply,
    PersistencesReply,
)
from nekonex.nex.datastore.servant import DataStoreServant
from nekonex.nex.datastore.to_wire import (
    additional_meta_to_wire,
    download_to_wire,
    download_v1_to_wire,
    meta_to_wire,
    passwords_to_wire,
    persistence_to_wire,
    specific_to_wire,
    specific_v1_to_wire,
)
from nekonex.nex.structures import (
    DataStoreGetMetaParam,
    DataStoreGetSpecificMetaParam,
    DataStoreGetSpecificMetaParamV1,
    DataStoreMetaInfo,
    DataStorePasswordInfo,
    DataStorePersistenceInfo,
    DataStorePrepareGetParam,
    DataStorePrepareGetParamV1,
    DataStoreReqGetInfo,
    DataStoreReqGetInfoV1,
    DataStoreSpecificMetaInfo,
    DataStoreSpecificMetaInfoV1,
    DataStoreTouchObjectParam,
)
from nekonex.rmc import Session
from nekonex.wire import PID, UInt16, UInt64

__all__ = ["ReadingServer"]


class ReadingServer(DataStoreServant, DataStore):
    """Tells where files are, what is known of objects, and which of them slots keep."""

    # -- files ----------------------------------------------------------------------------

    async def prepare_get_object(
        self, client: Session, param: DataStorePrepareGetParam
    ) -> DataStoreReqGetInfo:
        """Return where the file of an object is."""
        found = await self.datastore.reading.prepare_get(
            self.caller_of(client),
            target_of(param.data_id, param.persistence_target),
            param.access_password,
            param.extra_data,
        )
        return download_to_wire(found)

    async def prepare_get_object_v1(
        self, client: Session, param: DataStorePrepareGetParamV1
    ) -> DataStoreReqGetInfoV1:
        """Return where the file of an object is."""
        found = await self.datastore.reading.prepare_get(
            self.caller_of(client), ObjectTarget(param.data_id)
        )
        return download_v1_to_wire(found)

    async def prepare_get_object_or_meta_binary(
        self, client: Session, param: DataStorePrepareGetParam
    ) -> ObjectOrMetaBinaryReply:
        """Return where the file of an object is, if it has one, and its meta binary."""
        download, stored = await self.datastore.reading.prepare_get_or_meta(
            self.caller_of(client),
            target_of(param.data_id, param.persistence_target),
            param.access_password,
            param.extra_data,
        )
        info = (
            DataStoreReqGetInfo(data_id=stored.data_id)
            if download is None
            else download_to_wire(download)
        )
        return ObjectOrMetaBinaryReply(info, additional_meta_to_wire(stored))

    async def get_object_infos(self, client: Session, data_ids: list[UInt64]) -> GetInfosReply:
        """Return where the files of objects are."""
        found = await self.datastore.reading.object_infos(self.caller_of(client), data_ids)
        infos = [
            download_to_wire(each) if isinstance(each, ObjectDownload) else DataStoreReqGetInfo()
            for each in found
        ]
        return GetInfosReply(infos, results_of(found))

    async def touch_object(self, client: Session, param: DataStoreTouchObjectParam) -> None:
        """Note that an object is used."""
        await self.datastore.reading.touch(
            self.caller_of(client), param.data_id, param.access_password
        )

    # -- what is known of objects ---------------------------------------------------------

    async def get_meta(self, client: Session, param: DataStoreGetMetaParam) -> DataStoreMetaInfo:
        """Return what is known of an object."""
        stored = await self.datastore.reading.meta(
            self.caller_of(client),
            target_of(param.data_id, param.persistence_target),
            param.access_password,
        )
        return meta_to_wire(stored, param.result_option)

    async def get_metas(
        self, client: Session, data_ids: list[UInt64], param: DataStoreGetMetaParam
    ) -> GetMetasReply:
        """Return what is known of objects, all with the parameter's options and password."""
        found = await self.datastore.reading.metas(
            self.caller_of(client), data_ids, param.access_password
        )
        metas = [_meta_or_zeros(each, param.result_option) for each in found]
        return GetMetasReply(metas, results_of(found))

    async def get_metas_multiple_param(
        self, client: Session, params: list[DataStoreGetMetaParam]
    ) -> MetasReply:
        """Return what is known of objects, of each with its own options."""
        found = await self.datastore.reading.metas_of(
            self.caller_of(client),
            [
                (target_of(each.data_id, each.persistence_target), each.access_password)
                for each in params
            ],
        )
        metas = [
            _meta_or_zeros(each, param.result_option)
            for each, param in zip(found, params, strict=True)
        ]
        return MetasReply(metas, results_of(found))

    async def get_specific_meta(
        self, client: Session, param: DataStoreGetSpecificMetaParam
    ) -> list[DataStoreSpecificMetaInfo]:
        """Return what tells whether copies are still good, of those objects that can be read."""
        found = await self.datastore.reading.specific(self.caller_of(client), param.data_ids)
        return [specific_to_wire(each) for each in found]

    async def get_specific_meta_v1(
        self, client: Session, param: DataStoreGetSpecificMetaParamV1
    ) -> list[DataStoreSpecificMetaInfoV1]:
        """Return what tells whether copies are still good, of those objects that can be read."""
        found = await self.datastore.reading.specific(self.caller_of(client), param.data_ids)
        return [specific_v1_to_wire(each) for each in found]

    # -- persistence slots and passwords --------------------------------------------------

    async def get_persistence_info(
        self, client: Session, owner_id: PID, slot_id: UInt16
    ) -> DataStorePersistenceInfo:
        """Return which object a slot keeps."""
        stored = await self.datastore.slots.get(self.caller_of(client), owner_id, slot_id)
        return persistence_to_wire(stored, slot_id)

    async def get_persistence_infos(
        self, client: Session, owner_id: PID, slot_ids: list[UInt16]
    ) -> PersistencesReply:
        """Return which objects slots keep."""
        found = await self.datastore.slots.get_many(self.caller_of(client), owner_id, slot_ids)
        infos = [
            persistence_to_wire(each, slot)
            if isinstance(each, StoredObject)
            else DataStorePersistenceInfo()
            for each, slot in zip(found, slot_ids, strict=True)
        ]
        return PersistencesReply(infos, results_of(found))

    async def get_password_info(self, client: Session, data_id: UInt64) -> DataStorePasswordInfo:
        """Return the passwords of an object of the caller's."""
        [found] = await self.datastore.reading.passwords(self.caller_of(client), [data_id])
        if isinstance(found, Exception):
            raise found
        return passwords_to_wire(found)

    async def get_password_infos(self, client: Session, data_ids: list[UInt64]) -> PasswordsReply:
        """Return the passwords of objects of the caller's."""
        found = await self.datastore.reading.passwords(self.caller_of(client), data_ids)
        infos = [
            passwords_to_wire(each) if isinstance(each, Passwords) else DataStorePasswordInfo()
            for each in found
        ]
        return PasswordsReply(infos, results_of(found))


def _meta_or_zeros(found: object, options: int) -> DataStoreMetaInfo:
    """Return what is known of an object, or what stands for one that could not be given."""
    return meta_to_wire(found, options) if isinstance(found, StoredObject) else DataStoreMetaInfo()
