"""`nekonex plugin install|list|enable|disable|remove|search`, with a server and without."""

from __future__ import annotations

import asyncio
import hashlib
import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from nekonex.app.control import CommandRefusedError
from nekonex.cli._services import open_services
from nekonex.config import load_config
from nekonex.domain.cells import CellLimits
from tests.support.commands import Commands
from tests.support.file_server import FileServer, serving
from tests.support.plugin_control import answering, hosting
from tests.support.plugin_packages import LOGIC, package_bytes, tree, write_plugin


@pytest.fixture
def plugins(run: Commands) -> Path:
    return run.folder / "plugins"


@pytest.fixture
def site() -> Iterator[FileServer]:
    with serving() as server:
        yield server


def put_package(run: Commands, file: str = "chat.ncp", *, logic: str = LOGIC, **spec: str) -> str:
    """Write a package into the folder, and return its name."""
    (run.folder / file).write_bytes(package_bytes(logic=logic, **spec))
    return file


def publish(run: Commands, site: FileServer, *packages: dict[str, str], at: str = "") -> None:
    """Make a repository of packages, and configure it."""
    entries = []
    for spec in packages:
        about = spec.pop("about", "")
        content = package_bytes(**{"greet": "chat", "version": "1.0", **spec})
        entry = {"name": "Chat", "version": "1.0", "greet": "chat", "about": about, **spec}
        file = f"{entry['greet']}-{entry['version']}.ncp"
        site.put(f"{at}/{file}", content)
        sha256 = hashlib.sha256(content).hexdigest()
        entries.append({**entry, "sha256": sha256, "file": file})
    site.put(f"{at}/index.json", json.dumps({"plugins": entries}).encode())
    configure(run, f"{site.url}{at}")


def configure(run: Commands, *repositories: str) -> None:
    text = f"[connect]\nrepositories = {json.dumps(repositories)}\n"
    (run.folder / "nekonex.toml").write_text(text)


def listed(run: Commands) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(run("plugin", "list", "--json"))
    return found


def store_cells(run: Commands, greeter: str, *cells: str) -> None:
    async def storing() -> None:
        async with open_services(load_config(None, folder=run.folder)) as services:
            for cell in cells:
                await services.cells.store(greeter, cell, "text", CellLimits())

    asyncio.run(storing())


def cells_of(run: Commands, greeter: str) -> list[str]:
    async def reading() -> list[str]:
        async with open_services(load_config(None, folder=run.folder)) as services:
            return list(await services.cells.cells(greeter))

    return asyncio.run(reading())


# -- install ----------------------------------------------------------------------------------


def test_installing_a_file(run: Commands, plugins: Path) -> None:
    assert run("plugin", "install", put_package(run)) == f"installed chat 1.0 in {plugins}/chat\n"
    assert set(tree(plugins / "chat")) == {"spec.conf", "logic.py"}
    assert run("plugin", "install", put_package(run, version="1.1")).splitlines() == [
        f"installed chat 1.1 in {plugins}/chat",
        "version 1.0 is replaced; what it has stored is kept",
    ]


@pytest.mark.parametrize("name", ["x.NCP", "./x", "folder/x.zip"])
def test_what_a_file_looks_like(run: Commands, name: str) -> None:
    (run.folder / "folder").mkdir()
    put_package(run, name)
    assert run("plugin", "install", name).startswith("installed chat 1.0")


def test_a_package_that_is_refused_leaves_nothing_behind(run: Commands, plugins: Path) -> None:
    (run.folder / "x.ncp").write_bytes(b"nothing")
    assert run.fails(1, "plugin", "install", "x.ncp").startswith("x.ncp is no package, or a")
    assert (
        run.fails(1, "plugin", "install", "y.ncp")
        == "y.ncp cannot be read: No such file or directory"
    )
    assert "nekonex plugin build makes a package" in run.fails(1, "plugin", "install", "./")
    assert not plugins.exists()


def test_installing_what_is_at_a_url(run: Commands, site: FileServer) -> None:
    url = site.put("/any", package_bytes())
    assert run("plugin", "install", url).startswith("installed chat 1.0")
    assert run.fails(1, "plugin", "install", f"{site.url}/none").endswith("answers 404 Not Found")
    assert "is not https" in run.fails(2, "plugin", "install", "http://example.org/x.ncp")
    assert "is not https" in run.fails(2, "plugin", "install", "ftp://example.org/x.ncp")


