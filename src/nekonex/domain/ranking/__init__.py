"""Rankings: the scores of players, who is before whom, and what is shown with them."""

from __future__ import annotations

from nekonex.domain.ranking.hooks import RankingHooks
from nekonex.domain.ranking.limits import RankingLimits
from nekonex.domain.ranking.model import (
    ALL_TIME,
    AttributeChange,
    AttributeFlag,
    Board,
    CachedTop,
    GroupFilter,
    RankCalculation,
    RankedScore,
    RankingMode,
    RankingPage,
    RankQuery,
    Score,
    ScoreKey,
    ScoreUpload,
    Statistics,
    StatisticsFlag,
    UpdateMode,
    group_filter,
    two_groups,
)
from nekonex.domain.ranking.ports import Friends, PlayerKey, ScoreStore
from nekonex.domain.ranking.refusals import RankingError, Refusal
from nekonex.domain.ranking.rules import Period, RankingRules
from nekonex.domain.ranking.service import Rankings

__all__ = [
    "ALL_TIME",
    "AttributeChange",
    "AttributeFlag",
    "Board",
    "CachedTop",
    "Friends",
    "GroupFilter",
    "Period",
    "PlayerKey",
    "RankCalculation",
    "RankQuery",
    "RankedScore",
    "RankingError",
    "RankingHooks",
    "RankingLimits",
    "RankingMode",
    "RankingPage",
    "RankingRules",
    "Rankings",
    "Refusal",
    "Score",
    "ScoreKey",
    "ScoreStore",
    "ScoreUpload",
    "Statistics",
    "StatisticsFlag",
    "UpdateMode",
    "group_filter",
    "two_groups",
]
