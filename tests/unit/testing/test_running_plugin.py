"""What authors of plugins test with: `running_plugin`, and the fixture that pytest gets."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from nekonex.connect import ConnectLimits, DisconnectedError, StatusError
from nekonex.testing import Logged, PluginRunner, PluginTestError, running_plugin
from tests.support.plugin_folders import make_plugin

BUSY = """
class Logic:
    def recv(self, ctx):
        if ctx.op == 1:
            ctx.log("asked")
            ctx.warn("twice")
            ctx.error("\\N{CAT} too often")
            ctx.send(ctx.db_get("cell").encode())
        elif ctx.op == 2:
            ctx.send(b"" if ctx.db_store("cell", ctx.data.decode()) else b"full")
        elif ctx.op == 3:
            raise ZeroDivisionError("by nought")
        elif ctx.op == 4:
            ctx.send(b"")

    def disconnected(self, ctx):
        if ctx.op == 4:
            raise RuntimeError("no goodbye")
"""
GAMES = """
class Logic:
    async def start(self, app):
        self.games = await app.games()

    async def recv(self, ctx):
        await ctx.send(" ".join(self.games).encode())
"""
GAME = '[[game]]\nname = "kart"\ntitle = "mario-kart-8"\n'


@pytest.fixture
def busy(tmp_path: Path) -> Path:
    return make_plugin(tmp_path / "busy", BUSY)


def test_what_the_plugin_notes_is_heard(busy: Path) -> None:
    with running_plugin(busy) as plugin:
        plugin.client().request(op=1)
        assert plugin.log == [
            Logged("info", "asked"),
            Logged("warning", "twice"),
            Logged("error", "\N{CAT} too often"),
        ]
        assert (plugin.folder, plugin.greeter, plugin.failures) == (busy, "echo", [])


def test_its_database_can_be_read_and_filled(busy: Path) -> None:
    limits = ConnectLimits(cell_size=10)
    with running_plugin(busy, limits=limits) as plugin:
        client = plugin.client()
        plugin.cells.store("cell", "before")
        assert client.request(op=1).data == b"before"
        assert client.request(b"after", op=2).data == b""
        assert plugin.cells.get("cell") == "after"
        assert plugin.cells.names() == plugin.cells.names("ce") == ["cell"]
        assert plugin.cells.names("x") == []
        with pytest.raises(ValueError, match="the cell 'cell' was not stored: too large"):
            plugin.cells.store("cell", "x" * 11)
        assert client.request(b"x" * 11, op=2).data == b"full"


def test_a_restart_keeps_the_database_only(busy: Path) -> None:
    with running_plugin(busy) as plugin:
        client = plugin.client()
        client.request(b"kept", op=2)
        plugin.restart()
        with pytest.raises(DisconnectedError):
            client.request(op=1)
        assert plugin.client().request(op=1).data == b"kept"


def test_an_edited_plugin_can_be_reloaded(busy: Path) -> None:
    with running_plugin(busy) as plugin:
        client = plugin.client()
        assert client.request(op=1).data == b""
        make_plugin(busy, "class Logic:\n    def recv(self, ctx):\n        ctx.send(b'new')\n")
        plugin.reload()
        assert client.request(op=1).data == b"new"
        make_plugin(busy, "class Logic\n")
        with pytest.raises(PluginTestError, match=r"busy/logic\.py:1: "):
            plugin.reload()
        assert client.request(op=1).data == b"new"


def test_a_failure_that_nobody_expects_fails_the_test(busy: Path) -> None:
    with (
        pytest.raises(PluginTestError, match=r"(?s)the plugin has failed.*by nought"),
        running_plugin(busy) as plugin,
        pytest.raises(StatusError, match="500"),
    ):
        plugin.client().request(op=3)


def test_so_does_one_at_the_end_of_a_connection(busy: Path) -> None:
    with (
        pytest.raises(PluginTestError, match=r"(?s)the plugin has failed.*no goodbye"),
        running_plugin(busy) as plugin,
    ):
        plugin.client().request(op=4)


def test_one_that_is_taken_off_the_list_was_expected(busy: Path) -> None:
    with running_plugin(busy) as plugin:
        client = plugin.client()
        client.send(op=3)
        assert client.recv().op == 500
        assert isinstance(plugin.failures.pop(), ZeroDivisionError)


def test_what_the_test_itself_raises_comes_first(busy: Path) -> None:
    with pytest.raises(StatusError), running_plugin(busy) as plugin:
        plugin.client().request(op=3)


def test_a_plugin_that_is_stuck_has_failed(tmp_path: Path) -> None:
    folder = make_plugin(
        tmp_path / "stuck",
        "import time\n\n\nclass Logic:\n    def recv(self, ctx):\n        time.sleep(0.5)\n",
    )
    limits = ConnectLimits(plugin_timeout=0.05)
    with running_plugin(folder, limits=limits) as plugin:
        client = plugin.client()
        client.send()
        assert client.recv().op == 500
        assert "stuck" in str(plugin.failures.pop())


@pytest.mark.parametrize(
    ("logic", "why"),
    [
        ("import nothing_like_it", r"logic\.py:1: .*nothing_like_it"),
        ("class Logic:\n    pass", r"logic\.py:1: .*recv"),
        (
            "class Logic:\n    def recv(self, ctx): ...\n    def start(self, app): 1 / 0",
            r"logic\.py:3: start raised ZeroDivisionError",
        ),
    ],
)
def test_one_that_does_not_load_fails_the_test(tmp_path: Path, logic: str, why: str) -> None:
    folder = make_plugin(tmp_path / "broken", logic)
    with pytest.raises(PluginTestError, match=why), running_plugin(folder):
        pass


def test_a_folder_without_a_plugin_fails_the_test(tmp_path: Path) -> None:
    with pytest.raises(PluginTestError, match=r"spec\.conf"), running_plugin(tmp_path):
        pass


def test_a_configuration_brings_games(tmp_path: Path) -> None:
    folder = make_plugin(tmp_path / "games", GAMES)
    config = f"{GAME}[connect]\ncell_size = 10\n"
    with running_plugin(str(folder), config=config) as plugin:
        assert plugin.client().request().data == b"kart"
        account = plugin.run(plugin.server.accounts.add("neko", "secret"))
        plugin.cells.store("cell", "kept")
        with pytest.raises(ValueError, match="too large"):
            plugin.cells.store("cell", "x" * 11)
        plugin.restart()
        assert plugin.cells.get("cell") == "kept"
        found = plugin.run(plugin.server.accounts.find_by_user_name("neko"))
        assert found is not None
        assert found.pid == account.pid


def test_without_a_configuration_there_is_no_game(busy: Path) -> None:
    with running_plugin(busy) as plugin, pytest.raises(RuntimeError, match="give `config`"):
        _ = plugin.server


@pytest.mark.parametrize(
    ("config", "limits", "why"),
    [
        (GAME, ConnectLimits(), "limits are those of its"),
        (f"{GAME}[connect]\nenabled = false\n", None, "connect.enabled is false"),
    ],
)
def test_what_makes_no_sense_is_refused(
    busy: Path, config: str, limits: ConnectLimits | None, why: str
) -> None:
    with pytest.raises(ValueError, match=why), running_plugin(busy, config=config, limits=limits):
        pass


def test_the_fixture_fails_tests_in_pytests_way(
    busy: Path, tmp_path: Path, nekonex_plugin: PluginRunner
) -> None:
    with nekonex_plugin(busy) as plugin:
        assert plugin.client().request(op=1).op == 200
    with pytest.raises(pytest.fail.Exception, match=r"spec\.conf"), nekonex_plugin(tmp_path):
        pass


def test_the_fixture_says_once_what_is_wrong(busy: Path, tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(
        "def test_it(nekonex_plugin):\n"
        f"    with nekonex_plugin({str(busy)!r}) as plugin:\n"
        "        plugin.client().send(b'', op=3)\n"
        "        plugin.client().request(op=1)\n",
        encoding="utf-8",
    )
    options = ["-q", "-p", "no:cacheprovider", "--show-capture=no", "--rootdir", str(tmp_path)]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, str(tmp_path / "test_it.py")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 1, done.stdout + done.stderr
    told, _, _ = done.stdout.partition("short test summary")  # in CI it has all of it once more
    assert told.count("ZeroDivisionError: by nought") == 1, told
    assert "During handling" not in told


def test_pytest_loads_nothing_for_those_who_do_not_use_it() -> None:
    program = "import pytest_nekonex, sys; print([m for m in sys.modules if 'nekonex' in m])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert done.stdout == "['pytest_nekonex']\n"
