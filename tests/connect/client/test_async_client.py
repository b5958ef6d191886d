"""The client for asyncio, over real sockets."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest

from nekonex.connect import (
    Client,
    ConnectionClosed,
    ConnectLimits,
    DisconnectedError,
    ImpostorError,
    LoginRefusedError,
    Message,
    StatusError,
)
from nekonex.connect.client import dialing
from nekonex.connect.protocol import Frame, Password
from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.scripted_server import PASSWORD, Peer, ScriptedServer, scripted_server
from tests.support.waiting import until

TALKER = """
    import asyncio

    class Logic:
        async def recv(self, ctx):
            match ctx.op:
                case 0:
                    await ctx.send(b"back: " + ctx.data, 0)
                case 1:
                    for number in range(int(ctx.data)):
                        await ctx.send(b"%d" % number, 1)
                case 2:
                    raise ValueError("a mistake")
                case 3:
                    await ctx.close()
    """


def client_of(server: ScriptedServer, password: str = PASSWORD, **options: Any) -> Client:
    return Client(*server.address, password, **options)


async def welcome_and_wait(peer: Peer) -> None:
    await peer.welcome()
    await peer.rest()


# -- against a real server -----------------------------------------------------------------


async def test_requests_and_statuses(tmp_path: Path) -> None:
    folder = write_plugin(tmp_path, "talk", TALKER)
    async with plugin_server(folder) as server, Client(*server.address, PASSWORD) as client:
        assert await client.request("talk", 0, b"hello") == ("talk", 0, b"back: hello")
        for greeter in ("nope", "auth", "nekoconnect-server"):
            with pytest.raises(StatusError, match="no plugin has that greeter") as caught:
                await client.request(greeter, 200)
            assert caught.value.status == 404
        with pytest.raises(StatusError) as caught:
            await client.request("talk", 2)
        assert caught.value.status == 500
        await client.send("nope", 0)
        status = await client.recv()
        assert (status.is_status, status.op) == (True, 404)
        assert (await client.request("talk", 0, b"still here")).data == b"back: still here"


async def test_pushes_and_answers_mix(tmp_path: Path) -> None:
    talk, other = write_plugin(tmp_path, "talk", TALKER), write_plugin(tmp_path, "other", TALKER)
    async with plugin_server(talk, other) as server, Client(*server.address, PASSWORD) as client:
        await client.send("other", 1, b"1000")
        answers = await asyncio.gather(
            *(client.request("talk", 0, b"%d" % number) for number in range(50))
        )
        assert [answer.data for answer in answers] == [b"back: %d" % n for n in range(50)]
        pushed = [await client.recv() for _ in range(1000)]
        assert pushed == [Message("other", 1, b"%d" % number) for number in range(1000)]


async def test_frames_may_be_sent_before_anything_is_received(tmp_path: Path) -> None:
    folder = write_plugin(tmp_path, "talk", TALKER)
    async with plugin_server(folder) as server, Client(*server.address, PASSWORD) as client:
        for number in range(500):
            await client.send("talk", 0, b"%d" % number)
        received = [(await client.recv()).data for _ in range(500)]
        assert received == [b"back: %d" % number for number in range(500)]


async def test_messages_end_when_a_plugin_closes_the_connection(tmp_path: Path) -> None:
    folder = write_plugin(tmp_path, "talk", TALKER)
    async with plugin_server(folder) as server, Client(*server.address, PASSWORD) as client:
        await client.send("talk", 1, b"3")
        await client.send("talk", 3)
        assert [message.data async for message in client] == [b"0", b"1", b"2"]
        assert not client.is_open
        for attempt in (client.recv(), client.send("talk", 0), client.request("talk", 0)):
            with pytest.raises(DisconnectedError, match="the server has closed") as caught:
                await attempt
            assert (caught.value.status, caught.value.was_closed) == (None, True)
            assert isinstance(caught.value, ConnectionClosed)


async def test_a_server_that_stops_says_so(tmp_path: Path) -> None:
    folder = write_plugin(tmp_path, "talk", TALKER)
    async with plugin_server(folder) as server, Client(*server.address, PASSWORD) as client:
        asking = asyncio.create_task(client.recv())
        await server.close()
        assert (await asking).op == 503
        with pytest.raises(DisconnectedError, match="it stops") as caught:
            await client.recv()
        assert caught.value.status == 503
        assert [message async for message in client] == []


async def test_what_is_too_large_ends_the_connection(tmp_path: Path) -> None:
    folder = write_plugin(tmp_path, "talk", TALKER)
    limits = ConnectLimits(max_data=1000)
    running = plugin_server(folder, limits=limits)
    async with running as server, Client(*server.address, PASSWORD) as client:
        with pytest.raises(StatusError) as caught:
            await client.request("talk", 0, bytes(1001))
        assert caught.value.status == 413
        with pytest.raises(DisconnectedError) as ended:
            await client.recv()
        assert ended.value.status == 413


async def test_an_idle_client_is_told_so(tmp_path: Path) -> None:
    running = plugin_server(limits=ConnectLimits(idle_timeout=0.02))
    async with running as server, Client(*server.address, PASSWORD) as client:
        assert [message.op async for message in client] == [408]
        with pytest.raises(DisconnectedError, match="waited too long"):
            await client.recv()


async def test_logins_are_refused_with_a_status() -> None:
    limits = ConnectLimits(max_connections=1, failed_logins=2)
    async with plugin_server(limits=limits) as server:
        for status in (400, 400, 429):
            with pytest.raises(LoginRefusedError, match=str(status)) as caught:
                await Client(*server.address, "wrong").connect()
            assert caught.value.status == status
            await until(lambda: not server.connections)
    async with plugin_server(limits=limits) as server, Client(*server.address, PASSWORD):
        with pytest.raises(LoginRefusedError) as caught:
            await Client(*server.address, PASSWORD).connect()
        assert caught.value.status == 503


async def test_an_open_server_needs_no_password(tmp_path: Path) -> None:
    folder = write_plugin(tmp_path, "echo")
    async with plugin_server(folder, password=None) as server:
        async with Client(*server.address) as client:
            assert (await client.request("echo", 1, b"x")).data == b"x"
        with pytest.raises(ImpostorError):
            await Client(*server.address, PASSWORD).connect()


async def test_a_client_connects_again(tmp_path: Path) -> None:
    folder = write_plugin(tmp_path, "talk", TALKER)
    async with plugin_server(folder) as server:
        client = Client(*server.address, PASSWORD)
        assert not client.is_open
        for attempt in (client.recv(), client.send("talk", 0), client.request("talk", 0)):
            with pytest.raises(RuntimeError, match=r"connect\(\) comes first"):
                await attempt
        await client.close()
        for _ in range(2):
            async with client:
                with pytest.raises(RuntimeError, match="is connected"):
                    await client.connect()
                await client.send("talk", 1, b"5")
                assert (await client.request("talk", 0)).data == b"0"
            await client.close()
            with pytest.raises(DisconnectedError, match="the client is closed"):
                await client.recv()


async def test_two_tasks_cannot_connect_at_once() -> None:
    async with scripted_server(welcome_and_wait) as server:
        client = client_of(server)
        results = await asyncio.gather(
            *(client.connect() for _ in range(3)), return_exceptions=True
        )
        assert results[0] is None
        assert [type(each) for each in results[1:]] == [RuntimeError] * 2
        assert len(server.peers) == 1
        await client.close()
        await client.connect()
        await client.close()


async def test_a_client_is_closed_while_it_connects() -> None:
    has_asked, may_answer = asyncio.Event(), asyncio.Event()

    async def hesitate(peer: Peer) -> None:
        has_asked.set()
        await may_answer.wait()
        await peer.welcome()
        await peer.rest()

    async with scripted_server(hesitate) as server:
        client = client_of(server)
        connecting = asyncio.create_task(client.connect())
        await has_asked.wait()
        await client.close()
        with pytest.raises(DisconnectedError, match="the client is closed"):
            await connecting
        assert not client.is_open
        may_answer.set()
        # From here on nothing is in the way of another connection.
        await client.connect()
        await client.close()
        # As early as that nothing is connected yet.
        connecting = asyncio.create_task(client.connect())
        await asyncio.sleep(0)
        await client.close()
        with pytest.raises(DisconnectedError, match="the client is closed"):
            await connecting
        assert not client.is_open


# -- servers that are none, or bad ones ----------------------------------------------------


@pytest.mark.parametrize("kind", ["echo", "server", "other password", "no server"])
async def test_an_impostor_gets_nothing_but_the_first_frame(kind: str) -> None:
    async def pretend(peer: Peer) -> None:
        first = await peer.frame()
        assert first is not None
        random = first.random.encode()
        match kind:
            case "echo":
                peer.tell(200, first.hash)
            case "server":
                peer.tell(200)
            case "other password":
                peer.tell(200, Password("other").server_hash(random))
            case "no server":
                peer.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        assert await peer.rest() == []

    async with scripted_server(pretend) as server:
        client = client_of(server)
        with pytest.raises(ImpostorError):
            await client.connect()
        assert not client.is_open
        with pytest.raises(RuntimeError):
            await client.send("echo", 1, b"a secret")
    assert [frame.greeter for frame in server.peers[0].frames] == ["auth"]


async def test_a_server_that_never_answers_is_given_up() -> None:
    async with scripted_server(Peer.rest) as server:
        with pytest.raises(TimeoutError, match=f":{server.address[1]} does not answer"):
            await client_of(server, timeout=0.05).connect()
        await until(lambda: server.peers[0].frames)
    assert [frame.greeter for frame in server.peers[0].frames] == ["auth"]


@pytest.mark.parametrize("size", [0, 1, 12, 50])
async def test_a_login_that_breaks_off(size: int) -> None:
    async def break_off(peer: Peer) -> None:
        first = await peer.frame()
        assert first is not None
        proof = Password(PASSWORD).server_hash(first.random.encode())
        peer.writer.write(peer.encoded("nekoconnect-server", 200, b"\xc8", proof)[:size])

    async with scripted_server(break_off) as server:
        with pytest.raises(DisconnectedError):
            await client_of(server).connect()


async def test_half_a_frame_is_a_broken_connection() -> None:
    async def break_off(peer: Peer) -> None:
        await peer.welcome()
        peer.send("a", 1, b"whole")
        peer.writer.write(peer.encoded("a", 2, b"half")[:-1])

    async with scripted_server(break_off) as server, client_of(server) as client:
        assert (await anext(client)).data == b"whole"
        with pytest.raises(DisconnectedError) as caught:
            await anext(client)
        assert not caught.value.was_closed


async def test_a_reset_is_a_broken_connection() -> None:
    async def reset(peer: Peer) -> None:
        await peer.welcome()
        await peer.frame()
        linger = b"\x01\x00\x00\x00\x00\x00\x00\x00"
        sock = peer.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        peer.writer.transport.abort()

    async with scripted_server(reset) as server, client_of(server) as client:
        with pytest.raises(DisconnectedError, match="broken") as caught:
            await client.request("a", 1)
        assert not caught.value.was_closed


async def test_rubbish_ends_the_connection() -> None:
    async def talk_rubbish(peer: Peer) -> None:
        await peer.welcome()
        peer.send("a", 1, b"good")
        peer.writer.write(b"\xff" * 100)
        await peer.rest()

    async with scripted_server(talk_rubbish) as server, client_of(server) as client:
        assert (await client.recv()).data == b"good"
        with pytest.raises(DisconnectedError, match="no frame"):
            await anext(client)
        assert not client.is_open


async def test_more_data_than_wanted_ends_the_connection() -> None:
    async def send_much(peer: Peer) -> None:
        await peer.welcome()
        peer.send("a", 1, bytes(101))
        await peer.rest()

    async with scripted_server(send_much) as server, client_of(server, max_data=100) as client:
        with pytest.raises(DisconnectedError, match="101 bytes"):
            await client.recv()


# -- waiting, giving up and closing --------------------------------------------------------


async def test_a_request_is_given_up_and_its_late_answer_is_received() -> None:
    answer = asyncio.Event()

    async def answer_late(peer: Peer) -> None:
        await peer.welcome()
        await peer.frame()
        await answer.wait()
        peer.send("a", 1, b"late")
        await peer.rest()

    async with scripted_server(answer_late) as server, client_of(server) as client:
        with pytest.raises(TimeoutError, match="'a' does not answer"):
            await client.request("a", 1, timeout=0.02)
        answer.set()
        assert (await client.recv()).data == b"late"


async def test_nothing_is_lost_when_a_wait_is_cancelled() -> None:
    async def count(peer: Peer) -> None:
        await peer.welcome()
        for number in range(300):
            peer.send("a", 1, b"%d" % number)
            if number % 3 == 0:
                await asyncio.sleep(0)
        await peer.rest()

    async with scripted_server(count) as server, client_of(server) as client:
        received: list[int] = []
        while len(received) < 300:
            waiting = asyncio.create_task(client.recv())
            await asyncio.sleep(0)
            waiting.cancel()
            try:
                received.append(int((await waiting).data))
            except asyncio.CancelledError:
                await asyncio.sleep(0)
        assert received == list(range(300))


async def test_an_answer_that_comes_as_its_request_is_cancelled_is_received() -> None:
    async def answer_once(peer: Peer) -> None:
        await peer.welcome()
        await peer.frame()
        peer.send("a", 1, b"answer")
        await peer.rest()

    async with scripted_server(answer_once) as server, client_of(server) as client:
        asking = asyncio.create_task(client.request("a", 1))
        link = client._link
        assert link is not None
        arrived = link.data_received

        def arrive_and_cancel(data: bytes) -> None:
            arrived(data)
            asking.cancel()

        link.data_received = arrive_and_cancel  # type: ignore[method-assign]
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert (await client.recv()).data == b"answer"


async def test_an_answer_that_comes_just_after_the_cancelling_is_received() -> None:
    async with scripted_server(welcome_and_wait) as server, client_of(server) as client:
        asking = asyncio.create_task(client.request("a", 1))
        await until(lambda: len(server.peers[0].frames) == 2)
        link = client._link
        assert link is not None
        asking.cancel()
        link.data_received(server.peers[0].encoded("a", 1, b"answer"))
        assert (await client.recv()).data == b"answer"
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_a_request_that_was_cancelled_does_not_break_what_comes() -> None:
    go_on = asyncio.Event()

    async def answer_twice(peer: Peer) -> None:
        await peer.welcome()
        await peer.frame()
        await go_on.wait()
        peer.send("a", 1, b"first")
        peer.send("a", 1, b"second")
        await peer.rest()

    async with scripted_server(answer_twice) as server, client_of(server) as client:
        asking = asyncio.create_task(client.request("a", 1))
        await until(lambda: len(server.peers[0].frames) == 2)
        asking.cancel()
        go_on.set()
        assert [(await client.recv()).data for _ in range(2)] == [b"first", b"second"]
        with pytest.raises(asyncio.CancelledError):
            await asking


async def test_who_waits_hears_that_the_client_is_closed() -> None:
    async with scripted_server(welcome_and_wait) as server:
        client = client_of(server)
        await client.connect()

        async def iterate() -> list[Message]:
            return [message async for message in client]

        receiving, asking = (
            asyncio.create_task(each) for each in (client.recv(), client.request("a", 1))
        )
        iterating = asyncio.create_task(iterate())
        await until(lambda: len(server.peers[0].frames) == 2)
        await client.close()
        for task in (receiving, asking):
            with pytest.raises(DisconnectedError, match="the client is closed"):
                await task
        assert await iterating == []


async def test_what_was_sent_arrives_although_the_client_closes_at_once() -> None:
    async def push_and_read(peer: Peer) -> None:
        await peer.welcome()
        peer.send("a", 1, bytes(300_000))
        await peer.rest()

    running = scripted_server(push_and_read)
    async with running as server, client_of(server, receive_queue=1) as client:
        for number in range(200):
            await client.send("a", 1, b"%d" % number)
    frames = server.peers[0].frames[1:]
    assert [frame.data for frame in frames] == [b"%d" % number for number in range(200)]


async def test_closing_waits_for_a_server_that_reads_slowly(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nekonex.connect.client.link.CLOSE_SECONDS", 0.05)
    read_on = asyncio.Event()

    async def read_late(peer: Peer) -> None:
        await peer.welcome()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await read_on.wait()
        peer.writer.transport.resume_reading()  # type: ignore[attr-defined]
        await peer.rest()

    async with scripted_server(read_late) as server:
        client = client_of(server)
        await client.connect()
        await client.send("a", 1, bytes(10 << 20))
        closing = asyncio.create_task(client.close())
        await asyncio.wait([closing], timeout=0.1)
        assert not closing.done()
        read_on.set()
        await closing
    assert len(server.peers[0].frames[1].data) == 10 << 20


async def test_closing_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nekonex.connect.client.link.CLOSE_SECONDS", 0.02)
    gone = asyncio.Event()

    async def stay(peer: Peer) -> None:
        await peer.welcome()
        await gone.wait()

    async with scripted_server(stay) as server:
        async with client_of(server) as client:
            pass
        assert not client.is_open
        gone.set()


async def test_an_error_in_the_block_closes_the_connection() -> None:
    async with scripted_server(welcome_and_wait) as server:
        client = client_of(server)
        with pytest.raises(KeyError):
            async with client:
                raise KeyError
        assert not client.is_open


async def test_a_connect_that_is_cancelled_leaves_nothing() -> None:
    async with scripted_server(Peer.rest) as server:
        client = client_of(server)
        connecting = asyncio.create_task(client.connect())
        await until(lambda: server.peers and server.peers[0].frames)
        connecting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await connecting
        assert not client.is_open


# -- bounds --------------------------------------------------------------------------------


async def test_what_nobody_receives_holds_the_server_up() -> None:
    sent = 0

    async def flood(peer: Peer) -> None:
        nonlocal sent
        await peer.welcome()
        peer.writer.transport.set_write_buffer_limits(high=1)
        while sent < 1000:
            peer.send("a", 1, sent.to_bytes(2, "big") * 5000)
            sent += 1
            await peer.writer.drain()
        await peer.rest()

    running = scripted_server(flood)
    async with running as server, client_of(server, receive_queue=100_000) as client:
        link = client._link
        assert link is not None
        await until(lambda: link._mailbox.is_full)
        before = -1
        while before < sent:  # until the buffers of the system are full too
            before = sent
            await asyncio.sleep(0.02)
        assert sent < 1000
        assert len(link._mailbox) <= 10
        assert link._mailbox.session._decoder.buffered <= 300_000
        with pytest.raises(TimeoutError, match=r"10 messages wait .* no answer of 'b'"):
            await client.request("b", 1, timeout=0.01)
        received = [await client.recv() for _ in range(1000)]
        assert [message.data[:2] for message in received] == [
            number.to_bytes(2, "big") for number in range(1000)
        ]


async def test_a_server_that_does_not_read_holds_senders_up() -> None:
    read_on = asyncio.Event()

    async def read_late(peer: Peer) -> None:
        await peer.welcome()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await read_on.wait()
        peer.writer.transport.resume_reading()  # type: ignore[attr-defined]
        await peer.rest()

    async with scripted_server(read_late) as server, client_of(server) as client:
        sending = [
            asyncio.create_task(client.send("a", 1, number.to_bytes(1, "big") * 100_000))
            for number in range(200)
        ]
        asking = asyncio.create_task(client.request("a", 1, timeout=0.05))
        await asyncio.wait(sending, timeout=0.05)
        waiting = [task for task in sending if not task.done()]
        assert waiting
        link = client._link
        assert link is not None
        assert link._transport is not None
        assert link._transport.get_write_buffer_size() < 300_000
        with pytest.raises(TimeoutError):
            await asking
        waiting[-1].cancel()
        read_on.set()
        await asyncio.gather(*sending, return_exceptions=True)
        await until(lambda: len(server.peers[0].frames) == 200)
        assert [frame.data[0] for frame in server.peers[0].frames[1:]] == list(range(199))


async def test_senders_that_wait_hear_of_the_end() -> None:
    leave = asyncio.Event()

    async def leave_unread(peer: Peer) -> None:
        await peer.welcome()
        peer.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await leave.wait()
        peer.writer.transport.abort()

    async with scripted_server(leave_unread) as server, client_of(server) as client:
        sending = [asyncio.create_task(client.send("a", 1, bytes(1 << 20))) for _ in range(30)]
        await asyncio.wait(sending, timeout=0.05)
        leave.set()
        results = await asyncio.gather(*sending, return_exceptions=True)
        assert any(isinstance(each, DisconnectedError) for each in results)
        assert all(each is None or isinstance(each, DisconnectedError) for each in results)


async def test_each_frame_answers_the_latest_random() -> None:
    async def push_between(peer: Peer) -> None:
        await peer.welcome()
        for _ in range(5):
            expected = Password(PASSWORD).hash(peer.random.encode())
            frame = await peer.frame()
            assert frame is not None
            assert frame.hash == expected
            peer.send("a", 1)
        await peer.rest()

    async with scripted_server(push_between) as server, client_of(server) as client:
        for _ in range(5):
            await client.request("a", 1)


# -- finding the server --------------------------------------------------------------------


def addresses(monkeypatch: pytest.MonkeyPatch, *found: tuple[str, int]) -> None:
    """Have one host name stand for these addresses, and no other be known."""
    real = socket.getaddrinfo

    def look_up(host: str, port: int, **options: Any) -> list[Any]:
        if options.get("flags") == socket.AI_NUMERICHOST:
            return real(host, port, **options)
        if host != "neko.example":
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", address) for address in found]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)


def closed_port() -> int:
    """Return a port of loopback on which nothing listens."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
    return port


