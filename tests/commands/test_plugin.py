"""`nekonex plugin new|check|build`: writing plugins."""

from __future__ import annotations

import hashlib
import json
import zipfile
from pathlib import Path

import pytest

from nekonex.connect.packages import read_package_file
from nekonex.connect.plugins import read_spec
from tests.support.commands import Commands
from tests.support.plugin_packages import write_plugin


@pytest.fixture(autouse=True)
def _no_git(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether `git init` is run is looked at where the scaffold is tested."""
    monkeypatch.setattr("shutil.which", lambda _: None)


def test_bad_use(run: Commands) -> None:
    told = run.fails(2, "plugin")
    assert "one of: new, check, build, install, list, enable, disable, remove, search" in told
    for command in ("check", "build"):
        assert run.fails(2, "plugin", command, "none") == "none is no folder"
    assert run.fails(2, "plugin", "new", "") == "a plugin needs a name"
    for command in ("install", "enable", "disable", "remove"):
        assert "missing argument" in run.fails(2, "plugin", command)


@pytest.mark.parametrize(
    "command",
    ["new", "check", "build", "install", "list", "enable", "disable", "remove", "search"],
)
def test_every_command_has_help_and_takes_a_configuration(run: Commands, command: str) -> None:
    assert "--config FILE" in run("plugin", command, "--help")


# -- new --------------------------------------------------------------------------------------


def test_a_new_plugin_can_be_checked_built_and_installed(run: Commands) -> None:
    told = run("plugin", "new", "My Chat")
    assert told.splitlines()[0] == "wrote My Chat/spec.conf"
    assert "cd 'My Chat' && nekonex dev" in told
    assert read_spec(run.folder / "My Chat").greeter == "my-chat"
    assert run("plugin", "check", "My Chat") == "My Chat 0.1.0 is fine; its greeter is my-chat\n"
    built, sha256 = run("plugin", "build", "My Chat").splitlines()
    file = run.folder / "My Chat" / "build" / "my_chat-0.1.0.ncp"
    assert built.startswith("built My Chat/build/my_chat-0.1.0.ncp of 2 files, ")
    assert sha256 == f"sha256 {hashlib.sha256(file.read_bytes()).hexdigest()}"
    with zipfile.ZipFile(file) as archive:
        assert archive.namelist() == ["logic.py", "spec.conf"]
    assert run("plugin", "install", file).startswith("installed my-chat 0.1.0 in ")


def test_without_a_name_it_is_this_folder(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    (run.folder / "echo").mkdir()
    monkeypatch.chdir(run.folder / "echo")
    told = run("plugin", "new")
    assert "wrote spec.conf\n" in told
    assert "To run it while you write: nekonex dev\n" in told
    assert read_spec(Path()).name == "echo"
    assert run("plugin", "check") == "echo 0.1.0 is fine; its greeter is echo\n"


def test_a_name_that_a_shell_would_take_for_an_option(run: Commands) -> None:
    assert "while you write: cd ./-echo && nekonex dev\n" in run("plugin", "new", "--", "-echo")


def test_where_there_is_a_plugin_already(run: Commands) -> None:
    run("plugin", "new", "echo")
    before = (run.folder / "echo" / "spec.conf").read_bytes()
    sentence = "this folder already has a NekoConnect plugin."
    assert run.fails(1, "plugin", "new", "echo") == sentence
    assert (run.folder / "echo" / "spec.conf").read_bytes() == before


def test_where_none_can_be_made(run: Commands) -> None:
    (run.folder / "file").touch()
    assert "cannot be written" in run.fails(1, "plugin", "new", "file/echo")
    assert "cannot be called" in run.fails(1, "plugin", "new", 'a"b')


# -- check ------------------------------------------------------------------------------------


def test_checking_tells_what_is_wrong_and_where(run: Commands) -> None:
    folder = write_plugin(run.folder / "chat")
    spec = folder / "spec.conf"
    spec.write_text(spec.read_text().replace('"chat"', '"auth"'))
    status, out, err = run.attempt("plugin", "check", "chat")
    assert status == 1
    assert out == 'chat/spec.conf:2:10: greet "auth" is reserved\n'
    assert err == "nekonex: the plugin in chat cannot be loaded\n"


def test_checking_runs_the_code(run: Commands) -> None:
    write_plugin(run.folder / "chat", logic="class Logic:\n    pass\n\nprint('loud')\n1 / 0\n")
    status, out, _ = run.attempt("plugin", "check", "chat")
    assert status == 1
    assert "logic.py:5: ZeroDivisionError: division by zero\n" in out


def test_checking_warns(run: Commands) -> None:
    folder = write_plugin(run.folder / "chat")
    with (folder / "spec.conf").open("a") as file:
        file.write('$colour {"red\x1b"};\n')
    out = run("plugin", "check", "chat")
    assert "warning: chat/spec.conf:5:1: $colour is unknown and ignored\n" in out
    assert out.endswith("Chat 1.0 is fine; its greeter is chat\n")
    assert "\x1b" not in out


# -- build ------------------------------------------------------------------------------------


def test_building_tells_what_is_wrong_and_where(run: Commands) -> None:
    write_plugin(run.folder / "chat", logic="class Logic\n")
    assert run.fails(1, "plugin", "build", "chat").startswith("chat/logic.py:1:12: expected ':'")
    (run.folder / "empty").mkdir()
    assert run.fails(1, "plugin", "build", "empty").startswith("empty/spec.conf:1:1: cannot be")
    assert not (run.folder / "empty" / "build").exists()


def test_building_for_a_repository(run: Commands) -> None:
    folder = write_plugin(run.folder / "chat")
    entry = json.loads(run("plugin", "build", "chat", "--json"))
    file = folder / "build" / "chat-1.0.ncp"
    assert entry == {
        "name": "Chat",
        "version": "1.0",
        "greet": "chat",
        "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
        "file": "chat-1.0.ncp",
    }
    assert read_package_file(file).spec.name == "Chat"


@pytest.mark.parametrize(
    ("command", "status"),
    [("plugin check", 2), ("plugin build", 2), ("dev", 2), ("plugin install", 1)],
)
def test_a_path_that_the_system_cannot_look_at(run: Commands, command: str, status: int) -> None:
    path = f"./{'a' * 300}"
    assert "cannot be read: File name too long" in run.fails(status, *command.split(), path)


def test_a_name_that_can_be_no_file(run: Commands) -> None:
    text = run.fails(2, "plugin", "install", "a" * 300)
    assert text.endswith("is to come from a repository, and [connect] repositories has none")
