"""Coming and going: what joining, leaving and vanishing make of a gathering.

Pure functions of a gathering, to be applied by a store (`nekonex.domain.matchmaking.ports`). The
rules are those of nex-protocols-common-go as the nintendo-wiki tells them, except where they
leave a gathering with somebody at its head who is gone; each such place says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import TypeVar

from nekonex.domain.matchmaking.model import Community, Gathering, GatheringFlag, Participant
from nekonex.domain.matchmaking.notices import (
    TELL_ALL,
    Event,
    Notice,
    about,
    told_of_participation,
)
from nekonex.domain.matchmaking.ports import Outcome
from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal

__all__ = [
    "Online",
    "hosted_by",
    "join",
    "joined_notices",
    "keeps_absent",
    "leave",
    "lose_owner",
    "stays_when_empty",
    "vanish",
]

G = TypeVar("G", bound=Gathering)

Online = Callable[[int], bool]
"""Tells of a principal id whether its player is connected."""

_STAYS_WHEN_EMPTY = GatheringFlag.PERSISTENT | GatheringFlag.MAY_BE_EMPTY


def join(
    gathering: G,
    arrivals: Sequence[Participant],
    *,
    caller: int,
    returning: Callable[[Participant], bool],
) -> Outcome[G]:
    """Let consoles come in, all of them or none.

    Those besides ``caller`` are told that it brought them (SWITCH_GATHERING). A participant for
    whom ``returning`` is true has lost its connection, and takes part with a new one from now on.

    Raises MatchmakingError: ALREADY_PARTICIPATING, FULL.
    """
    lost = {known.pid for known in gathering.participants if returning(known)}
    coming = {arrival.pid for arrival in arrivals}
    if len(coming) < len(arrivals):
        raise MatchmakingError(Refusal.ALREADY_PARTICIPATING)
    for arrival in arrivals:
        if arrival.pid not in lost and gathering.participant(arrival.pid):
            raise MatchmakingError(Refusal.ALREADY_PARTICIPATING, f"PID {arrival.pid}")
    staying = [known for known in gathering.participants if known.pid not in coming]
    taken = sum([known.count for known in (*staying, *arrivals)])
    if gathering.max_participants and taken > gathering.max_participants:
        raise MatchmakingError(
            Refusal.FULL, f"{taken} places needed, {gathering.max_participants} there are"
        )
    host = gathering.host
    if not host and arrivals and not isinstance(gathering, Community):
        # Left behind by the last host of a gathering that stays when empty.
        host = arrivals[0].pid
    after = replace(gathering, host=host, participants=(*staying, *arrivals))
    return Outcome(after, joined_notices(after, arrivals, caller=caller))


def joined_notices(
    after: Gathering, arrivals: Sequence[Participant], *, caller: int
) -> tuple[Notice, ...]:
    """Return what is told when ``arrivals``, the last of the participants, have come in."""
    switched = [
        about(Event.SWITCH_GATHERING, after, [arrival.pid], source=caller, param2=arrival.pid)
        for arrival in arrivals
        if arrival.pid != caller
    ]
    return (*switched, *_joined_notices(after, arrivals))


def _joined_notices(after: Gathering, arrivals: Sequence[Participant]) -> Iterable[Notice]:
    total = after.places_taken
    told = told_of_participation(after)
    present = list(after.pids[: -len(arrivals)])
    told_to_all = after.has(TELL_ALL)

    def joined(recipients: Iterable[int], arrival: Participant, who: int) -> Notice:
        return about(
            Event.JOINED,
            after,
            recipients,
            source=arrival.pid,
            param2=who,
            param3=total,
            text=arrival.message,
        )

    for arrival in arrivals:
        if told_to_all or arrival.pid != after.owner:
            yield joined(told, arrival, arrival.pid)
        if after.has(GatheringFlag.NOTIFY_ALL_REPRODUCIBLY):
            for pid in present:
                yield joined([arrival.pid], arrival, pid)
        present.append(arrival.pid)


def leave(
    gathering: G, pid: int, *, online: Online, event: Event = Event.ENDED, message: str = ""
) -> Outcome[G]:
    """Let a participant go, with all its places, and hand over what it was.

    ``event`` is what the others are told: ENDED, CANCELLED or DISCONNECTED.

    Raises MatchmakingError: NOT_PARTICIPATING.
    """
    if gathering.participant(pid) is None:
        raise MatchmakingError(Refusal.NOT_PARTICIPATING, f"PID {pid}")
    remaining = tuple(known for known in gathering.participants if known.pid != pid)
    after = replace(gathering, participants=remaining)
    if stays_when_empty(gathering):
        # Nobody is told and the owner stays. The host does not, unlike in
        # nex-protocols-common-go: joiners would be given the URLs of somebody who is gone.
        return Outcome(_with_connected_host(after, pid, online))
    if not remaining:
        return Outcome(None)
    notices: list[Notice] = []
    if pid == gathering.owner:
        handed_over = _lose_owner(after, pid, online)
        if handed_over.after is None:
            return handed_over
        after = handed_over.after
        notices += handed_over.notices
    if pid == gathering.host:
        after = _with_living_host(after, pid, online)
        notices.append(about(Event.HOST_CHANGED, after, after.pids, source=pid))
    told = told_of_participation(after)
    notices.append(about(event, after, told, source=pid, param2=pid, text=message))
    return Outcome(after, tuple(notices))


def vanish(gathering: G, pid: int, *, online: Online) -> Outcome[G]:
    """Let a participant go whose connection has ended, unless the gathering keeps the absent.

    None of the absent is its host, or it would not be found until they are back.

    Raises MatchmakingError: NOT_PARTICIPATING.
    """
    if keeps_absent(gathering) and gathering.participant(pid):
        return Outcome(_with_connected_host(gathering, pid, online))
    return leave(gathering, pid, online=online, event=Event.DISCONNECTED)


def keeps_absent(gathering: Gathering) -> bool:
    """Tell whether participants stay in a gathering when their connections have ended."""
    return gathering.has(GatheringFlag.PERSISTENT) or (
        isinstance(gathering, Community)
        and not gathering.has(GatheringFlag.NO_PERSISTENT_PARTICIPATION)
    )


def stays_when_empty(gathering: Gathering) -> bool:
    """Tell whether a gathering does not end with its last participant."""
    return gathering.has(_STAYS_WHEN_EMPTY)


def lose_owner(gathering: G, pid: int, *, online: Online) -> Outcome[G]:
    """Let an owner go who does not take part: it registered the gathering and never joined."""
    if gathering.owner != pid or gathering.participant(pid):
        return Outcome(gathering)
    if stays_when_empty(gathering):
        return Outcome(_with_connected_host(gathering, pid, online))
    if not gathering.participants:
        return Outcome(None)
    outcome = _lose_owner(gathering, pid, online)
    if outcome.after is None or outcome.after.host != pid:
        return outcome
    after = _with_living_host(outcome.after, pid, online)
    changed = about(Event.HOST_CHANGED, after, after.pids, source=pid)
    return Outcome(after, (*outcome.notices, changed))


def _lose_owner(gathering: G, pid: int, online: Online) -> Outcome[G]:
    """Hand the ownership over to the oldest participant, or end the gathering."""
    if not gathering.has(GatheringFlag.MIGRATE_OWNER):
        ended = about(Event.UNREGISTERED, gathering, gathering.pids, source=pid)
        return Outcome(None, (ended,))
    owner = _oldest(gathering.participants, online)
    after = replace(gathering, owner=owner)
    return Outcome(
        after, (about(Event.OWNER_CHANGED, after, after.pids, source=pid, param2=owner),)
    )


def _with_living_host(gathering: G, gone: int, online: Online) -> G:
    """Make the owner host in place of one who is gone, or else the oldest participant."""
    if gathering.host != gone or isinstance(gathering, Community):
        return gathering
    others = [known for known in gathering.participants if known.pid != gone]
    if gathering.owner in [known.pid for known in others]:
        return hosted_by(gathering, gathering.owner)
    return hosted_by(gathering, _oldest(others, online))


def _with_connected_host(gathering: G, gone: int, online: Online) -> G:
    """Make somebody host who is connected in place of one who is gone but stays; or nobody."""
    if gathering.host != gone or isinstance(gathering, Community):
        return gathering
    connected = [pid for pid in gathering.pids if pid != gone and online(pid)]
    if gathering.owner in connected:
        return hosted_by(gathering, gathering.owner)
    return hosted_by(gathering, connected[0] if connected else 0)


def hosted_by(gathering: G, pid: int) -> G:
    """Make a player host; where the session is, is known no more if the host is another."""
    url = gathering.session_url if pid == gathering.host else ""
    return replace(gathering, host=pid, session_url=url)


def _oldest(participants: Collection[Participant], online: Online) -> int:
    """Return who came first of those who are connected, or of all if nobody is; 0 for none."""
    pids = [participant.pid for participant in participants]
    return next((pid for pid in pids if online(pid)), pids[0] if pids else 0)
