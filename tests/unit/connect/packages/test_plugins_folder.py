"""The folder of plugins as a server sees it."""

from __future__ import annotations

import errno
import logging
import os
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from nekonex.connect.packages import PluginsFolder
from nekonex.connect.packages.locking import holding
from tests.support.plugin_packages import write_plugin


def names(plugins: PluginsFolder) -> list[str]:
    return [each.name for each in plugins.folders()]


def test_there_need_be_no_folder(tmp_path: Path) -> None:
    assert PluginsFolder(tmp_path / "none").folders() == []
    (tmp_path / "file").touch()
    assert PluginsFolder(tmp_path / "file").folders() == []
    assert list(tmp_path.iterdir()) == [tmp_path / "file"]


def test_what_is_a_plugin(tmp_path: Path) -> None:
    for name in ("b", "a c", ".hidden", "ねこ"):
        write_plugin(tmp_path / name)
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder" / "spec.conf").mkdir(parents=True)
    (tmp_path / "spec.conf").touch()
    write_plugin(tmp_path.parent / f"{tmp_path.name}-elsewhere")
    (tmp_path / "linked").symlink_to(tmp_path.parent / f"{tmp_path.name}-elsewhere")
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    plugins = PluginsFolder(tmp_path)
    assert plugins.folders() == [tmp_path / each for each in ("a c", "b", "linked", "ねこ")]


def test_disabled_plugins_are_found_too(tmp_path: Path) -> None:
    folder = write_plugin(tmp_path / "chat")
    plugins = PluginsFolder(tmp_path)
    plugins.set_enabled(folder, False)
    assert names(plugins) == ["chat"]
    assert (tmp_path / ".disabled" / "chat").read_bytes() == b""
    assert not PluginsFolder(tmp_path).is_enabled(folder)
    plugins.set_enabled(folder, True)
    plugins.set_enabled(folder, True)
    assert plugins.is_enabled(folder)


def test_folders_elsewhere_are_always_enabled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plugins = PluginsFolder(tmp_path / "plugins")
    plugins.set_enabled(write_plugin(plugins.path / "chat"), False)
    other = write_plugin(tmp_path / "work" / "chat")
    assert plugins.is_enabled(other)
    with pytest.raises(ValueError, match="is not in"):
        plugins.set_enabled(other, False)
    monkeypatch.chdir(plugins.path)
    assert not plugins.is_enabled(Path("chat"))


def test_nothing_is_written_by_looking(tmp_path: Path) -> None:
    write_plugin(tmp_path / "chat")
    assert names(PluginsFolder(tmp_path)) == ["chat"]
    assert [each.name for each in tmp_path.iterdir()] == ["chat"]


def test_an_upgrade_that_a_crash_broke_off(tmp_path: Path) -> None:
    write_plugin(tmp_path / "other")
    write_plugin(tmp_path / ".replaced" / "chat")
    write_plugin(tmp_path / ".staged" / "0123")
    plugins = PluginsFolder(tmp_path)
    assert names(plugins) == ["chat", "other"]
    assert not (tmp_path / ".replaced" / "chat").exists()
    assert names(plugins) == ["chat", "other"]


def test_an_old_version_that_cannot_be_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def failing(*_: object) -> None:
        raise PermissionError(errno.EACCES, "Permission denied")

    write_plugin(tmp_path / "other")
    write_plugin(tmp_path / ".replaced" / "chat")
    monkeypatch.setattr(os, "replace", failing)
    plugins = PluginsFolder(tmp_path)
    with caplog.at_level(logging.WARNING):
        assert names(plugins) == ["other"]
        assert names(plugins) == ["other"]
    (record,) = caplog.records
    assert "chat in" in record.getMessage()
    assert "cannot be put back: Permission denied" in record.getMessage()


def test_an_upgrade_that_may_still_be_undone_is_left_alone(tmp_path: Path) -> None:
    write_plugin(tmp_path / "chat", version="2.0")
    write_plugin(tmp_path / ".replaced" / "chat", version="1.0")
    assert names(PluginsFolder(tmp_path)) == ["chat"]
    assert (tmp_path / ".replaced" / "chat").exists()


def test_what_cannot_be_read_is_as_it_was_and_said_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    write_plugin(tmp_path / "chat")
    plugins = PluginsFolder(tmp_path)
    assert names(plugins) == ["chat"]
    monkeypatch.setattr("nekonex.connect.packages.folder.SWAP_SECONDS", 0.02)
    with caplog.at_level(logging.WARNING), holding_swap(tmp_path):
        write_plugin(tmp_path / "new")
        assert names(plugins) == ["chat"]
        assert names(plugins) == ["chat"]
        assert names(PluginsFolder(tmp_path)) == []
    messages = [each.getMessage() for each in caplog.records]
    assert len(messages) == 2
    assert "cannot be read: somebody else holds the lock" in messages[0]
    assert names(plugins) == ["chat", "new"]


def holding_swap(path: Path) -> AbstractContextManager[None]:
    (path / ".locks").mkdir(exist_ok=True)
    return holding(path / ".locks" / "swap", 1.0)
