"""The data store's server."""

from __future__ import annotations

from nekonex.domain import PlayerRegistry
from nekonex.domain.datastore.service import DataStore as Service
from nekonex.nex.datastore.changing_server import ChangingServer
from nekonex.nex.datastore.posting_server import PostingServer
from nekonex.nex.datastore.rating_server import RatingServer
from nekonex.nex.datastore.reading_server import ReadingServer
from nekonex.nex.datastore.searching_server import SearchingServer
from nekonex.settings import Settings, SettingsSource

__all__ = ["DataStoreServer"]


class DataStoreServer(PostingServer, ChangingServer, ReadingServer, RatingServer, SearchingServer):
    """Keeps what players share: tells consoles where to upload and download, and what there is.

    ``datastore`` has the rules, and may be shared by several servers. Override methods to differ,
    or give it hooks of your own. With ``players`` only those are served who registered at the
    secure connection server.
    """

    def __init__(
        self,
        settings: SettingsSource,
        *,
        datastore: Service,
        players: PlayerRegistry | None = None,
    ) -> None:
        Settings.from_mapping(settings).transport()
        super().__init__(datastore, players)
