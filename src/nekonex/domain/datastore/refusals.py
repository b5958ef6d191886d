"""Why something cannot be done with a stored object."""

from __future__ import annotations

from enum import Enum

from nekonex.domain.errors import DomainError

__all__ = ["DataStoreError", "Refusal"]


class Refusal(Enum):
    """The rules that something may be against; protocol servers have a code for each."""

    INVALID = "an argument is out of bounds"
    NOT_FOUND = "there is no such object"
    NOT_PERMITTED = "the object's permission excludes the player"
    WRONG_PASSWORD = "the password is another"
    NOT_ALLOWED = "that is not allowed"
    UNDER_REVIEW = "the object waits for its review"
    NOT_EQUAL = "the object is not as the player believes"
    OVER_CAPACITY = "the player stores too much"
    LOCKED = "the player may not rate again yet"


class DataStoreError(DomainError):
    """Something was refused, and nothing has changed."""

    name = "datastore"

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(f"{refusal.value} ({detail})" if detail else refusal.value)
        self.refusal = refusal
