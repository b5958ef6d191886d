"""Gatherings of the wire as gatherings of the rules, and back.

The structures and the domain's values have the same names: ``wire.MatchmakeSession`` is what
travels, `MatchmakeSession` what the rules know; search criteria become queries. Nothing is judged
here: whatever a console can send can be represented, so that the rules can refuse it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypedDict, cast

from nekonex.domain.matchmaking import (
    Community,
    Gathering,
    MatchmakeSession,
    MatchmakingError,
    NumberFilter,
    Participant,
    Refusal,
    Selection,
    SessionQuery,
    parse_filter,
)
from nekonex.domain.matchmaking.model import ATTRIBUTE_COUNT, RATING_ATTRIBUTE
from nekonex.domain.matchmaking.search.query import parse_number
from nekonex.nex import structures as wire
from nekonex.wire import Structure, UnknownData, V, Variant, WireContext

__all__ = [
    "community_of",
    "community_to_wire",
    "gathering_of",
    "gathering_to_wire",
    "participant_to_wire",
    "plain_of",
    "plain_to_wire",
    "query_of",
    "session_of",
    "session_to_wire",
]

_PASSWORD_FLAG: Final = V("3.8", key="matchmaking")
"""Since when consoles say whether a session has a user password."""

_SELECTIONS: Final[dict[int, Selection]] = {
    0: Selection.RANDOM,
    1: Selection.NEAREST,
    2: Selection.BROADEN,
    3: Selection.PROGRESS,
    4: Selection.BROADEN_PROGRESS,
}
"""By selection method. 5 orders by a score that no public source explains: at random here."""

_NOTHING: Final[frozenset[int]] = frozenset()


class _Common(TypedDict):
    """What all gatherings have, as the domain names it."""

    gid: int
    owner: int
    host: int
    min_participants: int
    max_participants: int
    policy: int
    policy_argument: int
    flags: int
    state: int
    description: str


class _WireCommon(TypedDict):
    """The same as the structures name it."""

    id: int
    owner: int
    host: int
    min_participants: int
    max_participants: int
    participation_policy: int
    policy_argument: int
    flags: int
    state: int
    description: str


def gathering_of(value: Structure | UnknownData, context: WireContext) -> Gathering:
    """Return what a data holder contains, as the kind of gathering that it is.

    Raises MatchmakingError (INVALID) if it is none.
    """
    match value:
        case wire.MatchmakeSession():
            return session_of(value, context)
        case wire.PersistentGathering():
            return community_of(value)
        case wire.Gathering():
            return plain_of(value)
        case UnknownData(name=name):
            raise MatchmakingError(Refusal.INVALID, f"no known gathering is named {name[:64]!r}")
        case _:
            raise MatchmakingError(Refusal.INVALID, f"{type(value).__name__} is no gathering")


def plain_of(structure: wire.Gathering) -> Gathering:
    """Return a gathering that nobody takes part in yet; its ids are as the console sent them."""
    return Gathering(**_common_of(structure))


def session_of(structure: wire.MatchmakeSession, context: WireContext) -> MatchmakeSession:
    """Return a session that nobody takes part in yet; its ids are as the console sent them.

    Before NEX 3.8 a console says that there is a user password by sending one.
    """
    has_flag = _PASSWORD_FLAG.holds(context.version_of)
    return MatchmakeSession(
        **_common_of(structure),
        game_mode=structure.game_mode,
        attributes=tuple(structure.attribs),
        open_participation=structure.open_participation,
        matchmake_system=structure.matchmake_system,
        application_data=structure.application_data,
        progress_score=structure.progress_score,
        session_key=structure.session_key,
        option=structure.option,
        param=dict(structure.param.param),
        started_time=structure.started_time,
        user_password=structure.user_password,
        user_password_enabled=(
            structure.user_password_enabled if has_flag else bool(structure.user_password)
        ),
        refer_gid=structure.refer_gid,
        codeword=structure.codeword,
    )


def community_of(structure: wire.PersistentGathering) -> Community:
    """Return a community without members; its ids are as the console sent them."""
    return Community(
        **_common_of(structure),
        type=structure.type,
        password=structure.password,
        attributes=tuple(structure.attribs),
        application_data=structure.application_buffer,
        participation_start=structure.participation_start,
        participation_end=structure.participation_end,
    )


def gathering_to_wire(gathering: Gathering, *, secrets: bool) -> wire.Gathering:
    """Return the structure of a gathering of any kind; see the functions for each kind.

    The counts of a community are 0.
    """
    match gathering:
        case MatchmakeSession():
            return session_to_wire(gathering, secrets=secrets)
        case Community():
            return community_to_wire(gathering, secrets=secrets)
        case _:
            return plain_to_wire(gathering)


def plain_to_wire(gathering: Gathering) -> wire.Gathering:
    """Return what all kinds of gatherings have."""
    return wire.Gathering(**_common_to_wire(gathering))


def session_to_wire(session: MatchmakeSession, *, secrets: bool) -> wire.MatchmakeSession:
    """Return the structure of a session.

    Without ``secrets`` its session key and user password are empty: for who does not take part.
    The system password is never in it.
    """
    return wire.MatchmakeSession(
        **_common_to_wire(session),
        game_mode=session.game_mode,
        attribs=list(session.attributes),
        open_participation=session.open_participation,
        matchmake_system=session.matchmake_system,
        application_data=session.application_data,
        num_participants=session.places_taken,
        progress_score=session.progress_score,
        session_key=session.session_key if secrets else b"",
        option=session.option,
        # The domain keeps what `session_of` gave it, without looking at it.
        param=wire.MatchmakeParam(cast("dict[str, Variant]", dict(session.param))),
        started_time=session.started_time,
        user_password=session.user_password if secrets else "",
        refer_gid=session.refer_gid,
        user_password_enabled=session.user_password_enabled,
        system_password_enabled=bool(session.system_password),
        codeword=session.codeword,
    )


def community_to_wire(
    community: Community,
    *,
    secrets: bool,
    matchmake_session_count: int = 0,
    num_participants: int = 0,
) -> wire.PersistentGathering:
    """Return the structure of a community.

    Without ``secrets`` its password is empty: for who does not own it. The counts are how many
    sessions it has now, and how often whoever asks took part in one.
    """
    return wire.PersistentGathering(
        **_common_to_wire(community),
        type=community.type,
        password=community.password if secrets else "",
        attribs=list(community.attributes),
        application_buffer=community.application_data,
        participation_start=community.participation_start,
        participation_end=community.participation_end,
        matchmake_session_count=matchmake_session_count,
        num_participants=num_participants,
    )


def participant_to_wire(participant: Participant, name: str) -> wire.ParticipantDetails:
    """Return the structure of a participant, whose name the domain does not know."""
    return wire.ParticipantDetails(participant.pid, name, participant.message, participant.count)


def query_of(
    criteria: wire.MatchmakeSessionSearchCriteria, gids: Iterable[int] | None = None
) -> SessionQuery:
    """Return what criteria ask for, among ``gids`` if these are given.

    Where the order is by rating, attribute 1 is the rating to start from; criteria without a
    plain number there find nothing, and so do those with conditions for attributes that sessions
    do not have. The criteria's own range and parameters are not part of the query.
    """
    selection = _SELECTIONS.get(criteria.selection_method, Selection.RANDOM)
    only = None if gids is None else frozenset(gids)
    if any(criteria.attribs[ATTRIBUTE_COUNT:]):
        only = _NOTHING
    return SessionQuery(
        game_mode=parse_filter(criteria.game_mode),
        matchmake_system=parse_filter(criteria.matchmake_system),
        min_participants=parse_filter(criteria.min_participants),
        max_participants=parse_filter(criteria.max_participants),
        attributes=_attributes_of(criteria.attribs),
        places=max(criteria.vacant_participants, 1) if criteria.vacant_only else 0,
        open_only=criteria.exclude_locked,
        hosted_only=criteria.exclude_non_host_pid,
        without_user_password=criteria.exclude_user_password,
        without_system_password=criteria.exclude_system_password,
        refer_gid=criteria.refer_gid,
        codeword=criteria.codeword,
        gids=only,
        selection=selection,
        rating=_rating_of(criteria.attribs) if selection.by_rating else 0,
    )


def _common_of(structure: wire.Gathering) -> _Common:
    return {
        "gid": structure.id,
        "owner": structure.owner,
        "host": structure.host,
        "min_participants": structure.min_participants,
        "max_participants": structure.max_participants,
        "policy": structure.participation_policy,
        "policy_argument": structure.policy_argument,
        "flags": structure.flags,
        "state": structure.state,
        "description": structure.description,
    }


def _common_to_wire(gathering: Gathering) -> _WireCommon:
    return {
        "id": gathering.gid,
        "owner": gathering.owner,
        "host": gathering.host,
        "min_participants": gathering.min_participants,
        "max_participants": gathering.max_participants,
        "participation_policy": gathering.policy,
        "policy_argument": gathering.policy_argument,
        "flags": gathering.flags,
        "state": gathering.state,
        "description": gathering.description,
    }


def _attributes_of(attribs: list[str]) -> tuple[NumberFilter | None, ...]:
    """Return what is wanted of each of the six attributes; any of those that are not there."""
    wanted = [parse_filter(text) for text in attribs[:ATTRIBUTE_COUNT]]
    return (*wanted, *[None] * (ATTRIBUTE_COUNT - len(wanted)))


def _rating_of(attribs: list[str]) -> int | None:
    """Return the rating that criteria start from; None unless it is one number."""
    return parse_number(attribs[RATING_ATTRIBUTE]) if len(attribs) > RATING_ATTRIBUTE else None
