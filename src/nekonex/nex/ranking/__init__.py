"""Ranking (protocol 112)."""

from nekonex.nex.ranking.definition import Ranking
from nekonex.nex.ranking.errors import REFUSAL_NAMES, error_of
from nekonex.nex.ranking.server import EarlyRankingServer, RankingServer

__all__ = ["REFUSAL_NAMES", "EarlyRankingServer", "Ranking", "RankingServer", "error_of"]
