"""Many consoles, one call a second each: does every call succeed, and how late is it?

The consoles are nekonex's own client role, in this process; the server is in
another. A call fails when it raises or takes longer than ten seconds.
"""

import argparse
import asyncio
import contextlib
import random
import struct
import time
from dataclasses import dataclass, field

import nekonex
from benchmarks.processes import serving
from benchmarks.servers import CPU, ECHO, PROTOCOL, settings

BODY = struct.pack("<I", 60) + bytes(60)


@dataclass
class Outcome:
    """What happened to the consoles."""

    latencies: list[float] = field(default_factory=list)
    failed: int = 0
    lost: int = 0

    def percentile(self, share: float) -> float:
        """Return a latency in milliseconds."""
        ordered = sorted(self.latencies)
        return ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1000


async def play(session: nekonex.Session, outcome: Outcome, until: float, offset: float) -> None:
    """Make one call a second."""
    loop = asyncio.get_running_loop()
    at = loop.time() + offset
    while at < until:
        await asyncio.sleep(max(0.0, at - loop.time()))
        at += 1
        began = loop.time()
        try:
            if await session.call(PROTOCOL, ECHO, BODY) != BODY:
                outcome.failed += 1
        except (TimeoutError, ConnectionError, nekonex.RMCError):
            outcome.failed += 1
        outcome.latencies.append(loop.time() - began)
    outcome.lost += not session.open


async def run(*, kind: str = "native", consoles: int = 2000, seconds: float = 60) -> Outcome:
    """Run the consoles against one kind of server."""
    outcome = Outcome()
    loop = asyncio.get_running_loop()
    async with serving(kind) as peer, contextlib.AsyncExitStack() as stack:
        sessions = [
            await stack.enter_async_context(nekonex.connect(settings(), "127.0.0.1", peer.port))
            for _ in range(consoles)
        ]
        (before,) = struct.unpack("<d", await sessions[0].call(PROTOCOL, CPU, b""))
        own = time.process_time()
        began = loop.time()
        async with asyncio.TaskGroup() as group:
            for session in sessions:
                group.create_task(play(session, outcome, began + seconds, random.random()))
        (after,) = struct.unpack("<d", await sessions[0].call(PROTOCOL, CPU, b""))
        load = (after - before) / (loop.time() - began)
        mine = (time.process_time() - own) / (loop.time() - began)
    print(
        f"{consoles} consoles, one call a second for {seconds:g} s, server {kind}\n"
        f"  {len(outcome.latencies)} calls, {outcome.failed} failed, "
        f"{outcome.lost} connections lost\n"
        f"  p50 {outcome.percentile(0.5):.2f} ms, p99 {outcome.percentile(0.99):.2f} ms, "
        f"worst {outcome.percentile(1):.1f} ms\n"
        f"  CPU: server {load:.0%} of a core, consoles {mine:.0%}"
    )
    return outcome


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", default="native", help="native, compat or nintendoclients")
    parser.add_argument("--consoles", type=int, default=2000)
    parser.add_argument("--seconds", type=float, default=60)
    asyncio.run(run(**vars(parser.parse_args())))
