"""What the pages about rankings and the data store say is what the server does."""

from __future__ import annotations

import asyncio
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from docs._gen.matchmaking import refusal_table
from nekonex.demo.files import upload
from nekonex.domain import datastore as datastore_rules
from nekonex.domain import ranking as ranking_rules
from nekonex.domain import unique_ids
from nekonex.nex import DataStore, Ranking, datastore, ranking, utility
from nekonex.nex.structures import (
    DataStoreCompletePostParam,
    DataStorePermission,
    DataStorePersistenceInitParam,
    DataStorePreparePostParam,
    RankingOrderParam,
    RankingScoreData,
)
from nekonex.rmc import Session
from nekonex.testing import running_server
from nekonex.values import RMCError
from tests.support.rooms import console

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to"
GHOST, DRAWING = 50, 51
LARGER_IS_BETTER = 1


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """Return a folder with the game of the pages, which can be imported from there."""
    shutil.copy(HOW_TO / "ghost_game.py", tmp_path)
    before = list(sys.path)
    yield tmp_path
    sys.path[:] = before
    sys.modules.pop("ghost_game", None)


def config() -> str:
    return (HOW_TO / "ghost-game.toml").read_text(encoding="utf-8")


async def upload_score(player: Session, category: int, score: int, order: int) -> None:
    data = RankingScoreData(
        category=category, score=score, order=order, update_mode=0, groups=[0, 0], param=0
    )
    await Ranking.client(player).upload_score(data, 0)


async def own_score(player: Session, category: int) -> int:
    result = await Ranking.client(player).get_ranking(4, category, RankingOrderParam(), 0, 0)
    score: int = result.data[0].score
    return score


async def post(player: Session, data_type: int, slot: int = 65535) -> int:
    store: Any = DataStore.client(player)
    info = await store.prepare_post_object(
        DataStorePreparePostParam(
            size=4,
            name="a ghost",
            data_type=data_type,
            permission=DataStorePermission(0),
            flag=0x40,
            persistence_init_param=DataStorePersistenceInitParam(slot, True),
        )
    )
    assert await asyncio.to_thread(upload, info.url, info.form, b"boo!") == 204
    await store.complete_post_object(DataStoreCompletePostParam(info.data_id, True))
    data_id: int = info.data_id
    return data_id


async def test_the_game_of_the_pages_judges_scores_and_knows_their_orders(folder: Path) -> None:
    async with (
        running_server(config(), folder=folder) as server,
        console(server, "peach") as (peach, _),
    ):
        with pytest.raises(RMCError, match="Ranking::InvalidScore"):
            await upload_score(peach, 1, 19_999, LARGER_IS_BETTER)
        for category in (1, 99):
            for score in (30_000, 20_000, 40_000):
                await upload_score(peach, category, score, LARGER_IS_BETTER)
        assert await own_score(peach, 1) == 20_000
        assert await own_score(peach, 99) == 40_000


async def test_the_game_of_the_pages_keeps_ghosts_where_it_says(folder: Path) -> None:
    async with (
        running_server(config(), folder=folder) as server,
        console(server, "peach") as (peach, pid),
    ):
        with pytest.raises(RMCError, match="DataStore::OperationNotAllowed"):
            await post(peach, DRAWING)
        await post(peach, GHOST, slot=3)
        data_id = await post(peach, GHOST)
        files = server.games[0].files
        assert await files.read(f"ghosts/{pid}/3.bin", 10) == b"boo!"
        assert await files.read(f"films/{data_id}.bin", 10) == b"boo!"


@pytest.mark.parametrize(
    ("refusals", "names"),
    [
        (ranking_rules.Refusal, ranking.REFUSAL_NAMES),
        (datastore_rules.Refusal, datastore.REFUSAL_NAMES),
        (unique_ids.Refusal, utility.REFUSAL_NAMES),
    ],
)
def test_every_refusal_has_its_error_on_the_page(refusals: Any, names: Any) -> None:
    assert set(names) == set(refusals)
    page = "\n".join(refusal_table(names))
    for refusal in refusals:
        assert refusal.value in page
        assert names[refusal] in page
