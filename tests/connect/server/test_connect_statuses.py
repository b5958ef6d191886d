"""What the server answers by itself, and whether the connection stays open afterwards."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import struct
from pathlib import Path

import pytest

from nekonex.connect import ConnectLimits, CutOff
from nekonex.connect.protocol import ClientSession, encode_frame
from nekonex.connect.server.clients import MAX_REFUSED
from tests.support.plugin_server import PASSWORD, plugin_server, write_plugin
from tests.support.raw_client import RawClient, raw_client, statuses
from tests.support.waiting import until

HEADER = struct.Struct(">IBBIBB")


async def test_200_is_all_that_a_client_hears_of_a_login(tmp_path: Path) -> None:
    async with plugin_server() as server, raw_client(server, log_in=False) as client:
        assert await client.log_in() == ("nekoconnect-server", 200, b"\xc8")
        assert server.connections == 1
        assert server.stats.logins == 1


async def test_404_for_a_greeter_without_a_plugin_stays_open(tmp_path: Path) -> None:
    async with plugin_server(write_plugin(tmp_path, "echo")) as server, raw_client(server) as it:
        assert (await it.ask("nobody")).op == 404
        assert (await it.ask("auth", 200)).op == 404
        assert (await it.ask("nekoconnect-server", 200)).op == 404
        assert await it.ask("echo", 3, b"still here") == ("echo", 3, b"still here")
        assert server.stats.statuses[404] == 3


async def test_408_for_who_does_not_log_in_in_time() -> None:
    limits = ConnectLimits(auth_timeout=0.05)
    async with plugin_server(limits=limits) as server, raw_client(server, log_in=False) as client:
        # The server has not proven itself, so this end takes the status for a refusal.
        with pytest.raises(ConnectionError, match="408"):
            await client.receive()
        assert await client.reader.read() == b""
        assert server.stats.statuses[408] == 1


async def test_who_has_logged_in_may_be_idle_for_ever_by_default() -> None:
    limits = ConnectLimits(auth_timeout=0.05)
    async with plugin_server(limits=limits) as server, raw_client(server) as client:
        await asyncio.sleep(0.15)
        assert (await client.ask("nobody")).op == 404


async def test_408_for_who_passes_no_frame_for_too_long(tmp_path: Path) -> None:
    limits = ConnectLimits(idle_timeout=0.1)
    echo = write_plugin(tmp_path, "echo")
    async with plugin_server(echo, limits=limits) as server, raw_client(server) as client:
        loop = asyncio.get_running_loop()
        start = loop.time()
        for _ in range(4):
            await asyncio.sleep(0.05)
            assert await client.ask("echo", 1, b"x") == ("echo", 1, b"x")
        assert statuses(await client.rest()) == [408]
        assert loop.time() - start >= 0.3


async def test_what_a_plugin_pushes_counts_as_a_frame_that_passed(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        "clock",
        """
        import asyncio

        class Logic:
            async def recv(self, ctx):
                for number in range(4):
                    await asyncio.sleep(0.06)
                    await ctx.send(b"tick", number)
        """,
    )
    limits = ConnectLimits(idle_timeout=0.15)
    async with plugin_server(plugin, limits=limits) as server, raw_client(server) as client:
        client.send("clock")
        assert [each.op for each in await client.rest()] == [0, 1, 2, 3, 408]


async def test_413_arrives_although_the_client_is_still_sending(tmp_path: Path) -> None:
    limits = ConnectLimits(max_data=1000)
    async with plugin_server(limits=limits) as server, raw_client(server) as client:
        sending = asyncio.create_task(send_for_long(client, client.frame("echo", 1, bytes(1001))))
        try:
            assert statuses(await client.rest()) == [413]
            assert server.stats.statuses[413] == 1
        finally:
            sending.cancel()
            await asyncio.gather(sending, return_exceptions=True)


async def send_for_long(client: RawClient, start: bytes) -> None:
    client.writer.write(start)
    with contextlib.suppress(ConnectionError):
        for _ in range(256):
            client.writer.write(bytes(64 * 1024))
            await client.writer.drain()
            await asyncio.sleep(0)


async def test_413_comes_after_the_header_alone() -> None:
    limits = ConnectLimits(max_data=1000)
    async with plugin_server(limits=limits) as server, raw_client(server) as client:
        client.writer.write(client.frame("echo", 1, bytes(1001))[:12])
        assert statuses(await client.rest()) == [413]


async def test_413_for_a_first_frame_that_is_larger_than_a_stranger_may_send() -> None:
    limits = ConnectLimits(max_login_data=100)
    async with plugin_server(limits=limits) as server:
        async with raw_client(server, log_in=False) as client:
            client.writer.write(HEADER.pack(12 + 4 + 1 + 101, 1, 4, 101, 0, 0))
            with pytest.raises(ConnectionError, match="413"):
                await client.receive()
        async with raw_client(server) as client:
            assert (await client.ask("nobody", 1, bytes(101))).op == 404


async def test_a_frame_of_exactly_the_largest_size_passes_in_both_directions(
    tmp_path: Path,
) -> None:
    limits = ConnectLimits(max_data=300_000, send_queue=1000, receive_queue=1000)
    echo = write_plugin(tmp_path, "echo")
    async with plugin_server(echo, limits=limits) as server, raw_client(server) as client:
        data = bytes(range(250)) * 1200
        assert (await client.ask("echo", 2**64 - 1, data)) == ("echo", 2**64 - 1, data)


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"GET / HTTP/1.1\r\n\r\n", id="another protocol"),
        pytest.param(HEADER.pack(0, 0, 0, 0, 0, 0), id="no length"),
        pytest.param(HEADER.pack(13 + 2**20, 1, 0, 2**20, 0, 0), id="no greeter"),
        pytest.param(HEADER.pack(13, 0, 1, 0, 0, 0) + b"e", id="no op"),
        pytest.param(HEADER.pack(22, 9, 1, 0, 0, 0) + bytes(10), id="a long op"),
        pytest.param(HEADER.pack(14, 1, 1, 0, 0, 0) + b"\xff\x00", id="no UTF-8"),
        pytest.param(HEADER.pack(14, 1, 1, 0, 0, 0) + b"e\x00", id="no hash"),
        pytest.param(encode_frame(b"echo", 1, b"", b"", b"0" * 64), id="a wrong hash"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(500), id="TLS"),
    ],
)
@pytest.mark.parametrize("logged_in", [True, False])
async def test_400_for_what_is_no_frame_closes(bad: bytes, logged_in: bool) -> None:
    async with plugin_server() as server, raw_client(server, log_in=logged_in) as client:
        client.writer.write(bad)
        if logged_in:
            assert statuses(await client.rest()) == [400]
        else:
            with pytest.raises(ConnectionError, match="400"):
                await client.receive()
            assert await client.reader.read() == b""
        assert server.stats.statuses[400] == 1


async def test_400_for_a_wrong_password_and_429_after_too_many() -> None:
    limits = ConnectLimits(failed_logins=3)
    async with plugin_server(limits=limits) as server:
        for status in (400, 400, 400, 429):
            async with raw_client(server, password="a guess", log_in=False) as client:
                with pytest.raises(ConnectionError, match=str(status)):
                    await client.log_in()
                assert await client.reader.read() == b""
        async with raw_client(server, log_in=False) as client:
            with pytest.raises(ConnectionError, match="429"):
                await client.log_in()
        assert server.stats.statuses[429] == 2
        assert server.stats.statuses[400] == 3


async def test_429_for_too_many_frames_a_second_stays_open(tmp_path: Path) -> None:
    limits = ConnectLimits(rate_limit=5)
    echo = write_plugin(tmp_path, "echo")
    async with plugin_server(echo, limits=limits) as server, raw_client(server) as client:
        client.writer.write(b"".join(client.frame("echo", each) for each in range(12)))
        answers = await client.several(12)
        assert statuses(answers) == [429] * 7
        assert [each.op for each in answers if not each.is_status] == [0, 1, 2, 3, 4]
        assert server.stats.statuses[429] == 7
        await asyncio.sleep(0.25)
        assert (await client.ask("echo", 99)).op == 99


async def test_each_429_is_counted_when_they_come_with_the_login(tmp_path: Path) -> None:
    limits = ConnectLimits(rate_limit=1)
    async with (
        plugin_server(password=None, limits=limits) as server,
        raw_client(server, log_in=False) as client,
    ):
        session = ClientSession("", max_data=1000)
        first = session.start()
        frames = [encode_frame(b"nobody", each, b"", b"", b"") for each in range(4)]
        client.writer.write(first + b"".join(frames))
        await until(lambda: server.stats.statuses[429])
        assert server.stats.statuses[429] == 3
        assert server.stats.statuses[404] == 1
        assert server.stats.logins == 1


async def test_500_tells_the_client_nothing_and_the_log_everything(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plugin = write_plugin(
        tmp_path,
        "shaky",
        """
        class Logic:
            def recv(self, ctx):
                if ctx.data == b"boom":
                    raise ValueError("a secret")
                ctx.send(ctx.data)
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server) as client:
        assert await client.ask("shaky", 1, b"boom") == ("nekoconnect-server", 500, b"\x01\xf4")
        assert await client.ask("shaky", 1, b"fine") == ("shaky", 200, b"fine")
        assert server.stats.failures == 1
    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert str(record.exc_info[1]) == "a secret"
    assert record.__dict__["plugin"] == "shaky"
    assert record.__dict__["method"] == "recv"


