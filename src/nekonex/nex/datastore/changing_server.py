"""The part of the data store's server that changes, keeps and deletes objects."""

from __future__ import annotations

from nekonex.nex.datastore.definition import DataStore
from nekonex.nex.datastore.errors import results_of
from nekonex.nex.datastore.from_wire import change_of, change_of_v1
from nekonex.nex.datastore.servant import DataStoreServant
from nekonex.nex.structures import (
    DataStoreChangeMetaParam,
    DataStoreChangeMetaParamV1,
    DataStoreDeleteParam,
)
from nekonex.rmc import Session
from nekonex.values import Result
from nekonex.wire import UInt16, UInt64

__all__ = ["ChangingServer"]


class ChangingServer(DataStoreServant, DataStore):
    """What owners do with their objects, and those whom they let."""

    # -- what is known of them ------------------------------------------------------------

    async def change_meta(self, client: Session, param: DataStoreChangeMetaParam) -> None:
        """Change what is known of an object."""
        await self.datastore.updating.change_meta(self.caller_of(client), change_of(param))

    async def change_meta_v1(self, client: Session, param: DataStoreChangeMetaParamV1) -> None:
        """Change what is known of an object."""
        await self.datastore.updating.change_meta(self.caller_of(client), change_of_v1(param))

    async def change_metas(
        self,
        client: Session,
        data_ids: list[UInt64],
        param: list[DataStoreChangeMetaParam],
        transactional: bool,
    ) -> list[Result]:
        """Change what is known of objects; transactional means all of them or none."""
        outcomes = await self.datastore.updating.change_metas(
            self.caller_of(client),
            data_ids,
            [change_of(each) for each in param],
            transactional=transactional,
        )
        return results_of(outcomes)

    async def change_metas_v1(
        self,
        client: Session,
        data_ids: list[UInt64],
        param: list[DataStoreChangeMetaParamV1],
        transactional: bool,
    ) -> list[Result]:
        """Change what is known of objects; transactional means all of them or none."""
        outcomes = await self.datastore.updating.change_metas(
            self.caller_of(client),
            data_ids,
            [change_of_v1(each) for each in param],
            transactional=transactional,
        )
        return results_of(outcomes)

    # -- deleting -------------------------------------------------------------------------

    async def delete_object(self, client: Session, param: DataStoreDeleteParam) -> None:
        """Delete an object."""
        await self.datastore.updating.delete(
            self.caller_of(client), param.data_id, param.update_password
        )

    async def delete_objects(
        self, client: Session, param: list[DataStoreDeleteParam], transactional: bool
    ) -> list[Result]:
        """Delete objects; transactional means all of them or none."""
        outcomes = await self.datastore.updating.delete_many(
            self.caller_of(client),
            [(each.data_id, each.update_password) for each in param],
            transactional=transactional,
        )
        return results_of(outcomes)

    # -- persistence slots ----------------------------------------------------------------

    async def perpetuate_object(
        self,
        client: Session,
        persistence_slot_id: UInt16,
        data_id: UInt64,
        delete_last_object: bool,
    ) -> None:
        """Let a slot keep an object, so that it never expires."""
        await self.datastore.slots.perpetuate(
            self.caller_of(client), persistence_slot_id, data_id, delete_last=delete_last_object
        )

    async def unperpetuate_object(
        self, client: Session, persistence_slot_id: UInt16, delete_last_object: bool
    ) -> None:
        """Let a slot keep nothing."""
        await self.datastore.slots.unperpetuate(
            self.caller_of(client), persistence_slot_id, delete_last=delete_last_object
        )
