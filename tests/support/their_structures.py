"""Structures of NintendoClients with values, as its consoles send them."""

from __future__ import annotations

from typing import Any

from nintendo.nex import common, matchmaking

__all__ = [
    "all_of",
    "auto_param",
    "community",
    "create_param",
    "criteria",
    "join_param",
    "part",
    "session",
    "update_param",
]


def session(**fields: Any) -> Any:
    """Return the template of a session for up to 12 players."""
    made = matchmaking.MatchmakeSession()
    for name, value in {"max_participants": 12, "progress_score": 0, **fields}.items():
        setattr(made, name, value)
    return made


def criteria(**fields: Any) -> Any:
    """Return criteria that any session fulfils which has a free place and is open."""
    made = matchmaking.MatchmakeSessionSearchCriteria()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def all_of(cls: Any, **fields: Any) -> Any:
    """Return a parameter of theirs, for which every field must have a value."""
    made = cls()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def auto_param(template: Any, **fields: Any) -> Any:
    """Return the parameter of auto-matchmaking."""
    given = {
        "session": template,
        "participants": [],
        "gid_for_participation_check": 0,
        "options": 0,
        "join_message": "",
        "num_participants": 1,
        "search_criteria": [],
        "target_gids": [],
    }
    return all_of(matchmaking.AutoMatchmakeParam, **{**given, **fields})


def create_param(template: Any, **fields: Any) -> Any:
    """Return the parameter of creating; what is not given is left out of account."""
    given = {
        "session": template,
        "additional_participants": [],
        "gid_for_participation_check": 0,
        "options": 0,
        "join_message": "",
        "num_participants": 1,
    }
    return all_of(matchmaking.CreateMatchmakeSessionParam, **{**given, **fields})


def join_param(gid: int, **fields: Any) -> Any:
    """Return the parameter of joining."""
    given = {
        "gid": gid,
        "participants": [],
        "gid_for_participation_check": 0,
        "options": 0,
        "behavior": 0,
        "user_password": "",
        "system_password": "",
        "join_message": "",
        "num_participants": 1,
        "extra_participants": 0,
    }
    return all_of(matchmaking.JoinMatchmakeSessionParam, **{**given, **fields})


def update_param(gid: int, flags: int, **fields: Any) -> Any:
    """Return the parameter of changing parts of a session."""
    given = {
        "gid": gid,
        "modification_flags": flags,
        "attributes": [0] * 6,
        "open_participation": True,
        "application_buffer": b"",
        "progress_score": 0,
        "started_time": common.DateTime(0),
        "user_password": "",
        "game_mode": 0,
        "description": "",
        "min_participants": 0,
        "max_participants": 0,
        "matchmake_system": 0,
        "participation_policy": 0,
        "policy_argument": 0,
        "codeword": "",
    }
    return all_of(matchmaking.UpdateMatchmakeSessionParam, **{**given, **fields})


def community(**fields: Any) -> Any:
    """Return the template of an open community."""
    given = {
        "flags": 0,
        "type": 0,
        "password": "",
        "attribs": [0] * 6,
        "application_buffer": b"",
        "participation_start": common.DateTime(0),
        "participation_end": common.DateTime(0),
        "matchmake_session_count": 0,
        "num_participants": 0,
    }
    return all_of(matchmaking.PersistentGathering, **{**given, **fields})


def part(offset: int = 0, size: int = 100) -> Any:
    """Return which part of the results is wanted."""
    return common.ResultRange(offset, size)
