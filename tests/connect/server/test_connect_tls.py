"""NekoConnect behind TLS."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from functools import partial
from pathlib import Path

import pytest

from nekonex.connect import ConnectLimits, CutOff
from nekonex.connect.server.connection import Connection
from tests.support.certificates import certificate, write_certificate
from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.raw_client import logic_of, raw_client, statuses
from tests.support.waiting import until


@pytest.fixture
def tls(tmp_path: Path) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(*write_certificate(tmp_path))
    return context


@pytest.fixture
def trust() -> ssl.SSLContext:
    return ssl.create_default_context(cadata=certificate().decode())


async def test_frames_pass_in_both_directions(
    tmp_path: Path, tls: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    echo = write_plugin(tmp_path, "echo")
    async with plugin_server(echo, tls=tls) as server:
        async with raw_client(server, tls=trust) as client:
            assert (await client.ask("echo", 5, b"hi")) == ("echo", 5, b"hi")
            data = bytes(1024 * 1024)
            assert (await client.ask("echo", 6, data)) == ("echo", 6, data)
            for op in range(100):
                client.send("echo", op, bytes(1000))
            assert [each.op for each in await client.several(100)] == list(range(100))
            assert server.connections == 1
        await until(lambda: server.connections == 0)


async def test_a_certificate_that_nobody_trusts(tls: ssl.SSLContext) -> None:
    async with plugin_server(tls=tls) as server:
        with pytest.raises(ssl.SSLCertVerificationError):
            async with raw_client(server, tls=ssl.create_default_context()):
                pass
        assert server.connections == 0
        assert server.stats.connections == 0


async def test_a_plain_client_at_a_port_with_tls_is_disconnected(
    tls: ssl.SSLContext, trust: ssl.SSLContext, caplog: pytest.LogCaptureFixture
) -> None:
    async with plugin_server(tls=tls) as server:
        async with raw_client(server, log_in=False) as client:
            with contextlib.suppress(ConnectionError):
                client.writer.write(client.session.start())
                await client.reader.read()
        async with raw_client(server, tls=trust) as client:
            assert (await client.ask("nobody")).op == 404
    assert "Traceback" not in caplog.text


async def test_a_client_of_tls_at_a_plain_port_is_disconnected(trust: ssl.SSLContext) -> None:
    async with plugin_server() as server:
        with pytest.raises(OSError):  # noqa: PT011 - whatever OpenSSL makes of status 400
            async with raw_client(server, tls=trust):
                pass
        assert server.stats.statuses[400] == 1


async def test_a_slow_handshake_holds_up_nobody_and_is_ended_in_time(
    tls: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    limits = ConnectLimits(auth_timeout=0.3)
    async with plugin_server(tls=tls, limits=limits) as server:
        reader, writer = await asyncio.open_connection(*server.address)
        writer.write(b"\x16\x03\x01")
        async with raw_client(server, tls=trust) as client:
            assert (await client.ask("nobody")).op == 404
            with contextlib.suppress(ConnectionError):
                assert await reader.read() == b""
            assert (await client.ask("nobody")).op == 404
        writer.close()
        with contextlib.suppress(ConnectionError):
            await writer.wait_closed()


async def test_no_more_shake_hands_than_could_be_let_in(
    tls: ssl.SSLContext, trust: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nekonex.connect.server.door.MAX_REFUSED", 1)
    limits = ConnectLimits(max_connections=2)
    async with plugin_server(tls=tls, limits=limits) as server:
        with contextlib.ExitStack() as stack:
            silent = [
                stack.enter_context(socket.create_connection(server.address)) for _ in range(3)
            ]
            with pytest.raises(OSError):  # noqa: PT011 - as its system puts it
                async with raw_client(server, tls=trust):
                    pass
            assert server.stats.cut_off[CutOff.TOO_MANY] == 1
            for each in silent:
                each.close()
            assert server._door is not None
            await until(lambda: not server._door._handshakes)  # type: ignore[union-attr]
            async with raw_client(server, tls=trust) as client:
                assert (await client.ask("nobody")).op == 404


async def test_a_system_without_sockets_ends_nothing(
    tls: ssl.SSLContext,
    trust: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr("nekonex.connect.server.door.ACCEPT_PAUSE_SECONDS", 0.01)
    problems = [OSError(24, "Too many open files"), ConnectionAbortedError()]
    accept = asyncio.SelectorEventLoop.sock_accept

    async def sock_accept(self: asyncio.SelectorEventLoop, sock: socket.socket) -> object:
        if problems:
            raise problems.pop()
        return await accept(self, sock)

    monkeypatch.setattr(asyncio.SelectorEventLoop, "sock_accept", sock_accept)
    async with plugin_server(tls=tls) as server, raw_client(server, tls=trust) as client:
        assert (await client.ask("nobody")).op == 404
    assert not problems
    assert "Too many open files" in caplog.text


async def test_a_full_server_says_so_through_tls(
    tls: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    limits = ConnectLimits(max_connections=1)
    async with (
        plugin_server(tls=tls, limits=limits) as server,
        raw_client(server, tls=trust) as client,
    ):
        async with raw_client(server, tls=trust, log_in=False) as other:
            with pytest.raises(ConnectionError, match="503"):
                await other.receive()
        assert (await client.ask("nobody")).op == 404


async def test_a_server_may_stop_while_hands_are_shaken(
    tls: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    async with plugin_server(tls=tls) as server:
        with socket.create_connection(server.address) as silent:
            async with raw_client(server, tls=trust) as client:
                closing = asyncio.create_task(server.close())
                assert statuses(await client.rest()) == [503]
                client.vanish()
                await closing
            silent.settimeout(2)
            with contextlib.suppress(ConnectionError):
                assert await asyncio.to_thread(silent.recv, 100) == b""


async def test_the_last_frames_arrive_although_the_client_is_still_sending(
    tls: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    limits = ConnectLimits(max_data=1000)
    async with plugin_server(tls=tls, limits=limits) as server:
        for _ in range(5):
            async with raw_client(server, tls=trust) as client:
                client.writer.write(client.frame("echo", 1, bytes(1001)))
                sending = asyncio.create_task(send_for_long(client.writer))
                try:
                    assert statuses(await client.rest()) == [413]
                finally:
                    sending.cancel()
                    await asyncio.gather(sending, return_exceptions=True)


async def send_for_long(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError):
        for _ in range(256):
            writer.write(bytes(64 * 1024))
            await writer.drain()
            await asyncio.sleep(0)


async def test_the_last_frames_reach_a_client_that_is_slow(
    tmp_path: Path,
    tls: ssl.SSLContext,
    trust: ssl.SSLContext,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Wherever they are when the connection closes: here, in TLS, or in the system."""
    monkeypatch.setattr("nekonex.connect.server.connection.LINGER_SECONDS", 0.02)
    plugin = write_plugin(
        tmp_path,
        "last",
        """
        class Logic:
            async def recv(self, ctx):
                await ctx.send(bytes(ctx.op))
                await ctx.close()
        """,
    )
    async with plugin_server(plugin, tls=tls) as server:

        async def be_slow(size: int) -> None:
            async with raw_client(server, tls=trust, receive_buffer=4096) as client:
                client.send("last", size)
                await asyncio.sleep(0.15)
                assert len((await client.receive()).data) == size

        sizes = range(20_000, 1_000_000, 40_000)
        await asyncio.gather(*(be_slow(size) for size in sizes))


