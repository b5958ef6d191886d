"""Threads of plugins that ask the event loop for something just when it ends."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest

from nekonex.connect import ConnectionClosed
from nekonex.connect.host.bridge import Bridge


async def forever() -> None:
    await asyncio.sleep(30)


async def outcome(work: Callable[[], Any]) -> BaseException | None:
    """Return what something raises in a thread; TimeoutError if it does not end."""
    raised: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - looked at below
            raised.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    await asyncio.to_thread(thread.join, 2)
    if thread.is_alive():
        return TimeoutError()
    return raised[0] if raised else None


async def test_a_thread_that_asks_while_the_server_stops_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has seen that the server still runs, and is suspended until it has stopped."""
    ask = asyncio.run_coroutine_threadsafe
    bridge = Bridge()

    def late(*arguments: Any) -> Any:
        bridge.close()
        return ask(*arguments)

    monkeypatch.setattr(asyncio, "run_coroutine_threadsafe", late)
    assert isinstance(await outcome(lambda: bridge.wait(forever())), ConnectionClosed)


@pytest.mark.parametrize("name", ["wait", "call", "post"])
async def test_a_thread_that_asks_when_the_loop_has_ended_is_told(name: str) -> None:
    async def make() -> Bridge:
        return Bridge()

    bridge = await asyncio.to_thread(asyncio.run, make())
    uses: dict[str, Callable[[], Any]] = {
        "wait": lambda: bridge.wait(forever()),
        "call": lambda: bridge.call(print),
        "post": lambda: bridge.post(print),
    }
    assert isinstance(await outcome(uses[name]), ConnectionClosed)


async def test_what_a_thread_asks_for_comes_after_what_it_has_posted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Another thread is about to wake the loop for both, and is suspended just before that."""
    bridge, loop, done = Bridge(), asyncio.get_running_loop(), list[str]()
    wake = loop.call_soon_threadsafe
    asked = threading.Event()
    is_suspended = threading.Event()

    def suspended_once(*arguments: Any, **named: Any) -> Any:
        if not is_suspended.is_set():
            is_suspended.set()
            asked.wait(5)
        return wake(*arguments, **named)

    monkeypatch.setattr(loop, "call_soon_threadsafe", suspended_once)
    other = threading.Thread(target=bridge.post, args=(done.append, "another thread's"))
    other.start()
    await asyncio.to_thread(is_suspended.wait, 5)

    def work() -> None:
        bridge.post(done.append, "posted")
        bridge.call(done.append, "asked for")
        asked.set()

    assert await outcome(work) is None
    await asyncio.to_thread(other.join, 5)
    assert done == ["another thread's", "posted", "asked for"]
