"""What participants are told about their gathering, and who of them.

Types and parameters as in the nintendo-wiki's table of notification events; where it is silent,
as nex-protocols-common-go sends them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

from nekonex.domain.matchmaking.model import Gathering, GatheringFlag
from nekonex.domain.players import Notification

__all__ = ["MAX_TEXT", "TELL_ALL", "Event", "Notice", "about", "told_of_participation"]

MAX_TEXT: Final = 256
"""Characters of a notification's text; what is longer is cut."""


TELL_ALL: Final = GatheringFlag.NOTIFY_ALL | GatheringFlag.NOTIFY_ALL_REPRODUCIBLY
"""Flags of gatherings that tell all participants who comes and goes, not only the owner."""


class Event(IntEnum):
    """Types of notifications about gatherings: category x 1000 + subtype."""

    SESSION_LAUNCHED = 2000
    JOINED = 3001
    CANCELLED = 3002
    DISCONNECTED = 3007
    ENDED = 3008
    OWNER_CHANGED = 4000
    UNREGISTERED = 109000
    HOST_CHANGED = 110000
    FRIEND_OFFLINE = 111000
    SYSTEM_PASSWORD_SET = 120000
    SYSTEM_PASSWORD_CLEARED = 121000
    SWITCH_GATHERING = 122000


@dataclass(frozen=True, slots=True)
class Notice:
    """A notification, and the principal ids of those who are to get it."""

    recipients: tuple[int, ...]
    notification: Notification


def about(
    event: Event,
    gathering: Gathering,
    recipients: Iterable[int],
    *,
    source: int,
    param2: int = 0,
    param3: int = 0,
    text: str = "",
) -> Notice:
    """Make a notice; its first parameter is the gathering."""
    return Notice(
        tuple(recipients),
        Notification(
            event,
            source_pid=source,
            param1=gathering.gid,
            param2=param2,
            param3=param3,
            text=text[:MAX_TEXT],
        ),
    )


def told_of_participation(gathering: Gathering) -> tuple[int, ...]:
    """Return who learns that somebody came or went: the owner, or all, as the flags say."""
    if gathering.has(TELL_ALL):
        return gathering.pids
    return (gathering.owner,) if gathering.owner else ()