async def test_503_when_the_server_is_full_and_room_again_when_one_leaves() -> None:
    limits = ConnectLimits(max_connections=2)
    async with plugin_server(limits=limits) as server:
        async with raw_client(server) as first, raw_client(server) as second:
            async with raw_client(server, log_in=False) as third:
                with pytest.raises(ConnectionError, match="503"):
                    await third.log_in()
                assert await third.reader.read() == b""
            assert (await first.ask("nobody")).op == 404
            second.vanish()
            await until(lambda: server.connections == 1)
            async with raw_client(server) as fourth:
                assert (await fourth.ask("nobody")).op == 404
        assert server.stats.connections == 3
        assert server.stats.statuses[503] == 1


async def test_who_comes_while_very_many_are_refused_is_just_closed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("nekonex.connect.server.clients.MAX_REFUSED", 2)
    assert MAX_REFUSED > 2
    limits = ConnectLimits(max_connections=1)
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(plugin_server(limits=limits))
        await stack.enter_async_context(raw_client(server))
        refused = [
            await stack.enter_async_context(raw_client(server, log_in=False)) for _ in range(2)
        ]
        await until(lambda: server.stats.statuses[503] == 2)
        one_more = await stack.enter_async_context(raw_client(server, log_in=False))
        with pytest.raises((EOFError, ConnectionError)):
            await one_more.receive()
        for client in refused:
            with pytest.raises(ConnectionError, match="503"):
                await client.receive()
        assert server.stats.cut_off[CutOff.TOO_MANY] == 1


