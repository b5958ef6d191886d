"""NekoConnect: what a frame costs, how late its answer is, and what an idle client takes.

Frames carry 64 bytes of data through an echo plugin and back. Beside NekoConnect, and under the
same load, stands a server of asyncio streams that sends equally framed packets back, without
asking for a password or looking into them. Every answer has a client send one frame more. What it
sends at once has the hash of the newest random, as nekonex's own clients do it; or, in one of the
measurements, each frame has that of another random, which is the most that a client can ask for.
"""

import argparse
import asyncio
import contextlib
import os
import resource
import socket
import statistics
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import cast

from benchmarks.connect_servers import GREETER, HEADER_SIZE, PASSWORD
from benchmarks.logins import cpu_of
from nekonex.connect.protocol import ClientSession, Message, Password
from nekonex.connect.protocol.auth import RANDOM_SIZE

DATA = bytes(range(64))
OP = 7
MAX_DATA = 1024 * 1024
RANDOM_AT = HEADER_SIZE + len(GREETER) + 1
HASH_SIZE = 64
KINDS = {
    "bare": "asyncio streams, bare",
    "coroutine": "coroutine plugin",
    "plain": "plain plugin",
}
LOADS = {
    "asyncio streams, bare": ("bare", False, 1.0),
    "coroutine plugin": ("coroutine", False, 1.0),
    "... a hash each": ("coroutine", True, 1.0),
    "plain plugin": ("plain", False, 0.1),
}
"""The server of each measurement, whether each frame has another hash, and how many of the frames
are sent: threads take their time."""


@dataclass(frozen=True)
class Server:
    """A server that is running in a process of its own."""

    kind: str
    pid: int
    port: int

    @property
    def resident(self) -> int:
        """Its resident memory in KB."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") // 1024


@dataclass(frozen=True)
class Figures:
    """What one round of load has shown."""

    cpu: float
    """CPU seconds of the server a frame."""
    rate: float
    """Frames a second."""


@contextlib.asynccontextmanager
async def serving(kind: str) -> AsyncIterator[Server]:
    """Start a server, and end it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "benchmarks.connect_servers", kind,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    if process.stdin is None or process.stdout is None:
        raise RuntimeError("no pipes")
    try:
        yield Server(kind, process.pid, int(await process.stdout.readline()))
    finally:
        process.stdin.close()
        await process.wait()


