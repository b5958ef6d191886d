"""What players of one hosted game leave behind: scores, objects, unique ids."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from nekonex.config import GameConfig
from nekonex.domain.datastore import DataStore, DataStoreLimits, DataStoreRules
from nekonex.domain.datastore.files import FileStore
from nekonex.domain.datastore.ports import ObjectStore
from nekonex.domain.matchmaking import Matchmaking
from nekonex.domain.matchmaking.relations.friends import FriendBook
from nekonex.domain.ports import Clock
from nekonex.domain.ranking import Rankings, ScoreStore
from nekonex.domain.unique_ids import UniqueIds
from nekonex.events import EventBus
from nekonex.game import GameServices
from nekonex.games.data_stores import DATA_STORES
from nekonex.games.mario_kart_8 import MarioKart8RankingServer
from nekonex.nex import (
    DataStoreServer,
    EarlyRankingServer,
    HealthServer,
    RankingServer,
    UtilityServer,
)
from nekonex.rmc import Protocol
from nekonex.settings import Settings

__all__ = [
    "Records",
    "data_store_limits",
    "make_data_store",
    "make_rankings",
    "record_servers",
    "records_of",
]

RANKINGS: Final[Mapping[str, type[RankingServer]]] = MappingProxyType(
    {
        "mario-kart-8": MarioKart8RankingServer,
        "smash-4": EarlyRankingServer,
        "xenoblade-x": EarlyRankingServer,
    }
)
"""The server of protocol 112 for titles that have methods of their own there, by the variant's
name in the profile; all others have the common one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Records:
    """All that players of one game leave behind."""

    matchmaking: Matchmaking
    rankings: Rankings
    data_store: DataStore
    unique_ids: UniqueIds

    async def forget(self, pid: int) -> dict[str, int]:
        """Remove all that there is of a player; return how much of what that was.

        Raises ServiceUnavailable, and then a part may be removed; repeating it removes the rest.
        """
        return {
            "scores": await self.rankings.forget(pid),
            "objects": await self.data_store.forget(pid),
            "unique_ids": await self.unique_ids.forget(pid),
            "communities": await self.matchmaking.forget(pid),
        }


def records_of(services: GameServices) -> Records:
    """Return the records of a game that is served."""
    return Records(
        matchmaking=services.matchmaking,
        rankings=services.rankings,
        data_store=services.data_store,
        unique_ids=services.unique_ids,
    )


def make_rankings(
    config: GameConfig, store: ScoreStore, friends: FriendBook, *, events: EventBus, clock: Clock
) -> Rankings:
    """Return the rankings of a game, which have to be started."""
    return Rankings(
        store,
        friends=friends,
        rules=config.ranking.rules(),
        events=events,
        game=config.name,
        clock=clock,
    )


def make_data_store(
    config: GameConfig,
    store: ObjectStore,
    files: FileStore,
    friends: FriendBook,
    *,
    events: EventBus,
    clock: Clock,
) -> DataStore:
    """Return the data store of a game, which has to be started."""
    return DataStore(
        store=store,
        files=files,
        friends=friends,
        game=config.name,
        limits=data_store_limits(config),
        rules=DataStoreRules(review=config.data_store.review),
        events=events,
        clock=clock,
    )


def data_store_limits(config: GameConfig) -> DataStoreLimits:
    """Return what a game lets its players store."""
    limits = config.limits
    return DataStoreLimits(
        max_object_size=limits.max_object_size,
        max_objects=limits.max_objects,
        max_stored=limits.max_stored,
        unfinished_seconds=limits.unfinished_seconds,
    )


def record_servers(
    config: GameConfig, settings: Settings, services: GameServices
) -> list[Protocol]:
    """Return what the secure port serves so that players leave something behind."""
    ranking = RANKINGS.get(config.variants.get("ranking", ""), RankingServer)
    data_store = DATA_STORES.get(config.variants.get("datastore", ""), DataStoreServer)
    players = services.players
    return [
        UtilityServer(
            settings,
            unique_ids=services.unique_ids,
            players=players,
            integer_settings=config.utility.integer_settings,
            string_settings=config.utility.string_settings,
        ),
        ranking(settings, ranking=services.rankings, players=players),
        data_store(settings, datastore=services.data_store, players=players),
        HealthServer(settings),
    ]
