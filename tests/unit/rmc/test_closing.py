"""The end of a connection: what is cancelled, and the logout that runs exactly once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from nekonex.rmc import RMCConnectionClosed, RMCLimits, Session
from tests.unit.rmc.fakes import FakeChannel, Recorder, Server, request, settle

Handler = Callable[[Session, bytes], Awaitable[bytes]]


def hanging(seen: list[str]) -> Handler:
    """Return a handler that waits for ever and notes its cancellation."""

    async def hang(client: Session, body: bytes) -> bytes:
        seen.append("running")
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            seen.append("cancelled")
            await asyncio.sleep(0)
            seen.append("cleaned up")
            raise
        return b""

    return hang


def logouts(log: list[Any]) -> list[Any]:
    return [entry[1:] for entry in log if entry[0] == "logout"]


async def test_logout_runs_on_all_servants_in_order_even_if_nothing_was_called() -> None:
    log: list[Any] = []
    async with Server(Recorder(12, log), Recorder(10, log), Recorder(11, log)) as server:
        session, _ = server.connect(5)
        session.on_closed("gone")
        assert log == []  # never on the packet path
        await server.dispatcher.wait_logouts()
        assert logouts(log) == [(12, 5), (10, 5), (11, 5)]
        assert session.ended
        assert session.close_reason == "gone"


async def test_logout_runs_once_however_often_the_end_is_reported() -> None:
    servant = Recorder()
    async with Server(servant) as server:
        session, channel = server.connect()
        session.on_message(request(1))
        session.on_closed("first")
        session.on_closed("second")
        session.close()
        session.on_message(request(1))
        await server.dispatcher.wait_logouts()
        session.on_closed("third")
        session.on_message(request(1))
        await settle()
        assert servant.log == [("logout", 10, 1)]
        assert session.close_reason == "first"
        assert channel.sent == []
        assert server.stats.abandoned == 1


async def test_a_running_handler_is_cancelled_and_logout_waits_for_its_end() -> None:
    servant, seen = Recorder(), []  # type: Recorder, list[str]
    servant.methods[1] = hanging(seen)

    async def note(client: Session) -> None:
        seen.append("logout")

    servant.on_logout = note
    async with Server(servant) as server:
        session, channel = server.connect()
        session.on_message(request(1))
        session.on_message(request(2))
        await settle()
        channel.open = False
        session.on_closed("vanished")
        await server.dispatcher.wait_logouts()
        assert seen == ["running", "cancelled", "cleaned up", "logout"]
        assert channel.sent == []
        assert server.stats.abandoned == 2
        assert server.stats.handler_errors == 0


async def test_a_handler_that_ignores_its_cancellation_delays_the_logout() -> None:
    servant, release = Recorder(), asyncio.Event()

    async def stubborn(client: Session, body: bytes) -> bytes:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                servant.log.append("ignored")
        task = asyncio.current_task()
        assert task is not None
        return b"done"

    servant.methods[1] = stubborn
    async with Server(servant) as server:
        session, channel = server.connect()
        session.on_message(request(1))
        await settle()
        channel.open = False
        session.on_closed("vanished")
        await settle()
        assert servant.log[1:] == ["ignored"]
        release.set()
        await server.dispatcher.wait_logouts()
        assert servant.log[2:] == [("logout", 10, 1)]
        assert server.stats.undelivered == 1
        # The task that survived the cancellation serves others as ever.
        other, other_channel = server.connect(2)
        servant.methods.clear()
        other.on_message(request(1, b"x"))
        await settle()
        assert other_channel.replies[0].body == b"re:x"


@pytest.mark.parametrize("how", ["close", "disconnect"])
async def test_a_handler_that_closes_its_own_client_runs_to_its_end(how: str) -> None:
    servant = Recorder()

    async def kick(client: Session, body: bytes) -> bytes:
        getattr(client, how)()
        assert not client.open
        await asyncio.sleep(0)
        servant.log.append("after")
        return b""

    servant.methods[1] = kick
    async with Server(servant) as server:
        session, _ = server.connect()
        session.on_message(request(1))
        session.on_message(request(2))
        await settle()
        assert servant.log[1:] == ["after", ("logout", 10, 1)]
        assert session.ended


async def test_a_handler_may_close_another_client() -> None:
    servant, seen = Recorder(), []  # type: Recorder, list[str]
    servant.methods[1] = hanging(seen)
    async with Server(servant) as server:
        victim, _ = server.connect(1)
        admin, admin_channel = server.connect(2)

        async def kick(client: Session, body: bytes) -> bytes:
            victim.close()
            return b"kicked"

        servant.methods[2] = kick
        victim.on_message(request(1))
        await settle()
        admin.on_message(request(2))
        await settle()
        assert seen == ["running", "cancelled", "cleaned up"]
        assert admin_channel.replies[0].body == b"kicked"
        assert logouts(servant.log) == [(10, 1)]


async def test_a_connection_that_dies_while_a_reply_is_sent_is_logged_out() -> None:
    servant = Recorder()

    class Full(FakeChannel):
        def send(self, data: bytes, substream: int = 0) -> None:
            self.close()
            raise ConnectionError("the send queue is full")

    async with Server(servant) as server:
        channel = Full()
        channel.session = server.dispatcher.accept(channel)
        channel.session.on_message(request(1))
        channel.session.on_message(request(1))
        await settle()
        assert servant.log == [(1, 1, b""), ("logout", 10, 1)]
        assert server.stats.undelivered == 1
        assert server.stats.abandoned == 1


async def test_a_raising_logout_does_not_stop_the_others(
    caplog: pytest.LogCaptureFixture,
) -> None:
    log: list[Any] = []
    first, second, third = Recorder(10, log), Recorder(11, log), Recorder(12, log)

    async def fail(client: Session) -> None:
        raise KeyError("never registered")

    async def cancelled(client: Session) -> None:
        raise asyncio.CancelledError

    first.on_logout, second.on_logout = fail, cancelled
    async with Server(first, second, third) as server:
        session, _ = server.connect()
        with caplog.at_level(logging.ERROR, "nekonex.rmc"):
            session.on_closed()
            await server.dispatcher.wait_logouts()
        assert logouts(log) == [(10, 1), (11, 1), (12, 1)]
        assert server.stats.logout_errors == 2
        assert "never registered" in caplog.text


async def test_a_hanging_logout_is_cut_off_and_the_others_run() -> None:
    log: list[Any] = []
    first, second = Recorder(10, log), Recorder(11, log)

    async def hang(client: Session) -> None:
        await asyncio.Event().wait()

    first.on_logout = hang
    async with Server(first, second, limits=RMCLimits(request_timeout=5.0)) as server:
        session, _ = server.connect()
        session.on_closed()
        await settle()
        for now in (100.0, 104.9):
            server.dispatcher.tick(now)
            await settle()
        assert not session.ended
        assert logouts(log) == [(10, 1)]
        server.dispatcher.tick(105.0)
        await server.dispatcher.wait_logouts()
        assert logouts(log) == [(10, 1), (11, 1)]
        assert server.dispatcher.watchdog.busy == set()


async def test_a_logout_that_ignores_the_limit_leaves_nothing_behind() -> None:
    servant, release = Recorder(), asyncio.Event()

    async def stubborn(client: Session) -> None:
        while not release.is_set():
            try:
                await release.wait()
            except asyncio.CancelledError:
                servant.log.append("ignored")

    servant.on_logout = stubborn
    async with Server(servant, limits=RMCLimits(request_timeout=1.0)) as server:
        session, _ = server.connect()
        session.on_closed()
        await settle()
        for now in range(3):
            server.dispatcher.tick(float(now))
            await settle()
        assert servant.log[1:] == ["ignored", "ignored"]
        release.set()
        await server.dispatcher.wait_logouts()
        await settle()
        assert {task.cancelling() for task in asyncio.all_tasks()} == {0}
        assert server.dispatcher.pool.tasks == 1


async def test_a_logout_has_the_whole_time_whatever_ran_before() -> None:
    servant, release = Recorder(), asyncio.Event()

    async def kick(client: Session, body: bytes) -> bytes:
        await release.wait()
        client.close()
        return b""

    async def hang(client: Session) -> None:
        await asyncio.Event().wait()

    servant.methods[1], servant.on_logout = kick, hang
    async with Server(servant, limits=RMCLimits(request_timeout=5.0)) as server:
        session, _ = server.connect()
        session.on_message(request(1))
        await settle()
        server.dispatcher.tick(0.0)
        release.set()
        await settle()
        for now in (4.0, 8.0):
            server.dispatcher.tick(now)
            await settle()
            assert not session.ended
        server.dispatcher.tick(9.0)
        await server.dispatcher.wait_logouts()


async def test_pending_calls_fail_and_later_ones_do_too() -> None:
    async with Server() as server:
        session, channel = server.connect()
        pending = [asyncio.ensure_future(session.call(14, 1, b"")) for _ in range(2)]
        await settle()
        pending[1].cancel()
        channel.open = False
        session.on_closed("vanished")
        with pytest.raises(RMCConnectionClosed, match="connection 1 is closed: vanished"):
            await pending[0]
        with pytest.raises(asyncio.CancelledError):
            await pending[1]
        for noresponse in (False, True):
            with pytest.raises(RMCConnectionClosed, match="vanished"):
                await session.call(14, 1, b"", noresponse=noresponse)
        with pytest.raises(RMCConnectionClosed, match="vanished"):
            session.post(14, 1, b"")
        await server.dispatcher.wait_logouts()


async def test_a_first_call_after_the_end_is_refused() -> None:
    async with Server() as server:
        session, _ = server.connect()
        session.on_closed("vanished")
        await server.dispatcher.wait_logouts()
        with pytest.raises(RMCConnectionClosed, match="vanished"):
            await session.call(14, 1, b"")


async def test_a_call_on_a_channel_that_closed_without_saying_so_yet_is_refused() -> None:
    async with Server() as server:
        session, channel = server.connect()
        channel.open = False
        with pytest.raises(RMCConnectionClosed, match="connection 1 is closed"):
            await session.call(14, 1, b"")


async def test_a_handler_waiting_for_its_own_client_is_cancelled_with_it() -> None:
    servant = Recorder()

    async def ask(client: Session, body: bytes) -> bytes:
        try:
            return await client.call(14, 1, b"")
        except BaseException as error:
            servant.log.append(type(error))
            raise

    servant.methods[1] = ask
    async with Server(servant) as server:
        session, _ = server.connect()
        session.on_message(request(1))
        await settle()
        session.on_closed()
        await server.dispatcher.wait_logouts()
        assert servant.log[1:] == [asyncio.CancelledError, ("logout", 10, 1)]


async def test_a_replacing_connection_waits_for_the_logout_of_the_old_one() -> None:
    servant, release = Recorder(), asyncio.Event()

    async def wait(client: Session) -> None:
        await release.wait()
        servant.log.append("logged out")

    servant.on_logout = wait
    async with Server(servant) as server:
        old, _ = server.connect(1)
        new, channel = server.connect(2, predecessor=old)
        new.on_message(request(1, b"hello"))
        await settle()
        assert servant.log == []
        old.on_closed("replaced")
        await settle()
        assert channel.sent == []
        release.set()
        await settle()
        assert servant.log == [("logout", 10, 1), "logged out", (2, 1, b"hello")]
        assert channel.replies[0].body == b"re:hello"


async def test_a_chain_of_replacements_logs_out_in_order() -> None:
    servant = Recorder()
    async with Server(servant) as server:
        first, _ = server.connect(1)
        second, _ = server.connect(2, predecessor=first)
        third, channel = server.connect(3, predecessor=second)
        third.on_message(request(1))
        second.on_message(request(1))
        second.on_closed("replaced")
        await settle()
        assert servant.log == []
        first.on_closed("replaced")
        await settle()
        assert servant.log == [("logout", 10, 1), ("logout", 10, 2), (3, 1, b"")]
        assert len(channel.sent) == 1
        # Replacing what has ended already costs no wait.
        fourth, channel = server.connect(4, predecessor=first)
        fourth.on_message(request(1))
        await settle()
        assert len(channel.sent) == 1


async def test_wait_logouts_waits_for_all_and_several_may_wait() -> None:
    servant = Recorder()
    gates = {number: asyncio.Event() for number in (1, 2)}

    async def wait(client: Session) -> None:
        await gates[client.id].wait()

    servant.on_logout = wait
    async with Server(servant) as server:
        await server.dispatcher.wait_logouts()  # nothing to wait for
        for number in gates:
            session, _ = server.connect(number)
            session.on_closed()
        waiters = [asyncio.ensure_future(server.dispatcher.wait_logouts()) for _ in range(3)]
        await settle()
        waiters[0].cancel()
        gates[2].set()
        await settle()
        assert [waiter.done() for waiter in waiters] == [True, False, False]
        gates[1].set()
        await asyncio.gather(*waiters[1:])
        assert server.dispatcher.closing == set()


async def test_many_connections_dying_at_once_are_all_logged_out() -> None:
    servant = Recorder()
    async with Server(servant) as server:
        sessions = [server.connect(number)[0] for number in range(1, 501)]
        for session in sessions:
            session.on_message(request(1))
        for session in sessions:
            session.on_closed("power cut")
        await server.dispatcher.wait_logouts()
        assert logouts(servant.log) == [(10, number) for number in range(1, 501)]


async def test_a_task_cancelled_from_outside_loses_neither_requests_nor_logout() -> None:
    servant, seen = Recorder(), []  # type: Recorder, list[str]
    servant.methods[1] = hanging(seen)
    async with Server(servant) as server:
        session, channel = server.connect()
        session.on_message(request(1))
        session.on_message(request(2, b"next"))
        await settle()
        for task in asyncio.all_tasks():
            if task.get_name() == "nekonex-rmc":
                task.cancel()
        await settle()
        assert seen == ["running", "cancelled", "cleaned up"]
        assert [reply.body for reply in channel.replies] == [b"re:next"]
        session.on_message(request(1))
        await settle()
        session.on_closed()
        await server.dispatcher.wait_logouts()
        assert logouts(servant.log) == [(10, 1)]