async def test_a_plugin_closes_a_connection_at_once(
    tmp_path: Path, tls: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    plugin = write_plugin(
        tmp_path,
        "door",
        """
        class Logic:
            async def recv(self, ctx):
                await ctx.send(bytes(300_000))
                await ctx.close()
        """,
    )
    async with plugin_server(plugin, tls=tls) as server:
        async with raw_client(server, tls=trust) as client:
            start = asyncio.get_running_loop().time()
            client.send("door")
            (message,) = await client.rest()
            assert len(message.data) == 300_000
            assert asyncio.get_running_loop().time() - start < 1.0
        await until(lambda: server.connections == 0)


@pytest.mark.parametrize(
    ("receive_queue", "end"),
    [
        pytest.param(2 * 1024 * 1024, "goodbye", id="more than a turn takes in"),
        pytest.param(20_000, "goodbye", id="more than may wait"),
        pytest.param(2 * 1024 * 1024, "bad frame", id="the last is none"),
    ],
)
async def test_what_was_sent_before_the_end_is_handled(
    tmp_path: Path, tls: ssl.SSLContext, trust: ssl.SSLContext, receive_queue: int, end: str
) -> None:
    """TLS tells of the end together with the frames before it, although reading is paused."""
    plugin = write_plugin(
        tmp_path,
        "count",
        """
        import asyncio

        class Logic:
            def __init__(self):
                self.seen, self.gone = [], 0

            async def recv(self, ctx):
                await asyncio.sleep(0)
                self.seen.append(ctx.op)

            def disconnected(self, ctx):
                self.gone += 1
        """,
    )
    limits = ConnectLimits(receive_queue=receive_queue)
    async with plugin_server(plugin, tls=tls, limits=limits) as server:
        async with raw_client(server, tls=trust) as client:
            frames = [client.frame("count", op) for op in range(500)]
            rest = bytes(12) if end == "bad frame" else b""
            # All in one piece, with the end of TLS, which comes of close().
            client.writer.write(b"".join(frames) + rest)
            client.writer.close()
            logic = logic_of(server, "count")
            await until(lambda: logic.gone)
        assert logic.seen == list(range(500))
        assert server.connections == 0


async def test_what_a_slow_plugin_has_to_handle_of_clients_that_are_gone_is_bounded(
    tmp_path: Path, tls: ssl.SSLContext, trust: ssl.SSLContext
) -> None:
    plugin = write_plugin(
        tmp_path,
        "slow",
        """
        import asyncio

        class Logic:
            async def recv(self, ctx):
                await asyncio.Event().wait()
        """,
    )
    limits = ConnectLimits(receive_queue=20_000, max_connections=2)
    async with plugin_server(plugin, tls=tls, limits=limits) as server:
        for _ in range(5):
            async with raw_client(server, tls=trust) as client:
                client.writer.write(client.frame("slow", 1, bytes(1000)) * 50)
                client.writer.close()
            await until(lambda: server.connections == 0)
        await until(lambda: server.stats.forgotten_goodbyes == 3)


async def test_a_stranger_keeps_no_place_after_the_end(
    tls: ssl.SSLContext, trust: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who never closes a connection either: what it was told is too little to wait anywhere."""
    monkeypatch.setattr("nekonex.connect.server.connection.LINGER_SECONDS", 0.05)
    limits = ConnectLimits(auth_timeout=0.3, max_connections=1)
    async with plugin_server(tls=tls, limits=limits) as server:
        for first, status in ((b"", 408), (bytes(12), 400)):
            stranger = await asyncio.to_thread(connect_blocking, server.address, trust)
            with stranger:
                stranger.sendall(first)
                await until(partial(server.stats.statuses.get, status))
                assert server.connections == 1
                await until(lambda: server.connections == 0)


def connect_blocking(address: tuple[str, int], trust: ssl.SSLContext) -> ssl.SSLSocket:
    """Return a socket that does nothing by itself, such as to answer the end of TLS."""
    sock = socket.create_connection(address, 5.0)
    with contextlib.closing(sock):
        return trust.wrap_socket(sock, server_hostname="localhost")


async def test_what_was_sent_before_the_end_is_handled_across_a_reload(
    tmp_path: Path, tls: ssl.SSLContext, trust: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = """
        import asyncio

        class Logic:
            async def recv(self, ctx):
                await asyncio.sleep(0.001)
                ctx.state.setdefault("seen", []).append(ctx.op)

            def disconnected(self, ctx):
                self.seen = ctx.state["seen"]
        """
    monkeypatch.setattr(
        Connection, "_schedule_turn", lambda self: schedule_later(self, seconds=0.1)
    )
    plugin = write_plugin(tmp_path, "count", source)
    async with plugin_server(plugin, tls=tls) as server:
        async with raw_client(server, tls=trust) as client:
            client.writer.write(b"".join(client.frame("count", op) for op in range(500)))
            client.writer.close()
            await until(lambda: server.stats.frames and not server.connections)
            assert server.stats.frames < 500
            write_plugin(tmp_path, "count", source + "\n            # changed\n")
            await server.refresh()
            logic = logic_of(server, "count")
            await until(lambda: hasattr(logic, "seen"))
        assert logic.seen == list(range(500))


def schedule_later(connection: Connection, *, seconds: float) -> None:
    """Do what `Connection._schedule_turn` does, but not so soon."""
    if not connection._is_scheduled:
        connection._is_scheduled = True
        connection._loop.call_later(seconds, connection._take_turn)
