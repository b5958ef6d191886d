"""Resident memory of the server for each connected console."""

import argparse
import asyncio
import contextlib
import struct

import nekonex
from benchmarks.processes import serving
from benchmarks.servers import ECHO, MEMORY, PROTOCOL, settings

BODY = struct.pack("<I", 60) + bytes(60)


async def measure(kind: str, *, consoles: int, call: bool, nexgo: str | None = None) -> float:
    """Return KB a console: (RSS with *consoles* - RSS with none) / *consoles*."""
    async with serving(kind, nexgo) as peer, contextlib.AsyncExitStack() as stack:

        async def connect() -> nekonex.Session:
            return await stack.enter_async_context(
                nekonex.connect(settings(), "127.0.0.1", peer.port)
            )

        async def resident() -> int:
            (kilobytes,) = struct.unpack("<I", await probe.call(PROTOCOL, MEMORY, b""))
            return int(kilobytes)

        probe = await connect()
        await resident()
        before = await resident()
        for _ in range(consoles):
            session = await connect()
            if call:
                await session.call(PROTOCOL, ECHO, BODY)
        after = await resident()
    return (after - before) / consoles


async def compare(*, consoles: int = 2000, nexgo: str | None = None) -> dict[str, float]:
    """Measure all servers, idle and after one call; print and return KB a console."""
    kinds = ["nintendoclients", "compat", "native"] + (["nex-go"] if nexgo else [])
    print(f"Resident memory of the server a console, {consoles} consoles")
    result = {}
    for kind in kinds:
        idle = await measure(kind, consoles=consoles, call=False, nexgo=nexgo)
        called = await measure(kind, consoles=consoles, call=True, nexgo=nexgo)
        print(f"  {kind:16} {idle:6.2f} KB connected {called:6.2f} KB after a call")
        result[kind] = called
    return result


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--consoles", type=int, default=2000)
    parser.add_argument("--nexgo", help="path of the nex-go echo server, to measure it too")
    asyncio.run(compare(**vars(parser.parse_args())))
