"""Requests in, replies out: order, errors, limits."""

from __future__ import annotations

import asyncio
import contextvars
import logging
import sys
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.rmc import Protocol, RMCLimits, Session
from nekonex.rmc.messages import Reply, encode_success, parse_reply
from nekonex.values import Result, RMCError, ServiceUnavailable
from tests.unit.rmc.fakes import CONTEXT, FakeChannel, Recorder, Server, request, settle

INVALID_ARGUMENT = Result.error("Core::InvalidArgument").code
NOT_IMPLEMENTED = Result.error("Core::NotImplemented").code
EXCEPTION = Result.error("Core::Exception").code
SYSTEM_ERROR = Result.error("Core::SystemError").code
TIMEOUT = Result.error("Core::Timeout").code


async def reply_to(server: Server, frame: bytes) -> list[Reply]:
    session, channel = server.connect()
    session.on_message(frame)
    await settle()
    return channel.replies


async def test_a_request_is_answered_on_its_substream() -> None:
    async with Server(Recorder()) as server:
        session, channel = server.connect()
        session.on_message(request(3, b"abc", call_id=9), 1)
        session.on_message(request(3, b"x", call_id=10), 0)
        assert channel.sent == []  # never on the packet path
        await settle()
        assert channel.sent == [
            (encode_success(10, 9, 3, b"re:abc"), 1),
            (encode_success(10, 10, 3, b"re:x"), 0),
        ]
        assert (server.stats.requests, server.stats.replies) == (2, 2)


async def test_extended_protocols_are_answered() -> None:
    async with Server(Recorder(0x1234)) as server:
        assert await reply_to(server, request(1, b"a", protocol=0x1234)) == [
            Reply(0x1234, 1, 1, 0, b"re:a")
        ]


async def test_requests_of_one_connection_are_answered_in_order_and_others_do_not_wait() -> None:
    servant = Recorder()
    gate = asyncio.Event()

    async def wait(client: Session, body: bytes) -> bytes:
        await gate.wait()
        return b"waited"

    servant.methods[1] = wait
    async with Server(servant) as server:
        slow, slow_channel = server.connect(1)
        quick, quick_channel = server.connect(2)
        slow.on_message(request(1, call_id=1))
        slow.on_message(request(2, call_id=2))
        slow.on_message(request(2, call_id=3)[:-1])  # malformed
        slow.on_message(request(2, call_id=4, protocol=99))  # unknown
        quick.on_message(request(2, call_id=5))
        await settle()
        assert slow_channel.sent == []
        assert [reply.call_id for reply in quick_channel.replies] == [5]
        slow.on_message(request(2, call_id=6))
        gate.set()
        await settle()
        assert [reply.call_id for reply in slow_channel.replies] == [1, 2, 3, 4, 6]


async def test_many_waiting_handlers_run_at_the_same_time() -> None:
    servant = Recorder()
    gate = asyncio.Event()
    running = 0

    async def wait(client: Session, body: bytes) -> bytes:
        nonlocal running
        running += 1
        await gate.wait()
        return b""

    servant.methods[1] = wait
    async with Server(servant) as server:
        peers = [server.connect(number) for number in range(1, 101)]
        for session, _ in peers:
            session.on_message(request(1))
        await settle()
        assert running == 100
        assert server.dispatcher.pool.tasks == 100
        gate.set()
        await settle()
        assert all(len(channel.sent) == 1 for _, channel in peers)
        for now in range(7):
            server.dispatcher.tick(float(now))
        await settle()
        assert server.dispatcher.pool.tasks == 0


async def test_unknown_protocol_and_an_unregistered_notification_protocol() -> None:
    async with Server(Recorder()) as server:
        for protocol in (11, 14, 27, 100, 0x999):
            assert await reply_to(server, request(1, protocol=protocol)) == [
                Reply(protocol, 1, 0, NOT_IMPLEMENTED, b"")
            ]
        assert server.stats.unknown_protocol == 5


