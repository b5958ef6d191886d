"""Data store (protocol 115): files that players share, and what is known of them.

Methods and fields as in NintendoClients' ``datastore.py``; what depends on the version is in the
structures, as in nex-protocols-go. The files themselves go over HTTP: the methods say where.
Every version grew at the end (39 methods in 3.3, 42 in 3.5, 44 from 3.6 on, 46 from 3.10 on), and
titles have methods of their own from there on: these subclass this.
"""

from __future__ import annotations

from nekonex.nex.datastore.first_methods import FirstMethods
from nekonex.nex.datastore.rating_methods import RatingMethods
from nekonex.nex.datastore.replies import (
    GetInfosReply,
    GetMetasReply,
    MetasReply,
    NotificationsReply,
    ObjectOrMetaBinaryReply,
    PasswordsReply,
    PersistencesReply,
)
from nekonex.nex.structures import (
    DataStoreChangeMetaParam,
    DataStoreCompletePostParam,
    DataStoreCompleteUpdateParam,
    DataStoreDeleteParam,
    DataStoreGetMetaParam,
    DataStoreGetNewArrivedNotificationsParam,
    DataStoreGetNotificationUrlParam,
    DataStoreGetSpecificMetaParam,
    DataStoreMetaInfo,
    DataStorePasswordInfo,
    DataStorePersistenceInfo,
    DataStorePrepareGetParam,
    DataStorePreparePostParam,
    DataStorePrepareUpdateParam,
    DataStoreReqGetInfo,
    DataStoreReqGetNotificationUrlInfo,
    DataStoreReqPostInfo,
    DataStoreReqUpdateInfo,
    DataStoreSearchParam,
    DataStoreSearchResult,
    DataStoreSpecificMetaInfo,
    DataStoreTouchObjectParam,
)
from nekonex.rmc import Session, method
from nekonex.values import Result
from nekonex.wire import PID, UInt16, UInt64

__all__ = ["DataStore"]