def test_installing_from_a_repository(run: Commands, site: FileServer) -> None:
    publish(run, site, {"version": "1.9"}, {"version": "1.10"}, {"greet": "todo", "name": "To do"})
    assert run("plugin", "install", "chat").startswith("installed chat 1.10 in")
    assert run("plugin", "install", "To Do").startswith("installed todo 1.0 in")
    assert run.fails(1, "plugin", "install", "none") == "no repository has a plugin 'none'"


def test_a_wrong_checksum(run: Commands, site: FileServer, plugins: Path) -> None:
    publish(run, site, {})
    site.put("/chat-1.0.ncp", package_bytes({"evil.py": ""}))
    assert "chat-1.0.ncp is refused: its sha256 is" in run.fails(1, "plugin", "install", "chat")
    assert not plugins.exists()


def test_a_repository_that_cannot_be_reached_is_skipped(run: Commands, site: FileServer) -> None:
    publish(run, site, {}, at="/good")
    configure(run, f"{site.url}/bad", f"{site.url}/good")
    status, out, err = run.attempt("plugin", "install", "chat")
    assert status == 0
    assert out.startswith("installed chat 1.0")
    assert err.startswith(f"nekonex: the repository {site.url}/bad/index.json is skipped: ")
    assert err.count("\n") == 1


def test_a_name_without_repositories(run: Commands) -> None:
    none = "'chat' is to come from a repository, and [connect] repositories has none"
    assert run.fails(2, "plugin", "install", "chat") == none
    put_package(run, "chat")
    assert run.fails(2, "plugin", "install", "chat") == f"{none}; to install the file, say ./chat"


# -- list, enable, disable, remove -------------------------------------------------------------


def test_no_plugin_at_all(run: Commands, plugins: Path) -> None:
    columns = ["greeter", "name", "version", "enabled", "state", "clients", "folder"]
    assert run("plugin", "list").split() == columns
    assert listed(run) == []
    for command in ("enable", "disable", "remove"):
        told = run.fails(1, "plugin", command, "chat")
        assert told == "no plugin with the greeter 'chat' is installed"
    assert not plugins.exists()


def test_listing(run: Commands, plugins: Path) -> None:
    run("plugin", "install", put_package(run))
    run("plugin", "disable", "chat")
    write_plugin(plugins / "wrong")
    (plugins / "wrong" / "spec.conf").write_text('$name {"\n')
    lines = run("plugin", "list").splitlines()
    assert lines[1].split() == ["chat", "Chat", "1.0", "no", "-", "-", f"{plugins}/chat"]
    assert lines[2].split() == ["wrong", "yes", "wrong", "-", f"{plugins}/wrong"]
    assert lines[4].startswith(f'wrong: {plugins}/wrong/spec.conf:1:9: expected " to close')
    assert listed(run)[0] == {
        "greeter": "chat",
        "name": "Chat",
        "version": "1.0",
        "folder": f"{plugins}/chat",
        "state": None,
        "reason": "",
        "clients": None,
        "enabled": False,
        "running_version": None,
    }


def test_enabling_and_disabling(run: Commands) -> None:
    run("plugin", "install", put_package(run))
    assert run("plugin", "enable", "chat") == "chat 1.0 is enabled already\n"
    assert run("plugin", "disable", "chat") == "chat 1.0 is disabled\n"
    assert run("plugin", "disable", "chat") == "chat 1.0 is disabled already\n"
    run("plugin", "install", put_package(run, version="2.0"))
    assert [each["enabled"] for each in listed(run)] == [False]
    assert run("plugin", "enable", "chat") == "chat 2.0 is enabled\n"
    assert [each["enabled"] for each in listed(run)] == [True]


def test_removing_keeps_what_was_stored(run: Commands, plugins: Path) -> None:
    run("plugin", "install", put_package(run))
    store_cells(run, "chat", "a", "b")
    assert run("plugin", "remove", "chat").splitlines() == [
        "removed chat 1.0",
        "what it has stored is kept; with --purge that is deleted",
    ]
    assert not (plugins / "chat").exists()
    assert cells_of(run, "chat") == ["a", "b"]


