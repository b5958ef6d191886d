"""The servers of NekoConnect frames that are compared. Each runs in a process of its own.

``python -m benchmarks.connect_servers KIND`` prints the port and serves until its standard input is
closed. ``coroutine`` and ``plain`` are NekoConnect with an echo plugin of that kind; ``whole`` is
the first of them in the server that ``nekonex serve`` runs, with a game and its database; ``bare``
is asyncio streams that send every packet back, whoever sends it and whatever is in it.
"""

import asyncio
import contextlib
import socket
import struct
import sys
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

from nekonex.connect import ConnectLimits, ConnectServer
from nekonex.storage.memory_cells import MemoryCellStore

GREETER = "echo"
PASSWORD = "correct horse battery staple"
MAX_CONNECTIONS = 20_000

SPEC = """\
$ name { "Echo" };
$ greet { "echo" };
$ logic { "logic" };
$ version { "1.0.0" };
"""
LOGIC = {
    "coroutine": """\
class Logic:
    async def recv(self, ctx):
        await ctx.send(ctx.data, ctx.op)
""",
    "plain": """\
class Logic:
    def recv(self, ctx):
        ctx.send(ctx.data, ctx.op)
""",
}
KINDS = ("bare", *LOGIC, "whole")
CONFIG = f"""\
[http]
enabled = false
[connect]
password = "{PASSWORD}"
max_connections = {MAX_CONNECTIONS}
[[game]]
title = "mario-kart-8"
host = "127.0.0.1"
external_address = "127.0.0.1"
"""

HEADER_SIZE = 12
PACKET_LENGTH = struct.Struct(">I")


async def send_packets_back(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Serve one client of the bare server."""
    with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            header = await reader.readexactly(HEADER_SIZE)
            (length,) = PACKET_LENGTH.unpack_from(header)
            rest = await reader.readexactly(length - HEADER_SIZE)
            writer.write(header + rest)
            await writer.drain()
    writer.close()


@contextlib.asynccontextmanager
async def running(kind: str) -> AsyncIterator[int]:
    """Run one of the servers on loopback; yield its port."""
    with tempfile.TemporaryDirectory(prefix="nekonex-plugin-") as name:
        folder = Path(name)
        (folder / "spec.conf").write_text(SPEC)
        (folder / "logic.py").write_text(LOGIC.get(kind, LOGIC["coroutine"]))
        if kind == "whole":
            # Here, because the others are to be measured without all that it imports.
            from nekonex.testing import running_server  # noqa: PLC0415

            async with running_server(CONFIG, plugin_folders=[folder]) as server:
                if server.connect is None:
                    raise RuntimeError("no NekoConnect")
                yield server.connect.address[1]
            return
        with socket.create_server(("127.0.0.1", 0), backlog=128) as sock:
            sock.setblocking(False)
            async with _serving(kind, sock, folder):
                yield int(sock.getsockname()[1])


@contextlib.asynccontextmanager
async def _serving(kind: str, sock: socket.socket, folder: Path) -> AsyncIterator[None]:
    if kind == "bare":
        async with await asyncio.start_server(send_packets_back, sock=sock):
            yield
        return
    limits = ConnectLimits(max_connections=MAX_CONNECTIONS)
    server = ConnectServer(
        password=PASSWORD, cells=MemoryCellStore(), limits=limits, folders=[folder]
    )
    await server.start(sock)
    yield
    await server.close()


async def main(kind: str) -> None:
    async with running(kind) as port:
        print(port, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    if sys.argv[1:] not in [[kind] for kind in KINDS]:
        sys.exit(f"one of {', '.join(KINDS)}")
    asyncio.run(main(sys.argv[1]))
