"""The client that blocks, over real sockets; the server is in the event loop, it in a thread."""

from __future__ import annotations

import asyncio
import select
import socket
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nekonex.connect import (
    ConnectLimits,
    DisconnectedError,
    ImpostorError,
    LoginRefusedError,
    Message,
    StatusError,
    SyncClient,
)
from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.scripted_server import PASSWORD, Peer, ScriptedServer, scripted_server
from tests.support.waiting import until


async def scripted(
    script: Callable[[Peer], Any], program: Callable[[SyncClient], None], **options: Any
) -> ScriptedServer:
    """Run a program with a client that is connected to a scripted server."""

    def run(address: tuple[str, int]) -> None:
        with SyncClient(*address, PASSWORD, **options) as client:
            program(client)

    async with scripted_server(script) as server:
        await asyncio.to_thread(run, server.address)
    return server


async def test_everything_works_without_an_event_loop(tmp_path: Path) -> None:
    fails = """
        class Logic:
            def recv(self, ctx):
                raise ValueError("a mistake")
        """
    echo, bad = write_plugin(tmp_path, "echo"), write_plugin(tmp_path, "bad", fails)

    def talk(address: tuple[str, int]) -> None:
        with SyncClient(*address, PASSWORD) as client:
            assert client.is_open
            assert client.request("echo", 7, b"hello") == ("echo", 7, b"hello")
            for greeter, status in (("nope", 404), ("bad", 500)):
                with pytest.raises(StatusError) as caught:
                    client.request(greeter, 1)
                assert caught.value.status == status
            for number in range(300):
                client.send("echo", number)
            assert [client.recv().op for _ in range(300)] == list(range(300))
            client.send("nope", 1)
            assert client.recv(5.0).op == 404
        assert not client.is_open
        with pytest.raises(DisconnectedError, match="the client is closed"):
            client.recv()
        with client, pytest.raises(RuntimeError, match="is connected"):
            client.connect()
        client.close()

    async with plugin_server(echo, bad) as server:
        await asyncio.to_thread(talk, server.address)
        assert server.stats.logins == 2


async def test_a_timeout_loses_no_byte() -> None:
    heard = asyncio.Event()

    async def dribble(peer: Peer) -> None:
        await peer.welcome()
        for byte in peer.encoded("a", 1, b"slow") + peer.encoded("a", 2, b"slower"):
            peer.writer.write(bytes([byte]))
            await asyncio.sleep(0)
        await asyncio.wait_for(heard.wait(), 5.0)
        peer.send("a", 3)
        await peer.rest()

    loop = asyncio.get_running_loop()

    def listen(client: SyncClient) -> None:
        received: list[Message] = []
        while len(received) < 2:
            try:
                received.append(client.recv(0.0))
            except TimeoutError as error:
                assert str(error) == "no message has come"  # noqa: PT017
        assert received == [("a", 1, b"slow"), ("a", 2, b"slower")]
        with pytest.raises(TimeoutError):
            client.recv(0.01)
        loop.call_soon_threadsafe(heard.set)
        assert client.recv(5.0).op == 3

    await scripted(dribble, listen)


async def test_messages_end_when_the_server_closes_the_connection() -> None:
    async def leave(peer: Peer) -> None:
        await peer.welcome()
        for op in range(3):
            peer.send("a", op)
        peer.tell(503)

    def listen(client: SyncClient) -> None:
        assert [message.op for message in client] == [0, 1, 2, 503]
        assert not client.is_open
        for attempt in (client.recv, lambda: client.send("a", 1), lambda: client.request("a", 1)):
            with pytest.raises(DisconnectedError, match="503") as caught:
                attempt()
            assert (caught.value.status, caught.value.was_closed) == (503, True)

    await scripted(leave, listen)


