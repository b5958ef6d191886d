"""The part of the data store's server that takes new objects, and new content of old ones."""

from __future__ import annotations

from typing import Final

from nekonex.nex.datastore.definition import DataStore
from nekonex.nex.datastore.errors import results_of
from nekonex.nex.datastore.from_wire import draft_of, draft_of_v1
from nekonex.nex.datastore.servant import DataStoreServant
from nekonex.nex.datastore.to_wire import post_to_wire, post_v1_to_wire, update_to_wire
from nekonex.nex.structures import (
    DataStoreCompletePostParam,
    DataStoreCompletePostParamV1,
    DataStoreCompleteUpdateParam,
    DataStorePreparePostParam,
    DataStorePreparePostParamV1,
    DataStorePrepareUpdateParam,
    DataStoreReqPostInfo,
    DataStoreReqPostInfoV1,
    DataStoreReqUpdateInfo,
)
from nekonex.rmc import Session
from nekonex.values import Result
from nekonex.wire import UInt64, V

__all__ = ["PostingServer"]

_WIDE_VERSIONS: Final = V("3.0", key="datastore")
"""Since when version numbers have 32 bits."""


class PostingServer(DataStoreServant, DataStore):
    """Announces, takes and completes uploads."""

    # -- objects with a file --------------------------------------------------------------

    async def prepare_post_object(
        self, client: Session, param: DataStorePreparePostParam
    ) -> DataStoreReqPostInfo:
        """Announce an object; the reply says how to upload its file."""
        posted = await self.datastore.posting.prepare_post(self.caller_of(client), draft_of(param))
        return post_to_wire(posted)

    async def prepare_post_object_v1(
        self, client: Session, param: DataStorePreparePostParamV1
    ) -> DataStoreReqPostInfoV1:
        """Announce an object; the reply says how to upload its file."""
        draft = draft_of_v1(param)
        posted = await self.datastore.posting.prepare_post(self.caller_of(client), draft)
        return post_v1_to_wire(posted)

    async def complete_post_object(
        self, client: Session, param: DataStoreCompletePostParam
    ) -> None:
        """Publish an object whose upload succeeded, or forget it."""
        await self.datastore.posting.complete_post(
            self.caller_of(client), param.data_id, success=param.success
        )

    async def complete_post_object_v1(
        self, client: Session, param: DataStoreCompletePostParamV1
    ) -> None:
        """Publish an object whose upload succeeded, or forget it."""
        await self.datastore.posting.complete_post(
            self.caller_of(client), param.data_id, success=param.success
        )

    async def complete_post_objects(self, client: Session, data_ids: list[UInt64]) -> None:
        """Publish objects whose uploads succeeded."""
        await self.datastore.posting.complete_posts(self.caller_of(client), data_ids)

    # -- objects without a file -----------------------------------------------------------

    async def post_meta_binary(self, client: Session, param: DataStorePreparePostParam) -> UInt64:
        """Post an object without a file; the reply is its number."""
        draft = draft_of(param)
        return await self.datastore.posting.post_meta_binary(self.caller_of(client), draft)

    async def post_meta_binary_with_data_id(
        self, client: Session, data_id: UInt64, param: DataStorePreparePostParam
    ) -> None:
        """Post an object without a file under a number that was chosen."""
        await self.datastore.posting.post_meta_binary_with_id(
            self.caller_of(client), data_id, draft_of(param)
        )

    async def post_meta_binaries_with_data_id(
        self,
        client: Session,
        data_ids: list[UInt64],
        param: list[DataStorePreparePostParam],
        transactional: bool,
    ) -> list[Result]:
        """Post objects without files under numbers that were chosen."""
        outcomes = await self.datastore.posting.post_meta_binaries_with_ids(
            self.caller_of(client),
            data_ids,
            [draft_of(each) for each in param],
            transactional=transactional,
        )
        return results_of(outcomes)

    # -- new content ----------------------------------------------------------------------

    async def prepare_update_object(
        self, client: Session, param: DataStorePrepareUpdateParam
    ) -> DataStoreReqUpdateInfo:
        """Announce new content of an object, which keeps the old one meanwhile."""
        update = await self.datastore.updating.prepare_update(
            self.caller_of(client),
            param.data_id,
            param.size,
            param.update_password,
            param.extra_data,
        )
        wide = _WIDE_VERSIONS.holds(client.context.version_of)
        return update_to_wire(update, wide=wide)

    async def complete_update_object(
        self, client: Session, param: DataStoreCompleteUpdateParam
    ) -> None:
        """Put new content in place of the old, if its upload succeeded, or forget it."""
        await self.datastore.updating.complete_update(
            self.caller_of(client), param.data_id, param.version, success=param.success
        )
