"""Bounds of rankings, each with a name and a default."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

__all__ = ["MAX_COUNT", "RankingLimits"]

MAX_COUNT: Final = 255
"""Entries of a page: on the wire the number is a byte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingLimits:
    """What one game's rankings let its players use."""

    max_categories: int = 4096
    """Categories; more begin only by uploads to those that the rules name."""
    max_unique_ids: int = 64
    """Unique ids under which one player may have scores in one category, or common data."""
    max_offset: int = 10_000_000
    """How far into a ranking a page may begin."""
    max_count: int = MAX_COUNT
    """Entries of a page, of whatever kind."""
    max_list: int = 100
    """Principal ids, unique ids or categories in one call."""
    cached_seconds: float = 300.0
    """How long a cached top is shown before it is made anew."""
    cached_length: int = 10
    """Entries of a cached top."""
    max_cached_tops: int = 256
    """Cached tops that are kept; the least recently asked for goes first."""
