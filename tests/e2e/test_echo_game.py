"""The example of a game in code, as its reader runs it."""

from __future__ import annotations

import asyncio
import struct
from pathlib import Path

from tests.support.consoles import GUEST, online
from tests.support.server_process import ServerProcess

EXAMPLE = Path(__file__).parents[2] / "examples" / "echo_game"


async def test_the_example_answers_its_own_protocol(tmp_path: Path) -> None:
    server = ServerProcess(
        tmp_path,
        "--config",
        str(EXAMPLE / "nekonex.toml"),
        environment={
            "NEKONEX_SERVER__DATA_DIR": str(tmp_path / "data"),
            "NEKONEX_GAME__ECHO__AUTH_PORT": "0",
            "NEKONEX_GAME__ECHO__SECURE_PORT": "0",
        },
    )
    try:
        ready = await asyncio.to_thread(server.wait_ready)
        async with online(ready["games"][0]["auth"], *GUEST) as (protocol, _):
            reply = await protocol.client.request(200, 1, struct.pack("<H", 6) + b"hello\0")
            assert reply == struct.pack("<H", 15) + b"100 says hello\0"
            assert await protocol.client.request(200, 2, b"") == struct.pack("<I", 1)
        assert (await asyncio.to_thread(server.stop))[0] == 0
    finally:
        server.kill()
    assert not (EXAMPLE / "data").exists()
