"""Ranks in memory, whatever keeps the scores."""

from __future__ import annotations

from nekonex.storage.ranking.index import MAX_WINDOWS, IndexedScores
from nekonex.storage.ranking.memory import MemoryScoreStore

__all__ = ["MAX_WINDOWS", "IndexedScores", "MemoryScoreStore"]
