"""The control socket, from both ends."""

from __future__ import annotations

import asyncio
import json
import socket
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nekonex.app import NoServerError, RefusedCommandError, ask, control, control_address
from nekonex.app.control import CommandRefusedError, ControlServer
from nekonex.app.control_address import LINE_LIMIT, TcpControl, socket_path, token_path
from nekonex.app.errors import StartError


async def handler(command: str, arguments: Mapping[str, Any]) -> Any:
    if command == "refuse":
        raise CommandRefusedError("not today")
    if command == "break":
        raise ZeroDivisionError
    return {"command": command, **arguments}


async def asked(data_dir: Path, command: str, **arguments: Any) -> Any:
    return await asyncio.to_thread(ask, data_dir, command, **arguments)


async def raw(data_dir: Path, *lines: bytes) -> list[dict[str, Any]]:
    reader, writer = await asyncio.open_unix_connection(socket_path(data_dir))
    answers = []
    for line in lines:
        writer.write(line)
        answers.append(json.loads(await reader.readline()))
    writer.close()
    await writer.wait_closed()
    return answers


async def test_names_that_are_no_unicode_come_back_as_they_are(tmp_path: Path) -> None:
    async def names(*_: object) -> list[str]:
        return ["b\udcff", "ねこ", 'a\\"\n']

    async with ControlServer(tmp_path, names).serving():
        assert await asked(tmp_path, "names") == await names()


async def test_commands_are_answered(tmp_path: Path) -> None:
    async with ControlServer(tmp_path, handler).serving():
        assert stat.S_IMODE(socket_path(tmp_path).stat().st_mode) == 0o600
        assert await asked(tmp_path, "greet", name="néko\n") == {
            "command": "greet",
            "name": "néko\n",
        }
        with pytest.raises(RefusedCommandError, match="not today"):
            await asked(tmp_path, "refuse")
        with pytest.raises(RefusedCommandError, match="the server's log says why"):
            await asked(tmp_path, "break")
    assert not socket_path(tmp_path).exists()
    with pytest.raises(NoServerError):
        await asked(tmp_path, "greet")


async def test_what_is_no_command_is_refused_and_the_connection_goes_on(tmp_path: Path) -> None:
    async with ControlServer(tmp_path, handler).serving():
        answers = await raw(
            tmp_path, b"nonsense\n", b"[1]\n", b'{"command": 1}\n', b"\xff\n", b'{"command":"a"}\n'
        )
    assert [answer["ok"] for answer in answers] == [False, False, False, False, True]


async def test_a_line_without_end_is_cut_off(tmp_path: Path) -> None:
    async with ControlServer(tmp_path, handler).serving():
        (answer,) = await raw(tmp_path, b"x" * (LINE_LIMIT + 2))
        assert answer == {"ok": False, "error": f"a request has at most {LINE_LIMIT} bytes"}


async def test_what_a_crash_left_is_replaced(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as stale:
        stale.bind(str(socket_path(tmp_path)))
    with pytest.raises(NoServerError):
        await asked(tmp_path, "greet")
    async with ControlServer(tmp_path, handler).serving():
        assert await asked(tmp_path, "greet") == {"command": "greet"}


async def test_a_client_that_stays_does_not_keep_it_from_stopping(tmp_path: Path) -> None:
    async with ControlServer(tmp_path, handler).serving():
        reader, writer = await asyncio.open_unix_connection(socket_path(tmp_path))
        writer.write(b'{"command":"a"}\n')
        await reader.readline()
    assert await reader.read() == b""
    writer.close()
    await writer.wait_closed()


async def test_there_is_room_for_so_many(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control, "MAX_CLIENTS", 1)
    async with ControlServer(tmp_path, handler).serving():
        reader, writer = await asyncio.open_unix_connection(socket_path(tmp_path))
        writer.write(b'{"command":"a"}\n')
        await reader.readline()
        with pytest.raises(NoServerError):
            await asked(tmp_path, "greet")
        writer.close()
        await writer.wait_closed()


async def test_a_directory_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StartError, match="the control socket in"):
        async with ControlServer(tmp_path / "missing", handler).serving():
            pass


@pytest.fixture
def without_unix_sockets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(control_address, "PATH_LIMIT", 0)


@pytest.mark.usefixtures("without_unix_sockets")
async def test_where_there_are_no_unix_sockets_a_token_is_asked_for(tmp_path: Path) -> None:
    async with ControlServer(tmp_path, handler).serving():
        path = token_path(tmp_path)
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert not socket_path(tmp_path).exists()
        assert await asked(tmp_path, "greet") == {"command": "greet"}
        real = TcpControl.read(path)
        assert real is not None
        TcpControl(real.port, "another token").write(path)
        with pytest.raises(RefusedCommandError, match="the token is wrong"):
            await asked(tmp_path, "greet")
    assert not token_path(tmp_path).exists()


@pytest.mark.usefixtures("without_unix_sockets")
@pytest.mark.parametrize("content", ["", "{}", "[]", '{"port": "x", "token": ""}'])
async def test_a_token_file_that_is_none_means_no_server(tmp_path: Path, content: str) -> None:
    token_path(tmp_path).write_text(content)
    with pytest.raises(NoServerError):
        await asked(tmp_path, "greet")