async def test_malformed_requests_get_invalid_argument_if_the_call_id_can_be_read() -> None:
    async with Server(Recorder()) as server:
        session, channel = server.connect()
        whole = request(3, b"abc", call_id=9)
        for cut in range(len(whole)):
            session.on_message(whole[:cut])
        await settle()
        # Without four bytes of size and one of protocol nothing tells it from a reply.
        assert server.stats.malformed == len(whole)
        assert [(reply.call_id, reply.code) for reply in channel.replies] == [
            (9, INVALID_ARGUMENT)
        ] * (len(whole) - 9)
        session.on_message(whole)
        await settle()
        assert channel.replies[-1].body == b"re:abc"


@pytest.mark.parametrize(
    ("error", "code", "counter"),
    [
        (
            RMCError("RendezVous::InvalidGID"),
            Result.error("RendezVous::InvalidGID").code,
            "refused",
        ),
        (ServiceUnavailable("disk full"), SYSTEM_ERROR, "unavailable"),
        (TimeoutError(), TIMEOUT, "timeouts"),
        (ValueError("oops"), EXCEPTION, "handler_errors"),
        (KeyError("x"), EXCEPTION, "handler_errors"),
        (asyncio.CancelledError(), EXCEPTION, "handler_errors"),
        (ExceptionGroup("", [RMCError(0x123)]), 0x8000_0123, "refused"),
        (ExceptionGroup("", [ValueError(), RMCError(0x123)]), EXCEPTION, "handler_errors"),
        (StopAsyncIteration(), EXCEPTION, "handler_errors"),
        (RecursionError(), EXCEPTION, "handler_errors"),
    ],
    ids=repr,
)
async def test_what_a_handler_raises(
    error: BaseException, code: int, counter: str, caplog: pytest.LogCaptureFixture
) -> None:
    servant = Recorder()

    async def fail(client: Session, body: bytes) -> bytes:
        await asyncio.sleep(0)
        raise error

    servant.methods[1] = fail
    async with Server(servant) as server:
        session, channel = server.connect()
        with caplog.at_level(logging.ERROR, "nekonex.rmc"):
            session.on_message(request(1, call_id=1))
            session.on_message(request(2, call_id=2))
            await settle()
        assert [(reply.call_id, reply.code) for reply in channel.replies] == [(1, code), (2, 0)]
        assert getattr(server.stats, counter) == 1
        logged = [record for record in caplog.records if record.name == "nekonex.rmc"]
        assert len(logged) == (1 if code == EXCEPTION else 0)
        assert all(record.exc_info for record in logged)


