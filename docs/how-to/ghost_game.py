"""A game that believes no lap under twenty seconds and keeps a ghost for each track."""

from nekonex import Game, GameServices
from nekonex.domain.datastore import DataStoreHooks, ObjectKeys, StoredObject
from nekonex.domain.ranking import RankingHooks, ScoreUpload

FASTEST_LAP = 20_000  # milliseconds
GHOST_TYPE = 50


# --8<-- [start:rankings]
class FairTimes(RankingHooks):
    async def validate_score(self, pid: int, upload: ScoreUpload, unique_id: int) -> bool:
        """Tell whether a score can be true."""
        return upload.score >= FASTEST_LAP


# --8<-- [end:rankings]


# --8<-- [start:objects]
class OnlyGhosts(DataStoreHooks):
    async def may_post(self, pid: int, stored: StoredObject) -> bool:
        """Tell whether a player may post an object."""
        return stored.data_type == GHOST_TYPE


# --8<-- [end:objects]


# --8<-- [start:keys]
async def key_of(database: object, pid: int, persistence_id: int, object_id: int) -> str:
    if persistence_id < 16:
        return f"ghosts/{pid}/{persistence_id}.bin"
    return f"films/{object_id}.bin"


# --8<-- [end:keys]


# --8<-- [start:game]
class GhostGame(Game):
    def ranking_hooks(self, services: GameServices) -> RankingHooks:
        return FairTimes()

    def data_store_hooks(self, services: GameServices) -> DataStoreHooks:
        return OnlyGhosts()

    def object_keys(self, services: GameServices) -> ObjectKeys:
        return ObjectKeys(by_player=key_of)


# --8<-- [end:game]
