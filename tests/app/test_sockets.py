"""Ports that are bound before anything is served on them."""

from __future__ import annotations

import asyncio
import errno
import socket

import pytest

from nekonex.app.sockets import bind


async def bound(host: str, port: int = 0) -> socket.socket:
    return await bind(host, port, backlog=8, receive_buffer=65_536)


async def test_a_port_that_is_taken_cannot_be_bound() -> None:
    first = await bound("127.0.0.1")
    port = first.getsockname()[1]
    with pytest.raises(OSError) as caught:  # noqa: PT011
        await bound("127.0.0.1", port)
    assert caught.value.errno == errno.EADDRINUSE
    first.close()
    (await bound("127.0.0.1", port)).close()


async def test_whoever_connects_before_it_is_served_waits() -> None:
    with await bound("localhost") as server:
        assert not server.getblocking()
        _, writer = await asyncio.open_connection(*server.getsockname()[:2])
        writer.close()


async def test_connections_have_the_buffer_that_was_asked_for() -> None:
    with await bound("127.0.0.1") as server, socket.create_connection(server.getsockname()):
        accepted, _ = await asyncio.get_running_loop().sock_accept(server)
        with accepted:
            size = accepted.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)
    assert size in {65_536, 131_072}  # Linux doubles it