@pytest.mark.parametrize("rest", ["half a frame", "rubbish", "too much"])
async def test_a_connection_that_breaks(rest: str) -> None:
    async def break_off(peer: Peer) -> None:
        await peer.welcome()
        peer.send("a", 1, b"whole")
        match rest:
            case "half a frame":
                peer.writer.write(peer.encoded("a", 2, b"half")[:-1])
            case "rubbish":
                peer.writer.write(b"\xff" * 100)
            case "too much":
                peer.send("a", 1, bytes(101))

    def listen(client: SyncClient) -> None:
        assert next(client).data == b"whole"
        with pytest.raises(DisconnectedError) as caught:
            next(client)
        assert not caught.value.was_closed

    await scripted(break_off, listen, max_data=100)


async def test_a_reset_is_a_broken_connection() -> None:
    async def reset(peer: Peer) -> None:
        await peer.welcome()
        await peer.frame()
        sock = peer.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\x01" + bytes(7))
        peer.writer.transport.abort()

    def ask(client: SyncClient) -> None:
        with pytest.raises(DisconnectedError, match="broken"):
            client.request("a", 1)
        with pytest.raises(DisconnectedError, match="broken"):
            client.send("a", 1)

    await scripted(reset, ask)


async def test_impostors_and_refusals() -> None:
    async def pretend(peer: Peer) -> None:
        first = await peer.frame()
        assert first is not None
        peer.tell(200, first.hash)
        assert await peer.rest() == []

    async def refuse(peer: Peer) -> None:
        await peer.frame()
        peer.tell(429)

    def fails(address: tuple[str, int], kind: type[Exception], **options: Any) -> None:
        client = SyncClient(*address, **{"password": PASSWORD, **options})
        with pytest.raises(kind):
            client.connect()
        assert not client.is_open
        with pytest.raises(RuntimeError, match="comes first"):
            client.send("a", 1, b"a secret")

    async with scripted_server(pretend) as server:
        await asyncio.to_thread(fails, server.address, ImpostorError)
    async with scripted_server(refuse) as server:
        await asyncio.to_thread(fails, server.address, LoginRefusedError)
    async with scripted_server(Peer.frame) as server:
        await asyncio.to_thread(fails, server.address, DisconnectedError)
    async with scripted_server(Peer.rest) as server:
        await asyncio.to_thread(fails, server.address, TimeoutError, timeout=0.02)
        await until(lambda: server.peers[0].frames)
        assert [frame.greeter for frame in server.peers[0].frames] == ["auth"]
    async with plugin_server() as running:
        await asyncio.to_thread(fails, running.address, LoginRefusedError, password="")


def test_where_there_is_no_server() -> None:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port = sock.getsockname()[1]
    with pytest.raises(ConnectionRefusedError):
        SyncClient("127.0.0.1", port).connect()
    with pytest.raises(socket.gaierror):
        SyncClient("a\0b").connect()
    with pytest.raises(RuntimeError, match=r"connect\(\) comes first"):
        SyncClient("127.0.0.1").request("a", 1)


async def test_two_ends_that_both_send_do_not_wait_for_each_other(tmp_path: Path) -> None:
    limits = ConnectLimits(receive_queue=100_000, send_queue=3 << 20, send_timeout=5.0)
    data = bytes(500_000)

    def talk(address: tuple[str, int]) -> None:
        with SyncClient(*address, PASSWORD, receive_queue=100 << 20, timeout=5.0) as client:
            for op in range(60):
                client.send("echo", op, data)
            assert [client.recv(5.0).op for _ in range(60)] == list(range(60))

    async with plugin_server(write_plugin(tmp_path, "echo"), limits=limits) as server:
        await asyncio.to_thread(talk, server.address)


async def test_a_server_that_does_not_read_is_given_up() -> None:
    async def stay(peer: Peer) -> None:
        await peer.welcome()
        peer.send("a", 1, b"kept")
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await gone.wait()
        peer.writer.transport.abort()

    gone = asyncio.Event()
    loop = asyncio.get_running_loop()

    def send(client: SyncClient) -> None:
        with pytest.raises(TimeoutError, match="does not read"):
            client.send("b", 1, bytes(20 << 20))
        assert not client.is_open
        assert client.recv().data == b"kept"
        with pytest.raises(DisconnectedError, match="could not be sent in time"):
            client.recv()
        loop.call_soon_threadsafe(gone.set)

    await scripted(stay, send, timeout=0.1)


