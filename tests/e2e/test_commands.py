"""Commands that act on a server that runs; all tests share one."""

from __future__ import annotations

import asyncio
import io
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest
from nintendo.nex import common, ranking

from tests.support.consoles import GUEST, log_in, online
from tests.support.server_process import ServerProcess, command

pytestmark = pytest.mark.async_timeout(30)


class Operator:
    """Types commands, in the folder of the server."""

    def __init__(self, server: ServerProcess, capsys: pytest.CaptureFixture[str]) -> None:
        self.server = server
        self._config = server.folder / "nekonex.toml"
        self._capsys = capsys

    @property
    def auth(self) -> list[Any]:
        ready = json.loads(self.server.ready_file.read_text())
        address: list[Any] = ready["games"][0]["auth"]
        return address

    async def __call__(self, *arguments: object) -> str:
        """Run a command that works, and return what it prints."""
        status, out, err = await self.attempt(*arguments)
        assert (status, err) == (0, "")
        return out

    async def attempt(self, *arguments: object) -> tuple[int, str, str]:
        self._capsys.readouterr()
        status = await command(*arguments, "--config", self._config)
        captured = self._capsys.readouterr()
        return status, captured.out, captured.err

    async def json(self, *arguments: object) -> Any:
        return json.loads(await self(*arguments, "--json"))


@pytest.fixture
def operator(
    server: ServerProcess,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Operator]:
    monkeypatch.chdir(server.folder.parent)
    yield Operator(server, capsys)
    assert server.process.poll() is None, server.log_text()


