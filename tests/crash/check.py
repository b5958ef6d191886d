"""What is found after a crash, compared with what players were told before it."""

from __future__ import annotations

import asyncio
from typing import Any

from nekonex.demo.files import download
from nekonex.nex.datastore import DataStore
from nekonex.nex.ranking import Ranking
from nekonex.nex.structures import (
    DataStorePrepareGetParam,
    DataStoreRatingTarget,
    DataStoreSearchParam,
    RankingOrderParam,
    ResultRange,
)
from nekonex.rmc import Session
from nekonex.values import RMCError
from tests.crash.console import CATEGORIES
from tests.crash.ledger import Ledger, StoredFile

__all__ = ["check"]

SELF = 4
"""The ranking mode that asks for the caller's own scores."""
PAGE = 100


async def check(sessions: dict[str, Session], ledger: Ledger) -> list[str]:
    """Return everything that is not as it must be, a line each.

    What was asked for before the crash and not answered may be there or not; the ledger says
    afterwards which it was.
    """
    problems: list[str] = []
    for name, session in sessions.items():
        problems += await _check_scores(name, session, ledger)
    anybody = next(iter(sessions.values()))
    files = _Files(anybody, ledger)
    problems += await files.check()
    return problems


async def _check_scores(name: str, session: Session, ledger: Ledger) -> list[str]:
    ranking = Ranking.client(session)
    problems: list[str] = []
    for category in range(CATEGORIES):
        told = ledger.scores[name, category]
        found, common = await _own_score(ranking, category)
        if not told.allows(found):
            problems.append(f"{name} has {found} in {category}, and was told of {told}")
        elif found is not None:
            told.settle(found)
            if not ledger.names[name].allows(common or None):
                problems.append(f"{name} is called {common!r}, not {ledger.names[name]}")
    return problems


async def _own_score(ranking: Any, category: int) -> tuple[int | None, bytes]:
    order = RankingOrderParam(order_calc=0, group_index=255, time_scope=2, offset=0, count=10)
    try:
        result = await ranking.get_ranking(SELF, category, order, 0, 0)
    except RMCError as error:
        if error.name != "Ranking::NotFound":
            raise
        return None, b""
    (row,) = result.data
    return row.score, row.common_data


class _Files:
    """Looks at every object that there is, and at every one that there should be."""

    def __init__(self, session: Session, ledger: Ledger) -> None:
        self._store = DataStore.client(session)
        self._ledger = ledger

    async def check(self) -> list[str]:
        """Return what is wrong."""
        visible = await self._search()
        problems = [
            f"object {data_id} was deleted and is found"
            for data_id in visible
            if data_id in self._ledger.deleted
        ]
        problems += [
            f"nobody knows the object {data_id}"
            for data_id in visible
            if data_id not in self._ledger.files and data_id not in self._ledger.deleted
        ]
        gone = []
        for file in list(self._ledger.files.values()):
            if file.data_id in visible:
                problems += await self._compare(file)
                file.deleting = False
            elif file.acknowledged and not file.deleting:
                problems.append(f"object {file.data_id} was acknowledged and is not found")
            else:
                gone.append(file.data_id)
        self._ledger.crashed(gone)
        return problems

    async def _search(self) -> set[int]:
        found: set[int] = set()
        while True:
            result = await self._store.search_object(
                DataStoreSearchParam(result_range=ResultRange(len(found), PAGE))
            )
            found |= {each.data_id for each in result.result}
            if len(result.result) < PAGE:
                return found

    async def _compare(self, file: StoredFile) -> list[str]:
        info = await self._store.prepare_get_object(DataStorePrepareGetParam(data_id=file.data_id))
        status, data = await asyncio.to_thread(download, info.url)
        right = [each for each in file.possible if each.is_in(data)]
        if status != 200 or len(data) != info.size or not right:
            sizes = [each.size for each in file.possible]
            text = f"object {file.data_id} of {sizes} bytes: {info.size} by its record, {len(data)}"
            return [f"{text} by its download, which answers {status}"]
        file.settled(right[0])
        rating = await self._store.get_rating(DataStoreRatingTarget(file.data_id, 0), 0)
        if not file.rated <= rating.total_value <= file.rating:
            bounds = f"{file.rated} to {file.rating}"
            return [f"object {file.data_id} is rated {rating.total_value}, not from {bounds}"]
        file.rated = file.rating = rating.total_value
        return []
