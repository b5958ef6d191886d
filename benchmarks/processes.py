"""Starts the servers that are measured, each in a process of its own."""

import asyncio
import contextlib
import shutil
import struct
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Protocol

from benchmarks.servers import CPU, MEMORY, PROTOCOL, free_port


class Caller(Protocol):
    """A client that can call a method: NintendoClients' or ours, through an adapter."""

    async def request(self, protocol: int, method: int, body: bytes) -> bytes: ...


@dataclass(frozen=True)
class Peer:
    """A server that is running."""

    kind: str
    port: int


@contextlib.asynccontextmanager
async def serving(kind: str, nexgo: str | None = None) -> AsyncIterator[Peer]:
    """Start a server, and end it."""
    folder = None
    if kind == "nex-go":
        if nexgo is None:
            raise ValueError("nex-go needs the path of its program")
        port = free_port()
        # It writes its logs into the folder that it is started in.
        folder = tempfile.mkdtemp(prefix="nex-go-")
        process = await asyncio.create_subprocess_exec(nexgo, str(port), cwd=folder)
        await asyncio.sleep(0.5)
    else:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.servers", kind,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        if process.stdout is None:
            raise RuntimeError("no pipe")
        port = int(await process.stdout.readline())
    try:
        yield Peer(kind, port)
    finally:
        process.kill()
        await process.wait()
        if folder is not None:
            shutil.rmtree(folder)


async def cpu_of(client: Caller) -> float:
    """Return the CPU seconds that the server has used."""
    (seconds,) = struct.unpack("<d", await client.request(PROTOCOL, CPU, b""))
    return float(seconds)


async def memory_of(client: Caller) -> int:
    """Return the resident memory of the server in KB."""
    (kilobytes,) = struct.unpack("<I", await client.request(PROTOCOL, MEMORY, b""))
    return int(kilobytes)
