"""Indexes of repositories, and what is found in them."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.connect.packages import (
    AmbiguousNameError,
    BadSpecError,
    ChecksumError,
    DownloadError,
    IndexEntry,
    PackageLimits,
    RepositoryError,
    choose,
    fetch_package,
    newest,
    parse_index,
    read_repositories,
    search,
)
from nekonex.connect.packages.index import version_key
from nekonex.connect.packages.repositories import index_url
from tests.support.file_server import FileServer, serving
from tests.support.plugin_packages import package_bytes

URL = "https://plugins.example.org/neko/index.json"


@pytest.fixture
def site() -> Iterator[FileServer]:
    with serving() as server:
        yield server


def listed(**changes: Any) -> dict[str, Any]:
    return {
        "name": "Chat",
        "version": "1.0",
        "greet": "chat",
        "sha256": "ab" * 32,
        "file": "chat-1.0.ncp",
        **changes,
    }


def entry(greeter: str, version: str = "1.0", name: str = "", about: str = "") -> IndexEntry:
    file = f"https://example.org/{greeter}-{version}.ncp"
    return IndexEntry(name or greeter, version, greeter, "ab" * 32, file, about=about)


def parse(value: object) -> tuple[IndexEntry, ...]:
    found = parse_index(json.dumps(value).encode(), URL)
    assert found.problem == ""
    return found.entries


# -- the index --------------------------------------------------------------------------------


def test_both_forms_of_an_index() -> None:
    for value in ([listed()], {"plugins": [listed()], "made by": "hand"}):
        (found,) = parse(value)
        assert found == IndexEntry(
            "Chat",
            "1.0",
            "chat",
            "ab" * 32,
            "https://plugins.example.org/neko/chat-1.0.ncp",
            repository=URL,
        )
    assert parse([]) == ()


def test_what_an_entry_may_have() -> None:
    more = {"about": "Talk.", "home": "https://example.org", "icon": "chat.png", "likes": 3}
    (found,) = parse([listed(sha256="AB" * 32, file="https://other.org/x.ncp", **more)])
    assert (found.about, found.home, found.icon) == ("Talk.", "https://example.org", "chat.png")
    assert (found.sha256, found.file) == ("ab" * 32, "https://other.org/x.ncp")
    (found,) = parse([listed(about=None)])
    assert found.about == ""


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"name": None}, '"name" is missing, or no text'),
        ({"name": " "}, '"name" is missing, or no text'),
        ({"version": 1}, '"version" is missing, or no text'),
        ({"greet": ["chat"]}, '"greet" is missing, or no text'),
        ({"sha256": "ab"}, '"sha256" is not 64 hexadecimal digits'),
        ({"sha256": "٣" * 64}, '"sha256" is not 64 hexadecimal digits'),
        ({"file": "http://example.org/x.ncp"}, "is not https"),
        ({"file": "https://localhost/x.ncp"}, "refers to this machine"),
        ({"file": "file:///etc/passwd"}, "is no URL"),
        ({"about": 5}, '"about" is missing, or no text'),
        ({"about": "x" * 1001}, '"about" has more than 1000 characters'),
        ({"home": "x" * 2001}, '"home" has more than 2000 characters'),
        ({"about": "\ud800"}, '"about" is no Unicode text'),
    ],
)
def test_an_entry_that_is_wrong_is_left_out(change: dict[str, Any], reason: str) -> None:
    content = json.dumps([listed(), listed(**change), listed(version="2.0")]).encode()
    found = parse_index(content, URL)
    assert [each.version for each in found.entries] == ["1.0", "2.0"]
    assert found.problem.startswith("1 of 3 entries are left out (entry 2: ")
    assert reason in found.problem


def test_what_is_no_entry_at_all() -> None:
    found = parse_index(json.dumps([1, "x", None, listed()]).encode(), URL)
    assert len(found.entries) == 1
    assert found.problem == "3 of 4 entries are left out (entry 1: it is no object)"


def test_an_index_that_is_too_long() -> None:
    content = json.dumps([listed(version=str(number)) for number in range(5)]).encode()
    found = parse_index(content, URL, PackageLimits(max_entries=3))
    assert len(found.entries) == 3
    assert found.problem == "2 of 5 entries are left out (it lists more than 3)"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is no JSON"),
        (b"<html>", "is no JSON"),
        (b"\xff\xfe\x00", "is no JSON"),
        (b"[" * 100_000, "is no JSON"),
        (b"1" * 5000, "is no JSON"),
        (b"5", "neither a list nor an object"),
        (b'"x"', "neither a list nor an object"),
        (b"{}", "neither a list nor an object"),
        (b'{"plugins": {}}', "neither a list nor an object"),
    ],
)
def test_what_is_no_index(content: bytes, reason: str) -> None:
    with pytest.raises(RepositoryError, match=reason):
        parse_index(content, URL)


KEYS = st.sampled_from(["plugins", *listed()])


@given(
    st.recursive(
        st.none() | st.integers() | st.text(),
        lambda each: st.lists(each) | st.dictionaries(KEYS, each),
        max_leaves=20,
    )
)
@settings(max_examples=50)
def test_no_json_raises_anything_else(value: object) -> None:
    try:
        parse_index(json.dumps(value).encode(), URL)
    except RepositoryError:
        assert not isinstance(value, list)


# -- versions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "versions",
    [
        ["0.9", "1.0", "1.0.1", "1.2", "1.9", "1.10", "2"],
        ["1.0a1", "1.0b1", "2.0rc1", "1.0", "1.0.post1", "v1.1"],
        ["2.0.0-alpha.1", "2.0.0-beta", "1.9.9", "2.0.0"],
        ["neko", "neko 2", "neko 10", "build 10.1", "0.1"],
        ["2024.1", "2025.01.02", "2025.1.3"],
    ],
)
def test_the_order_of_versions(versions: list[str]) -> None:
    shuffled = versions.copy()
    random.Random(5).shuffle(shuffled)
    assert sorted(shuffled, key=version_key) == versions


@given(st.lists(st.text(max_size=10) | st.from_regex(r"v?\d+(\.\d+){0,3}(a|b|rc)?\d?"), max_size=5))
@settings(max_examples=50)
def test_any_versions_have_an_order(versions: list[str]) -> None:
    keys = [version_key(each) for each in versions]
    assert sorted(keys) == sorted(keys, reverse=True)[::-1]


def test_the_newest_of_each() -> None:
    entries = [entry("b", "1.9"), entry("a", "1.0"), entry("b", "1.10"), entry("b", "2.0a1")]
    assert [(each.greeter, each.version) for each in newest(entries)] == [
        ("a", "1.0"),
        ("b", "1.10"),
    ]
    same = [entry("a", "1.0", "first"), entry("a", "1.0.0", "second")]
    assert newest(same)[0].name == "first"
    assert newest([entry("a", "1.0a1"), entry("a", "1.0a2")])[0].version == "1.0a2"


# -- searching and choosing -------------------------------------------------------------------

ENTRIES = [
    entry("chat", "1.0", "Neko Chat", "Rooms and nicknames."),
    entry("todo", "1.0", "To do", "What is still to be done. Straße."),
    entry("scores", "1.0", "Scoreboard", "Who is best; no chat."),
]


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ([], ["chat", "todo", "scores"]),
        (["CHAT"], ["chat", "scores"]),
        (["chat", "rooms"], ["chat"]),
        (["strasse"], ["todo"]),
        (["to do"], ["todo"]),
        (["nothing"], []),
    ],
)
def test_searching(words: list[str], found: list[str]) -> None:
    assert [each.greeter for each in search(ENTRIES, words)] == found


def test_choosing() -> None:
    entries = [entry("chat", "1.0", "Talk"), entry("chat", "1.1", "Talk"), entry("x", name="chat")]
    assert choose(entries, "chat").version == "1.1"
    assert choose(entries, "talk").version == "1.1"
    assert choose(entries, "x").name == "chat"
    with pytest.raises(RepositoryError, match="no repository has a plugin 'Chat!'"):
        choose(entries, "Chat!")


def test_choosing_among_plugins_of_one_name() -> None:
    entries = [entry("a", name="Talk"), entry("b", name="talk")]
    with pytest.raises(AmbiguousNameError, match=r"say which by its greeter: 'a', 'b'"):
        choose(entries, "Talk")


# -- repositories -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("repository", "index"),
    [
        ("https://a.org", "https://a.org/index.json"),
        ("https://a.org/", "https://a.org/index.json"),
        ("https://a.org/neko", "https://a.org/neko/index.json"),
        ("https://a.org/neko/?key=1#x", "https://a.org/neko/index.json?key=1"),
        ("https://a.org/neko/index.json", "https://a.org/neko/index.json"),
        ("https://a.org/other.json?x=1", "https://a.org/other.json?x=1"),
    ],
)
def test_where_the_index_is(repository: str, index: str) -> None:
    assert index_url(repository) == index


def test_repositories_that_cannot_be_used_are_skipped(site: FileServer) -> None:
    site.put("/a/index.json", json.dumps([listed()]).encode())
    site.put("/b/index.json", b"oh")
    site.put("/c/index.json", json.dumps([listed(version="2.0"), 5]).encode())
    site.put("/d/index.json", bytes(1000))
    warnings: list[str] = []
    found = read_repositories(
        [f"{site.url}/{each}" for each in "abcde"], warnings.append, PackageLimits(max_index=900)
    )
    assert [each.version for each in found] == ["1.0", "2.0"]
    start = f"the repository {site.url}"
    assert warnings == [
        f"{start}/b/index.json is skipped: its index is no JSON",
        f"{start}/c/index.json: 1 of 2 entries are left out (entry 2: it is no object)",
        f"{start}/d/index.json is skipped: {site.url}/d/index.json has more than 900 bytes",
        f"{start}/e/index.json is skipped: {site.url}/e/index.json answers 404 Not Found",
    ]


def test_fetching_a_package(site: FileServer) -> None:
    content = package_bytes()
    sha256 = hashlib.sha256(content).hexdigest()
    site.put("/neko/chat-1.0.ncp", content)
    site.put("/neko/index.json", json.dumps([listed(sha256=sha256)]).encode())
    (found,) = read_repositories([f"{site.url}/neko/"], pytest.fail)
    assert found.file == f"{site.url}/neko/chat-1.0.ncp"
    assert fetch_package(found).spec.greeter == "chat"


@pytest.mark.parametrize(
    ("spec", "change", "reason"),
    [
        ({}, {"sha256": "00" * 32}, "its sha256 is"),
        ({"greet": "admin"}, {}, "its greeter is 'admin', and the index says 'chat'"),
        ({"version": "0.1"}, {}, "its version is '0.1', and the index says '1.0'"),
    ],
)
def test_a_package_that_is_not_the_one_listed(
    site: FileServer, spec: dict[str, str], change: dict[str, str], reason: str
) -> None:
    content = package_bytes(**spec)
    site.put("/chat-1.0.ncp", content)
    sha256 = hashlib.sha256(content).hexdigest()
    index = json.dumps([listed(**{"sha256": sha256, **change})]).encode()
    (found,) = parse_index(index, f"{site.url}/index.json").entries
    with pytest.raises(ChecksumError, match=reason) as caught:
        fetch_package(found)
    assert str(caught.value).startswith(f"{site.url}/chat-1.0.ncp is refused")


def test_a_package_that_is_not_sound(site: FileServer) -> None:
    content = package_bytes(greet="auth")
    site.put("/chat-1.0.ncp", content)
    index = json.dumps([listed(sha256=hashlib.sha256(content).hexdigest())]).encode()
    (found,) = parse_index(index, f"{site.url}/index.json").entries
    with pytest.raises(BadSpecError, match=r"/chat-1\.0\.ncp/spec\.conf:2:10: greet"):
        fetch_package(found)
    del site.answers["/chat-1.0.ncp"]
    with pytest.raises(DownloadError, match="404"):
        fetch_package(found)
