"""The first methods of the data store, which later ones replaced.

Methods and fields as in NintendoClients' ``datastore.py``. They have numbers of their own, so they
exist in every version, as the nintendo-wiki has them.
"""

from __future__ import annotations

from nekonex.nex.datastore.replies import NotificationsV1Reply
from nekonex.nex.structures import (
    DataStoreChangeMetaParamV1,
    DataStoreCompletePostParamV1,
    DataStoreGetNewArrivedNotificationsParam,
    DataStoreGetSpecificMetaParamV1,
    DataStorePrepareGetParamV1,
    DataStorePreparePostParamV1,
    DataStoreReqGetInfoV1,
    DataStoreReqPostInfoV1,
    DataStoreSpecificMetaInfoV1,
)
from nekonex.rmc import Protocol, Session, method
from nekonex.values import Result
from nekonex.wire import UInt64

__all__ = ["FirstMethods"]


class FirstMethods(Protocol):
    """Methods of `DataStore`: those whose objects have 32 bits, and no slots."""

    @method(1)
    async def prepare_get_object_v1(
        self, client: Session, param: DataStorePrepareGetParamV1
    ) -> DataStoreReqGetInfoV1:
        """Ask where the file of an object is."""
        raise NotImplementedError

    @method(2)
    async def prepare_post_object_v1(
        self, client: Session, param: DataStorePreparePostParamV1
    ) -> DataStoreReqPostInfoV1:
        """Announce an object; the reply says how to upload its file."""
        raise NotImplementedError

    @method(3)
    async def complete_post_object_v1(
        self, client: Session, param: DataStoreCompletePostParamV1
    ) -> None:
        """Say how the upload ended."""
        raise NotImplementedError

    @method(6)
    async def change_meta_v1(self, client: Session, param: DataStoreChangeMetaParamV1) -> None:
        """Change what is known of an object."""
        raise NotImplementedError

    @method(7)
    async def change_metas_v1(
        self,
        client: Session,
        data_ids: list[UInt64],
        param: list[DataStoreChangeMetaParamV1],
        transactional: bool,
    ) -> list[Result]:
        """Change what is known of objects; transactional means all of them or none."""
        raise NotImplementedError

    @method(14)
    async def get_new_arrived_notifications_v1(
        self, client: Session, param: DataStoreGetNewArrivedNotificationsParam
    ) -> NotificationsV1Reply:
        """Ask for news."""
        raise NotImplementedError

    @method(20)
    async def get_specific_meta_v1(
        self, client: Session, param: DataStoreGetSpecificMetaParamV1
    ) -> list[DataStoreSpecificMetaInfoV1]:
        """Ask whether copies of files are still good."""
        raise NotImplementedError
