"""`kill -9` of a server whose plugin stores: what `db_store` said is kept is there."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from nekonex.connect import DisconnectedError, StatusError, SyncClient
from tests.support.plugin_server import write_plugin
from tests.support.server_process import ServerProcess

PASSWORD = "a password"
WRITERS = 6
ROUNDS = 3
SECONDS = 0.5

PLAIN = """
class Logic:
    def recv(self, ctx):
        if ctx.op == 1:
            cell, text = ctx.data.decode().split("=")
            if ctx.db_store(cell, text):
                ctx.send(ctx.data, 1)
        else:
            ctx.send(ctx.db_get(ctx.data.decode()).encode(), 2)
"""

COROUTINE = """
class Logic:
    async def recv(self, ctx):
        if ctx.op == 1:
            cell, text = ctx.data.decode().split("=")
            if await ctx.db_store(cell, text):
                await ctx.send(ctx.data, 1)
        else:
            await ctx.send((await ctx.db_get(ctx.data.decode())).encode(), 2)
"""


class Writer(threading.Thread):
    """Stores rising numbers in a few cells, and remembers which the plugin said are kept."""

    def __init__(self, address: tuple[str, int], greeter: str, name: str, first: int) -> None:
        super().__init__()
        self._address = address
        self._greeter = greeter
        self._cells = name
        self._first = first
        self.kept: dict[str, int] = {}
        self.asked: dict[str, int] = {}

    def run(self) -> None:
        try:
            with SyncClient(*self._address, PASSWORD, timeout=10.0) as client:
                number = self._first
                while True:
                    number += 1
                    cell = f"{self._cells}-{number % 3}"
                    self.asked[cell] = number
                    answer = client.request(self._greeter, 1, f"{cell}={number}".encode())
                    assert answer.op == 1
                    self.kept[cell] = number
        except (DisconnectedError, ConnectionError):
            pass  # killed, as it should be


def address_of(server: ServerProcess) -> tuple[str, int]:
    host, port = server.wait_ready()["connect"]
    return host, port


def check(server: ServerProcess, writers: list[Writer]) -> int:
    """Look up what was kept; return how many cells that were."""
    found = 0
    with SyncClient(*address_of(server), PASSWORD, timeout=10.0) as client:
        for writer in writers:
            for cell, number in writer.kept.items():
                text = client.request(writer._greeter, 2, cell.encode()).data.decode()
                # What was asked for last may be there without an answer that said so.
                assert int(text) in (number, writer.asked[cell]), cell
                found += 1
    return found


def test_what_was_acknowledged_survives_a_kill(tmp_path: Path) -> None:
    plugins = tmp_path / "plugins"
    for greeter, source in (("plain", PLAIN), ("coroutine", COROUTINE)):
        write_plugin(plugins, greeter, source)
    (tmp_path / "nekonex.toml").write_text(
        f'[connect]\nport = 0\npassword = "{PASSWORD}"\n', encoding="utf-8"
    )
    last: list[Writer] = []
    for number in range(ROUNDS):
        server = ServerProcess(tmp_path)
        try:
            if last:
                assert check(server, last) > WRITERS
            address = address_of(server)
            writers = [
                Writer(address, greeter, f"{greeter}-{each}", number * 1_000_000)
                for greeter in ("plain", "coroutine")
                for each in range(WRITERS // 2)
            ]
            for writer in writers:
                writer.start()
            time.sleep(SECONDS)
        finally:
            server.kill()
        for writer in writers:
            writer.join(10.0)
            assert not writer.is_alive()
        last = writers
    server = ServerProcess(tmp_path)
    try:
        assert check(server, last) > WRITERS
        with SyncClient(*address_of(server), PASSWORD) as client, pytest.raises(StatusError):
            client.request("plain", 1, b"no number")
    finally:
        server.kill()
