"""The ranking server: scores that consoles upload, and who is where."""

from __future__ import annotations

from typing import Any

from nekonex.domain import PlayerRegistry
from nekonex.domain.ranking import RankingError, Rankings, Refusal, StatisticsFlag
from nekonex.nex.callers import caller_pid
from nekonex.nex.ranking.definition import Ranking
from nekonex.nex.ranking.errors import error_of
from nekonex.nex.ranking.translate import (
    board_of,
    cached_to_wire,
    change_of,
    page_to_wire,
    query_of,
    upload_of,
)
from nekonex.nex.structures import (
    RankingCachedResult,
    RankingChangeAttributesParam,
    RankingOrderParam,
    RankingResult,
    RankingScoreData,
    RankingStats,
)
from nekonex.rmc import Session
from nekonex.settings import Settings, SettingsSource
from nekonex.wire import PID, Buffer, UInt8, UInt32, UInt64

__all__ = ["EarlyRankingServer", "RankingServer"]


class RankingServer(Ranking):
    """Serves the rankings of a game.

    The rules, and what a game adds to them, are in ``ranking``. With ``players`` only those are
    served who registered at the secure connection server. What the rules refuse is answered as
    Ranking::InvalidArgument, InvalidScore, InvalidDataSize, NotFound or PermissionDenied; an
    empty ranking too is NotFound.
    """

    def __init__(
        self,
        settings: SettingsSource,
        *,
        ranking: Rankings,
        players: PlayerRegistry | None = None,
    ) -> None:
        Settings.from_mapping(settings).transport()
        self.ranking = ranking
        self._players = players

    # -- scores and what is shown with them --------------------------------------------

    async def upload_score(
        self, client: Session, score_data: RankingScoreData, unique_id: UInt64
    ) -> None:
        """Enter a score of the caller; one that is not better is passed over without a word."""
        await self.ranking.upload(self._pid(client), upload_of(score_data), unique_id)

    async def delete_score(self, client: Session, category: UInt32, unique_id: UInt64) -> None:
        """Remove the caller's score of a category."""
        await self.ranking.delete(self._pid(client), category, unique_id)

    async def delete_all_scores(self, client: Session, unique_id: UInt64) -> None:
        """Remove the caller's scores of all categories."""
        await self.ranking.delete_all(self._pid(client), unique_id)

    async def upload_common_data(
        self, client: Session, common_data: Buffer, unique_id: UInt64
    ) -> None:
        """Store what stands in rankings beside the caller's scores."""
        await self.ranking.put_common_data(self._pid(client), common_data, unique_id)

    async def delete_common_data(self, client: Session, unique_id: UInt64) -> None:
        """Let nothing stand beside the caller's scores; harmless if nothing does."""
        await self.ranking.delete_common_data(self._pid(client), unique_id)

    async def get_common_data(self, client: Session, unique_id: UInt64) -> Buffer:
        """Return what stands beside the caller's scores."""
        return await self.ranking.common_data(self._pid(client), unique_id)

    async def change_attributes(
        self,
        client: Session,
        category: UInt32,
        param: RankingChangeAttributesParam,
        unique_id: UInt64,
    ) -> None:
        """Change groups and parameter of the caller's score of a category."""
        pid = self._pid(client)
        await self.ranking.change_attributes(pid, category, change_of(param), unique_id)

    async def change_all_attributes(
        self, client: Session, param: RankingChangeAttributesParam, unique_id: UInt64
    ) -> None:
        """Change groups and parameter of the caller's scores of all categories."""
        await self.ranking.change_all_attributes(self._pid(client), change_of(param), unique_id)

    # -- who is where --------------------------------------------------------------------

    async def get_ranking(
        self,
        client: Session,
        mode: UInt8,
        category: UInt32,
        order: RankingOrderParam,
        unique_id: UInt64,
        pid: PID,
    ) -> RankingResult:
        """Return a part of a ranking; see `nekonex.domain.ranking.RankingMode`."""
        query = query_of(category, order)
        page = await self.ranking.ranking(self._pid(client), mode, query, unique_id, pid)
        return page_to_wire(page)

    async def get_approx_order(
        self,
        client: Session,
        category: UInt32,
        order: RankingOrderParam,
        score: UInt32,
        unique_id: UInt64,
        pid: PID,
    ) -> UInt32:
        """Return which rank a score would have, whosever it is. It is exact."""
        self._pid(client)
        return await self.ranking.approximate_order(board_of(category, order), score)

    async def get_stats(
        self, client: Session, category: UInt32, order: RankingOrderParam, flags: UInt32
    ) -> RankingStats:
        """Return number, sum, minimum, maximum and average; zeros for what is not asked for."""
        self._pid(client)
        found = await self.ranking.statistics(board_of(category, order))
        return RankingStats([*found.selected(StatisticsFlag(flags))])

    async def get_ranking_by_pid_list(
        self,
        client: Session,
        pids: list[PID],
        mode: UInt8,
        category: UInt32,
        order: RankingOrderParam,
        unique_id: UInt64,
    ) -> RankingResult:
        """Return where players are among all; those without a score are left out."""
        self._pid(client)
        query = query_of(category, order)
        return page_to_wire(await self.ranking.by_pids(pids, mode, query, unique_id))

    async def get_ranking_by_unique_id_list(
        self,
        client: Session,
        ids: list[UInt64],
        mode: UInt8,
        category: UInt32,
        order: RankingOrderParam,
        unique_id: UInt64,
    ) -> RankingResult:
        """Return where unique ids are among all; those without a score are left out."""
        self._pid(client)
        query = query_of(category, order)
        return page_to_wire(await self.ranking.by_unique_ids(ids, mode, query))

    # -- cached rankings -----------------------------------------------------------------

    async def get_cached_topx_ranking(
        self, client: Session, category: UInt32, order: RankingOrderParam
    ) -> RankingCachedResult:
        """Return the best of a category, as they were some minutes ago perhaps."""
        self._pid(client)
        return cached_to_wire(await self.ranking.cached_top(query_of(category, order)))

    async def get_cached_topx_rankings(
        self, client: Session, categories: list[UInt32], order: list[RankingOrderParam]
    ) -> list[RankingCachedResult]:
        """Return the best of several categories, each in its own order."""
        self._pid(client)
        if len(categories) != len(order):
            raise RankingError(
                Refusal.INVALID, f"{len(order)} orders, {len(categories)} categories"
            )
        queries = [query_of(each, how) for each, how in zip(categories, order, strict=True)]
        return [cached_to_wire(top) for top in await self.ranking.cached_tops(queries)]

    def error_of(self, error: Exception) -> Exception:
        """Return what a caller is answered: for a refusal of the domain, its code."""
        return error_of(error)

    def _pid(self, client: Session) -> int:
        return caller_pid(client, self._players)


class EarlyRankingServer(RankingServer):
    """The ranking server as it was until NEX 3.6, without cached rankings.

    It is for titles that have methods of their own under those numbers: they are answered
    Core::NotImplemented, and nothing that they would take for something else.
    """

    get_cached_topx_ranking: Any = None
    get_cached_topx_rankings: Any = None
