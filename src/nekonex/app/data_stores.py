"""The data stores of a configuration's games, while no server runs."""

import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Mapping

from nekonex.app.data_dir import exclusive
from nekonex.app.records import make_data_store
from nekonex.app.server import OBJECTS_SECRET_NAME, SECRET_SIZE
from nekonex.app.supported import refuse_what_is_missing
from nekonex.config import Config
from nekonex.domain.datastore import DataStore
from nekonex.domain.matchmaking import MatchmakingLimits
from nekonex.domain.matchmaking.relations.friends import FriendBook
from nekonex.events import EventBus
from nekonex.storage import OBJECTS_NAME, open_local
from nekonex.storage.objects import open_objects

__all__ = ["data_stores"]


@contextlib.asynccontextmanager
async def data_stores(config: Config) -> AsyncIterator[Mapping[str, DataStore]]:
    """Open the data stores of all games, by their names; no server can start meanwhile.

    Raises StartError if one runs or for what the configuration asks that there is not, and
    StorageError and ServiceUnavailable.
    """
    refuse_what_is_missing(config)
    data_dir = config.server.data_dir
    nobodys_friends = FriendBook(None, limits=MatchmakingLimits(), clock=time.monotonic)
    with exclusive(data_dir):
        async with contextlib.AsyncExitStack() as stack:
            stores = await stack.enter_async_context(open_local(data_dir))
            secret = await stores.secrets.get_or_create(
                OBJECTS_SECRET_NAME, lambda: secrets.token_bytes(SECRET_SIZE)
            )
            objects = await stack.enter_async_context(open_objects(data_dir / OBJECTS_NAME, secret))
            made: dict[str, DataStore] = {}
            for game in config.games:
                made[game.name] = make_data_store(
                    game,
                    stores.objects(game.name),
                    objects.files(game.name, None),
                    nobodys_friends,
                    events=EventBus(),
                    clock=time.time,
                )
                stack.push_async_callback(made[game.name].aclose)
            yield made