def test_purging(run: Commands) -> None:
    run("plugin", "install", put_package(run))
    store_cells(run, "chat", "a", "b")
    store_cells(run, "other", "c")
    assert run("plugin", "remove", "--purge", "chat") == "removed chat 1.0\ndeleted 2 cells\n"
    assert (cells_of(run, "chat"), cells_of(run, "other")) == ([], ["c"])
    assert run("plugin", "remove", "other", "--purge") == "deleted 1 cell\n"
    assert "no plugin with the greeter" in run.fails(1, "plugin", "remove", "other", "--purge")


def test_purging_where_nothing_was_ever_stored(run: Commands) -> None:
    run("plugin", "install", put_package(run))
    assert run("plugin", "remove", "--purge", "chat") == "removed chat 1.0\ndeleted 0 cells\n"
    assert not (run.folder / "data").exists()


# -- with a server that runs -------------------------------------------------------------------


def test_a_server_that_runs_takes_changes_up(run: Commands, plugins: Path) -> None:
    with hosting(run.folder / "data", plugins):
        installed = run("plugin", "install", put_package(run))
        assert installed.splitlines()[-1] == "the running server has loaded it"
        assert listed(run)[0]["state"] == "running"
        assert run("plugin", "install", put_package(run, version="1.1")).splitlines() == [
            f"installed chat 1.1 in {plugins}/chat",
            "version 1.0 is replaced; what it has stored is kept",
            "the running server has loaded it",
        ]
        assert listed(run)[0]["running_version"] == "1.1"
        stopped = "the running server has stopped it"
        assert run("plugin", "disable", "chat").splitlines()[-1] == stopped
        assert run("plugin", "disable", "chat") == "chat 1.1 is disabled already\n"
        assert listed(run)[0]["state"] == "disabled"
        assert run("plugin", "install", put_package(run, version="1.2")).splitlines()[-1] == (
            "the running server does not run it, because it is disabled"
        )
        started = run("plugin", "enable", "chat").splitlines()
        assert started == ["chat 1.2 is enabled", "the running server has loaded it"]
        assert run("plugin", "remove", "chat").splitlines()[1] == stopped
        assert listed(run) == []


def test_a_version_that_the_server_cannot_load_is_not_left_there(
    run: Commands, plugins: Path
) -> None:
    broken = "import no_such_module\n"
    with hosting(run.folder / "data", plugins):
        run("plugin", "install", put_package(run))
        before = tree(plugins / "chat")
        put_package(run, version="2.0", logic=broken)
        told = run.fails(1, "plugin", "install", "chat.ncp")
        assert told.startswith("the running server cannot load chat 2.0, so version 1.0 is back: ")
        assert "logic.py:1: ModuleNotFoundError" in told
        assert tree(plugins / "chat") == before
        (row,) = listed(run)
        assert (row["state"], row["reason"], row["running_version"]) == ("running", "", "1.0")


def test_a_first_version_that_the_server_cannot_load(run: Commands, plugins: Path) -> None:
    put_package(run, logic="import no_such_module\n")
    with hosting(run.folder / "data", plugins):
        status, out, err = run.attempt("plugin", "install", "chat.ncp")
        assert (status, out) == (1, f"installed chat 1.0 in {plugins}/chat\n")
        assert "cannot load it: " in err
        assert "no_such_module" in err
        assert listed(run)[0]["state"] == "failed"
        assert "chat: " in run("plugin", "list")
        status, out, err = run.attempt("plugin", "enable", "chat")
        assert (status, out) == (1, "chat 1.0 is enabled already\n")
        assert "no_such_module" in err


def test_plugins_that_only_the_server_knows(run: Commands) -> None:
    status = {
        "greeter": "dev\x1b",
        "name": "Dev",
        "version": "0.1",
        "folder": "/elsewhere/dev",
        "state": "running",
        "reason": "",
        "clients": 3,
    }
    with answering(run.folder / "data", lambda *_: [status]):
        (row,) = listed(run)
        assert (row["greeter"], row["clients"]) == ("dev\x1b", 3)
        line = run("plugin", "list").splitlines()[1]
    assert line.split() == ["dev\\x1b", "Dev", "0.1", "yes", "running", "3", "/elsewhere/dev"]


