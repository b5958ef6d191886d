"""Keys and their paths."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.domain.datastore.files import MAX_KEY, MAX_KEY_PART, check_key, valid_key
from nekonex.storage.objects.layout import PIECE, directory_of, key_of, path_of

PARTS = st.text(min_size=1, max_size=60).filter(valid_key).filter(lambda part: "/" not in part)
SHORT_PARTS = st.text(alphabet="aAäÄ.~%+=c\u0308on1", min_size=1, max_size=5).filter(valid_key)
KEYS = st.lists(PARTS | SHORT_PARTS, min_size=1, max_size=4).map("/".join).filter(valid_key)


@pytest.mark.parametrize(
    "key",
    [
        "a",
        "ghosts/123/0.bin",
        "objects/1000000.bin~1000000.2",
        "ü/日本",
        "a b/c+d=e%f",
        "x" * MAX_KEY_PART,
        "/".join(["x" * 127] * 8),
    ],
)
def test_these_are_keys(key: str) -> None:
    assert valid_key(key)
    assert check_key(key) == key


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/a",
        "a/",
        "a//b",
        ".",
        "..",
        "a/../b",
        "a/./b",
        ".hidden",
        "a/.hidden",
        "a\\b",
        "a\0b",
        "a\nb",
        "a\x7fb",
        "a\x85b",
        "a\ud800b",
        "x" * (MAX_KEY_PART + 1),
        "日" * 67,
        "/".join(["x" * 128] * 8),
    ],
)
def test_these_are_not(key: str) -> None:
    assert not valid_key(key)
    with pytest.raises(ValueError, match="cannot be the key"):
        check_key(key)


def test_a_key_may_be_as_long_as_in_s3() -> None:
    key = "/".join(["x" * 127] * 8)
    assert len(key) == MAX_KEY - 1
    assert key_of(path_of(f"game/{key}")) == f"game/{key}"


@pytest.mark.parametrize(
    ("key", "path"),
    [
        ("ghosts/1/0.bin", "ghosts+/1+/0.bin"),
        ("Ghosts/1.bin", "%47hosts+/1.bin"),
        ("a", "a"),
        ("a/b", "a+/b"),
        ("a+/b=", "a%2b+/b%3d"),
        ("ü", "%c3%bc"),
        ("con", "%63on"),
        ("com1.txt", "%63om1.txt"),
        ("a./b", "a%2e+/b"),
        ("x" * 130, f"{'x' * PIECE}=/{'x' * 10}"),
        ("x" * 130 + "/y", f"{'x' * PIECE}=/{'x' * 10}+/y"),
    ],
)
def test_paths_are_as_documented(key: str, path: str) -> None:
    assert "/".join(path_of(key)) == path
    assert key_of(path.split("/")) == key


@given(KEYS)
def test_every_key_comes_back(key: str) -> None:
    path = path_of(key)
    assert key_of(path) == key
    for name in path:
        assert len(name.encode()) <= PIECE + 8
        assert name.isascii()
        assert name == name.lower()
        assert not name.startswith(".")
        assert not name.endswith((".", " "))
        assert not set(name) & set('<>:"/\\|?*')


@given(KEYS, KEYS)
def test_no_two_keys_meet_on_any_file_system(one: str, other: str) -> None:
    def folded(key: str) -> tuple[str, ...]:
        return tuple(unicodedata.normalize("NFC", name).casefold() for name in path_of(key))

    first, second = folded(one), folded(other)
    assert (first == second) is (one == other)
    # No file is where another key needs a directory.
    assert first not in {second[:length] for length in range(1, len(second))}


@given(KEYS, st.data())
def test_the_directory_of_a_beginning_has_all_that_begin_so(key: str, data: st.DataObject) -> None:
    prefix = key[: data.draw(st.integers(0, len(key)))]
    directory = directory_of(prefix)
    assert path_of(key)[: len(directory)] == directory


def test_a_beginning_of_no_key_is_refused() -> None:
    with pytest.raises(ValueError, match="beginning of a key"):
        directory_of("../x")


@pytest.mark.parametrize(
    "path",
    ["A", "a%2F", "a b", "a/b", "a+/.b", "%2e%2e+/x", "a%zz", "%63an", "%ff", "ä", "a=/b", "a%2f"],
)
def test_other_paths_are_nobodys(path: str) -> None:
    assert key_of(path.split("/")) is None
