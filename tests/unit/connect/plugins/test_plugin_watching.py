"""A fingerprint differs once a plugin was edited, and only then."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from nekonex.connect.plugins import fingerprint, is_server_data, watching
from nekonex.storage.layout import DATABASE_NAME
from tests.support.plugin_folders import make_plugin


def edit(path: Path, text: str = "x = 1") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def write_in_the_same_second(folder: Path) -> None:
    path = folder / "logic.py"
    size, changed = path.stat().st_size, path.stat().st_mtime_ns
    edit(path, "#" * size)
    os.utime(path, ns=(changed, changed + 1))


@pytest.fixture
def plugin(tmp_path: Path) -> Path:
    return make_plugin(tmp_path / "plugin", helper="X = 1", rooms__a="", build__x="")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: edit(folder / "new.py"),
        lambda folder: edit(folder / "page.html"),
        lambda folder: edit(folder / "rooms" / "deep" / "new.py"),
        lambda folder: edit(folder / "rooms" / "build" / "new.py"),
        lambda folder: (folder / "rooms" / "empty").mkdir(),
        lambda folder: edit(folder / "rooms" / "a.py", "x = 2"),
        lambda folder: (folder / "helper.py").unlink(),
        lambda folder: (folder / "helper.py").rename(folder / "helper2.py"),
        lambda folder: (folder / "helper.py").rename(folder / "rooms" / "helper.py"),
        lambda folder: os.utime(folder / "spec.conf", (1, 1)),
        write_in_the_same_second,
        lambda folder: folder.rename(folder.with_name("gone")),
    ],
)
def test_what_is_an_edit(plugin: Path, change: Callable[[Path], None]) -> None:
    before = fingerprint(plugin)
    assert fingerprint(plugin) == before
    change(plugin)
    assert fingerprint(plugin) != before


@pytest.mark.parametrize(
    "name",
    [
        ".git/index",
        ".logic.py.swp",
        "__pycache__/logic.cpython-311.pyc",
        "rooms/__pycache__/a.cpython-311.pyc",
        "build/echo-1.0.ncp",
        "logic.py~",
        "chat.log",
        "chat.db",
        "chat.db-wal",
        "nekonex.toml",
    ],
)
def test_what_is_none(plugin: Path, name: str) -> None:
    before = fingerprint(plugin)
    edit(plugin / name)
    assert fingerprint(plugin) == before


def test_the_data_of_a_server_is_none(plugin: Path) -> None:
    before = fingerprint(plugin)
    edit(plugin / "data" / "nekonex.db")
    edit(plugin / "data" / "objects" / "1")
    assert fingerprint(plugin) == before
    (plugin / "data" / "nekonex.db").unlink()
    assert fingerprint(plugin) != before


def test_it_is_known_by_what_storage_calls_it(tmp_path: Path) -> None:
    assert not is_server_data(tmp_path)
    edit(tmp_path / DATABASE_NAME)
    assert is_server_data(tmp_path)


def test_links_are_followed_to_files_only(plugin: Path, tmp_path: Path) -> None:
    edit(tmp_path / "shared.py", "x = 1")
    (plugin / "shared.py").symlink_to(tmp_path / "shared.py")
    edit(tmp_path / "far" / "away.py", "x = 1")
    (plugin / "far").symlink_to(tmp_path / "far")
    (plugin / "round").symlink_to(plugin)
    (plugin / "nowhere").symlink_to(tmp_path / "nothing")
    before = fingerprint(plugin)
    edit(tmp_path / "far" / "away.py", "x = 12")
    assert fingerprint(plugin) == before
    edit(tmp_path / "shared.py", "x = 12")
    assert fingerprint(plugin) != before


def test_how_much_is_looked_at_has_a_limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "MAX_WATCHED_FILES", 3)
    for number in range(3):
        edit(tmp_path / f"{number}.py")
    before = fingerprint(tmp_path)
    edit(tmp_path / "0.py", "x = 12")
    changed = fingerprint(tmp_path)
    assert changed != before
    for number in range(3, 10):
        edit(tmp_path / f"{number}.log")
    seen: list[str] = []
    scan = os.scandir

    @contextlib.contextmanager
    def counting(path: Path) -> Iterator[Iterator[os.DirEntry[str]]]:
        with scan(path) as entries:
            yield (seen.append(entry.name) or entry for entry in entries)  # type: ignore[func-returns-value]

    monkeypatch.setattr(os, "scandir", counting)
    fingerprint(tmp_path)
    assert len(seen) == 3
