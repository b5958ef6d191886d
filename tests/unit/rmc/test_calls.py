"""Calls of this side: replies, errors, time limits."""

from __future__ import annotations

import asyncio

import pytest

from nekonex.rmc import CallLimitError, InvalidReplyError, RMCLimits, Session
from nekonex.rmc.messages import encode_error, encode_success, parse_request
from nekonex.values import RMCError
from tests.unit.rmc.fakes import Recorder, Server, request, run_virtual, settle


async def test_a_call_returns_the_body_of_its_reply() -> None:
    async with Server() as server:
        session, channel = server.connect()
        first = asyncio.ensure_future(session.call(14, 7, b"one"))
        second = asyncio.ensure_future(session.call(0x200, 8, b"two"))
        await settle()
        assert [parse_request(data) for data, _ in channel.sent] == [
            (14, 1, 7, b"one"),
            (0x200, 2, 8, b"two"),
        ]
        session.on_message(encode_success(0x200, 2, 8, b"second"))
        session.on_message(encode_success(14, 1, 7, b"first"))
        assert await first == b"first"
        assert await second == b"second"


async def test_an_error_reply_raises_it() -> None:
    async with Server() as server:
        session, _ = server.connect()
        call = asyncio.ensure_future(session.call(14, 7, b""))
        await settle()
        session.on_message(encode_error(14, 1, 0x80010002))
        with pytest.raises(RMCError) as caught:
            await call
        assert caught.value.name == "Core::NotImplemented"


async def test_a_malformed_reply_raises_if_the_call_can_be_told() -> None:
    async with Server() as server:
        session, _ = server.connect()
        call = asyncio.ensure_future(session.call(14, 7, b""))
        await settle()
        session.on_message(b"\x00")
        session.on_message(encode_success(14, 2, 7, b"") + b"x")
        assert not call.done()
        session.on_message(encode_success(14, 1, 7, b"") + b"x")
        with pytest.raises(InvalidReplyError, match="the reply is malformed: the frame says"):
            await call
        session.on_message(encode_success(14, 1, 7, b"") + b"x")
        assert server.stats.malformed == 4


async def test_replies_that_nobody_waits_for_are_counted() -> None:
    async with Server() as server:
        session, _ = server.connect()
        session.on_message(encode_success(14, 1, 7, b""))
        call = asyncio.ensure_future(session.call(14, 7, b""))
        await settle()
        session.on_message(encode_success(14, 1, 7, b"a"))
        session.on_message(encode_success(14, 1, 7, b"b"))
        assert await call == b"a"
        session.on_message(encode_error(14, 1, 5))
        assert server.stats.late_replies == 3


async def test_noresponse_sends_and_does_not_wait() -> None:
    async with Server() as server:
        session, channel = server.connect()
        assert await session.call(14, 7, b"x", noresponse=True) == b""
        session.post(14, 8, b"y")
        assert [parse_request(data) for data, _ in channel.sent] == [
            (14, 1, 7, b"x"),
            (14, 2, 8, b"y"),
        ]
        with pytest.raises(ValueError, match="does not fit"):
            session.post(1 << 16, 8, b"y")


async def test_a_handler_may_call_its_own_client() -> None:
    servant = Recorder()

    async def ask(client: Session, body: bytes) -> bytes:
        return b"client says " + await client.call(14, 1, b"what?")

    servant.methods[1] = ask
    async with Server(servant) as server:
        session, channel = server.connect()
        session.on_message(request(1, call_id=70))
        session.on_message(request(2, call_id=71))
        await settle()
        protocol, call_id, method, body = parse_request(channel.sent[0][0])
        assert (protocol, method, body) == (14, 1, b"what?")
        session.on_message(encode_success(14, call_id, 1, b"yes"))
        await settle()
        assert channel.sent[1:] == [
            (encode_success(10, 70, 1, b"client says yes"), 0),
            (encode_success(10, 71, 2, b"re:"), 0),
        ]


async def test_a_bad_reply_of_the_client_is_its_own_invalid_argument(
    caplog: pytest.LogCaptureFixture,
) -> None:
    servant = Recorder()

    async def ask(client: Session, body: bytes) -> bytes:
        return await client.call(14, 1, b"what?")

    servant.methods[1] = ask
    async with Server(servant) as server:
        session, channel = server.connect()
        session.on_message(request(1, call_id=70))
        await settle()
        session.on_message(encode_success(14, 1, 1, b"yes") + b"x")
        await settle()
        assert channel.sent[1] == (encode_error(10, 70, RMCError("Core::InvalidArgument").code), 0)
        assert "Traceback" not in caplog.text


async def test_too_many_unanswered_calls_are_refused() -> None:
    async with Server(limits=RMCLimits(max_pending_calls=2)) as server:
        session, _ = server.connect()
        calls = [asyncio.ensure_future(session.call(14, 7, b"")) for _ in range(2)]
        await settle()
        with pytest.raises(CallLimitError, match="connection 1 has left 2 calls unanswered"):
            await session.call(14, 7, b"")
        session.post(14, 7, b"")  # waits for nothing
        calls[0].cancel()
        await settle()
        third = asyncio.ensure_future(session.call(14, 7, b""))
        await settle()
        assert not third.done()
        for call in (calls[1], third):
            call.cancel()


async def test_call_ids_wrap_and_skip_those_that_wait() -> None:
    async with Server() as server:
        session, channel = server.connect()
        first = asyncio.ensure_future(session.call(14, 7, b""))
        await settle()
        calls = session._calls
        assert calls is not None
        calls._call_id = 0xFFFF_FFFE
        for _ in range(3):
            session.post(14, 7, b"")
        ids = [parse_request(data)[1] for data, _ in channel.sent]
        assert ids == [1, 0xFFFF_FFFF, 2, 3]
        first.cancel()


@pytest.mark.parametrize(("given", "limit"), [(None, 10.0), (0.25, 0.25), (300.0, 300.0)])
def test_a_call_times_out(given: float | None, limit: float) -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with Server() as server:
            session, _ = server.connect()
            with pytest.raises(TimeoutError, match=f"no reply within {limit:g} seconds"):
                await session.call(14, 7, b"", timeout=given)
            assert loop.time() == pytest.approx(limit)
            session.on_message(encode_success(14, 1, 7, b""))
            assert server.stats.late_replies == 1

    run_virtual(scenario())


def test_a_call_that_is_answered_in_time_leaves_no_timer() -> None:
    async def scenario() -> None:
        loop = asyncio.get_running_loop()
        async with Server() as server:
            session, _ = server.connect()
            call = asyncio.ensure_future(session.call(14, 7, b"", timeout=5))
            await asyncio.sleep(4.5)
            session.on_message(encode_success(14, 1, 7, b"ok"))
            assert await call == b"ok"
            assert server.stats.late_replies == 0
            timers = getattr(loop, "_scheduled", [])
            assert [timer for timer in timers if not timer.cancelled()] == []

    run_virtual(scenario())
