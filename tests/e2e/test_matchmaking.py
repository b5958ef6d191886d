"""Consoles that meet on a real server, and what its operator sees of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from nekonex.config import load_config
from nekonex.nex import SecureConnection
from nekonex.nex.backend import login
from nekonex.rmc import Session
from nekonex.values import StationURL
from tests.support.commands import Commands
from tests.support.rooms import auto_matchmake, new_session
from tests.support.server_process import ServerProcess, command

CONFIG = """\
[[game]]
name = "kart"
title = "mario-kart-8"
auth_port = 0
secure_port = 0
"""

pytestmark = pytest.mark.async_timeout(40)


@contextlib.asynccontextmanager
async def online(folder: Path, address: Any, name: str) -> AsyncIterator[Session]:
    settings = load_config(folder / "nekonex.toml", environ={}).games[0].settings()
    host, port = address
    async with login(settings, host, port, name, "secret") as session:
        url = StationURL("prudp", address="127.0.0.1", port=50000, sid=15, type=0)
        reply = await SecureConnection.client(session).register([url])
        reply.result.raise_if_error()
        yield session


@pytest.mark.parametrize("log_format", ["json", "text"])
async def test_an_operator_sees_who_plays_and_why_somebody_does_not(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    log_format: str,
) -> None:
    (tmp_path / "nekonex.toml").write_text(CONFIG)
    monkeypatch.chdir(tmp_path)
    commands = Commands(tmp_path, monkeypatch, capsys)
    peach_pid, toad_pid = [
        await asyncio.to_thread(commands.add, "--name", name) for name in ("peach", "toad")
    ]

    async def typed(*arguments: object) -> str:
        capsys.readouterr()
        assert await command("game", *arguments) == 0
        return capsys.readouterr().out

    server = ServerProcess(tmp_path, "--log-level", "debug", "--log-format", log_format)
    template = new_session(game_mode=3, max_participants=12)
    try:
        ready = await asyncio.to_thread(server.wait_ready)
        address = ready["games"][0]["auth"]
        async with (
            online(tmp_path, address, "peach") as peach,
            online(tmp_path, address, "toad") as toad,
        ):
            gid = (await auto_matchmake(peach, template=template)).id
            (row,) = json.loads(await typed("gatherings", "--json"))
            assert (row["gid"], row["owner"], row["game_mode"]) == (gid, peach_pid, 3)
            own = (await auto_matchmake(toad, template=template, game_mode="7")).id
            assert own != gid
            out = await typed("explain", toad_pid)
            assert f"- gid {gid}, 1/12: game mode is 3, not 7\n" in out
            assert "nothing keeps" in await typed("explain", toad_pid, "--gid", gid)
            assert (await auto_matchmake(toad, template=template)).id == gid
            (row,) = json.loads(await typed("gatherings", "--game", "kart", "--json"))
            assert row["participants"] == [peach_pid, toad_pid]
            assert f"{gid}" in await typed("gatherings")
        assert (await asyncio.to_thread(server.stop))[0] == 0
    finally:
        server.kill()
    (why,) = [
        line
        for line in server.log_text().splitlines()
        if "session passed over" in line and "not 7" in line
    ]
    if log_format == "json":
        told = json.loads(why)
        assert (told["gid"], told["reason"]) == (gid, "game mode is 3, not 7")
        assert (told["level"], told["logger"]) == ("debug", "nekonex.matchmaking")
    else:
        assert f'game=kart pid={toad_pid} gid={gid} reason="game mode is 3, not 7"' in why
