"""How a server starts, stops and comes back."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import stat
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.support.consoles import GUEST, log_in, online
from tests.support.server_process import ServerProcess, clean_environment
from tests.support.waiting import until


def auth_of(ready: dict[str, Any], game: int = 0) -> list[Any]:
    address: list[Any] = ready["games"][game]["auth"]
    return address


def add_account(folder: Path, *, name: str, password: str) -> int:
    added = subprocess.run(
        [sys.executable, "-m", "nekonex", "account", "add", "--name", name, "--password-stdin"],
        cwd=folder,
        env=clean_environment(),
        input=f"{password}\nnot the password\n",
        capture_output=True,
        text=True,
        check=True,
    )
    return int(added.stdout)


def serve_and_fail(folder: Path, *arguments: str, **environment: str) -> str:
    """Start a server that refuses to; return what it says."""
    server = ServerProcess(folder, *arguments, environment=environment)
    assert server.wait() == 2, server.log_text()
    assert not server.ready_file.exists()
    return server.log_text()


def test_without_any_configuration_it_serves_one_game_on_loopback(tmp_path: Path) -> None:
    free = {f"NEKONEX_GAME__COMMON__{key}_PORT": "0" for key in ("AUTH", "SECURE")}
    server = ServerProcess(tmp_path, environment=free)
    try:
        ready = server.wait_ready()
        (game,) = ready["games"]
        assert game["name"] == "common"
        assert [game[kind][0] for kind in ("auth", "secure")] == ["127.0.0.1", "127.0.0.1"]
        assert 0 not in {game[kind][1] for kind in ("auth", "secure")}
        assert set(ready) == {"games", "http", "connect"}
        for port in (ready["http"], ready["connect"]):
            assert port[0] == "127.0.0.1"
            assert port[1] > 0
        assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
        for name in ("nekonex.db", "control.sock", "secrets/secure-server", "secrets/nekoconnect"):
            assert stat.S_IMODE((tmp_path / "data" / name).stat().st_mode) == 0o600, name

        async def play() -> None:
            async with online(game["auth"], *GUEST) as (_, connection_id):
                assert connection_id > 0

        asyncio.run(play())
        assert server.stop(signal.SIGINT)[0] == 0
        assert "only loopback is known" in server.log_text()
    finally:
        server.kill()


async def test_a_stop_says_goodbye_to_consoles_and_leaves_no_trace(folder: Path) -> None:
    server = ServerProcess(folder)
    try:
        ready = server.wait_ready()
        async with online(auth_of(ready), *GUEST) as (protocol, _):
            await protocol.test_connectivity()
            status, seconds = await asyncio.to_thread(server.stop)
            assert (status, seconds < 5) == (0, True)
            # The console was told: it does not wait for a time-out of its own.
            with pytest.raises(RuntimeError, match="closed"):
                async with asyncio.timeout(1):
                    await protocol.test_connectivity()
    finally:
        server.kill()
    assert not server.ready_file.exists()
    assert not (folder / "data" / "control.sock").exists()
    log = server.log_text()
    assert "player logged out" in log
    assert "stopped" in log.splitlines()[-1]


async def test_a_second_signal_ends_it_at_once(folder: Path) -> None:
    (folder / "slow_game.py").write_text(
        "import asyncio\n"
        "import nekonex\n"
        "class Slow(nekonex.Protocol, id=200):\n"
        "    async def logout(self, client):\n"
        "        await asyncio.sleep(60)\n"
        "class SlowGame(nekonex.Game):\n"
        "    def protocols(self, services):\n"
        "        return [Slow()]\n"
    )
    server = ServerProcess(folder, environment={"NEKONEX_GAME__KART__SERVER": "slow_game:SlowGame"})
    try:
        ready = server.wait_ready()
        async with log_in(auth_of(ready), *GUEST):
            server.process.send_signal(signal.SIGTERM)
            await until(lambda: not server.ready_file.exists())
            start = time.monotonic()
            status, _ = await asyncio.to_thread(server.stop, signal.SIGTERM)
            assert status == -signal.SIGTERM
            assert time.monotonic() - start < 1
    finally:
        server.kill()


async def test_hooks_that_never_end_do_not_keep_it_from_stopping(folder: Path) -> None:
    (folder / "stuck_game.py").write_text(
        "import asyncio, time\n"
        "import nekonex\n"
        "class Slow(nekonex.Protocol, id=200):\n"
        "    async def logout(self, client):\n"
        "        await asyncio.sleep(60)\n"
        "class StuckGame(nekonex.Game):\n"
        "    def protocols(self, services):\n"
        "        return [Slow()]\n"
        "    def auth_callback(self, services):\n"
        "        return lambda user: time.sleep(60 if services.players.count else 0)\n"
    )
    server = ServerProcess(
        folder, environment={"NEKONEX_GAME__KART__SERVER": "stuck_game:StuckGame"}
    )

    async def try_to_log_in(address: list[Any]) -> None:
        async with log_in(address, *GUEST):
            pass

    try:
        address = auth_of(server.wait_ready())
        async with online(address, *GUEST):
            login = asyncio.create_task(try_to_log_in(address))
            await asyncio.sleep(0.3)
            status, seconds = await asyncio.to_thread(server.stop)
            assert (status, seconds < 5) == (0, True)
        await asyncio.gather(login, return_exceptions=True)
    finally:
        server.kill()


def test_accounts_and_secrets_survive_kill_9(folder: Path) -> None:
    server = ServerProcess(folder)
    try:
        server.wait_ready()
        add_account(folder, name="neko", password="before the crash")
    finally:
        server.kill()
    secret = (folder / "data" / "secrets" / "secure-server").read_bytes()
    assert server.ready_file.exists()
    assert (folder / "data" / "control.sock").exists()

    again = ServerProcess(folder)
    try:
        address = auth_of(again.wait_ready())

        async def play() -> None:
            async with online(address, "neko", "before the crash"):
                pass

        asyncio.run(play())
        assert (folder / "data" / "secrets" / "secure-server").read_bytes() == secret
        assert again.stop()[0] == 0
    finally:
        again.kill()


def test_a_port_in_use_is_one_sentence(folder: Path) -> None:
    (folder / "ready.json").write_text("{}")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        text = serve_and_fail(folder, NEKONEX_GAME__KART__SECURE_PORT=str(port))
    assert text == (
        "nekonex: environment variable NEKONEX_GAME__KART__SECURE_PORT: game.kart.secure_port is "
        f"{port}, which another program uses on 127.0.0.1; give another port, or 0 for any free "
        "one\n"
    )
    assert not (folder / "data").exists()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ('server = "no_such_module:Game"', "there is no module no_such_module"),
        ('server = "json:JSONDecoder"', "JSONDecoder is not a subclass of nekonex.Game"),
        ('host = "192.0.2.77"', 'host is "192.0.2.77", which cannot be listened on'),
        ("auth_prot = 1", "unknown key game.kart.auth_prot"),
    ],
)
def test_a_configuration_that_is_wrong_is_one_sentence(folder: Path, line: str, told: str) -> None:
    file = folder / "nekonex.toml"
    file.write_text(file.read_text().replace("guest = true", line))
    (folder / "ready.json").write_text("{}")
    text = serve_and_fail(folder)
    assert text.startswith(f"nekonex: {file}: ")
    assert told in text
    assert text.count("\n") == 1
    assert not (folder / "data").exists()


def test_what_this_version_does_not_have_is_refused(folder: Path) -> None:
    text = serve_and_fail(folder, NEKONEX_STORAGE__DOCUMENTS="mongodb://user:secret@localhost/x")
    assert 'storage.documents is "mongodb", which this version does not have' in text
    assert "secret" not in text


def test_systemd_is_told(folder: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(folder / "notify"))
        manager.settimeout(20)
        server = ServerProcess(folder, environment={"NOTIFY_SOCKET": str(folder / "notify")})
        try:
            assert manager.recv(100) == b"READY=1"
            assert server.ready_file.exists()
            assert server.stop()[0] == 0
            assert manager.recv(100) == b"STOPPING=1"
        finally:
            server.kill()


def test_log_lines_are_json_and_hold_no_secret(folder: Path) -> None:
    server = ServerProcess(folder, "--log-format", "json", "--log-level", "debug")
    try:
        address = auth_of(server.wait_ready())
        add_account(folder, name="neko", password="swordfish")

        async def play() -> None:
            async with online(address, "neko", "swordfish"):
                pass
            with pytest.raises(Exception, match="InvalidUsername"):
                async with log_in(address, "nobody\nknown", "swordfish"):
                    pass

        asyncio.run(play())
        assert server.stop()[0] == 0
    finally:
        server.kill()
    lines = [json.loads(line) for line in server.log_text().splitlines()]
    by_event = {line["event"]: line for line in lines}
    for event in ("player logged in", "player logged out"):
        assert by_event[event]["pid"] == 1_000_000_000
        assert by_event[event]["address"].startswith("127.0.0.1:")
        assert by_event[event]["connection_id"] > 0
    assert by_event["login refused"]["user"] == "nobody\nknown"
    secret = (folder / "data" / "secrets" / "secure-server").read_text().strip()
    for forbidden in ("swordfish", secret, "25dbf96a", GUEST[1]):
        assert forbidden not in server.log_text()
