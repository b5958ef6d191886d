"""Paths in packages, and the names of folders that plugins are installed in."""

from __future__ import annotations

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.connect.packages import InstallError, UnsafePathError
from nekonex.connect.packages.names import (
    MAX_DEPTH,
    MAX_PATH,
    PathSet,
    check_path,
    folder_name,
)

GOOD_PATHS = [
    *(
        "spec.conf",
        "logic.py",
        "assets/a b/c.png",
        ".hidden/x",
        "ねこ/猫.txt",
        "a.b.c",
        "console.py",
    ),
    *("com10.txt", "auxiliary", "lib/__init__.py", "a" * MAX_PATH, "x/" * (MAX_DEPTH - 1) + "y"),
    *("a..b", "..a", "...x", "-rf", "~root", "%2e%2e", "$HOME", "a'b", "#", "é"),
]
BAD_PATHS = {
    "": "empty",
    "/etc/passwd": "absolute",
    "//server/share": "absolute",
    "..": "leaves the folder",
    "../x": "leaves the folder",
    "a/../../x": "leaves the folder",
    "a/..": "leaves the folder",
    "./x": "dot for a folder",
    "a/./x": "dot for a folder",
    "a//b": "empty",
    "a/": "empty",
    "..\\x": "backslash",
    "\\\\server\\share": "backslash",
    "C:/x": "a :",
    "C:x": "a :",
    "x:stream": "a :",
    "a\0b": "control",
    "a\nb": "control",
    "a\x1b[2Jb": "control",
    "a\x7f": "control",
    "a\x85b": "control",
    "a\u2028b": "control",
    "a?": "a ?",
    "a*": "a *",
    "<a>": "a <",
    'a"b': 'a "',
    "a|b": "a |",
    "a.": "ends with a dot or a blank",
    "a ": "ends with a dot or a blank",
    "a /b": "ends with a dot or a blank",
    "...": "ends with a dot or a blank",
    "con": "device",
    "NUL.txt": "device",
    "a/Com1.tar.gz": "device",
    "lpt³": "device",
    "aux .txt": "device",
    "CONIN$": "device",
    "a" * (MAX_PATH + 1): "longer than",
    "é" * (MAX_PATH // 2 + 1): "longer than",
    "x/" * MAX_DEPTH + "y": "deeper than",
}


@pytest.mark.parametrize("path", GOOD_PATHS)
def test_good_paths(path: str) -> None:
    check_path(path)


@pytest.mark.parametrize("path", BAD_PATHS)
def test_bad_paths(path: str) -> None:
    with pytest.raises(UnsafePathError) as caught:
        check_path(path)
    text = str(caught.value)
    assert BAD_PATHS[path] in text
    assert "cannot be in a package" in text
    assert text.isprintable()
    assert len(text) < 300


@pytest.mark.parametrize(
    ("first", "second", "reason"),
    [
        ("a", "a", "twice"),
        ("a/b", "a/b", "twice"),
        ("a", "A", "where case does not count"),
        ("lib/x", "LIB/y", "where case does not count"),
        ("straße", "STRASSE", "where case does not count"),
        ("é", "e\u0301", "where case does not count"),
        ("a", "a/b", "both a file and a folder"),
        ("a/b", "a", "both a file and a folder"),
        ("a/b/c", "a/b", "both a file and a folder"),
    ],
)
def test_paths_that_get_into_each_others_way(first: str, second: str, reason: str) -> None:
    paths = PathSet()
    paths.add(first)
    with pytest.raises(UnsafePathError, match=reason):
        paths.add(second)


def test_paths_that_share_folders_are_fine() -> None:
    paths = PathSet()
    for path in ("a/b", "a/c", "a/d/e", "b", "ab"):
        paths.add(path)


@pytest.mark.parametrize(
    ("greeter", "name"),
    [
        ("chat", "chat"),
        ("Chat Room-2_x.y", "Chat Room-2_x.y"),
        ("ねこ", "ねこ"),
        ("a/b", "a%2Fb"),
        ("..", "%2E%2E"),
        (".", "%2E"),
        (".disabled", "%2Edisabled"),
        ("a\\b:c", "a%5Cb%3Ac"),
        ("100%", "100%25"),
        ("tail.", "tail%2E"),
        ("tail ", "tail%20"),
        (" ", "%20"),
        ("CON", "%43ON"),
        ("nul.x", "%6Eul.x"),
        ("e\u0301", "e%CC%81"),
        ("a\u200bb", "a%E2%80%8Bb"),
    ],
)
def test_the_folder_of_a_greeter(greeter: str, name: str) -> None:
    assert folder_name(greeter) == name


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20))
def test_no_two_greeters_share_a_folder_and_none_leaves_it(greeter: str) -> None:
    name = folder_name(greeter)
    assert unquote(name) == greeter
    assert not name.startswith(".")
    check_path(name)


@pytest.mark.parametrize("greeter", ["/" * 86, "a" * 256, ""])
def test_greeters_that_can_have_no_folder(greeter: str) -> None:
    with pytest.raises(InstallError):
        folder_name(greeter)
