"""The log of searches and joins that came to nothing, for those who ask why: off by default."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from nekonex.domain.matchmaking.refusals import MatchmakingError

__all__ = ["logged_refusals", "logger"]

logger: Final = logging.getLogger("nekonex.matchmaking")
"""Says what it has to say at the level debug."""


@contextmanager
def logged_refusals(game: str, pid: int, gid: int) -> Iterator[None]:
    """Log it if the block, which lets a player join, refuses that."""
    try:
        yield
    except MatchmakingError as error:
        why = {"game": game, "pid": pid, "gid": gid, "reason": str(error)}
        logger.debug("join refused", extra=why)
        raise
