"""What players of a configuration's games left behind, while no server runs."""

import contextlib
import secrets
import time
from collections.abc import AsyncIterator, Mapping

from nekonex.app.data_dir import exclusive
from nekonex.app.matchmaking import make_matchmaking
from nekonex.app.records import Records, make_data_store, make_rankings
from nekonex.app.server import OBJECTS_SECRET_NAME, SECRET_SIZE
from nekonex.app.supported import refuse_what_is_missing
from nekonex.config import Config, GameConfig
from nekonex.domain import PlayerRegistry
from nekonex.domain.unique_ids import UniqueIds
from nekonex.events import EventBus
from nekonex.storage import OBJECTS_NAME, Stores, open_local
from nekonex.storage.objects import LocalObjects, open_objects

__all__ = ["offline_records"]


@contextlib.asynccontextmanager
async def offline_records(config: Config) -> AsyncIterator[Mapping[str, Records]]:
    """Open the records of all games, by their names; no server can start meanwhile.

    Their rankings are not started: scores can be forgotten, but not asked for.

    Raises StartError if one runs or for what the configuration asks that there is not, and
    StorageError and ServiceUnavailable.
    """
    refuse_what_is_missing(config)
    data_dir = config.server.data_dir
    with exclusive(data_dir):
        async with contextlib.AsyncExitStack() as stack:
            stores = await stack.enter_async_context(open_local(data_dir))
            secret = await stores.secrets.get_or_create(
                OBJECTS_SECRET_NAME, lambda: secrets.token_bytes(SECRET_SIZE)
            )
            objects = await stack.enter_async_context(open_objects(data_dir / OBJECTS_NAME, secret))
            made = {game.name: _records(game, stores, objects) for game in config.games}
            for records in made.values():
                stack.push_async_callback(records.data_store.aclose)
            yield made


def _records(game: GameConfig, stores: Stores, objects: LocalObjects) -> Records:
    name, events, clock = game.name, EventBus(), time.time
    matchmaking = make_matchmaking(
        game,
        PlayerRegistry(name, events),
        communities=stores.communities(name),
        preferences=stores.preferences(name),
        events=events,
        clock=clock,
    )
    friends = matchmaking.friends
    return Records(
        matchmaking=matchmaking,
        rankings=make_rankings(game, stores.scores(name), friends, events=events, clock=clock),
        data_store=make_data_store(
            game,
            stores.objects(name),
            objects.files(name, None),
            friends,
            events=events,
            clock=clock,
        ),
        unique_ids=UniqueIds(stores.unique_ids(name), clock=clock),
    )
