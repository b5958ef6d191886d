"""Conditions: which version and revision have a field."""

from __future__ import annotations

import pytest

from nekonex.settings import Version
from nekonex.wire import Condition, Rev, V

MAIN: dict[str | None, Version] = {None: (3, 10, 0), "ranking": (3, 4, 0)}


def version_of(key: str | None) -> Version:
    return MAIN[key]


@pytest.mark.parametrize(
    ("condition", "need", "floor"),
    [
        (V("3.10"), 0, 0),
        (V("3.9"), 0, 0),
        (V("3.11"), None, None),
        (V("3.10.1"), None, None),
        (V((3, 10)), 0, 0),
        (V("3.5", key="ranking"), None, None),
        (V("3.4", key="ranking"), 0, 0),
        (Rev(2), 2, 2),
        (V("3.6") & Rev(1), 1, 0),
        (Rev(1) & V("3.6"), 1, 0),
        (V("4.0") & Rev(1), None, None),
        (V("4.0") | Rev(1), 1, 1),
        (V("3.0") | Rev(1), 0, 0),
        ((V("3.6") & Rev(1)) | V("4.0"), 1, 0),
        ((V("3.0") & Rev(3)) | V("3.9"), 0, 0),
        (V("3.0") & V("3.5"), 0, 0),
        (Rev(1) & Rev(3), 3, 1),
        (V("4.0") | V("5.0"), None, None),
    ],
)
def test_conditions(condition: Condition, need: int | None, floor: int | None) -> None:
    assert condition.need(version_of) == need
    assert condition.floor(version_of) == floor


def test_3_10_is_later_than_3_9() -> None:
    assert V("3.10").version > V("3.9").version


@pytest.mark.parametrize("revision", [0, 256, -1])
def test_revisions_are_a_byte(revision: int) -> None:
    with pytest.raises(ValueError, match="1 to 255"):
        Rev(revision)


@pytest.mark.parametrize("version", ["", "three", "3.x", (3,)])
def test_versions_that_are_none(version: str | tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="version"):
        V(version)


def test_they_are_values_and_can_be_read() -> None:
    condition = (V("3.6") & Rev(1)) | V("4.0")
    assert condition == (V("3.6") & Rev(1)) | V("4.0")
    assert len({condition, (V("3.6") & Rev(1)) | V("4.0")}) == 1
    assert str(condition) == "(NEX 3.6.0 and revision 1) or (NEX 4.0.0)"
