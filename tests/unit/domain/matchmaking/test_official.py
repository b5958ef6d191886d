"""Communities that an operator makes."""

from __future__ import annotations

from typing import Any

import pytest

from nekonex.domain.matchmaking import Community, CommunityType, GatheringFlag, official_community
from nekonex.values import DateTime

NOW = 1_700_000_000.0
HOUR = 3600.0


def test_a_community_with_a_name_and_nothing_else() -> None:
    assert official_community("Friday Cup", now=NOW) == Community(
        owner=2,
        flags=GatheringFlag.PERSISTENT | GatheringFlag.MAY_BE_EMPTY,
        description="Friday Cup",
        registered=NOW,
        type=CommunityType.OFFICIAL,
        attributes=(0, 0, 0, 0, 0, 0),
    )


def test_everything_that_an_operator_can_say() -> None:
    made = official_community(
        "ネコ" * 128,
        now=NOW,
        owner=2**32 - 1,
        attributes={5: 2**32 - 1, 0: 7},
        start=NOW - HOUR,
        end=NOW + HOUR,
        max_participants=65535,
        password="p" * 32,
        application_data=bytes(512),
    )
    assert (made.owner, made.attributes) == (2**32 - 1, (7, 0, 0, 0, 0, 2**32 - 1))
    assert made.participation_start == DateTime.from_timestamp(NOW - HOUR)
    assert made.participation_end == DateTime.from_timestamp(NOW + HOUR)
    assert (made.max_participants, made.password) == (65535, "p" * 32)
    assert (made.application_data, made.description) == (bytes(512), "ネコ" * 128)
    assert (made.host, made.participants) == (0, ())


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"description": ""}, "a description must not be empty"),
        ({"description": "x" * 257}, "a description has at most 256 characters, this one has 257"),
        ({"description": "a\0b"}, "a description has characters that consoles cannot be sent"),
        ({"description": "\udcff"}, "a description has characters that consoles cannot be sent"),
        ({"password": "p" * 33}, "a password has at most 32 characters, this one has 33"),
        ({"password": "\0"}, "a password has characters that consoles cannot be sent"),
        ({"owner": 0}, "the PID of an owner is between 1 and 4294967295, not 0"),
        ({"owner": 2**32}, "the PID of an owner is between 1 and 4294967295, not 4294967296"),
        ({"max_participants": -1}, "a maximum of members is between 0 and 65535, not -1"),
        ({"max_participants": 65536}, "a maximum of members is between 0 and 65535, not 65536"),
        ({"attributes": {6: 1}}, "the index of an attribute is between 0 and 5, not 6"),
        ({"attributes": {-1: 1}}, "the index of an attribute is between 0 and 5, not -1"),
        ({"attributes": {0: 2**32}}, "attribute 0 is between 0 and 4294967295, not 4294967296"),
        ({"application_data": bytes(513)}, "the data has at most 512 bytes, not 513"),
        ({"end": NOW}, "the period is over"),
        ({"start": NOW + HOUR, "end": NOW + HOUR}, "the period ends before it begins"),
    ],
)
def test_what_no_community_has_is_refused(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=f"^{sentence}$"):
        official_community(**{"description": "cup", "now": NOW, **wrong})


def test_a_period_may_lie_ahead_or_have_begun() -> None:
    ahead = official_community("cup", now=NOW, start=NOW + HOUR)
    begun = official_community("cup", now=NOW, start=1.0, end=NOW + 1)
    now = DateTime.from_timestamp(NOW)
    assert not ahead.is_open_at(now)
    assert begun.is_open_at(now)
