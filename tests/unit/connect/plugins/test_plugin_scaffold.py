"""A new plugin works as it is, and nothing of the author's is lost."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from nekonex.connect.context import Context
from nekonex.connect.plugins import (
    PluginExistsError,
    ScaffoldError,
    check_plugin,
    load_plugin,
    read_spec,
    scaffold,
    write_scaffold,
)
from tests.support.plugin_folders import make_plugin


@pytest.fixture(autouse=True)
def git_calls(monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """Note how git would be called."""
    calls: list[list[str]] = []

    def run(command: list[str], **_options: Any) -> None:
        calls.append(command)

    monkeypatch.setattr(shutil, "which", lambda _name: "/usr/bin/git")
    monkeypatch.setattr(subprocess, "run", run)
    return calls


class FakeContext:
    """A client that notes what it is sent."""

    op = 0
    data = b""
    address = ("127.0.0.1", 1)

    def __init__(self) -> None:
        self.sent: list[tuple[int, bytes]] = []
        self.cells: dict[str, str] = {}
        self.state: dict[str, Any] = {}
        self.log = self.warn = lambda _message: None

    def send(self, data: bytes, op: int = 200) -> None:
        self.sent.append((op, data))

    def db_get(self, cell: str) -> str:
        return self.cells.get(cell, "")

    def db_store(self, cell: str, data: str) -> bool:
        self.cells[cell] = data
        return True


def test_a_new_plugin_is_complete(tmp_path: Path, git_calls: list[list[str]]) -> None:
    folder = tmp_path / "My Chat"
    written = write_scaffold(tmp_path, "My Chat")
    assert sorted(written) == sorted(path for path in folder.iterdir())
    assert {path.name for path in written} == {
        "spec.conf",
        "logic.py",
        "test_my_chat.py",
        ".gitignore",
    }
    report = check_plugin(folder)
    assert report.errors == report.warnings == ()
    assert report.spec is not None
    assert (report.spec.name, report.spec.greeter) == ("My Chat", "my-chat")
    assert report.spec.version == "0.1.0"
    assert git_calls == [["/usr/bin/git", "init", "--quiet", str(folder)]]


def test_the_logic_answers_as_its_test_expects(tmp_path: Path) -> None:
    write_scaffold(tmp_path, "neko")
    plugin = load_plugin(tmp_path / "neko")
    client = FakeContext()
    for op, data in [(1, b"neko"), (2, b""), (9, b"?")]:
        client.op, client.data = op, data
        plugin.logic.recv(client)
    assert client.sent == [(1, b"Hello neko!"), (2, b"neko"), (400, b"unknown op")]
    assert sys.modules[type(plugin.logic).__module__].Context is Context
    plugin.unload()
    test = (tmp_path / "neko" / "test_neko.py").read_text("utf-8")
    assert 'client.request(b"neko", op=1).data == b"Hello neko!"' in test
    compile(test, "test_neko.py", "exec")


@pytest.mark.parametrize(
    ("name", "greeter"),
    [
        ("chat", "chat"),
        ("My  Chat!", "my-chat"),
        ("snake_case", "snake-case"),
        ("ÉTÉ 猫", "été-猫"),
        ("{}", "plugin"),
        ("Auth", "auth-plugin"),
        ("NekoConnect Server", "nekoconnect-server-plugin"),
    ],
)
def test_greeters_come_from_names(tmp_path: Path, name: str, greeter: str) -> None:
    write_scaffold(tmp_path, name)
    spec = read_spec(tmp_path / name)
    assert spec.name == name
    assert spec.greeter == greeter
    assert check_plugin(tmp_path / name).errors == ()


def test_a_greeter_is_not_too_long(tmp_path: Path) -> None:
    # Each of these has two bytes, and four in lower case: a letter i and two for a mark.
    write_scaffold(tmp_path, "İ" * 120)
    assert 200 < len(read_spec(tmp_path / ("İ" * 120)).greeter.encode()) <= 255


def test_a_name_may_be_a_path_or_left_out(tmp_path: Path) -> None:
    write_scaffold(tmp_path, "plugins/new/chat")
    assert read_spec(tmp_path / "plugins" / "new" / "chat").name == "chat"
    (tmp_path / "here").mkdir()
    write_scaffold(tmp_path / "here")
    assert read_spec(tmp_path / "here").name == "here"
    write_scaffold(tmp_path / "there", ".")
    assert read_spec(tmp_path / "there").name == "there"


def test_a_relative_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine").mkdir()
    monkeypatch.chdir(tmp_path / "mine")
    write_scaffold(Path())
    assert read_spec(tmp_path / "mine").name == "mine"


def test_a_plugin_is_not_written_over(tmp_path: Path) -> None:
    folder = make_plugin(tmp_path / "chat", spec="")
    before = {path: path.read_bytes() for path in folder.iterdir()}
    for arguments in [(tmp_path, "chat"), (folder,)]:
        with pytest.raises(PluginExistsError) as caught:
            write_scaffold(*arguments)  # type: ignore[arg-type]
        assert str(caught.value) == "this folder already has a NekoConnect plugin."
    assert {path: path.read_bytes() for path in folder.iterdir()} == before


def test_files_that_are_there_stay(tmp_path: Path) -> None:
    folder = tmp_path / "chat"
    folder.mkdir()
    (folder / ".gitignore").write_text("mine")
    (folder / "logic.py").write_text("mine = 1")
    assert [path.name for path in write_scaffold(folder)] == ["spec.conf"]
    assert (folder / ".gitignore").read_text() == "mine"
    assert (folder / "logic.py").read_text() == "mine = 1"
    assert len(list(folder.iterdir())) == 3


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ('say "hi"', "name must not contain double quotes or line ends"),
        ("two\nlines", "name must not contain double quotes or line ends"),
        ("tab\there", "name must not contain control characters (U+0009)"),
        ("nul\0", "name must not contain control characters (U+0000)"),
        (".hidden", "name must not begin with a dot"),
        ("back\\slash", "name must not contain \\"),
        ("not\udcffutf8", "name must not contain control characters (U+DCFF)"),
    ],
)
def test_names_that_a_plugin_cannot_have(tmp_path: Path, name: str, reason: str) -> None:
    with pytest.raises(ScaffoldError) as caught:
        write_scaffold(tmp_path, name)
    assert str(caught.value) == f"a plugin cannot be called {name!r}: {reason}"
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_behind_where_it_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = scaffold._write_new

    def full_at_the_third(path: Path, text: str, written: list[Path]) -> None:
        write(path, text, written)
        if len(written) == 3:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(scaffold, "_write_new", full_at_the_third)
    with pytest.raises(ScaffoldError) as caught:
        write_scaffold(tmp_path, "new/chat")
    assert str(caught.value) == f"{tmp_path}/new/chat cannot be written: No space left on device"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "chat").mkdir()
    (tmp_path / "chat" / "mine").touch()
    with pytest.raises(ScaffoldError):
        write_scaffold(tmp_path, "chat")
    assert [path.name for path in (tmp_path / "chat").iterdir()] == ["mine"]


def test_a_name_that_is_too_long_for_a_folder(tmp_path: Path) -> None:
    with pytest.raises(ScaffoldError, match="n cannot be written: File name too long"):
        write_scaffold(tmp_path, f"new/{'n' * 300}")
    assert list(tmp_path.iterdir()) == []


def test_a_file_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "chat").touch()
    with pytest.raises(ScaffoldError, match="chat cannot be written: File exists"):
        write_scaffold(tmp_path, "chat")


def test_no_repository_within_another(tmp_path: Path, git_calls: list[list[str]]) -> None:
    (tmp_path / ".git").write_text("gitdir: elsewhere")
    write_scaffold(tmp_path, "plugins/chat")
    assert git_calls == []


@pytest.mark.parametrize(
    "failure", [OSError("no"), subprocess.TimeoutExpired("git", 10), PermissionError("no")]
)
def test_git_never_fails_a_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: Exception
) -> None:
    def fail(*_arguments: object, **_options: object) -> None:
        raise failure

    monkeypatch.setattr(subprocess, "run", fail)
    write_scaffold(tmp_path, "chat")
    assert read_spec(tmp_path / "chat").greeter == "chat"


def test_a_plugin_without_git(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, git_calls: list[list[str]]
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    write_scaffold(tmp_path, "chat")
    assert git_calls == []
    assert read_spec(tmp_path / "chat").greeter == "chat"


def test_git_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.undo()
    if shutil.which("git") is None:
        pytest.skip("git is not installed")
    # As in a hook of another repository.
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "other"))
    write_scaffold(tmp_path, "chat")
    assert (tmp_path / "chat" / ".git" / "HEAD").is_file()
    assert not os.path.lexists(tmp_path / "other")
    assert capfd.readouterr() == ("", "")
