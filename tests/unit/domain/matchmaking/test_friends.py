from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Iterable
from itertools import count
from typing import Any

import pytest

from nekonex.domain import on_loop
from nekonex.domain.matchmaking import MatchmakingLimits
from nekonex.domain.matchmaking.relations.friends import FriendBook
from tests.support.matchmaking import Clock
from tests.support.waiting import until


class Asked:
    """A source of friends that counts how often it is asked, and answers when it is told to."""

    def __init__(self, *friends: int) -> None:
        self.friends = friends
        self.times = 0
        self.together = 0
        self.answer = asyncio.Event()

    async def __call__(self, pid: int) -> Iterable[int]:
        self.times += 1
        self.together += 1
        await self.answer.wait()
        self.together -= 1
        return self.friends


def book(ask: Any, clock: Clock | None = None, **limits: Any) -> FriendBook:
    return FriendBook(ask, limits=MatchmakingLimits(**limits), clock=clock or Clock())


async def test_nobody_has_friends_where_nobody_knows() -> None:
    assert await book(None).friends_of(1) == frozenset()


async def test_plain_functions_and_coroutines_are_asked() -> None:
    threads = []

    def plain(pid: int) -> Iterable[int]:
        threads.append(threading.current_thread())
        return [pid + 1, pid + 1, pid + 2]

    async def coroutine(pid: int) -> Iterable[int]:
        return {pid + 1, pid + 2}

    for ask in (plain, coroutine, on_loop(lambda pid: iter((pid + 1, pid + 2)))):
        assert await book(ask).friends_of(1) == {2, 3}
    assert threads[0] is not threading.main_thread()


def raising(error: BaseException) -> Any:
    async def ask(pid: int) -> Iterable[int]:
        raise error

    return ask


async def cancelled_inside(pid: int) -> Iterable[int]:
    # As if it awaited a task of its own that somebody cancelled.
    raise asyncio.CancelledError


@on_loop
def plain_failure(pid: int) -> Iterable[int]:
    raise KeyError(pid)


@pytest.mark.parametrize(
    "ask",
    [
        raising(RuntimeError("the friends server is down")),
        raising(TimeoutError()),
        plain_failure,
        cancelled_inside,
        on_loop(lambda _: None),
        on_loop(lambda _: 5),
        on_loop(lambda _: [[1], [2]]),
    ],
)
async def test_who_it_fails_for_has_no_friends_for_the_moment(
    ask: Any, caplog: pytest.LogCaptureFixture
) -> None:
    clock = Clock()
    friends = book(ask, clock, friends_seconds=10)
    assert await friends.friends_of(7) == frozenset()
    assert await friends.friends_of(7) == frozenset()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert "PID 7" in caplog.text

    async def mended(pid: int) -> Iterable[int]:
        return [1]

    friends.ask(mended)
    clock.now += 10
    assert await friends.friends_of(7) == {1}


async def test_who_takes_too_long_has_no_friends() -> None:
    asked = Asked(1)
    friends = book(asked, friends_timeout=0.01)
    assert await friends.friends_of(1) == frozenset()
    assert asked.times == 1


async def test_a_plain_function_that_takes_too_long_keeps_nobody_waiting() -> None:
    release = threading.Event()

    def slow(pid: int) -> Iterable[int]:
        release.wait(5)
        return [1]

    start = time.monotonic()
    assert await book(slow, friends_timeout=0.01).friends_of(1) == frozenset()
    assert time.monotonic() - start < 2
    release.set()


async def test_only_so_many_friends_count() -> None:
    friends = book(on_loop(lambda _: count(1)), max_friends=3)
    assert await friends.friends_of(1) == {1, 2, 3}


async def test_one_question_is_asked_at_a_time_for_all_who_wait() -> None:
    asked = Asked(5)
    friends = book(asked)
    waiting = [asyncio.ensure_future(friends.friends_of(1)) for _ in range(20)]
    other = asyncio.ensure_future(friends.friends_of(2))
    await until(lambda: asked.together == 2)
    asked.answer.set()
    assert await asyncio.gather(*waiting) == [{5}] * 20
    assert await other == {5}
    assert asked.times == 2
    assert friends._asking == {}


async def test_who_gives_up_does_not_take_the_answer_from_others() -> None:
    asked = Asked(5)
    friends = book(asked)
    first, second = (asyncio.ensure_future(friends.friends_of(1)) for _ in range(2))
    await until(lambda: asked.together)
    first.cancel()
    with pytest.raises(asyncio.CancelledError):
        await first
    asked.answer.set()
    assert await second == {5}
    assert asked.times == 1


async def test_the_answer_comes_though_all_gave_up() -> None:
    asked = Asked(5)
    friends = book(asked)
    first = asyncio.ensure_future(friends.friends_of(1))
    await until(lambda: asked.together)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    asked.answer.set()
    await until(lambda: not friends._asking)
    assert await friends.friends_of(1) == {5}
    assert asked.times == 1


async def test_an_answer_is_believed_for_a_while() -> None:
    clock = Clock()
    asked = Asked(5)
    asked.answer.set()
    friends = book(asked, clock, friends_seconds=10)
    for later, times in ((0, 1), (9.9, 1), (0.1, 2), (9.9, 2)):
        clock.now += later
        assert await friends.friends_of(1) == {5}
        assert asked.times == times


async def test_the_answers_for_so_many_players_are_remembered() -> None:
    asked = Asked(5)
    asked.answer.set()
    friends = book(asked, remembered_players=3)
    for pid in (1, 2, 3, 4):
        await friends.friends_of(pid)
    assert len(friends._known) == 3
    for pid, times in ((4, 4), (2, 4), (1, 5)):
        await friends.friends_of(pid)
        assert asked.times == times
