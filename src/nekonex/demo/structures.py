"""What consoles send in order to meet: NintendoClients' own structures, filled in."""

import contextlib
from typing import Any, Final

from nekonex.domain.matchmaking import GatheringFlag

with contextlib.suppress(ImportError):  # `check_clients` says how to get it
    from nintendo.nex import common, matchmaking

__all__ = [
    "FLAGS",
    "community",
    "create_param",
    "criteria",
    "first_results",
    "join_param",
    "room",
]

FLAGS: Final = int(GatheringFlag.MIGRATE_OWNER | GatheringFlag.NOTIFY_ALL)
"""A room outlives its owner, and everybody in it hears who comes and goes."""


def room(**fields: Any) -> Any:
    """Return a session for up to 12 players, to be made or to be looked for."""
    return _filled(
        matchmaking.MatchmakeSession(),
        {"max_participants": 12, "matchmake_system": 1, "flags": FLAGS, **fields},
    )


def criteria(attribute: str = "", **fields: Any) -> Any:
    """Return what a session must be like; ``attribute`` is about the first of the six."""
    made = matchmaking.MatchmakeSessionSearchCriteria()
    made.attribs[0] = attribute
    return _filled(made, fields)


def first_results(count: int) -> Any:
    """Return which part of what is found is wanted."""
    return common.ResultRange(0, count)


def community(password: str) -> Any:
    """Return a community that takes a password to join."""
    always = common.DateTime(0)
    return _filled(
        matchmaking.PersistentGathering(),
        {
            "max_participants": 100,
            "type": 1,
            "password": password,
            "attribs": [0] * 6,
            "application_buffer": b"",
            "participation_start": always,
            "participation_end": always,
            "matchmake_session_count": 0,
            "num_participants": 0,
        },
    )


def create_param(session: Any) -> Any:
    """Return the parameter of making a session for one player."""
    return _filled(
        matchmaking.CreateMatchmakeSessionParam(),
        {
            "session": session,
            "additional_participants": [],
            "gid_for_participation_check": 0,
            "options": 0,
            "join_message": "",
            "num_participants": 1,
        },
    )


def join_param(gid: int, *, user_password: str = "", system_password: str = "") -> Any:
    """Return the parameter of joining a session with passwords, alone."""
    return _filled(
        matchmaking.JoinMatchmakeSessionParam(),
        {
            "gid": gid,
            "participants": [],
            "gid_for_participation_check": 0,
            "options": 0,
            "behavior": 0,
            "user_password": user_password,
            "system_password": system_password,
            "join_message": "",
            "num_participants": 1,
            "extra_participants": 0,
        },
    )


def _filled(structure: Any, fields: dict[str, Any]) -> Any:
    for name, value in fields.items():
        setattr(structure, name, value)
    return structure
