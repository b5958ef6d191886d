"""Calls per CPU-second of the server: 64-byte echo, 20 NintendoClients clients, in turn."""

import argparse
import asyncio
import contextlib
import statistics
import struct

from nintendo.nex import rmc

from benchmarks.processes import cpu_of, serving
from benchmarks.servers import ECHO, PROTOCOL, settings

BODY = struct.pack("<I", 60) + bytes(60)
"""64 bytes that are a buffer too: the native server reads and writes them as one."""


async def measure(kind: str, *, clients: int, calls: int, nexgo: str | None = None) -> float:
    """Return the calls per CPU-second of one server."""
    async with serving(kind, nexgo) as peer, contextlib.AsyncExitStack() as stack:
        connected = [
            await stack.enter_async_context(rmc.connect(settings(), "127.0.0.1", peer.port))
            for _ in range(clients)
        ]

        async def play(client: rmc.RMCClient) -> None:
            for _ in range(calls):
                if await client.request(PROTOCOL, ECHO, BODY) != BODY:
                    raise AssertionError("not an echo")

        before = await cpu_of(connected[0])
        await asyncio.gather(*(play(client) for client in connected))
        spent = await cpu_of(connected[0]) - before
    return clients * calls / spent


async def compare(
    *, rounds: int = 3, clients: int = 20, calls: int = 200, nexgo: str | None = None
) -> dict[str, float]:
    """Measure all servers in turn, *rounds* times; return the medians and print them."""
    kinds = ["nintendoclients", "compat", "native"] + (["nex-go"] if nexgo else [])
    figures: dict[str, list[float]] = {kind: [] for kind in kinds}
    for _ in range(rounds):
        for kind in kinds:
            figures[kind].append(await measure(kind, clients=clients, calls=calls, nexgo=nexgo))
    medians = {kind: statistics.median(values) for kind, values in figures.items()}
    base = medians["nintendoclients"]
    print(f"RMC echo, 64 bytes, {clients} clients x {calls} calls, median of {rounds}")
    for kind, value in medians.items():
        micros = 1e6 / value
        print(f"  {kind:16} {value:8.0f} calls/CPU-s {micros:7.1f} us  x{value / base:.2f}")
    return {kind: value / base for kind, value in medians.items()}


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--clients", type=int, default=20)
    parser.add_argument("--calls", type=int, default=200)
    parser.add_argument("--nexgo", help="path of the nex-go echo server, to measure it too")
    asyncio.run(compare(**vars(parser.parse_args())))
