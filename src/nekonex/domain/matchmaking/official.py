"""Official communities: those that an operator makes, and no player."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from nekonex.domain.matchmaking.limits import (
    MAX_ATTRIBUTE_VALUE,
    MAX_BUFFER,
    MAX_TEXT,
    MAX_USER_PASSWORD,
)
from nekonex.domain.matchmaking.model import (
    ATTRIBUTE_COUNT,
    Community,
    CommunityType,
    GatheringFlag,
)
from nekonex.domain.special import MAX_PID, SECURE_SERVER_PID
from nekonex.values import DateTime

__all__ = ["MAX_PLACES", "OFFICIAL_FLAGS", "official_community"]

MAX_PLACES: Final = 0xFFFF
"""The largest maximum of members that consoles can be told of."""
OFFICIAL_FLAGS: Final = GatheringFlag.PERSISTENT | GatheringFlag.MAY_BE_EMPTY
"""What keeps a community that begins without members, and whose last member may leave."""


def official_community(
    description: str,
    *,
    now: float,
    owner: int = SECURE_SERVER_PID,
    attributes: Mapping[int, int] = MappingProxyType({}),
    start: float | None = None,
    end: float | None = None,
    max_participants: int = 0,
    password: str = "",
    application_data: bytes = b"",
) -> Community:
    """Return a new official community, to be stored.

    Times are POSIX seconds; without ``start`` and ``end`` it can always be joined. The owner is
    no member. By default it is the secure server's user, whom no player can be: what owners may
    do through the protocol, such as ending it, nobody can. ``attributes`` are by index, those
    that are not given are 0. A ``max_participants`` of 0 is any number, up to the game's limit.

    Raises ValueError, with a sentence for a person, for what a community cannot have.
    """
    _check_text("a description", description, MAX_TEXT)
    if not description:
        raise ValueError("a description must not be empty")
    _check_text("a password", password, MAX_USER_PASSWORD)
    _check_number("the PID of an owner", owner, 1, MAX_PID)
    _check_number("a maximum of members", max_participants, 0, MAX_PLACES)
    if len(application_data) > MAX_BUFFER:
        raise ValueError(f"the data has at most {MAX_BUFFER} bytes, not {len(application_data)}")
    if end is not None and end <= now:
        raise ValueError("the period is over")
    if start is not None and end is not None and end <= start:
        raise ValueError("the period ends before it begins")
    return Community(
        owner=owner,
        max_participants=max_participants,
        flags=OFFICIAL_FLAGS,
        description=description,
        registered=now,
        type=CommunityType.OFFICIAL,
        password=password,
        attributes=_attributes(attributes),
        application_data=application_data,
        participation_start=_date(start),
        participation_end=_date(end),
    )


def _attributes(given: Mapping[int, int]) -> tuple[int, ...]:
    values = [0] * ATTRIBUTE_COUNT
    for index, value in given.items():
        _check_number("the index of an attribute", index, 0, ATTRIBUTE_COUNT - 1)
        _check_number(f"attribute {index}", value, 0, MAX_ATTRIBUTE_VALUE)
        values[index] = value
    return tuple(values)


def _date(seconds: float | None) -> DateTime:
    return DateTime.never() if seconds is None else DateTime.from_timestamp(seconds)


def _check_number(what: str, value: int, least: int, most: int) -> None:
    if not least <= value <= most:
        raise ValueError(f"{what} is between {least} and {most}, not {value}")


def _check_text(what: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise ValueError(f"{what} has at most {limit} characters, this one has {len(text)}")
    # Consoles read a text up to its first NUL.
    if "\0" in text or any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError(f"{what} has characters that consoles cannot be sent")