async def test_the_addresses_of_a_name_are_tried_in_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    async with scripted_server(welcome_and_wait) as server:
        addresses(monkeypatch, ("127.0.0.1", closed_port()), server.address)
        async with Client("neko.example", 1, PASSWORD) as client:
            assert client.address == "neko.example:1"


async def test_where_there_is_no_server(monkeypatch: pytest.MonkeyPatch) -> None:
    addresses(monkeypatch, ("127.0.0.1", closed_port()), ("127.0.0.1", closed_port()))
    with pytest.raises(ConnectionRefusedError):
        await Client("neko.example", 1).connect()
    with pytest.raises(ConnectionRefusedError):
        await Client("127.0.0.1", closed_port()).connect()
    for host in ("nobody.example", "a" * 64 + ".example", "a\0b"):
        with pytest.raises(socket.gaierror):
            await Client(host).connect()


def test_numbers_are_not_looked_up() -> None:
    assert dialing._find_at_once("127.0.0.1", 5) == [(socket.AF_INET, ("127.0.0.1", 5))]
    assert dialing._find_at_once("::1", 5) == [(socket.AF_INET6, ("::1", 5, 0, 0))]
    assert dialing._find_at_once("localhost", 5) == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"host": ""},
        {"port": 0},
        {"port": 65_536},
        {"timeout": 0},
        {"max_data": 0},
        {"receive_queue": 0},
    ],
)
def test_what_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"host|port|timeout|max_data"):
        Client(**{"host": "127.0.0.1", "port": 1, **wrong})


async def test_what_fits_into_no_frame_is_not_sent() -> None:
    async with scripted_server(welcome_and_wait) as server, client_of(server) as client:
        for greeter, op in (("", 1), ("g" * 256, 1), ("a", -1), ("a", 2**64), ("\ud800", 1)):
            for attempt in (client.send(greeter, op), client.request(greeter, op)):
                with pytest.raises(ValueError, match=r"greeter|op code|surrogates"):
                    await attempt
        await client.send("a", 1)
    assert [frame[:2] for frame in server.peers[0].frames] == [("auth", 200), ("a", 1)]
    assert isinstance(server.peers[0].frames[0], Frame)