def type_in(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


@asynccontextmanager
async def playing(operator: Operator, name: str, password: str) -> AsyncIterator[tuple[int, Any]]:
    """Yield PID and secure client of a player, and who is told that the connection is over."""
    async with online(operator.auth, name, password) as (protocol, connection_id):
        players = await operator.json("players")
        mine = next(each for each in players if each["connection"] == connection_id)
        assert mine["game"] == "kart"
        assert mine["address"][0] == "127.0.0.1"
        yield mine["pid"], protocol


async def assert_disconnected(protocol: Any) -> None:
    """The console was told that it is over, and does not have to find out."""
    async with asyncio.timeout(3):
        while True:
            try:
                await protocol.test_connectivity()
            except (RuntimeError, anyio.ClosedResourceError):
                return
            await asyncio.sleep(0.01)


def refused(name: str) -> Any:
    return pytest.raises(common.RMCError, match=name)


async def new_account(
    operator: Operator, monkeypatch: pytest.MonkeyPatch, name: str, password: str = "secret"
) -> int:
    type_in(monkeypatch, f"{password}\n")
    return int(await operator("account", "add", "--name", name, "--password-stdin"))


def a_score(score: int) -> Any:
    made = ranking.RankingScoreData()
    made.category, made.score = 30, score
    made.order, made.update_mode, made.groups, made.param = 0, 0, [0, 0], 0
    return made


async def test_an_account_works_at_once_and_until_it_is_removed(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    with refused("InvalidUsername"):
        async with log_in(operator.auth, "peach", "first"):
            pass
    pid = await new_account(operator, monkeypatch, "peach", "first")
    assert pid >= 1_000_000_000
    async with log_in(operator.auth, str(pid), "first"):
        pass
    type_in(monkeypatch, "second\n")
    await operator("account", "passwd", pid, "--password-stdin")
    with pytest.raises(ValueError, match="incorrect password"):
        async with log_in(operator.auth, "peach", "first"):
            pass
    async with playing(operator, "peach", "second") as (found, protocol):
        assert found == pid
        await protocol.send_report(3, b"a report")
        removed = await operator("account", "remove", pid, "--data")
        assert removed.startswith(f"removed {pid} and what it left: 1 reports, 0 scores, ")
        await assert_disconnected(protocol)
    with refused("InvalidUsername"):
        async with log_in(operator.auth, "peach", "second"):
            pass
    assert not [each for each in await operator.json("reports", "list") if each["pid"] == pid]


async def test_a_leaderboard_is_looked_at_and_cleaned(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await new_account(operator, monkeypatch, "first")
    second = await new_account(operator, monkeypatch, "second")
    for name, score in (("first", 61_000), ("second", 62_000)):
        async with playing(operator, name, "secret") as (_, protocol):
            await ranking.RankingClient(protocol.client).upload_score(a_score(score), 5)
    category = {"game": "kart", "category": 30, "order": "ascending", "scores": 2}
    assert category in await operator.json("ranking", "list")
    best = await operator.json("ranking", "top", 30)
    assert [(each["rank"], each["pid"], each["unique_id"], each["score"]) for each in best] == [
        (1, first, 5, 61_000),
        (2, second, 5, 62_000),
    ]
    told = await operator("ranking", "remove", 30, first)
    assert told == f"removed the score 61000 of player {first} from kart 30\n"
    assert "1 scores" in await operator("account", "remove", second, "--data")
    assert await operator.json("ranking", "top", 30) == []


async def test_kick_disconnects_once(operator: Operator) -> None:
    async with playing(operator, *GUEST) as (pid, protocol):
        assert await operator("kick", pid) == "disconnected 100\n"
        await assert_disconnected(protocol)
    async with playing(operator, *GUEST):
        pass
    status, _, error = await operator.attempt("kick", 4_000_000_000)
    assert (status, error) == (1, "nekonex: the player 4000000000 is not online\n")


async def test_a_ban_disconnects_and_keeps_out(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = await new_account(operator, monkeypatch, "bowser")
    async with playing(operator, "bowser", "secret") as (_, protocol):
        out = await operator(
            "ban", pid, "--reason", "kidnapping", "--until", "2h", "--game", "kart"
        )
        # The server looks by itself every second, and may have been the first to notice.
        assert out in (f"banned {pid}; disconnected 1\n", f"banned {pid}\n")
        await assert_disconnected(protocol)
    with refused("AccountDisabled"):
        async with log_in(operator.auth, "bowser", "secret"):
            pass
    (ban,) = await operator.json("ban", "list")
    assert (ban["pid"], ban["game"], ban["reason"]) == (pid, "kart", "kidnapping")
    status, _, error = await operator.attempt("unban", pid)
    assert (status, error) == (1, f"nekonex: {pid} is not banned from all games\n")
    await operator("unban", pid, "--game", "kart")
    async with playing(operator, "bowser", "secret"):
        pass


async def test_maintenance_now_disconnects_everybody(operator: Operator) -> None:
    async with playing(operator, *GUEST) as (_, protocol):
        try:
            await operator("maintenance", "on")
            await assert_disconnected(protocol)
            with refused("UnderMaintenance"):
                async with log_in(operator.auth, *GUEST):
                    pass
            assert await operator("maintenance", "status") == "all games: under maintenance\n"
        finally:
            await operator("maintenance", "off")
    assert await operator("maintenance", "status") == "no maintenance\n"
    async with playing(operator, *GUEST):
        pass


async def test_maintenance_that_was_announced_disconnects_when_its_time_comes(
    operator: Operator,
) -> None:
    async with playing(operator, *GUEST) as (_, protocol):
        try:
            await operator("maintenance", "on", "--from", "1s", "--until", "1h", "--game", "kart")
            await protocol.test_connectivity()
            (window,) = await operator.json("maintenance", "status")
            assert (window["game"], window["now"]) == ("kart", False)
            await assert_disconnected(protocol)
        finally:
            await operator("maintenance", "off", "--game", "kart")


async def test_a_whitelist_lets_in_those_on_it(
    operator: Operator, monkeypatch: pytest.MonkeyPatch
) -> None:
    pid = await new_account(operator, monkeypatch, "toad")
    try:
        await operator("whitelist", "add", pid)
        async with playing(operator, *GUEST) as (_, protocol):
            await operator("whitelist", "on")
            await assert_disconnected(protocol)
        with refused("PermissionDenied"):
            async with log_in(operator.auth, *GUEST):
                pass
        async with playing(operator, "toad", "secret"):
            pass
        assert await operator("whitelist", "list") == f"all games: on; {pid}\n"
        assert await operator.json("whitelist", "list") == [
            {"game": None, "on": True, "pids": [pid]}
        ]
    finally:
        await operator("whitelist", "off")
        await operator("whitelist", "remove", pid)
    async with playing(operator, *GUEST):
        pass


async def test_reports_are_listed_and_exported(operator: Operator, tmp_path: Path) -> None:
    async with playing(operator, *GUEST) as (_, protocol):
        await protocol.send_report(9, b"\x00\xffbytes")
    found = await operator.json("reports", "list", "--pid", 100)
    assert (found[-1]["game"], found[-1]["report"], found[-1]["bytes"]) == ("kart", 9, 7)
    file = tmp_path / "reports.jsonl"
    await operator("reports", "export", file)
    last = json.loads(file.read_text().splitlines()[-1])
    assert last["data"] == "AP9ieXRlcw=="
    assert (await operator("reports", "export")).splitlines()[-1] == json.dumps(last)
    assert "kart" in await operator("reports", "list")


async def test_a_second_server_and_a_restore_are_refused(
    operator: Operator, tmp_path: Path
) -> None:
    second = ServerProcess(operator.server.folder)
    assert await asyncio.to_thread(second.wait) == 2
    assert "a nekonex server uses the data directory" in second.log_text()
    assert second.ready_file.exists(), "it removed the ready file of the server that runs"
    archive = tmp_path / "backup.tar.gz"
    await operator("backup", archive)
    status, _, error = await operator.attempt("restore", archive, "--force")
    assert status == 2
    assert "a nekonex server uses the data directory" in error
    await operator("players")


async def test_what_was_backed_up_comes_back(
    operator: Operator,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    await new_account(operator, monkeypatch, "luigi", "green")
    archive = tmp_path / "backup.tar.gz"
    await operator("backup", archive)
    other = tmp_path / "other"
    other.mkdir()
    config = other / "nekonex.toml"
    config.write_text((operator.server.folder / "nekonex.toml").read_text())
    assert await command("restore", archive, "--config", config) == 0
    assert "restored" in capsys.readouterr().out
    assert await command("restore", archive, "--config", config) == 1
    assert "is not empty" in capsys.readouterr().err
    copy = ServerProcess(other)
    try:
        ready = await asyncio.to_thread(copy.wait_ready)
        async with online(ready["games"][0]["auth"], "luigi", "green"):
            pass
        assert (await asyncio.to_thread(copy.stop))[0] == 0
    finally:
        copy.kill()
    secret = Path("data", "secrets", "secure-server")
    assert (other / secret).read_bytes() == (operator.server.folder / secret).read_bytes()
