"""The echo servers that are compared. Each runs in a process of its own.

Protocol 100: method 1 echoes, 2 answers the process's CPU seconds (double),
4 its resident memory in KB (u32). ``python -m benchmarks.servers KIND`` prints
the port and serves until its standard input is closed.
"""

import asyncio
import contextlib
import os
import resource
import socket
import struct
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from nintendo.nex import rmc
from nintendo.nex import settings as nintendo_settings

import nekonex
from nekonex.compat import serve as compat_serve
from nekonex.rmc import Protocol, Session, method
from nekonex.wire import Double, UInt32

ACCESS_KEY = "25dbf96a"
NEX_VERSION = 30504
PROTOCOL = 100
ECHO, CPU, MEMORY = 1, 2, 4


def settings() -> Any:
    """Return NintendoClients' settings of the game that is served."""
    result = nintendo_settings.default()
    result.configure(ACCESS_KEY, NEX_VERSION)
    result["prudp.version"] = 1
    return result


def cpu_seconds() -> float:
    """Return the CPU time of this process, user and system."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime


def resident_kilobytes() -> int:
    """Return the resident memory of this process."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


class NintendoEcho:
    """The echo server in NintendoClients' form."""

    PROTOCOL_ID = PROTOCOL

    async def handle(self, client: Any, method: int, input: Any, output: Any) -> None:  # noqa: A002
        if method == ECHO:
            output.write(input.readall())
        elif method == CPU:
            output.write(struct.pack("<d", cpu_seconds()))
        elif method == MEMORY:
            output.write(struct.pack("<I", resident_kilobytes()))

    async def logout(self, client: Any) -> None:
        pass


class Echo(Protocol, id=PROTOCOL):
    """The echo server in our own form; the 64 bytes are read and written as a buffer."""

    @method(ECHO)
    async def echo(self, client: Session, data: bytes) -> bytes:
        return data

    @method(CPU)
    async def cpu(self, client: Session) -> Double:
        return cpu_seconds()

    @method(MEMORY)
    async def memory(self, client: Session) -> UInt32:
        return resident_kilobytes()


@contextlib.asynccontextmanager
async def running(kind: str) -> AsyncIterator[int]:
    """Run one of the servers on loopback; yield its port."""
    if kind == "nintendoclients":
        port = free_port()
        async with rmc.serve(settings(), [NintendoEcho()], "127.0.0.1", port):
            yield port
    elif kind == "compat":
        async with compat_serve(settings(), [NintendoEcho()], "127.0.0.1", 0) as service:
            yield service.address[1]
    elif kind == "native":
        async with nekonex.serve(settings(), [Echo()], "127.0.0.1", 0) as service:
            yield service.address[1]
    else:
        sys.exit(f"there is no server {kind!r}")


def free_port() -> int:
    """Return a UDP port that was free a moment ago: ``rmc.serve`` does not tell what 0 became."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def main(kind: str) -> None:
    async with running(kind) as port:
        print(port, flush=True)
        await asyncio.to_thread(sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