def test_a_version_that_does_not_run_yet_is_told(run: Commands, plugins: Path) -> None:
    run("plugin", "install", put_package(run, version="2.0"))
    status = {
        "greeter": "chat",
        "name": "Chat",
        "version": "1.0",
        "folder": str(plugins / "chat"),
        "state": "running",
        "reason": "logic.py:1: oh",
        "clients": 0,
    }
    with answering(run.folder / "data", lambda *_: [status]):
        lines = run("plugin", "list").splitlines()
    assert "2.0 (1.0 runs)" in lines[1]
    assert lines[-1] == "chat: logic.py:1: oh"


def test_a_server_that_does_not_take_it_up(run: Commands) -> None:
    def refuse(command: str, _: Mapping[str, Any]) -> Any:
        raise CommandRefusedError(f"no {command} here")

    with answering(run.folder / "data", refuse):
        told = run("plugin", "install", put_package(run)).splitlines()
        assert told[-1] == "the running server has not taken it up: no plugin_refresh here"
        status, out, err = run.attempt("plugin", "list", "--json")
        assert (status, [each["state"] for each in json.loads(out)]) == (0, [None])
        assert err == (
            "nekonex: what the running server makes of them is not known: no plugins here\n"
        )


def test_a_server_of_another_plugins_folder(run: Commands, plugins: Path) -> None:
    told = f"the running server takes no plugins from {plugins} until it is restarted"
    with hosting(run.folder / "data", run.folder / "others"):
        assert run("plugin", "install", put_package(run)).splitlines()[-1] == told
        assert run("plugin", "disable", "chat").splitlines()[-1] == told
        assert run("plugin", "enable", "chat").splitlines()[-1] == told


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are Unicode elsewhere")
def test_a_folder_whose_name_is_no_unicode(run: Commands, plugins: Path) -> None:
    write_plugin(plugins / "b\udcff")
    with hosting(run.folder / "data", plugins):
        (row,) = listed(run)
        assert (row["state"], row["folder"]) == ("running", str(plugins / "b\udcff"))
        told = run("plugin", "enable", "chat").splitlines()[-1]
        assert told == "the running server has loaded it"


# -- search -----------------------------------------------------------------------------------


def test_searching(run: Commands, site: FileServer) -> None:
    publish(
        run,
        site,
        {"version": "1.0", "about": "Rooms."},
        {"version": "1.1", "about": "Rooms.\x1b[2J"},
        {"greet": "todo", "name": "To do"},
    )
    host = site.url.removeprefix("http://")
    lines = run("plugin", "search").splitlines()
    assert [each.split() for each in lines] == [
        ["greeter", "name", "version", "repository", "about"],
        ["chat", "Chat", "1.1", host, "Rooms.\\x1b[2J"],
        ["todo", "To", "do", "1.0", host],
    ]
    assert [each.split()[0] for each in run("plugin", "search", "CHAT", "rooms").splitlines()] == [
        "greeter",
        "chat",
    ]
    found = json.loads(run("plugin", "search", "chat", "--json"))
    assert [each["version"] for each in found] == ["1.0", "1.1"]
    assert found[0]["file"] == f"{site.url}/chat-1.0.ncp"
    assert found[0]["repository"] == f"{site.url}/index.json"
    assert run.fails(1, "plugin", "search", "no", "such") == "no plugin matches 'no such'"
    assert run("plugin", "search", "no such", "--json") == "[]\n"


def test_searching_without_repositories(run: Commands) -> None:
    assert "has no URL to search" in run.fails(2, "plugin", "search")


def test_searching_where_none_can_be_reached(run: Commands, site: FileServer) -> None:
    configure(run, f"{site.url}/a", f"{site.url}/b")
    status, out, err = run.attempt("plugin", "search")
    assert (status, out) == (1, "")
    assert err.count("is skipped") == 2
    assert err.endswith("nekonex: there is no plugin in them\n")
