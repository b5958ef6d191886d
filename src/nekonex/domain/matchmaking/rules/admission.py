"""Who may come into a gathering: what is checked before anybody joins."""

from __future__ import annotations

import hmac
from collections.abc import Iterator
from dataclasses import dataclass

from nekonex.domain.matchmaking.model import (
    Community,
    Gathering,
    MatchmakeSession,
    ParticipationPolicy,
)
from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal
from nekonex.values import DateTime

__all__ = ["Credentials", "Relations", "admit", "objections"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What a player shows who wants to join."""

    user_password: str | None = None
    """None where a method has no room for passwords: then nothing with one is joined."""
    system_password: str | None = None
    community_password: str = ""
    ignore_block_list: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Relations:
    """What is known, at this moment, of a player's relations to others."""

    friends: frozenset[int] = frozenset()
    blocked: frozenset[int] = frozenset()
    """Whom the player blocked."""
    blocked_by_participant: bool = False


def admit(
    gathering: Gathering, pid: int, shown: Credentials, relations: Relations, now: DateTime
) -> None:
    """Refuse who may not join. Raises MatchmakingError, the first of the `objections`."""
    for error in objections(gathering, pid, shown, relations, now):
        raise error


def objections(
    gathering: Gathering, pid: int, shown: Credentials, relations: Relations, now: DateTime
) -> Iterator[MatchmakingError]:
    """Say everything that keeps a player from joining, whether there is room or not."""
    if isinstance(gathering, MatchmakeSession) and not gathering.open_participation:
        yield MatchmakingError(Refusal.CLOSED)
    if isinstance(gathering, Community):
        yield from _community_objections(gathering, shown, now)
    if gathering.policy == ParticipationPolicy.FRIENDS and gathering.owner not in {
        pid,
        *relations.friends,
    }:
        yield MatchmakingError(Refusal.NOT_FRIEND, f"PID {gathering.owner}")
    if isinstance(gathering, MatchmakeSession):
        yield from _password_objections(gathering, shown)
    if not shown.ignore_block_list:
        blocked = [other for other in gathering.pids if other in relations.blocked]
        if blocked:
            yield MatchmakingError(Refusal.BLOCKED, f"PID {blocked[0]}")
        if relations.blocked_by_participant:
            yield MatchmakingError(Refusal.BLOCKED_BY_PARTICIPANT)


def _community_objections(
    community: Community, shown: Credentials, now: DateTime
) -> Iterator[MatchmakingError]:
    if not community.is_open_at(now):
        yield MatchmakingError(Refusal.OUTSIDE_PERIOD)
    if community.password and not _same(community.password, shown.community_password):
        yield MatchmakingError(Refusal.WRONG_COMMUNITY_PASSWORD)


def _password_objections(
    session: MatchmakeSession, shown: Credentials
) -> Iterator[MatchmakingError]:
    if shown.user_password is None or shown.system_password is None:
        if session.has_password:
            yield MatchmakingError(Refusal.NEEDS_PASSWORD)
        return
    if session.user_password_enabled and not _same(session.user_password, shown.user_password):
        yield MatchmakingError(Refusal.WRONG_USER_PASSWORD)
    if session.system_password and not _same(session.system_password, shown.system_password):
        yield MatchmakingError(Refusal.WRONG_SYSTEM_PASSWORD)


def _same(expected: str, shown: str) -> bool:
    # In constant time, so that a password cannot be guessed letter by letter.
    return hmac.compare_digest(
        expected.encode("utf-8", "surrogatepass"), shown.encode("utf-8", "surrogatepass")
    )
