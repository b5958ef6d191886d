"""Parts of a file."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.web.ranges import UnsatisfiableError, find_range


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=2-4", (2, 5)),
        ("bytes=2-", (2, 10)),
        ("bytes=9-99999", (9, 10)),
        ("bytes=-3", (7, 10)),
        ("bytes=-99", (0, 10)),
        ("bytes = 1 - 2", (1, 3)),
        ("bytes=4-2", None),
        ("bytes=-", None),
        ("bytes=0-1,3-4", None),
        ("items=0-1", None),
        ("bytes=a-b", None),
        ("bytes=" + "9" * 30 + "-", None),
        ("", None),
    ],
)
def test_ranges_of_ten_bytes(header: str | None, found: tuple[int, int] | None) -> None:
    assert find_range(header, 10) == found


@pytest.mark.parametrize(
    ("header", "size"),
    [("bytes=10-", 10), ("bytes=10-11", 10), ("bytes=-0", 10), ("bytes=0-", 0), ("bytes=-5", 0)],
)
def test_nothing_of_it(header: str, size: int) -> None:
    with pytest.raises(UnsatisfiableError):
        find_range(header, size)


@given(st.text(max_size=20), st.integers(0, 100))
def test_anything_is_within_the_file(text: str, size: int) -> None:
    try:
        found = find_range(f"bytes={text}", size)
    except UnsatisfiableError:
        return
    assert found is None or 0 <= found[0] < found[1] <= size
