"""What consoles are told when the rules of gatherings refuse something.

Codes as nex-protocols-common-go answers them, except for wrong passwords: it answers
RendezVous::InvalidPassword and doubts that itself, and there are codes made for the purpose.
"""

from __future__ import annotations

from typing import Final

from nekonex.domain.matchmaking import MatchmakingError, Refusal
from nekonex.values import RMCError

__all__ = ["REFUSAL_NAMES", "error_of"]

REFUSAL_NAMES: Final[dict[Refusal, str]] = {
    Refusal.UNKNOWN_GATHERING: "RendezVous::SessionVoid",
    Refusal.FULL: "RendezVous::SessionFull",
    Refusal.ALREADY_PARTICIPATING: "RendezVous::AlreadyParticipatedGathering",
    Refusal.NOT_PARTICIPATING: "RendezVous::NotParticipatedGathering",
    Refusal.CLOSED: "RendezVous::PermissionDenied",
    Refusal.NOT_OWNER: "RendezVous::PermissionDenied",
    Refusal.NOT_ALLOWED: "RendezVous::PermissionDenied",
    Refusal.NOT_FRIEND: "RendezVous::NotFriend",
    Refusal.NEEDS_PASSWORD: "RendezVous::PermissionDenied",
    Refusal.WRONG_USER_PASSWORD: "RendezVous::MatchmakeSessionUserPasswordUnmatch",
    Refusal.WRONG_SYSTEM_PASSWORD: "RendezVous::MatchmakeSessionSystemPasswordUnmatch",
    Refusal.WRONG_COMMUNITY_PASSWORD: "RendezVous::InvalidGatheringPassword",
    Refusal.OUTSIDE_PERIOD: "RendezVous::WithoutParticipationPeriod",
    Refusal.TOO_MANY_OWNED: "RendezVous::PersistentGatheringCreationMax",
    Refusal.TOO_MANY_JOINED: "RendezVous::PersistentGatheringParticipationMax",
    Refusal.BLOCKED: "RendezVous::ParticipantInBlackList",
    Refusal.BLOCKED_BY_PARTICIPANT: "RendezVous::DeniedByParticipants",
    Refusal.INVALID: "Core::InvalidArgument",
    Refusal.INVALID_INDEX: "Core::InvalidIndex",
    Refusal.INVALID_OPERATION: "RendezVous::InvalidOperation",
    Refusal.OFFLINE: "RendezVous::UserIsOffline",
    Refusal.TOO_MANY: "RendezVous::LimitExceeded",
}
"""The name of the error for each refusal. SessionClosed exists, but closed sessions are answered
with PermissionDenied."""


def error_of(error: Exception) -> Exception:
    """Return the RMCError that a MatchmakingError is answered with; others as they are."""
    if isinstance(error, MatchmakingError):
        return RMCError(REFUSAL_NAMES[error.refusal])
    return error