@pytest.mark.parametrize("value", [None, 5, "text", [1]])
async def test_a_result_that_is_no_reply_is_a_logged_exception(
    value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    servant = Recorder()

    async def wrong(client: Session, body: bytes) -> Any:
        return value

    servant.methods[1] = wrong
    async with Server(servant) as server:
        assert [reply.code for reply in await reply_to(server, request(1))] == [EXCEPTION]
    assert "a reply is bytes" in caplog.text


async def test_a_protocol_without_responses_never_gets_one(
    caplog: pytest.LogCaptureFixture,
) -> None:
    servant = Recorder(14)
    servant.NORESPONSE = True

    async def fail(client: Session, body: bytes) -> bytes:
        raise ValueError("logged all the same")

    servant.methods[1] = fail
    async with Server(servant) as server:
        session, channel = server.connect()
        session.on_message(request(1, protocol=14))
        session.on_message(request(2, protocol=14))
        session.on_message(request(2, protocol=14)[:-1])
        await settle()
        assert channel.sent == []
        assert len(servant.log) == 2
        assert "logged all the same" in caplog.text


async def test_reading_pauses_at_the_limit_and_resumes_below_half() -> None:
    servant = Recorder()
    gates = [asyncio.Event() for _ in range(8)]

    async def wait(client: Session, body: bytes) -> bytes:
        await gates[body[0]].wait()
        return b""

    servant.methods[1] = wait
    async with Server(servant, limits=RMCLimits(max_waiting_requests=4)) as server:
        session, channel = server.connect()
        session.on_message(request(1, b"\x00"))
        await settle()
        for number in range(1, 4):
            session.on_message(request(1, bytes([number])))
        assert not channel.paused  # one runs, three wait
        session.on_message(request(1, b"\x04"))
        assert channel.paused
        # What the transport had acknowledged already is taken all the same.
        session.on_message(request(1, b"\x05"))
        session.on_message(request(1, b"\x06"))
        assert server.stats.pauses == 1
        for number in range(7):
            gates[number].set()
            await settle()
            assert channel.paused is (number < 4)
        assert len(channel.sent) == 7


@pytest.mark.parametrize("early", [True, False])
async def test_the_reply_to_a_call_is_not_shut_out_by_waiting_requests(early: bool) -> None:
    """It stands behind them on the line, so reading goes on up to the second limit."""
    servant = Recorder()

    async def call_back(client: Session, body: bytes) -> bytes:
        await asyncio.sleep(0 if early else 0.01)
        return await client.call(99, 1, b"")

    servant.methods[1] = call_back
    limits = RMCLimits(max_waiting_requests=4, max_waiting_while_calling=8)
    async with Server(servant, limits=limits) as server:
        session, channel = server.connect()
        session.on_message(request(1))
        if early:
            await settle()
        for number in range(6):
            session.on_message(request(2, call_id=10 + number))
        assert channel.paused is not early
        await asyncio.sleep(0.02)
        assert not channel.paused
        session.on_message(request(2, call_id=16))
        session.on_message(request(2, call_id=17))
        assert channel.paused
        session.on_message(encode_success(99, 1, 1, b"answer"))
        await settle()
        assert not channel.paused
        replies = [parse_reply(data) for data, _ in channel.sent[1:]]
        assert [reply.call_id for reply in replies] == [1, *range(10, 18)]


async def test_servants_are_told_of_a_connection_after_the_one_it_replaces_has_ended(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Greeter(Recorder):
        def connected(self, client: Session) -> None:
            self.log.append(("connected", self.PROTOCOL_ID, client.id))

    class Broken(Recorder):
        def connected(self, client: Session) -> None:
            raise RuntimeError("no greeting")

    greeter = Greeter()
    async with Server(Broken(11), greeter) as server:
        old, _ = server.connect(1)
        assert greeter.log == [("connected", 10, 1)]
        old.on_closed("replaced")
        server.connect(2, predecessor=old)
        assert greeter.log == [("connected", 10, 1)]
        await settle()
    assert greeter.log == [("connected", 10, 1), ("logout", 10, 1), ("connected", 10, 2)]
    assert "no greeting" in caplog.text


async def test_a_flood_in_one_batch_is_answered_completely() -> None:
    async with Server(Recorder()) as server:
        session, channel = server.connect()
        for number in range(1000):
            session.on_message(request(2, call_id=number))
        assert channel.paused
        await settle()
        assert not channel.paused
        assert [reply.call_id for reply in channel.replies] == list(range(1000))


async def test_handlers_run_in_a_task_of_their_own_with_a_context_of_their_own() -> None:
    servant = Recorder()
    variable: contextvars.ContextVar[str] = contextvars.ContextVar("variable", default="unset")
    seen: list[Any] = []

    async def handler(client: Session, body: bytes) -> bytes:
        seen.append(variable.get())
        variable.set(f"set by {client.id}")
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await asyncio.Event().wait()
        async with asyncio.TaskGroup() as group:
            child = group.create_task(asyncio.sleep(0, result="child"))
        task = asyncio.current_task()
        assert task is not None
        seen.append((variable.get(), await child, task.cancelling()))
        return b""

    servant.methods[1] = handler
    async with Server(servant) as server:
        for number in range(1, 4):
            session, channel = server.connect(number)
            session.on_message(request(1))
            await asyncio.sleep(0.001)
            await settle()
            assert channel.replies[0].code == 0
    assert seen == [
        entry for number in range(1, 4) for entry in ("unset", (f"set by {number}", "child", 0))
    ]


async def test_the_client_knows_its_connection() -> None:
    async with Server() as server:
        session, channel = server.connect(7)
        assert (session.id, session.pid, session.cid) == (7, 1000, 5)
        assert session.remote_address == ("192.0.2.1", 50007)
        assert session.local_address == ("192.0.2.99", 1224)
        assert session.channel is channel
        assert session.open
        assert session.connected
        assert not session.ended
        assert session.settings is server.dispatcher.settings
        session.state[server] = 1
        assert session.state == {server: 1}
        assert {session: 1}[session] == 1
        channel.session = None
        session.disconnect()
        assert channel.goodbyes == 1
        assert not session.open
        assert session.connected
        session.on_closed()
        assert not session.connected
        await server.dispatcher.wait_logouts()
        assert session.ended


async def test_headers_stay_on_for_an_old_minor_version_and_that_is_counted(
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.INFO, "nekonex.rmc")
    async with Server(Recorder()) as server:
        assert server.connect(7, minor_version=2)[0].context.struct_header
        assert server.stats.old_minor_versions == 1
        assert "Connection 7" in caplog.text
        server.connect(8, minor_version=3)
        server.connect(9, minor_version=0)
        assert server.stats.old_minor_versions == 1


async def test_minor_version_3_means_structure_headers() -> None:
    async with Server() as server:
        old = server.dispatcher.context.with_(struct_header=False)
        dispatcher = type(server.dispatcher)([], old)
        assert dispatcher.accept(FakeChannel(1, minor_version=2)).context is old
        newer = dispatcher.accept(FakeChannel(2, minor_version=3)).context
        assert newer is old.with_(struct_header=True)
        given = dispatcher.accept(FakeChannel(3, minor_version=3), context=old).context
        assert given is old


async def test_an_idle_session_is_small() -> None:
    async with Server(Recorder()) as server:
        session, _ = server.connect()

        def size() -> int:
            own = sys.getsizeof(session)
            held = (getattr(session, name) for name in Session.__slots__ if name != "__weakref__")
            shared = (server.dispatcher, session.channel, server.dispatcher.routes(CONTEXT))
            return own + sum(
                sys.getsizeof(value)
                for value in held
                if value is not None and value not in shared and not isinstance(value, int | str)
            )

        assert size() < 256
        session.on_message(request(1))
        await settle()
        assert size() < 256


def test_two_servants_of_one_protocol_are_refused() -> None:
    with pytest.raises(ValueError, match="protocol 10 is served twice: by Recorder and by Rec"):
        Server(Recorder(10), Recorder(11), Recorder(10))


def test_a_protocol_id_has_16_bits() -> None:
    with pytest.raises(ValueError, match="16 bits"):
        Server(Recorder(0x10000))


def test_a_servant_without_a_protocol_id_is_refused() -> None:
    class Anonymous(Protocol):
        pass

    with pytest.raises(TypeError, match="Anonymous has no PROTOCOL_ID"):
        Server(Anonymous())


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("max_waiting_requests", 0),
        ("max_pending_calls", 0),
        ("request_timeout", 0.0),
        ("call_timeout", -1.0),
        ("call_timeout", float("nan")),
    ],
)
def test_limits_below_their_minimum_are_refused(name: str, value: Any) -> None:
    with pytest.raises(ValueError, match=name):
        RMCLimits(**{name: value})


@given(st.lists(st.binary(max_size=30) | st.builds(request, st.integers(0, 99)), max_size=20))
async def test_no_message_ends_the_server(messages: list[bytes]) -> None:
    async with Server(Recorder()) as server:
        session, channel = server.connect()
        for message in messages:
            session.on_message(message)
        await settle()
        channel.sent.clear()
        session.on_message(request(1, b"still there"))
        await settle()
        assert channel.replies[-1].body == b"re:still there"
