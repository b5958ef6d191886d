"""Why something cannot be done with rankings."""

from __future__ import annotations

from enum import Enum

from nekonex.domain.errors import DomainError

__all__ = ["RankingError", "Refusal"]


class Refusal(Enum):
    """The rules that something may be against; protocol servers have a code for each."""

    INVALID = "an argument is out of bounds"
    INVALID_SCORE = "the score is not believed"
    INVALID_SIZE = "the data is too large or too small"
    NOT_FOUND = "there is no such score or data"
    NOT_ALLOWED = "that is not allowed"


class RankingError(DomainError):
    """Something was refused, and nothing has changed."""

    name = "ranking"

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(f"{refusal.value} ({detail})" if detail else refusal.value)
        self.refusal = refusal