async def test_503_for_everybody_when_the_server_stops(tmp_path: Path) -> None:
    echo = write_plugin(tmp_path, "echo")
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(plugin_server(echo))
        busy = await stack.enter_async_context(raw_client(server))
        await busy.ask("echo")
        idle = await stack.enter_async_context(raw_client(server))
        stranger = await stack.enter_async_context(raw_client(server, log_in=False))
        await until(lambda: server.connections == 3)
        closing = asyncio.create_task(server.close())
        assert statuses(await busy.rest()) == [503]
        assert statuses(await idle.rest()) == [503]
        with pytest.raises(ConnectionError, match="503"):
            await stranger.receive()
        busy.vanish()
        idle.vanish()
        stranger.vanish()
        await closing
        assert server.connections == 0


async def test_an_open_server_lets_anybody_in_with_any_hash(tmp_path: Path) -> None:
    echo = write_plugin(tmp_path, "echo")
    async with plugin_server(echo, password=None) as server:
        async with raw_client(server, password="", log_in=False) as client:
            assert (await client.log_in()).op == 200
            assert (await client.ask("echo", 7)).op == 7
        async with raw_client(server, log_in=False) as client:
            client.writer.write(encode_frame(b"auth", 200, b"r", b"\xc8", b""))
            client.writer.write(encode_frame(b"echo", 5, b"", b"hi", b"nonsense"))
            await until(lambda: server.stats.frames == 2)


async def test_a_client_that_has_not_proven_itself_reaches_no_plugin(tmp_path: Path) -> None:
    """A copy of somebody's first frame gets 200, and nothing more."""
    plugin = write_plugin(
        tmp_path,
        "log",
        """
        class Logic:
            def __init__(self):
                self.seen = []

            def connected(self, ctx):
                self.seen.append(ctx.client_id)

            recv = connected
        """,
    )
    async with plugin_server(plugin, password=PASSWORD) as server:
        async with raw_client(server) as client:
            client.writer.write(encode_frame(b"log", 1, b"", b"", b"0" * 64))
            assert statuses(await client.rest()) == [400]
        assert server._host is not None
        running = server._host.find("log")
        assert running is not None
        assert running.loaded.logic.seen == []
        assert not running.channels
