"""What threads have the event loop do."""

from __future__ import annotations

import asyncio
import threading
from contextvars import ContextVar

import pytest

from nekonex.connect.host.posts import Posts
from tests.support.waiting import until

AUTHOR: ContextVar[str] = ContextVar("author", default="nobody")


async def test_of_many_threads_everything_is_done_once_and_in_their_order() -> None:
    posts, done = Posts(), list[tuple[int, int]]()

    def post(thread: int) -> None:
        for number in range(2000):
            posts.add(done.append, (thread, number))

    threads = [threading.Thread(target=post, args=(number,)) for number in range(8)]
    for each in threads:
        each.start()
    await until(lambda: len(done) == 16_000)
    for each in threads:
        each.join()
    for thread in range(8):
        assert [number for of, number in done if of == thread] == list(range(2000))


async def test_the_loop_is_woken_once_for_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    loop, woken, done = asyncio.get_running_loop(), list[object](), list[int]()
    wake = loop.call_soon_threadsafe

    def count(*arguments: object, **named: object) -> object:
        woken.append(arguments)
        return wake(*arguments, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(loop, "call_soon_threadsafe", count)
    posts = Posts()
    for round_ in (1, 2):
        for number in range(100):
            posts.add(done.append, number)
        await asyncio.sleep(0)
        assert len(woken) == round_
    assert done == [*range(100), *range(100)]


async def test_what_is_posted_meanwhile_waits_for_the_next_turn() -> None:
    posts, done = Posts(), list[int]()

    def again(number: int) -> None:
        done.append(number)
        posts.add(again, number + 1)

    posts.add(again, 0)
    await asyncio.sleep(0)
    assert done == [0]
    await asyncio.sleep(0)
    assert done == [0, 1]


async def test_what_raises_is_the_loops_to_report_and_keeps_nothing_back() -> None:
    loop, done = asyncio.get_running_loop(), list[object]()
    loop.set_exception_handler(lambda _, context: done.append(type(context["exception"])))
    posts = Posts()
    posts.add(done.append, 1)
    posts.add(int, "no number")
    posts.add(done.append, 2)
    posts.add(int, "neither")
    posts.add(done.append, 3)
    await until(lambda: len(done) == 5)
    assert done == [1, ValueError, 2, ValueError, 3]


async def test_what_runs_is_not_in_the_context_of_who_woke_the_loop() -> None:
    posts, seen = Posts(), list[str]()
    AUTHOR.set("the one who wakes")
    posts.add(lambda: seen.append(AUTHOR.get()))
    await until(lambda: seen)
    assert seen == ["nobody"]


def test_a_loop_that_has_ended_says_so_every_time() -> None:
    async def make() -> Posts:
        return Posts()

    posts = asyncio.run(make())
    for _ in range(2):
        with pytest.raises(RuntimeError, match="closed"):
            posts.add(print)
