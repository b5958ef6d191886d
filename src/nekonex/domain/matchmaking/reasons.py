"""Why a search passes over a session, or a player cannot join one: for people to read."""

from __future__ import annotations

from typing import Self

__all__ = ["Reason"]


class Reason(str):
    """A short text with the values that matter; ``criterion`` is what it is about, without them.

    Reasons with the same criterion can be counted together.
    """

    __slots__ = ("criterion",)

    criterion: str

    def __new__(cls, criterion: str, text: str) -> Self:
        """Make a reason."""
        reason = super().__new__(cls, text)
        reason.criterion = criterion
        return reason
