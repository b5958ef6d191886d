"""What owners and hosts may change of a gathering: pure functions, to be applied by a store."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final, TypeVar

from nekonex.domain.matchmaking.model import (
    Community,
    Gathering,
    GatheringFlag,
    MatchmakeSession,
)
from nekonex.domain.matchmaking.notices import Event, about
from nekonex.domain.matchmaking.ports import Outcome
from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal
from nekonex.domain.matchmaking.rules.participation import Online, hosted_by

__all__ = [
    "MAX_LOCAL_URLS",
    "STARTED",
    "add_local_urls",
    "change_host",
    "launch",
    "migrate_owner",
    "set_attribute",
    "set_session_url",
    "set_system_password",
    "take_ownership",
    "unregister",
    "update",
]

G = TypeVar("G", bound=Gathering)

STARTED: Final = 2
"""The state of a launched session; a guess of the nintendo-wiki."""
MAX_LOCAL_URLS: Final = 8
"""How many more URLs a participant may have in one gathering; older ones give way."""


def unregister(gathering: G, caller: int) -> Outcome[G]:
    """End a gathering. Raises MatchmakingError (NOT_OWNER)."""
    _must_own(gathering, caller)
    return Outcome(None, (about(Event.UNREGISTERED, gathering, gathering.pids, source=caller),))


def update(gathering: G, caller: int, change: Callable[[G], Mapping[str, Any]]) -> Outcome[G]:
    """Let the owner change fields of a gathering.

    ``change`` is given the gathering, may refuse it, and returns the new values by name.

    Raises MatchmakingError (NOT_OWNER).
    """
    _must_own(gathering, caller)
    return Outcome(replace(gathering, **change(gathering)))


def set_attribute(session: MatchmakeSession, index: int, value: int) -> dict[str, Any]:
    """Return the change of one attribute. Raises MatchmakingError (INVALID_INDEX)."""
    if not 0 <= index < len(session.attributes):
        raise MatchmakingError(Refusal.INVALID_INDEX, f"attribute {index}")
    attributes = list(session.attributes)
    attributes[index] = value
    return {"attributes": tuple(attributes)}


def set_system_password(
    session: MatchmakeSession, caller: int, password: str
) -> Outcome[MatchmakeSession]:
    """Set the system password, or clear it with "", and tell all participants.

    Raises MatchmakingError (NOT_OWNER).
    """
    _must_own(session, caller)
    after = replace(session, system_password=password)
    event = Event.SYSTEM_PASSWORD_SET if password else Event.SYSTEM_PASSWORD_CLEARED
    return Outcome(after, (about(event, after, after.pids, source=caller, text=password),))


def launch(gathering: G, caller: int, url: str) -> Outcome[G]:
    """Start the session of a gathering, and tell all but the owner.

    Raises MatchmakingError: NOT_OWNER, INVALID_OPERATION for a community.
    """
    _must_own(gathering, caller)
    _must_have_host(gathering)
    after = replace(gathering, state=STARTED, session_url=url)
    told = [pid for pid in after.pids if pid != after.owner]
    return Outcome(after, (about(Event.SESSION_LAUNCHED, after, told, source=caller),))


def set_session_url(gathering: G, caller: int, url: str) -> Outcome[G]:
    """Let a participant become host with a URL.

    Raises MatchmakingError: NOT_ALLOWED for others, INVALID_OPERATION for a community.
    """
    _must_participate(gathering, caller)
    _must_have_host(gathering)
    return Outcome(replace(gathering, host=caller, session_url=url))


def change_host(gathering: G, caller: int, *, and_owner: bool | None) -> Outcome[G]:
    """Let a participant become host, which works while the old one is still there.

    ``and_owner`` is whether it becomes owner too; None: if the flags permit it. Nobody is told
    of the new host, as by nex-protocols-common-go: consoles that lost theirs ask for it.

    Raises MatchmakingError: NOT_ALLOWED for others than participants; INVALID_OPERATION if it is
    to become owner and the flags do not permit that, and for a community.
    """
    _must_participate(gathering, caller)
    _must_have_host(gathering)
    may_own = gathering.has(GatheringFlag.CHANGE_OWNER_WITH_HOST)
    if and_owner and not may_own:
        raise MatchmakingError(Refusal.INVALID_OPERATION)
    after = hosted_by(gathering, caller)
    if and_owner is False or not may_own:
        return Outcome(after)
    return _owned_by(after, caller, source=caller)


def take_ownership(gathering: G, caller: int) -> Outcome[G]:
    """Let a participant become owner, if the flags permit it.

    Not of a community: its owner does not come and go, so nobody has to step in.

    Raises MatchmakingError: NOT_ALLOWED for others than participants, INVALID_OPERATION.
    """
    _must_participate(gathering, caller)
    _must_have_host(gathering)
    if not gathering.has(GatheringFlag.CHANGE_OWNER_WITH_HOST):
        raise MatchmakingError(Refusal.INVALID_OPERATION)
    return _owned_by(gathering, caller, source=gathering.owner)


def migrate_owner(
    gathering: G, caller: int, candidates: Sequence[int], *, participants_only: bool, online: Online
) -> Outcome[G]:
    """Hand the ownership over to the first candidate who is connected.

    Raises MatchmakingError: NOT_OWNER; NOT_PARTICIPATING if no candidate comes into question;
    OFFLINE if all who do are offline.
    """
    _must_own(gathering, caller)
    eligible = [pid for pid in candidates if not participants_only or gathering.participant(pid)]
    if not eligible:
        raise MatchmakingError(Refusal.NOT_PARTICIPATING, "no candidate comes into question")
    owner = next((pid for pid in eligible if online(pid)), None)
    if owner is None:
        raise MatchmakingError(Refusal.OFFLINE, "all candidates")
    return _owned_by(gathering, owner, source=caller)


def add_local_urls(gathering: G, caller: int, urls: Sequence[str]) -> Outcome[G]:
    """Remember where else a participant can be reached; the last ones, if they are too many.

    Nothing changes for a host who does not take part, and in a community: nobody is reached
    through it.

    Raises MatchmakingError (NOT_ALLOWED) for others.
    """
    participant = gathering.participant(caller)
    if participant is None and caller != gathering.host:
        raise MatchmakingError(Refusal.NOT_ALLOWED, "only participants may do that")
    if participant is None or isinstance(gathering, Community):
        return Outcome(gathering)
    kept = [url for url in participant.local_urls if url not in urls]
    changed = replace(participant, local_urls=(*kept, *dict.fromkeys(urls))[-MAX_LOCAL_URLS:])
    participants = tuple(
        changed if known.pid == caller else known for known in gathering.participants
    )
    return Outcome(replace(gathering, participants=participants))


def _owned_by(gathering: G, owner: int, *, source: int) -> Outcome[G]:
    old = gathering.owner
    after = replace(gathering, owner=owner)
    notices = [about(Event.OWNER_CHANGED, after, after.pids, source=source, param2=owner)]
    if after.host == old and not after.participant(old):
        # It registered the gathering and never joined, so from now on nobody would notice when
        # it goes.
        after = hosted_by(after, owner)
        notices.append(about(Event.HOST_CHANGED, after, after.pids, source=old))
    return Outcome(after, tuple(notices))


def _must_own(gathering: Gathering, pid: int) -> None:
    if gathering.owner != pid:
        raise MatchmakingError(Refusal.NOT_OWNER, f"that is PID {gathering.owner}")


def _must_have_host(gathering: Gathering) -> None:
    if isinstance(gathering, Community):
        raise MatchmakingError(Refusal.INVALID_OPERATION, "a community has no host")


def _must_participate(gathering: Gathering, pid: int) -> None:
    if gathering.participant(pid) is None:
        raise MatchmakingError(Refusal.NOT_ALLOWED, "only participants may do that")