class DataStore(FirstMethods, RatingMethods, id=115, key="datastore"):
    """The protocol; here are its methods about objects."""

    @method(4)
    async def delete_object(self, client: Session, param: DataStoreDeleteParam) -> None:
        """Delete an object."""
        raise NotImplementedError

    @method(5)
    async def delete_objects(
        self, client: Session, param: list[DataStoreDeleteParam], transactional: bool
    ) -> list[Result]:
        """Delete objects; transactional means all of them or none."""
        raise NotImplementedError

    @method(8)
    async def get_meta(self, client: Session, param: DataStoreGetMetaParam) -> DataStoreMetaInfo:
        """Ask what is known of an object."""
        raise NotImplementedError

    @method(9)
    async def get_metas(
        self, client: Session, data_ids: list[UInt64], param: DataStoreGetMetaParam
    ) -> GetMetasReply:
        """Ask what is known of objects; the parameter says how much of it is wanted."""
        raise NotImplementedError

    @method(10)
    async def prepare_update_object(
        self, client: Session, param: DataStorePrepareUpdateParam
    ) -> DataStoreReqUpdateInfo:
        """Announce a new version of an object; the reply says how to upload its file."""
        raise NotImplementedError

    @method(11)
    async def complete_update_object(
        self, client: Session, param: DataStoreCompleteUpdateParam
    ) -> None:
        """Say how the upload of a new version ended."""
        raise NotImplementedError

    @method(12)
    async def search_object(
        self, client: Session, param: DataStoreSearchParam
    ) -> DataStoreSearchResult:
        """Find objects."""
        raise NotImplementedError

    @method(13)
    async def get_notification_url(
        self, client: Session, param: DataStoreGetNotificationUrlParam
    ) -> DataStoreReqGetNotificationUrlInfo:
        """Ask where the number of the latest news is, a file that consoles look at regularly."""
        raise NotImplementedError

    @method(21)
    async def post_meta_binary(self, client: Session, param: DataStorePreparePostParam) -> UInt64:
        """Post an object without a file; the reply is its number."""
        raise NotImplementedError

    @method(22)
    async def touch_object(self, client: Session, param: DataStoreTouchObjectParam) -> None:
        """Say that an object is used."""
        raise NotImplementedError

    @method(24)
    async def prepare_post_object(
        self, client: Session, param: DataStorePreparePostParam
    ) -> DataStoreReqPostInfo:
        """Announce an object; the reply says how to upload its file."""
        raise NotImplementedError

    @method(25)
    async def prepare_get_object(
        self, client: Session, param: DataStorePrepareGetParam
    ) -> DataStoreReqGetInfo:
        """Ask where the file of an object is."""
        raise NotImplementedError

    @method(26)
    async def complete_post_object(
        self, client: Session, param: DataStoreCompletePostParam
    ) -> None:
        """Say how the upload of an object ended."""
        raise NotImplementedError

    @method(27)
    async def get_new_arrived_notifications(
        self, client: Session, param: DataStoreGetNewArrivedNotificationsParam
    ) -> NotificationsReply:
        """Ask for news."""
        raise NotImplementedError

    @method(28)
    async def get_specific_meta(
        self, client: Session, param: DataStoreGetSpecificMetaParam
    ) -> list[DataStoreSpecificMetaInfo]:
        """Ask whether copies of files are still good."""
        raise NotImplementedError

    @method(29)
    async def get_persistence_info(
        self, client: Session, owner_id: PID, slot_id: UInt16
    ) -> DataStorePersistenceInfo:
        """Ask which object a slot keeps."""
        raise NotImplementedError

    @method(30)
    async def get_persistence_infos(
        self, client: Session, owner_id: PID, slot_ids: list[UInt16]
    ) -> PersistencesReply:
        """Ask which objects slots keep."""
        raise NotImplementedError

    @method(31)
    async def perpetuate_object(
        self,
        client: Session,
        persistence_slot_id: UInt16,
        data_id: UInt64,
        delete_last_object: bool,
    ) -> None:
        """Let a slot keep an object, so that it never expires."""
        raise NotImplementedError

    @method(32)
    async def unperpetuate_object(
        self, client: Session, persistence_slot_id: UInt16, delete_last_object: bool
    ) -> None:
        """Let a slot keep nothing."""
        raise NotImplementedError

    @method(33)
    async def prepare_get_object_or_meta_binary(
        self, client: Session, param: DataStorePrepareGetParam
    ) -> ObjectOrMetaBinaryReply:
        """Ask where the file of an object is, and for its meta binary."""
        raise NotImplementedError

    @method(34)
    async def get_password_info(self, client: Session, data_id: UInt64) -> DataStorePasswordInfo:
        """Ask for the passwords of an object of the caller's."""
        raise NotImplementedError

    @method(35)
    async def get_password_infos(self, client: Session, data_ids: list[UInt64]) -> PasswordsReply:
        """Ask for the passwords of objects of the caller's."""
        raise NotImplementedError

    @method(36)
    async def get_metas_multiple_param(
        self, client: Session, params: list[DataStoreGetMetaParam]
    ) -> MetasReply:
        """Ask what is known of objects, of each in its own way."""
        raise NotImplementedError

    @method(37)
    async def complete_post_objects(self, client: Session, data_ids: list[UInt64]) -> None:
        """Say that the uploads of objects succeeded."""
        raise NotImplementedError

    @method(38)
    async def change_meta(self, client: Session, param: DataStoreChangeMetaParam) -> None:
        """Change what is known of an object."""
        raise NotImplementedError

    @method(39)
    async def change_metas(
        self,
        client: Session,
        data_ids: list[UInt64],
        param: list[DataStoreChangeMetaParam],
        transactional: bool,
    ) -> list[Result]:
        """Change what is known of objects; transactional means all of them or none."""
        raise NotImplementedError

    @method(41)
    async def post_meta_binary_with_data_id(
        self, client: Session, data_id: UInt64, param: DataStorePreparePostParam
    ) -> None:
        """Post an object without a file under a number that was chosen."""
        raise NotImplementedError

    @method(42)
    async def post_meta_binaries_with_data_id(
        self,
        client: Session,
        data_ids: list[UInt64],
        param: list[DataStorePreparePostParam],
        transactional: bool,
    ) -> list[Result]:
        """Post objects without files under numbers that were chosen."""
        raise NotImplementedError

    @method(45)
    async def get_object_infos(self, client: Session, data_ids: list[UInt64]) -> GetInfosReply:
        """Ask where the files of objects are."""
        raise NotImplementedError

    @method(46)
    async def search_object_light(
        self, client: Session, param: DataStoreSearchParam
    ) -> DataStoreSearchResult:
        """Find objects; what is known of their number may be less exact."""
        raise NotImplementedError
