"""The shell around an endpoint: sockets, timers and the two ways to read."""

from __future__ import annotations

import asyncio
import socket
from typing import NoReturn

import pytest

from nekonex.prudp.limits import CloseReason, DropReason
from nekonex.prudp.udp import UDPShell, bind_socket
from tests.support.link import Pair
from tests.support.transport import transport
from tests.support.udp import HOST, UDPNode, udp_client, udp_server

FAST = transport(resend_timeout=0.05, ping_timeout=0.05)


async def exchange(client: UDPNode, server: UDPNode) -> None:
    connection = await client.connected(server.port)
    connection.send(b"hello" * 1000)
    await client.wait_for(lambda: client.messages() == [b"hello" * 1000])
    connection.disconnect()
    await client.drained()
    assert client.closed() == [CloseReason.LOCAL]


def refuse(*args: object) -> NoReturn:
    raise NotImplementedError


async def test_both_roles_talk_over_sockets() -> None:
    async with udp_server(FAST) as server, udp_client(FAST) as client:
        await exchange(client, server)
        assert server.closed() == [CloseReason.PEER]
        assert server.opened()[0].local_address == (HOST, server.port)
        assert server.opened()[0].remote_address == (HOST, client.port)


async def test_a_loop_without_readers_does_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asyncio.get_running_loop(), "add_reader", refuse)
    async with udp_server(FAST) as server, udp_client(FAST) as client:
        await exchange(client, server)


async def test_the_timer_finds_a_peer_that_has_gone() -> None:
    async with udp_server(FAST) as server:
        async with udp_client(FAST) as client:
            await client.connected(server.port)
        await server.wait_for(lambda: server.closed() == [CloseReason.TIMEOUT])
        assert len(server.endpoint) == 0


async def test_what_is_sent_outside_of_a_callback_goes_out() -> None:
    async with udp_server(FAST, handler=None) as server, udp_client(FAST) as client:
        await client.connected(server.port)
        (connection,) = server.opened()
        await asyncio.sleep(0)
        connection.send(b"out of the blue")
        await client.wait_for(lambda: client.messages() == [b"out of the blue"])
        connection.close()
        await client.wait_for(lambda: client.closed() == [CloseReason.PEER])


async def test_closing_sends_what_is_left_and_may_be_repeated() -> None:
    async with udp_client(FAST) as client:
        async with udp_server(FAST) as server:
            await client.connected(server.port)
            server.opened()[0].close()
            server.shell.close()
            server.shell.close()
            server.shell.advance()
        await client.wait_for(lambda: client.closed() == [CloseReason.PEER])


async def test_an_address_in_use_is_an_os_error() -> None:
    with bind_socket(HOST, 0) as taken, pytest.raises(OSError, match="in use"):
        bind_socket(HOST, taken.getsockname()[1])


async def test_ipv6_works_the_same() -> None:
    try:
        sock = bind_socket("::1", 0)
    except OSError:
        pytest.skip("this machine has no IPv6")
    shell = UDPShell(Pair().server_endpoint, sock)
    await shell.start(lambda events: None)
    try:
        assert shell.address[0] == "::1"
        assert sock.family is socket.AF_INET6
    finally:
        shell.close()


async def test_a_datagram_that_the_socket_refuses_is_counted() -> None:
    async with udp_server(FAST) as server:
        server.endpoint.output.append((bytes(70_000), (HOST, server.port)))
        server.shell.advance()
        assert server.endpoint.drops == {DropReason.SOCKET_FULL: 1}
