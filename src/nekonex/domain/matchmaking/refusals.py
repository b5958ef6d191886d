"""Why something cannot be done with a gathering."""

from __future__ import annotations

from enum import Enum

from nekonex.domain.errors import DomainError

__all__ = ["MatchmakingError", "Refusal"]


class Refusal(Enum):
    """The rules that something may be against; protocol servers have a code for each."""

    UNKNOWN_GATHERING = "there is no such gathering"
    FULL = "there are not enough free places"
    ALREADY_PARTICIPATING = "the player takes part already"
    NOT_PARTICIPATING = "the player does not take part"
    CLOSED = "participation is closed"
    NOT_OWNER = "only the owner may do that"
    NOT_ALLOWED = "that is not allowed"
    NOT_FRIEND = "the player is no friend of the owner"
    NEEDS_PASSWORD = "joining takes a password"
    WRONG_USER_PASSWORD = "the user password is another"
    WRONG_SYSTEM_PASSWORD = "the system password is another"
    WRONG_COMMUNITY_PASSWORD = "the password of the community is another"
    OUTSIDE_PERIOD = "it is not the time to join"
    TOO_MANY_OWNED = "the player owns too many communities"
    TOO_MANY_JOINED = "the player is in too many communities"
    BLOCKED = "the player blocked a participant"
    BLOCKED_BY_PARTICIPANT = "a participant blocked the player"
    INVALID = "an argument is out of bounds"
    INVALID_INDEX = "there is no such index"
    INVALID_OPERATION = "the gathering's flags do not permit that"
    OFFLINE = "the player is offline"
    TOO_MANY = "there are too many gatherings"


class MatchmakingError(DomainError):
    """Something was refused, and nothing has changed."""

    name = "matchmaking"

    def __init__(self, refusal: Refusal, detail: str = "") -> None:
        super().__init__(f"{refusal.value} ({detail})" if detail else refusal.value)
        self.refusal = refusal
