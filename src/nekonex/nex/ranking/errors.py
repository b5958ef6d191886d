"""What consoles are told when the rules of rankings refuse something.

That something would be too much for one player, or for one game, has no code of its own; it is
answered as a lack of permission.
"""

from __future__ import annotations

from typing import Final

from nekonex.domain.ranking import RankingError, Refusal
from nekonex.values import RMCError

__all__ = ["REFUSAL_NAMES", "error_of"]

REFUSAL_NAMES: Final[dict[Refusal, str]] = {
    Refusal.INVALID: "Ranking::InvalidArgument",
    Refusal.INVALID_SCORE: "Ranking::InvalidScore",
    Refusal.INVALID_SIZE: "Ranking::InvalidDataSize",
    Refusal.NOT_FOUND: "Ranking::NotFound",
    Refusal.NOT_ALLOWED: "Ranking::PermissionDenied",
}
"""The name of the error for each refusal."""


def error_of(error: Exception) -> Exception:
    """Return the RMCError that a RankingError is answered with; others as they are."""
    if isinstance(error, RankingError):
        return RMCError(REFUSAL_NAMES[error.refusal])
    return error
