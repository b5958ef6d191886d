from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.domain.names import name_key, name_problem, pid_of_name


@pytest.mark.parametrize("name", ["Neko", "NEKO", "neko", "\uff2eeko"])
def test_case_and_width_do_not_count(name: str) -> None:
    assert name_key(name) == name_key("neko")


@given(st.text(max_size=70))
def test_a_good_name_is_never_a_pid_and_its_key_never_either(name: str) -> None:
    if name_problem(name) is None:
        assert pid_of_name(name) is None
        assert pid_of_name(name_key(name)) is None


@given(st.integers(1, 10**20 - 1))
def test_a_pid_in_decimal_is_that_pid(pid: int) -> None:
    assert pid_of_name(str(pid)) == pid


@pytest.mark.parametrize(
    "name", ["", "0", "01", "-1", "+1", " 1", "1 ", "1\n", "1_0", "1.0", "\u0661", "9" * 21, "x"]
)
def test_everything_else_is_no_pid(name: str) -> None:
    assert pid_of_name(name) is None


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("", "empty"),
        ("a" * 64, "at most 63"),
        ("12345", "digits"),
        ("0", "digits"),
        ("\u0661\u0662", "digits"),
        (" neko", "spaces around"),
        ("neko\n", "control"),
        ("ne\0ko", "control"),
        ("\ud800", "control"),
    ],
)
def test_bad_names(name: str, problem: str) -> None:
    assert problem in (name_problem(name) or "")


@pytest.mark.parametrize("name", ["a", "a" * 63, "1a", "ネコ", "two words"])
def test_good_names(name: str) -> None:
    assert name_problem(name) is None
