"""Our PRUDP client against NintendoClients' server, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import random
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from anynet import util
from nintendo.nex import prudp as oracle

from nekonex.prudp.limits import CloseReason
from tests.support.oracle import BIG, settings_pair
from tests.support.transport import SERVER_KEY, credentials
from tests.support.udp import UDPNode, udp_client

Handler = Callable[[Any], Awaitable[None]]


async def echo(client: Any) -> None:
    with contextlib.suppress(util.StreamError):
        while True:
            await client.send(await client.recv())


async def echo_second(client: Any) -> None:
    with contextlib.suppress(util.StreamError):
        while True:
            await client.send(await client.recv(1), 1)


async def echo_unreliable(client: Any) -> None:
    with contextlib.suppress(util.StreamError):
        while True:
            await client.send_unreliable(await client.recv_unreliable())


@contextlib.asynccontextmanager
async def their_server(
    settings: Any, handler: Handler = echo, key: bytes | None = None
) -> AsyncIterator[int]:
    """Serve a handler on a port of its own; yield the port."""
    async with (
        oracle.serve_transport(settings, "127.0.0.1", 0) as transport,
        transport.serve(handler, 1, key=key, disconnect_timeout=0.2),
    ):
        yield transport.local_address()[1]


def ticket() -> Any:
    now = time.time()
    return credentials(now, pid=88, session_key=random.Random(now).randbytes(32))


async def leave(node: UDPNode) -> None:
    """Disconnect what is connected, and wait until it is acknowledged."""
    for connection in node.endpoint.connections():
        connection.disconnect()
    await node.drained()


@pytest.mark.parametrize("compression", [0, 1])
@pytest.mark.parametrize(
    ("client_version", "server_version"), [(0, 0), (0, 2), (1, 1), (1, 2), (2, 2)]
)
async def test_messages_of_all_sizes(
    client_version: int, server_version: int, compression: int
) -> None:
    theirs, _ = settings_pair(prudp__version=server_version, prudp__compression=compression)
    _, ours = settings_pair(prudp__version=client_version, prudp__compression=compression)
    async with their_server(theirs) as port, udp_client(ours) as node:
        connection = await node.connected(port)
        sent = [BIG[:size] for size in (1, 1299, 1300, 1301, 5000)] + [b"compressible " * 500]
        for data in sent:
            connection.send(data)
        await node.wait_for(lambda: len(node.messages()) == len(sent))
        assert node.messages() == sent
        assert not node.endpoint.drops
        await leave(node)
        assert node.closed() == [CloseReason.LOCAL]


@pytest.mark.parametrize("preset", ["3ds", "friends"])
async def test_the_presets_of_the_3ds(preset: str) -> None:
    theirs, ours = settings_pair(preset)
    async with their_server(theirs) as port, udp_client(ours) as node:
        connection = await node.connected(port)
        connection.send(BIG[:5000])
        await node.wait_for(lambda: node.messages() == [BIG[:5000]])
        await leave(node)


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("compression", [0, 1])
async def test_200_kilobytes_both_ways_with_a_ticket(version: int, compression: int) -> None:
    theirs, ours = settings_pair(prudp__version=version, prudp__compression=compression)
    async with their_server(theirs, key=SERVER_KEY) as port, udp_client(ours) as node:
        connection = await node.connected(port, ticket())
        connection.send(BIG)
        await node.wait_for(lambda: node.messages() == [BIG])
        await leave(node)


async def test_their_server_sees_who_it_is() -> None:
    theirs, ours = settings_pair()

    async def tell(client: Any) -> None:
        await client.send(b"%d %d" % (client.pid(), client.minor_version()))
        await echo(client)

    async with their_server(theirs, tell, key=SERVER_KEY) as port, udp_client(ours) as node:
        await node.connected(port, ticket())
        await node.wait_for(lambda: node.messages() == [b"88 4"])
        await leave(node)


async def test_a_ticket_that_they_refuse() -> None:
    theirs, ours = settings_pair(prudp__resend_timeout=0.05)
    async with their_server(theirs, key=bytes(16)) as port, udp_client(ours) as node:
        node.connect(port, ticket())
        await node.wait_for(lambda: node.closed() == [CloseReason.REFUSED])


async def test_the_second_substream() -> None:
    theirs, ours = settings_pair(prudp__max_substream_id=1)
    async with (
        their_server(theirs, echo_second, key=SERVER_KEY) as port,
        udp_client(ours) as node,
    ):
        connection = await node.connected(port, ticket())
        sent = [b"%d" % index * 2000 for index in range(10)]
        for data in sent:
            connection.send(data, 1)
        await node.wait_for(lambda: node.messages(1) == sent)
        await leave(node)


@pytest.mark.parametrize("version", [0, 1])
async def test_unreliable_messages(version: int) -> None:
    theirs, ours = settings_pair(prudp__version=version)
    async with (
        their_server(theirs, echo_unreliable, key=SERVER_KEY) as port,
        udp_client(ours) as node,
    ):
        connection = await node.connected(port, ticket())
        sent = [b"unreliable %d" % index for index in range(5)]
        for data in sent:
            connection.send_unreliable(data)
        await node.wait_for(lambda: len(node.unreliable()) == 5)
        assert node.unreliable() == sent
        await leave(node)


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("force", [False, True])
async def test_their_server_ends_it(version: int, force: bool) -> None:
    theirs, ours = settings_pair(prudp__version=version)

    async def end(client: Any) -> None:
        await client.send(await client.recv())
        await (client.close() if force else client.disconnect())

    async with their_server(theirs, end) as port, udp_client(ours) as node:
        connection = await node.connected(port)
        connection.send(b"hello")
        await node.wait_for(lambda: node.closed() == [CloseReason.PEER])
        assert node.messages() == [b"hello"]


@pytest.mark.parametrize("force", [False, True])
async def test_our_client_ends_it(force: bool) -> None:
    theirs, ours = settings_pair()
    ended = asyncio.Event()

    async def wait(client: Any) -> None:
        await echo(client)
        ended.set()

    async with their_server(theirs, wait) as port, udp_client(ours) as node:
        connection = await node.connected(port)
        connection.send(b"hello")
        await node.wait_for(lambda: node.messages() == [b"hello"])
        if force:
            connection.close()
        else:
            await leave(node)
        async with asyncio.timeout(5):
            await ended.wait()
        assert node.closed() == [CloseReason.LOCAL]


@pytest.mark.parametrize("version", [0, 1])
async def test_idle_peers_ping_and_stay(version: int) -> None:
    theirs, ours = settings_pair(
        prudp__version=version, prudp__ping_timeout=0.2, prudp__resend_timeout=0.5
    )
    async with their_server(theirs) as port, udp_client(ours) as node:
        connection = await node.connected(port)
        for index in range(3):
            await asyncio.sleep(0.45)
            connection.send(b"%d" % index)
        await node.wait_for(lambda: node.messages() == [b"0", b"1", b"2"])
        assert node.closed() == []
        await leave(node)


async def test_our_numbers_may_wrap() -> None:
    theirs, ours = settings_pair()
    started: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def remember(client: Any) -> None:
        started.set_result(client)
        await echo(client)

    async with their_server(theirs, remember) as port, udp_client(ours) as node:
        connection = await node.connected(port)
        client = await started
        windows = getattr(client, "sliding_windows", None) or client._sliding_windows
        for name in ("next", "_next"):
            if isinstance(getattr(windows[0], name, None), int):
                setattr(windows[0], name, 65500)
        connection.sender(0).next = 65500
        sent = [b"%d" % index for index in range(100)]
        for data in sent:
            connection.send(data)
        await node.wait_for(lambda: node.messages() == sent)
        await leave(node)


async def test_sixteen_connections_from_one_socket() -> None:
    theirs, ours = settings_pair()
    async with their_server(theirs, key=SERVER_KEY) as port, udp_client(ours) as node:
        tickets = [
            credentials(time.time(), pid=pid, session_key=bytes((pid,)) * 32) for pid in range(16)
        ]
        connections = [node.connect(port, each) for each in tickets]
        await node.wait_for(lambda: len(node.opened()) == 16)
        for pid, connection in enumerate(connections):
            connection.send(b"%d" % pid * 500)
        await node.wait_for(lambda: len(node.messages()) == 16)
        assert set(node.messages()) == {b"%d" % pid * 500 for pid in range(16)}
        await leave(node)
