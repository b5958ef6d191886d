"""NintendoClients' PRUDP client against our server, over real sockets.

The other way round is in test_prudp_nintendoclients_server.py.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import random
from collections.abc import Callable
from typing import Any

import anyio
import pytest
from anynet import util
from nintendo.nex import prudp as oracle

from nekonex.prudp.base import Address
from nekonex.prudp.limits import CloseReason, DropReason, Limits
from tests.support.oracle import BIG, login, settings_pair
from tests.support.transport import SERVER_KEY
from tests.support.udp import HOST, UDPNode, udp_server


async def exchange(client: Any, data: bytes, substream: int = 0) -> None:
    await client.send(data, substream)
    assert await client.recv(substream) == data


@pytest.mark.parametrize("compression", [0, 1])
@pytest.mark.parametrize(
    ("client_version", "server_version"), [(0, 0), (0, 2), (1, 1), (1, 2), (2, 2)]
)
async def test_messages_of_all_sizes(
    client_version: int, server_version: int, compression: int
) -> None:
    theirs, ours = settings_pair(prudp__version=client_version, prudp__compression=compression)
    ours = dataclasses.replace(ours, version=server_version)
    async with udp_server(ours) as server:
        async with oracle.connect(theirs, HOST, server.port) as client:
            for size in (1, 1299, 1300, 1301, 5000):
                await exchange(client, BIG[:size])
            await exchange(client, b"compressible " * 500)
            for index in range(50):
                await exchange(client, b"%d" % index)
        assert server.closed() == [CloseReason.PEER]
        assert not server.endpoint.drops


@pytest.mark.parametrize("version", [0, 1])
async def test_a_login_with_a_ticket(version: int) -> None:
    theirs, ours = settings_pair(prudp__version=version)
    async with udp_server(ours, key=SERVER_KEY) as server:
        async with oracle.connect(theirs, HOST, server.port, credentials=login(77)) as client:
            await exchange(client, b"hello" * 1000)
        (connection,) = server.opened()
        assert (connection.pid, connection.cid) == (77, 5)
        assert connection.minor_version == (4 if version else 0)


async def test_a_ticket_of_another_server_is_not_answered() -> None:
    theirs, ours = settings_pair(prudp__resend_timeout=0.05)
    async with udp_server(ours, key=bytes(16)) as server:
        with pytest.raises(BaseException, match=r"PRUDP connection failed|unhandled"):
            async with oracle.connect(theirs, HOST, server.port, credentials=login()):
                pass
        drops = server.endpoint.drops
        assert drops[DropReason.BAD_TICKET] == 3
        # NintendoClients' close() may say goodbye to a connection that never was.
        assert drops.keys() <= {DropReason.BAD_TICKET, DropReason.UNKNOWN_CONNECTION}
        assert len(server.endpoint) == 0


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("compression", [0, 1])
async def test_200_kilobytes_both_ways(version: int, compression: int) -> None:
    theirs, ours = settings_pair(prudp__version=version, prudp__compression=compression)
    async with (
        udp_server(ours, key=SERVER_KEY) as server,
        oracle.connect(theirs, HOST, server.port, credentials=login()) as client,
    ):
        await exchange(client, BIG)
        await exchange(client, BIG[::-1])


async def test_the_second_substream() -> None:
    theirs, ours = settings_pair(prudp__max_substream_id=1)
    async with (
        udp_server(ours, key=SERVER_KEY) as server,
        oracle.connect(theirs, HOST, server.port, credentials=login()) as client,
    ):
        for index in range(20):
            await exchange(client, b"%d" % index * 300, substream=index % 2)
        assert len(server.messages(0)) == len(server.messages(1)) == 10


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("compression", [0, 1])
async def test_unreliable_messages(version: int, compression: int) -> None:
    theirs, ours = settings_pair(prudp__version=version, prudp__compression=compression)
    async with (
        udp_server(ours, key=SERVER_KEY) as server,
        oracle.connect(theirs, HOST, server.port, credentials=login()) as client,
    ):
        for index in range(5):
            await client.send_unreliable(b"unreliable %d" % index)
            assert await client.recv_unreliable() == b"unreliable %d" % index


async def test_the_friends_server() -> None:
    theirs, ours = settings_pair("friends")
    async with udp_server(ours) as server:
        async with oracle.connect(theirs, HOST, server.port) as client:
            await exchange(client, BIG[:5000])
        assert server.closed() == [CloseReason.PEER]


@pytest.mark.parametrize("flags_version", [0, 1])
@pytest.mark.parametrize("checksum_version", [0, 1])
async def test_the_oldest_titles(flags_version: int, checksum_version: int) -> None:
    changes = {
        "prudp_v0__flags_version": flags_version,
        "prudp_v0__checksum_version": checksum_version,
    }
    theirs, ours = settings_pair("3ds", **changes)
    async with (
        udp_server(ours) as server,
        oracle.connect(theirs, HOST, server.port) as client,
    ):
        await exchange(client, BIG[:5000])


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("force", [False, True])
async def test_our_server_ends_it(version: int, force: bool) -> None:
    theirs, ours = settings_pair(prudp__version=version)
    async with udp_server(ours) as server:
        async with oracle.connect(theirs, HOST, server.port) as client:
            await exchange(client, b"hello")
            connection = server.opened()[0]
            connection.send(b"last words")
            if force:
                connection.close()
            else:
                connection.disconnect()
            assert await client.recv() == b"last words"
            with pytest.raises(util.StreamError):
                await client.recv()
        assert server.closed() == [CloseReason.LOCAL]
        await server.drained()


@pytest.mark.parametrize("version", [0, 1])
async def test_their_client_closes_by_force(version: int) -> None:
    theirs, ours = settings_pair(prudp__version=version)
    async with udp_server(ours) as server, oracle.connect(theirs, HOST, server.port) as client:
        await exchange(client, b"hello")
        await client.close()
        await server.wait_for(lambda: server.closed() == [CloseReason.PEER])


@pytest.mark.parametrize("version", [0, 1])
async def test_idle_peers_ping_and_stay(version: int) -> None:
    """Their pings are reliable and take numbers of substream 0; ours do not."""
    theirs, ours = settings_pair(
        prudp__version=version, prudp__ping_timeout=0.2, prudp__resend_timeout=0.5
    )
    async with (
        udp_server(ours) as server,
        oracle.connect(theirs, HOST, server.port) as client,
    ):
        await exchange(client, b"before")
        for _ in range(3):
            await asyncio.sleep(0.45)
            await exchange(client, b"after")
        (connection,) = server.opened()
        assert connection.receiver(0).next > 6
        assert server.closed() == []


async def test_a_client_that_vanishes_is_found() -> None:
    theirs, ours = settings_pair(prudp__ping_timeout=0.1, prudp__resend_timeout=0.1)
    async with udp_server(ours) as server:
        with contextlib.suppress(Exception):
            async with oracle.connect(theirs, HOST, server.port) as client:
                await exchange(client, b"hello")
                raise ConnectionAbortedError
        await server.wait_for(lambda: server.closed() == [CloseReason.TIMEOUT])
        assert len(server.endpoint) == 0


async def test_reordered_and_doubled_datagrams_across_the_wrap(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """From their client to us only: their own receiver has a fault at the wrap."""
    theirs, ours = settings_pair(prudp__resend_timeout=0.2, prudp__resend_limit=20)
    async with (
        udp_server(ours, handler=None) as server,
        oracle.connect(theirs, HOST, server.port) as client,
    ):
        manager = getattr(client, "sequence_mgr", None) or client._sequence_mgr
        counters = getattr(manager, "counters", None) or manager._counters
        await server.wait_for(lambda: bool(server.opened()))
        (connection,) = server.opened()
        for name in ("next_id", "_next_id"):
            if hasattr(counters[0], name):
                setattr(counters[0], name, 65500)
        connection.receiver(0).next = 65500
        monkeypatch.setattr(server.endpoint, "receive_datagram", disturbed(server))
        sent = [b"message %d" % index for index in range(100)]
        for data in sent:
            await client.send(data)
        await server.wait_for(lambda: len(server.messages()) == 100, limit=20)
        assert server.messages() == sent
        assert server.endpoint.drops[DropReason.DUPLICATE] > 0


def disturbed(node: UDPNode) -> Callable[[bytes, Address, float], None]:
    """Return a way in that loses, doubles and delays datagrams."""
    rng = random.Random(3)
    loop = asyncio.get_running_loop()
    receive = node.endpoint.receive_datagram

    def receive_later(data: bytes, address: Address, now: float) -> None:
        for _ in range(rng.choice((0, 1, 1, 1, 2))):
            loop.call_later(rng.uniform(0, 0.05), arrive, data, address)

    def arrive(data: bytes, address: Address) -> None:
        receive(data, address, loop.time())
        node.shell.advance()

    return receive_later


async def test_their_sixteen_virtual_ports_are_sixteen_connections() -> None:
    theirs, ours = settings_pair(prudp__resend_timeout=0.2)
    async with (
        udp_server(ours, key=SERVER_KEY) as server,
        oracle.connect_transport(theirs, HOST, server.port) as transport,
    ):

        async def talk(pid: int) -> None:
            async with transport.connect(1, credentials=login(pid)) as client:
                for index in range(5):
                    await exchange(client, b"%d:%d" % (pid, index))

        async with anyio.create_task_group() as group:
            for pid in range(16):
                group.start_soon(talk, pid)
        assert len({connection.remote_port for connection in server.opened()}) == 16
        assert server.closed() == [CloseReason.PEER] * 16
        await server.drained()


async def test_a_paused_reader_makes_their_client_wait_and_loses_nothing() -> None:
    theirs, ours = settings_pair(prudp__resend_timeout=0.1, prudp__resend_limit=30)
    async with (
        udp_server(ours, handler=None, limits=Limits(window=4)) as server,
        oracle.connect(theirs, HOST, server.port) as client,
    ):
        await server.wait_for(lambda: bool(server.opened()))
        (connection,) = server.opened()
        connection.pause_reading()
        sent = [b"message %d" % index for index in range(20)]
        for data in sent:
            await client.send(data)
        await asyncio.sleep(0.3)
        assert server.messages() == []
        connection.resume_reading()
        await server.wait_for(lambda: server.messages() == sent)
