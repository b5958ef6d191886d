"""Which parts of a session a console replaces, and by what."""

from __future__ import annotations

from collections.abc import Callable
from enum import IntFlag
from typing import Any, Final

from nekonex.domain.matchmaking import MatchmakeSession, MatchmakingError, Refusal
from nekonex.nex import structures as wire

__all__ = ["OWN_PARAM", "Modification", "part_changes", "whole_changes"]

OWN_PARAM: Final = "@"
"""How the names of parameters begin that are the server's own."""


class Modification(IntFlag):
    """Bits of `UpdateMatchmakeSessionParam.modification_flags` (nex-protocols-go).

    0x10 is for an option that the structure has no field for; what NEX 4 has besides is not
    known. Both are ignored.
    """

    ATTRIBUTES = 0x1
    OPEN_PARTICIPATION = 0x2
    APPLICATION_BUFFER = 0x4
    PROGRESS_SCORE = 0x8
    REPLACE_PARAM = 0x20
    MERGE_PARAM = 0x40
    STARTED_TIME = 0x80
    USER_PASSWORD = 0x100
    GAME_MODE = 0x200
    DESCRIPTION = 0x400
    MIN_PARTICIPANTS = 0x800
    MAX_PARTICIPANTS = 0x1000
    MATCHMAKE_SYSTEM = 0x2000
    CODEWORD = 0x4000


_Value = Callable[[wire.UpdateMatchmakeSessionParam], Any]

_PARTS: Final[dict[Modification, tuple[str, _Value]]] = {
    Modification.ATTRIBUTES: ("attributes", lambda param: tuple(param.attributes)),
    Modification.OPEN_PARTICIPATION: ("open_participation", lambda param: param.open_participation),
    Modification.APPLICATION_BUFFER: ("application_data", lambda param: param.application_buffer),
    Modification.PROGRESS_SCORE: ("progress_score", lambda param: param.progress_score),
    Modification.STARTED_TIME: ("started_time", lambda param: param.started_time),
    Modification.USER_PASSWORD: ("user_password", lambda param: param.user_password),
    Modification.GAME_MODE: ("game_mode", lambda param: param.game_mode),
    Modification.DESCRIPTION: ("description", lambda param: param.description),
    Modification.MIN_PARTICIPANTS: ("min_participants", lambda param: param.min_participants),
    Modification.MAX_PARTICIPANTS: ("max_participants", lambda param: param.max_participants),
    Modification.MATCHMAKE_SYSTEM: ("matchmake_system", lambda param: param.matchmake_system),
    Modification.CODEWORD: ("codeword", lambda param: param.codeword),
}

_WHOLE: Final = (
    "min_participants",
    "max_participants",
    "policy",
    "policy_argument",
    "flags",
    "description",
    "game_mode",
    "attributes",
    "open_participation",
    "matchmake_system",
    "application_data",
    "progress_score",
    "option",
    "user_password",
    "user_password_enabled",
    "refer_gid",
    "codeword",
)
"""What an update of the whole session replaces: neither who is in it nor what the server made."""


def part_changes(
    session: MatchmakeSession, param: wire.UpdateMatchmakeSessionParam
) -> dict[str, Any]:
    """Return the fields of a session that ``param`` replaces, and their new values.

    Raises MatchmakingError (INVALID) where parameters are to be both replaced and merged.
    """
    flags = param.modification_flags
    changes = {name: value(param) for part, (name, value) in _PARTS.items() if flags & part}
    if flags & Modification.USER_PASSWORD:
        changes["user_password_enabled"] = bool(param.user_password)
    if flags & Modification.REPLACE_PARAM and flags & Modification.MERGE_PARAM:
        raise MatchmakingError(Refusal.INVALID, "parameters both replaced and merged")
    if flags & Modification.REPLACE_PARAM:
        changes["param"] = {**param.param.param, **_own(session)}
    elif flags & Modification.MERGE_PARAM:
        changes["param"] = {**session.param, **param.param.param, **_own(session)}
    return changes


def whole_changes(session: MatchmakeSession, template: MatchmakeSession) -> dict[str, Any]:
    """Return the fields of a session that an update of the whole replaces, and their new values."""
    changes = {name: getattr(template, name) for name in _WHOLE}
    return {**changes, "param": {**template.param, **_own(session)}}


def _own(session: MatchmakeSession) -> dict[str, object]:
    """Return the parameters that the server wrote into a session: those stay."""
    return {name: value for name, value in session.param.items() if name.startswith(OWN_PARAM)}
