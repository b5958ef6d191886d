"""Patterns for descriptions."""

from __future__ import annotations

import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.domain.matchmaking.search.patterns import like


@pytest.mark.parametrize(
    ("pattern", "fits", "does_not"),
    [
        ("", ["", ], ["a"]),
        ("abc", ["abc"], ["ABC", "abcd", "xabc", ""]),
        ("%", ["", "a", "a\nb"], []),
        ("_", ["a", "\n", "é"], ["", "ab"]),
        ("a%", ["a", "ab"], ["ba", ""]),
        ("%a", ["a", "ba", "aa"], ["ab", ""]),
        ("a%a", ["aa", "aba"], ["a", "ab"]),
        ("%b%c%", ["bc", "abxcx"], ["cb", "b"]),
        ("a%%b", ["ab", "axb"], ["a"]),
        ("a_%_c", ["abbc", "axyzc"], ["abc"]),
        ("a.*[b]\\", ["a.*[b]\\"], ["axb"]),
        ("%ab_%ac%c", ["abxacc", "ababxacxxc"], ["abacc", "abxac"]),
    ],
)  # fmt: skip
def test_examples(pattern: str, fits: list[str], does_not: list[str]) -> None:
    matches = like(pattern)
    assert [text for text in fits if not matches(text)] == []
    assert [text for text in does_not if matches(text)] == []


@given(st.text("ab%_", max_size=8), st.text("ab", max_size=10))
def test_it_is_what_backtracking_finds(pattern: str, text: str) -> None:
    expression = pattern.replace("%", ".*").replace("_", ".")
    assert like(pattern)(text) == (re.fullmatch(expression, text) is not None)


@pytest.mark.parametrize("pattern", ["%a" * 127 + "b", "%" + "_" * 200 + "b%c", "%a_" * 80 + "%b"])
def test_none_takes_long(pattern: str) -> None:
    matches = like(pattern)
    began = time.perf_counter()
    for _ in range(20):
        assert not matches("a" * 256)
    assert time.perf_counter() - began < 1
