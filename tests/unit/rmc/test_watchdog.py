"""Handlers that take too long, seen by a clock that the test turns."""

from __future__ import annotations

import asyncio

import pytest

from nekonex.rmc import RMCLimits, Session
from nekonex.values import Result
from tests.unit.rmc.fakes import Recorder, Server, request, settle

EXCEPTION = Result.error("Core::Exception").code
TIMEOUT = Result.error("Core::Timeout").code


def slow_servant(release: asyncio.Event) -> Recorder:
    servant = Recorder()

    async def wait(client: Session, body: bytes) -> bytes:
        await release.wait()
        return b"done"

    servant.methods[1] = wait
    return servant


async def test_a_slow_handler_is_cancelled_after_the_limit_and_never_before(
    caplog: pytest.LogCaptureFixture,
) -> None:
    servant = slow_servant(asyncio.Event())
    async with Server(servant, limits=RMCLimits(request_timeout=60.0)) as server:
        session, channel = server.connect()
        session.on_message(request(1, call_id=1))
        session.on_message(request(2, call_id=2))
        await settle()
        for now in range(1000, 1060):
            server.dispatcher.tick(float(now))
            await settle()
            assert channel.sent == []
        server.dispatcher.tick(1060.0)
        await settle()
        assert [(reply.call_id, reply.code) for reply in channel.replies] == [(1, TIMEOUT), (2, 0)]
        assert server.stats.timeouts == 1
        assert "Recorder.1 took too long for connection 1" in caplog.text
        assert server.dispatcher.watchdog.busy == set()


async def test_each_request_has_the_whole_time() -> None:
    releases = [asyncio.Event() for _ in range(3)]
    servant = Recorder()

    async def wait(client: Session, body: bytes) -> bytes:
        await releases[body[0]].wait()
        return b"done"

    servant.methods[1] = wait
    async with Server(servant, limits=RMCLimits(request_timeout=10.0)) as server:
        session, channel = server.connect()
        for number in range(3):
            session.on_message(request(1, bytes([number])))
        for number in range(3):
            for second in range(9):
                await settle()
                server.dispatcher.tick(100.0 * number + second)
            releases[number].set()
            await settle()
        assert [reply.code for reply in channel.replies] == [0, 0, 0]


async def test_a_handler_that_ignores_the_limit_is_asked_again_and_may_still_answer() -> None:
    release = asyncio.Event()
    servant = Recorder()
    tasks = []

    async def stray(client: Session, body: bytes) -> bytes:
        tasks.append(asyncio.current_task())
        raise asyncio.CancelledError

    async def stubborn(client: Session, body: bytes) -> bytes:
        tasks.append(asyncio.current_task())
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                servant.log.append("ignored")
        return b"done"

    servant.methods[1] = stubborn
    async with Server(servant, limits=RMCLimits(request_timeout=2.0)) as server:
        session, channel = server.connect()
        session.on_message(request(1))
        await settle()
        for now in range(7):
            server.dispatcher.tick(float(now))
            await settle()
        assert servant.log[1:] == ["ignored"] * 3
        release.set()
        await settle()
        assert channel.replies[0].body == b"done"
        # Nothing of it is left for the next request, nor for the task.
        servant.methods[1] = stray
        session.on_message(request(1))
        await settle()
        assert channel.replies[1].code == EXCEPTION
        assert {task.cancelling() for task in asyncio.all_tasks()} == {0}
        assert tasks[0] is tasks[1]


async def test_a_slow_call_inside_a_fast_connection_does_not_hurt_others() -> None:
    release = asyncio.Event()
    servant = slow_servant(release)
    async with Server(servant, limits=RMCLimits(request_timeout=2.0)) as server:
        slow, slow_channel = server.connect(1)
        quick, quick_channel = server.connect(2)
        slow.on_message(request(1))
        for now in range(3):
            quick.on_message(request(2))
            await settle()
            server.dispatcher.tick(float(now))
        await settle()
        assert [reply.code for reply in slow_channel.replies] == [TIMEOUT]
        assert [reply.code for reply in quick_channel.replies] == [0, 0, 0]


async def test_a_timeout_without_an_answer_for_protocols_that_have_none() -> None:
    servant = slow_servant(asyncio.Event())
    servant.NORESPONSE = True
    async with Server(servant, limits=RMCLimits(request_timeout=1.0)) as server:
        session, channel = server.connect()
        session.on_message(request(1))
        await settle()
        server.dispatcher.tick(0.0)
        server.dispatcher.tick(1.0)
        await settle()
        assert channel.sent == []
        assert server.stats.timeouts == 1