async def test_what_came_before_a_request_is_no_answer_to_it() -> None:
    ready = threading.Event()

    async def push_first(peer: Peer) -> None:
        await peer.welcome()
        for op in range(5):
            peer.send("a", op)
        await peer.writer.drain()
        ready.set()
        await peer.frame()
        peer.send("b", 6)
        peer.send("a", 7)
        await peer.rest()

    def ask(client: SyncClient) -> None:
        ready.wait(5.0)
        deadline = time.monotonic() + 5.0
        while len(client._mailbox) < 5 and time.monotonic() < deadline:
            client._look()
        assert client.request("a", 1).op == 7
        assert [client.recv(5.0).op for _ in range(6)] == [0, 1, 2, 3, 4, 6]

    await scripted(push_first, ask)


async def test_a_request_takes_in_what_had_arrived_before_it(tmp_path: Path) -> None:
    def talk(address: tuple[str, int]) -> None:
        with SyncClient(*address, PASSWORD) as client:
            client.send("echo", 1)
            assert client._stream is not None
            assert select.select([client._stream._socket], [], [], 5.0)[0]
            assert client.request("echo", 2).op == 2
            assert client.recv(5.0).op == 1

    async with plugin_server(write_plugin(tmp_path, "echo")) as server:
        await asyncio.to_thread(talk, server.address)


@pytest.mark.parametrize("before", [100, 0])
async def test_a_request_that_could_not_see_its_answer_fails_at_once(before: int) -> None:
    ready = threading.Event()

    async def flood(peer: Peer) -> None:
        await peer.welcome()
        for number in range(before):
            peer.send("a", number)
        await peer.writer.drain()
        ready.set()
        await peer.frame()
        for number in range(before, 100):
            peer.send("a", number)
        peer.send("b", 1)
        await peer.rest()

    def ask(client: SyncClient) -> None:
        ready.wait(5.0)
        started = time.monotonic()
        with pytest.raises(TimeoutError, match="messages wait to be received"):
            client.request("b", 0, timeout=5.0)
        assert time.monotonic() - started < 4.0
        received = [client.recv(5.0) for _ in range(100)]
        assert [message.op for message in received] == list(range(100))
        assert client.is_open

    await scripted(flood, ask, receive_queue=50 * 256)


async def test_a_request_is_given_up_and_its_late_answer_is_received() -> None:
    late = asyncio.Event()
    loop = asyncio.get_running_loop()

    async def answer_late(peer: Peer) -> None:
        await peer.welcome()
        await peer.frame()
        await late.wait()
        peer.send("a", 1, b"late")
        await peer.rest()

    def ask(client: SyncClient) -> None:
        with pytest.raises(TimeoutError, match="'a' does not answer"):
            client.request("a", 1, timeout=0.02)
        loop.call_soon_threadsafe(late.set)
        assert client.recv(5.0).data == b"late"

    await scripted(answer_late, ask)


async def test_what_was_sent_arrives_although_the_client_closes_at_once() -> None:
    async def push_and_read(peer: Peer) -> None:
        await peer.welcome()
        peer.send("a", 1, bytes(300_000))
        await peer.rest()

    def send(client: SyncClient) -> None:
        for number in range(200):
            client.send("a", number)

    server = await scripted(push_and_read, send, receive_queue=1)
    assert [frame.op for frame in server.peers[0].frames[1:]] == list(range(200))


async def test_a_frame_that_was_sent_in_part_ends_the_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async def wait(peer: Peer) -> None:
        await peer.welcome()
        await peer.rest()

    def interrupt(client: SyncClient) -> None:
        def raise_interrupt(*arguments: object) -> None:
            raise KeyboardInterrupt

        assert client._stream is not None
        monkeypatch.setattr(client._stream, "write", raise_interrupt)
        with pytest.raises(KeyboardInterrupt):
            client.send("a", 1)
        with pytest.raises(DisconnectedError, match="in part"):
            client.send("a", 1)

    await scripted(wait, interrupt)
