"""What the control socket tells about plugins, and takes up of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nekonex.app import RefusedCommandError
from nekonex.testing import running_server
from tests.support.connected import connected
from tests.support.operating import asked
from tests.support.plugin_folders import make_plugin, spec_sheet


async def test_plugins_are_listed_and_taken_up(tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    make_plugin(plugins / "echo")
    broken = make_plugin(plugins / "broken", "class Logic:\n    pass\n", spec=spec_sheet(greet="b"))
    async with running_server(folder=tmp_path) as server, connected(server.connect) as client:
        assert (await client.request("echo", b"neko")).data == b"neko"
        by_greeter = {each["greeter"]: each for each in await asked(server, "plugins")}
        assert by_greeter["echo"] == {
            "greeter": "echo",
            "name": "An echo",
            "version": "1.0",
            "folder": str(plugins / "echo"),
            "state": "running",
            "reason": "",
            "clients": 1,
        }
        assert (by_greeter["b"]["state"], by_greeter["b"]["clients"]) == ("failed", 0)
        assert str(broken / "logic.py") in by_greeter["b"]["reason"]

        make_plugin(plugins / "late", spec=spec_sheet(greet="late"))
        shutil.rmtree(broken)
        assert {each["greeter"] for each in await asked(server, "plugins")} == {"echo", "b"}
        assert {each["greeter"] for each in await asked(server, "plugin_refresh")} == {
            "echo",
            "late",
        }
        assert (await client.request("late", b"nya")).data == b"nya"


async def test_what_is_counted_is_told(tmp_path: Path) -> None:
    make_plugin(tmp_path / "plugins" / "echo")
    async with running_server(folder=tmp_path) as server:
        async with connected(server.connect) as client:
            await client.request("echo", b"neko")
            await client.request("nobody", b"neko")
        counted = (await asked(server, "stats"))["connect"]
    assert (counted["connections"], counted["logins"], counted["frames"]) == (1, 1, 1)
    assert counted["statuses"]["404"] == 1
    assert counted["cut_off"]["slow_reader"] == 0


async def test_the_folder_of_a_refresh_is_a_path(tmp_path: Path) -> None:
    async with running_server(folder=tmp_path) as server:
        assert await asked(server, "plugin_refresh", folder=str(tmp_path)) == []
        with pytest.raises(RefusedCommandError, match='"folder" is the path of a plugin'):
            await asked(server, "plugin_refresh", folder=5)


async def test_without_nekoconnect_there_are_no_plugins(tmp_path: Path) -> None:
    config = "[connect]\nenabled = false\n"
    async with running_server(config, folder=tmp_path) as server:
        for command in ("plugins", "plugin_refresh"):
            with pytest.raises(RefusedCommandError) as caught:
                await asked(server, command)
            assert str(caught.value) == "this server runs no plugins: connect.enabled is false"
        assert (await asked(server, "stats"))["connect"] is None