class Client:
    """One connection, logged in unless the server is bare."""

    def __init__(self, server: Server) -> None:
        self.socket = socket.create_connection(("127.0.0.1", server.port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._session = ClientSession(PASSWORD, max_data=MAX_DATA)
        if server.kind == "bare":
            # It frames what it would have sent, so that the frames are of one size.
            self._session.authenticated = True
        else:
            self.socket.sendall(self._session.start())
            self._receive()
        self.answer_size = 0
        """Bytes of an answer; known when the first one came."""

    def echo(self) -> None:
        """Send a frame, and check the answer."""
        self.socket.sendall(self.frame())
        message, self.answer_size = self._receive()
        if message != Message(GREETER, OP, DATA):
            raise AssertionError("not an echo")

    def frame(self) -> bytes:
        """Return a frame with the hash of the newest random that was read."""
        return self._session.frame(GREETER, OP, DATA)

    def exchange(self, frame: bytes) -> None:
        """Send a frame and take the answer, as fast as that goes."""
        self.socket.sendall(frame)
        left = self.answer_size
        while left:
            left -= len(self.socket.recv(left))

    def close(self) -> None:
        self.socket.close()

    def _receive(self) -> tuple[Message, int]:
        size = 0
        while (message := self._session.next_message()) is None:
            received = self.socket.recv(65536)
            if not received:
                raise ConnectionError("the server has closed the connection")
            size += len(received)
            self._session.feed(received)
        return message, size


class Pipeline(asyncio.Protocol):
    """Keeps so many frames of a client on their way, until all are answered."""

    def __init__(self, client: Client, *, depth: int, frames: int, each_hash: bool) -> None:
        self._first = client.frame() * depth
        self._beginning = client.frame()[:-HASH_SIZE]
        self._hash = Password(PASSWORD).hash
        self._each_hash = each_hash
        self._answer_size = client.answer_size
        self._to_send = frames - depth
        self._to_come = frames
        self._rest = b""
        self.done = asyncio.get_running_loop().create_future()

    @classmethod
    async def open(cls, server: Server, *, depth: int, frames: int, each_hash: bool) -> "Pipeline":
        client = Client(server)
        client.echo()
        client.socket.setblocking(False)
        _, pipeline = await asyncio.get_running_loop().create_connection(
            lambda: cls(client, depth=depth, frames=frames, each_hash=each_hash),
            sock=client.socket,
        )
        return pipeline

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def start(self) -> None:
        self._transport.write(self._first)

    def data_received(self, data: bytes) -> None:
        data = self._rest + data
        answers, left = divmod(len(data), self._answer_size)
        self._rest = data[len(data) - left :]
        self._to_come -= answers
        if answers and self._to_send:
            answers = min(answers, self._to_send)
            self._to_send -= answers
            self._transport.write(self._answer(data, answers))
        if not self._to_come:
            self.done.set_result(None)

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self.done.set_exception(ConnectionError("the server has closed the connection"))

    def close(self) -> None:
        self._transport.close()

    def _answer(self, data: bytes, answers: int) -> bytes:
        """Return a frame for each of so many answers, whose parts are where they always are."""
        size = self._answer_size
        ends = range(RANDOM_AT + RANDOM_SIZE, RANDOM_AT + answers * size, size)
        if not self._each_hash:
            return (self._beginning + self._hash(data[ends[-1] - RANDOM_SIZE : ends[-1]])) * answers
        return b"".join(self._beginning + self._hash(data[end - RANDOM_SIZE : end]) for end in ends)


async def measure(
    kind: str, *, clients: int, frames: int, depth: int, each_hash: bool = False
) -> Figures:
    """Send *frames* frames of each of *clients* clients, *depth* of them at a time."""
    async with serving(kind) as server:
        pipelines = [
            await Pipeline.open(server, depth=depth, frames=frames, each_hash=each_hash)
            for _ in range(clients)
        ]
        spent, began = -cpu_of(server.pid), time.perf_counter()
        for pipeline in pipelines:
            pipeline.start()
        await asyncio.gather(*(pipeline.done for pipeline in pipelines))
        took = time.perf_counter() - began
        spent += cpu_of(server.pid)
        for pipeline in pipelines:
            pipeline.close()
    return Figures(spent / clients / frames, clients * frames / took)


async def latencies(kind: str, exchanges: int) -> list[float]:
    """Return the seconds that one client waits for each answer, in ascending order."""
    async with serving(kind) as server:
        with contextlib.closing(Client(server)) as client:
            client.echo()
            frame = client.frame()
            found = []
            for _ in range(exchanges):
                began = time.perf_counter()
                client.exchange(frame)
                found.append(time.perf_counter() - began)
    return sorted(found)


async def compare(
    *, rounds: int = 5, clients: int = 50, frames: int = 4000, depth: int = 32
) -> dict[str, float]:
    """Measure all servers in turn, *rounds* times; print the medians.

    Return how many times as much CPU as the bare server each measurement takes.
    """
    found: dict[str, list[Figures]] = {load: [] for load in LOADS}
    for _ in range(rounds):
        for load, (kind, each_hash, share) in LOADS.items():
            count = max(depth, int(frames * share))
            found[load].append(
                await measure(kind, clients=clients, frames=count, depth=depth, each_hash=each_hash)
            )
    cpu = {load: statistics.median(each.cpu for each in found[load]) for load in LOADS}
    rate = {load: statistics.median(each.rate for each in found[load]) for load in LOADS}
    print(
        f"Echo of 64 bytes, {clients} clients x {frames} frames, {depth} of each on their way, "
        f"median of {rounds}"
    )
    base = cpu["asyncio streams, bare"]
    for load in LOADS:
        print(
            f"  {load:22} {cpu[load] * 1e6:6.1f} us CPU a frame  "
            f"x{cpu[load] / base:.2f}  {rate[load]:7.0f} frames/s"
        )
    return {load: cpu[load] / base for load in LOADS}


async def ping_pong(*, rounds: int = 3, exchanges: int = 5000) -> None:
    """Print how long one client that waits for every answer waits, median of the rounds."""
    found: dict[str, list[list[float]]] = {kind: [] for kind in KINDS}
    for _ in range(rounds):
        for kind in KINDS:
            found[kind].append(await latencies(kind, exchanges))
    print(f"Ping-pong of 64 bytes, one client, {exchanges} times, median of {rounds}")
    for kind, name in KINDS.items():
        half, most = (
            statistics.median(each[int(len(each) * share)] for each in found[kind]) * 1e6
            for share in (0.5, 0.99)
        )
        print(f"  {name:22} {half:6.0f} us median {most:6.0f} us 99 %")


async def idle(*, clients: int = 5000) -> dict[str, int]:
    """Print what servers take for clients that do nothing; return their resident KB at the end."""
    allow_sockets(clients + 100)
    print(f"Resident memory of the server, {clients} idle clients")
    found = {}
    for kind, name in (("coroutine", "NekoConnect alone"), ("whole", "the whole server")):
        async with serving(kind) as server:
            with contextlib.ExitStack() as stack:
                # The first one has the server import and make what it needs only once.
                stack.enter_context(contextlib.closing(Client(server))).echo()
                empty = server.resident
                connected = [
                    stack.enter_context(contextlib.closing(Client(server))) for _ in range(clients)
                ]
                after_login = server.resident
                for client in connected:
                    client.echo()
                found[kind] = server.resident
        print(
            f"  {name:22} {empty / 1024:6.1f} MB with one, {after_login / 1024:6.1f} MB logged in "
            f"({(after_login - empty) / clients:.1f} KB each), "
            f"{found[kind] / 1024:6.1f} MB after a frame ({(found[kind] - empty) / clients:.1f})"
        )
    return found


def allow_sockets(count: int) -> None:
    """Let this process, and those that it starts, have so many files open."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < count:
        resource.setrlimit(resource.RLIMIT_NOFILE, (count, max(hard, count)))


async def everything(
    *,
    rounds: int = 5,
    clients: int = 50,
    frames: int = 4000,
    depth: int = 32,
    exchanges: int = 5000,
    idle_clients: int = 5000,
) -> None:
    await compare(rounds=rounds, clients=clients, frames=frames, depth=depth)
    await ping_pong(rounds=min(rounds, 3), exchanges=exchanges)
    await idle(clients=idle_clients)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--clients", type=int, default=50)
    parser.add_argument("--frames", type=int, default=4000, help="of each client")
    parser.add_argument("--depth", type=int, default=32, help="frames of a client on their way")
    parser.add_argument("--exchanges", type=int, default=5000, help="of the ping-pong")
    parser.add_argument("--idle-clients", type=int, default=5000)
    asyncio.run(everything(**vars(parser.parse_args())))
