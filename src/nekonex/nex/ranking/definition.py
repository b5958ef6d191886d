"""Ranking (protocol 112): scores in categories, and who is where.

Methods and fields as in NintendoClients' ``ranking.py``. The protocol of this number before
NEX 3 is another one. Methods 14 and 15 came between 3.6 and 3.8; titles of earlier versions that
have something else under their numbers subclass this.
"""

from __future__ import annotations

from nekonex.nex.structures import (
    RankingCachedResult,
    RankingChangeAttributesParam,
    RankingOrderParam,
    RankingResult,
    RankingScoreData,
    RankingStats,
)
from nekonex.rmc import Protocol, Session, method
from nekonex.wire import PID, Buffer, UInt8, UInt32, UInt64

__all__ = ["Ranking"]


class Ranking(Protocol, id=112, key="ranking"):
    """The protocol. Unique ids are players of one account; most games always say 0."""

    @method(1)
    async def upload_score(
        self, client: Session, score_data: RankingScoreData, unique_id: UInt64
    ) -> None:
        """Enter a score of the caller."""
        raise NotImplementedError

    @method(2)
    async def delete_score(self, client: Session, category: UInt32, unique_id: UInt64) -> None:
        """Remove the caller's score of a category."""
        raise NotImplementedError

    @method(3)
    async def delete_all_scores(self, client: Session, unique_id: UInt64) -> None:
        """Remove the caller's scores of all categories."""
        raise NotImplementedError

    @method(4)
    async def upload_common_data(
        self, client: Session, common_data: Buffer, unique_id: UInt64
    ) -> None:
        """Say what stands in rankings beside the caller's scores: a name or a face, mostly."""
        raise NotImplementedError

    @method(5)
    async def delete_common_data(self, client: Session, unique_id: UInt64) -> None:
        """Let nothing stand beside the caller's scores."""
        raise NotImplementedError

    @method(6)
    async def get_common_data(self, client: Session, unique_id: UInt64) -> Buffer:
        """Ask what stands beside the caller's scores."""
        raise NotImplementedError

    @method(7)
    async def change_attributes(
        self,
        client: Session,
        category: UInt32,
        param: RankingChangeAttributesParam,
        unique_id: UInt64,
    ) -> None:
        """Change groups and parameter of the caller's score of a category."""
        raise NotImplementedError

    @method(8)
    async def change_all_attributes(
        self, client: Session, param: RankingChangeAttributesParam, unique_id: UInt64
    ) -> None:
        """Change groups and parameter of the caller's scores of all categories."""
        raise NotImplementedError

    @method(9)
    async def get_ranking(
        self,
        client: Session,
        mode: UInt8,
        category: UInt32,
        order: RankingOrderParam,
        unique_id: UInt64,
        pid: PID,
    ) -> RankingResult:
        """Ask for a part of a ranking; the mode says which."""
        raise NotImplementedError

    @method(10)
    async def get_approx_order(
        self,
        client: Session,
        category: UInt32,
        order: RankingOrderParam,
        score: UInt32,
        unique_id: UInt64,
        pid: PID,
    ) -> UInt32:
        """Ask which rank a score would have."""
        raise NotImplementedError

    @method(11)
    async def get_stats(
        self, client: Session, category: UInt32, order: RankingOrderParam, flags: UInt32
    ) -> RankingStats:
        """Ask how many scores there are, and for their sum, bounds and average."""
        raise NotImplementedError

    @method(12)
    async def get_ranking_by_pid_list(
        self,
        client: Session,
        pids: list[PID],
        mode: UInt8,
        category: UInt32,
        order: RankingOrderParam,
        unique_id: UInt64,
    ) -> RankingResult:
        """Ask where players are."""
        raise NotImplementedError

    @method(13)
    async def get_ranking_by_unique_id_list(
        self,
        client: Session,
        ids: list[UInt64],
        mode: UInt8,
        category: UInt32,
        order: RankingOrderParam,
        unique_id: UInt64,
    ) -> RankingResult:
        """Ask where unique ids are."""
        raise NotImplementedError

    @method(14)
    async def get_cached_topx_ranking(
        self, client: Session, category: UInt32, order: RankingOrderParam
    ) -> RankingCachedResult:
        """Ask for the best of a category, as they were a while ago."""
        raise NotImplementedError

    @method(15)
    async def get_cached_topx_rankings(
        self, client: Session, categories: list[UInt32], order: list[RankingOrderParam]
    ) -> list[RankingCachedResult]:
        """Ask for the best of several categories, with an order for each."""
        raise NotImplementedError
