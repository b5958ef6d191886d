"""NEX versions in their three written forms."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.settings import format_version, parse_version, version_code

parts = st.tuples(*[st.integers(0, 99)] * 3)


@pytest.mark.parametrize(
    ("given_form", "version"),
    [
        (30504, (3, 5, 4)),
        ("30504", (3, 5, 4)),
        ("3.5.4", (3, 5, 4)),
        ((3, 5, 4), (3, 5, 4)),
        (31000, (3, 10, 0)),
        ("3.10", (3, 10, 0)),
        ((3, 10), (3, 10, 0)),
        (708, (0, 7, 8)),
        (0, (0, 0, 0)),
    ],
)
def test_every_form_is_read(
    given_form: int | str | tuple[int, ...], version: tuple[int, int, int]
) -> None:
    assert parse_version(given_form) == version


@pytest.mark.parametrize(
    "bad", ["", "3.", "3.5.4.1", "3.5.100", "v3.5", "3.5 ", "-1", "³.5", -30504, 1000000, (3,)]
)
def test_other_values_are_refused(bad: int | str | tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="not a NEX version"):
        parse_version(bad)


@pytest.mark.parametrize("bad", [3.5, True])
def test_floats_are_refused_because_310_is_not_31(bad: float) -> None:
    with pytest.raises(TypeError, match="not a NEX version"):
        parse_version(bad)  # type: ignore[arg-type]


@given(parts)
def test_forms_are_interchangeable(version: tuple[int, int, int]) -> None:
    assert parse_version(version_code(version)) == version
    assert parse_version(format_version(version)) == version


@given(parts, parts)
def test_codes_order_like_versions(left: tuple[int, int, int], right: tuple[int, int, int]) -> None:
    assert (version_code(left) < version_code(right)) == (left < right)
