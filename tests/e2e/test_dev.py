"""`nekonex dev`, as the author of a plugin works with it."""

from __future__ import annotations

import asyncio
from pathlib import Path

from nekonex.connect.host.host import WATCH_SECONDS
from tests.support.connected import logged_in
from tests.support.plugin_folders import make_plugin
from tests.support.server_process import ServerProcess

LOGIC = """\
class Logic:
    def recv(self, ctx):
        ctx.log("one more")
        ctx.db_store("seen", ctx.db_get("seen") + "{mark}")
        ctx.send(ctx.db_get("seen").encode())
"""

ENVIRONMENT = {
    "NEKONEX_CONNECT__PASSWORD": "tuna",
    "NEKONEX_GAME__COMMON__AUTH_PORT": "0",
    "NEKONEX_GAME__COMMON__SECURE_PORT": "0",
}


async def test_a_plugin_changes_while_its_clients_stay(tmp_path: Path) -> None:
    folder = make_plugin(tmp_path / "mine", LOGIC.format(mark="a"))
    files = {path.name for path in folder.iterdir()}
    server = ServerProcess(tmp_path, command="dev", cwd=folder, environment=ENVIRONMENT)
    try:
        host, port = (await asyncio.to_thread(server.wait_ready))["connect"]
        async with logged_in((host, port), "tuna") as client:
            assert (await client.request("echo", b"")).data == b"a"
            # Long enough to take what the server itself writes for a change, were it one.
            await asyncio.sleep(4 * WATCH_SECONDS)
            (folder / "logic.py").write_text(LOGIC.format(mark="b"))
            seen = b""
            async with asyncio.timeout(10):
                while not seen.endswith(b"b"):
                    seen = (await client.request("echo", b"")).data
                    await asyncio.sleep(0.05)
            assert seen.strip(b"a") == b"b"
            assert (await client.request("echo", b"")).data == seen + b"b"
        assert (await asyncio.to_thread(server.stop))[0] == 0
    finally:
        server.kill()
    log = server.log_text()
    assert (log.count("plugin loaded"), log.count("plugin reloaded")) == (1, 1)
    assert "debug   client authenticated" in log
    assert "info    one more plugin=echo" in log
    assert {path.name for path in folder.iterdir()} == files | {".nekonex"}


async def test_a_plugin_that_hangs_does_not_keep_the_server_from_stopping(tmp_path: Path) -> None:
    logic = """\
        import time
        class Logic:
            def recv(self, ctx):
                ctx.send(b"now")
                time.sleep(60)
        """
    folder = make_plugin(tmp_path / "mine", logic)
    server = ServerProcess(tmp_path, str(folder), command="dev", environment=ENVIRONMENT)
    try:
        host, port = (await asyncio.to_thread(server.wait_ready))["connect"]
        async with logged_in((host, port), "tuna") as client:
            assert (await client.request("echo", b"")).data == b"now"
            status, seconds = await asyncio.to_thread(server.stop)
            assert (status, seconds < 5) == (0, True)
            assert (await client.recv()).op == 503
    finally:
        server.kill()
    assert "info    stopped" in server.log_text()
    assert "something did not stop in time" not in server.log_text()
