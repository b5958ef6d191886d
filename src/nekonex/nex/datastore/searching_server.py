"""The part of the data store's server that finds objects, and tells of new ones."""

from __future__ import annotations

from typing import Final

from nekonex.nex.datastore.definition import DataStore
from nekonex.nex.datastore.from_wire import search_of
from nekonex.nex.datastore.replies import NotificationsReply, NotificationsV1Reply
from nekonex.nex.datastore.servant import DataStoreServant
from nekonex.nex.datastore.to_wire import meta_to_wire
from nekonex.nex.structures import (
    DataStoreGetNewArrivedNotificationsParam,
    DataStoreGetNotificationUrlParam,
    DataStoreNotification,
    DataStoreNotificationV1,
    DataStoreReqGetNotificationUrlInfo,
    DataStoreSearchParam,
    DataStoreSearchResult,
)
from nekonex.rmc import Session

__all__ = ["SearchingServer"]

_FIRST_DATA_IDS: Final = range(1 << 32)
"""The numbers of objects that the first methods can name."""


class SearchingServer(DataStoreServant, DataStore):
    """Searches, and notifications."""

    async def search_object(
        self, client: Session, param: DataStoreSearchParam
    ) -> DataStoreSearchResult:
        """Find objects; none is no error."""
        found = await self.datastore.searching.search(self.caller_of(client), search_of(param))
        return DataStoreSearchResult(
            found.total,
            [meta_to_wire(each, param.result_option) for each in found.objects],
            found.count_type,
        )

    async def search_object_light(
        self, client: Session, param: DataStoreSearchParam
    ) -> DataStoreSearchResult:
        """Find objects, as `search_object` does."""
        return await self.search_object(client, param)

    async def get_notification_url(
        self, client: Session, param: DataStoreGetNotificationUrlParam
    ) -> DataStoreReqGetNotificationUrlInfo:
        """Return where the number of the caller's latest notification is."""
        found = await self.datastore.notifications.url(self.caller_of(client), param.previous_url)
        return DataStoreReqGetNotificationUrlInfo(
            found.url, found.key, found.query, found.root_ca_cert
        )

    async def get_new_arrived_notifications(
        self, client: Session, param: DataStoreGetNewArrivedNotificationsParam
    ) -> NotificationsReply:
        """Return notifications after one; those up to it are forgotten."""
        arrived, has_next = await self.datastore.notifications.arrived(
            self.caller_of(client), param.last_notification_id, param.limit
        )
        found = [DataStoreNotification(each.number, each.data_id) for each in arrived]
        return NotificationsReply(found, has_next)

    async def get_new_arrived_notifications_v1(
        self, client: Session, param: DataStoreGetNewArrivedNotificationsParam
    ) -> NotificationsV1Reply:
        """Return the same, without objects whose numbers need more than 32 bits."""
        arrived, has_next = await self.datastore.notifications.arrived(
            self.caller_of(client), param.last_notification_id, param.limit
        )
        found = [
            DataStoreNotificationV1(each.number, each.data_id)
            for each in arrived
            if each.data_id in _FIRST_DATA_IDS
        ]
        return NotificationsV1Reply(found, has_next)
