"""What consoles may ask for: bounds of templates, texts and lists.

Bounds as in nex-protocols-go; that a maximum is not below the minimum, and not above
`MAX_PARTICIPANTS`, is this server's. What is out of bounds raises MatchmakingError (INVALID).
"""

from __future__ import annotations

from collections.abc import Sized

from nekonex.domain.matchmaking.limits import (
    MAX_BUFFER,
    MAX_PARAM_TEXT,
    MAX_PARAM_TOTAL,
    MAX_PARAMS,
    MAX_PARTICIPANTS,
    MAX_PROGRESS,
    MAX_SESSION_KEY,
    MAX_TEXT,
    MAX_USER_PASSWORD,
)
from nekonex.domain.matchmaking.model import (
    ATTRIBUTE_COUNT,
    Community,
    CommunityType,
    Gathering,
    MatchmakeSession,
)
from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal
from nekonex.values import DateTime

__all__ = [
    "check_community",
    "check_gathering",
    "check_length",
    "check_places",
    "check_progress",
    "check_session",
]


def check_length(what: str, value: Sized, limit: int = MAX_TEXT) -> None:
    """Refuse what is longer than ``limit``; ``what`` names it."""
    if len(value) > limit:
        raise MatchmakingError(Refusal.INVALID, f"{what} has {len(value)} of {limit}")


def check_progress(score: int) -> None:
    """Refuse a progress score above 100."""
    if not 0 <= score <= MAX_PROGRESS:
        raise MatchmakingError(Refusal.INVALID, f"progress score {score}")


def check_places(minimum: int, maximum: int) -> None:
    """Refuse a maximum below the minimum; 0 is no maximum."""
    if maximum and not minimum <= maximum <= MAX_PARTICIPANTS:
        raise MatchmakingError(Refusal.INVALID, f"{minimum} to {maximum} participants")


def check_attributes(attributes: Sized) -> None:
    """Refuse another number of attributes than six."""
    if len(attributes) != ATTRIBUTE_COUNT:
        raise MatchmakingError(Refusal.INVALID, f"{len(attributes)} attributes")


def check_gathering(gathering: Gathering) -> None:
    """Refuse a template with anything out of bounds, of whatever kind it is."""
    check_length("description", gathering.description)
    check_places(gathering.min_participants, gathering.max_participants)
    if isinstance(gathering, MatchmakeSession):
        check_session(gathering)


def check_session(session: MatchmakeSession) -> None:
    """Refuse the template of a session with anything out of bounds that sessions alone have."""
    check_attributes(session.attributes)
    check_progress(session.progress_score)
    check_length("application buffer", session.application_data, MAX_BUFFER)
    check_length("session key", session.session_key, MAX_SESSION_KEY)
    check_length("user password", session.user_password, MAX_USER_PASSWORD)
    check_length("codeword", session.codeword)
    check_length("parameters", session.param, MAX_PARAMS)
    total = 0
    for name, value in session.param.items():
        text = str(value)
        check_length("parameter", name, MAX_PARAM_TEXT)
        check_length("parameter", text, MAX_PARAM_TEXT)
        total += len(name) + len(text)
    if total > MAX_PARAM_TOTAL:
        raise MatchmakingError(Refusal.INVALID, f"parameters have {total} of {MAX_PARAM_TOTAL}")


def check_community(community: Community, now: DateTime) -> None:
    """Refuse the template of a community that a console may not make.

    Official ones are the operator's; a period that has begun later than now, or is over, is out
    of bounds.
    """
    check_length("description", community.description)
    check_places(community.min_participants, community.max_participants)
    check_attributes(community.attributes)
    check_length("application buffer", community.application_data, MAX_BUFFER)
    check_length("password", community.password, MAX_USER_PASSWORD)
    if community.type not in {CommunityType.OPEN, CommunityType.PASSWORD}:
        raise MatchmakingError(Refusal.INVALID, f"community type {community.type}")
    if community.participation_start.value and community.participation_start > now:
        raise MatchmakingError(Refusal.INVALID, "the period begins in the future")
    if community.participation_end.value and community.participation_end < now:
        raise MatchmakingError(Refusal.INVALID, "the period is over")
