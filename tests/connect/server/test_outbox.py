"""What waits for one client, with a transport that does what a test says."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from nekonex.connect.server.outbox import FRAMES_AT_ONCE, HIGH_WATER, Outbox

Factory = Callable[..., Outbox]


class Pipe(asyncio.Transport):
    """A transport whose client takes bytes when it is told to."""

    def __init__(self) -> None:
        super().__init__()
        self.outbox: Outbox | None = None
        self.room = 0
        self.taken = bytearray()
        self.buffer = bytearray()
        self.writes = self.questions = 0
        self.is_paused = False
        self.high = 0
        self.is_over = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        self.high = high or 0

    def get_write_buffer_size(self) -> int:
        self.questions += 1
        return len(self.buffer)

    def is_closing(self) -> bool:
        return self.is_over

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.writes += 1
        self.buffer += data
        self._pass_on()
        if len(self.buffer) > self.high and not self.is_paused and self.outbox:
            self.is_paused = True
            self.outbox.pause()

    def take(self, size: int) -> None:
        self.room += size
        self._pass_on()
        if self.is_paused and len(self.buffer) <= self.high // 4 and self.outbox:
            self.is_paused = False
            self.outbox.resume()

    def _pass_on(self) -> None:
        count = min(self.room, len(self.buffer))
        self.room -= count
        self.taken += self.buffer[:count]
        del self.buffer[:count]


class Client:
    def __init__(self, most: int = 10 * HIGH_WATER, seconds: float = 60.0) -> None:
        self.pipe = Pipe()
        self.cut_off: list[bool] = []
        self.outbox = self.pipe.outbox = Outbox(self.pipe, most, seconds, self.cut_off.append)


async def turn() -> None:
    await asyncio.sleep(0)


async def test_what_is_sent_in_one_turn_is_written_at_once() -> None:
    client = Client()
    client.pipe.room = 10**9
    for number in range(10):
        client.outbox.put(b"%d" % number)
    assert client.pipe.writes == 0
    await turn()
    assert client.pipe.writes == 1
    assert client.pipe.taken == b"0123456789"
    client.outbox.put(bytes(HIGH_WATER + 1))
    assert client.pipe.writes == 2
    await turn()
    assert client.pipe.writes == 2


async def test_what_waits_for_a_slow_client_waits_in_one_piece() -> None:
    """Else every question how much waits would take longer, the more pieces there are."""
    client = Client()
    client.outbox.put(bytes(HIGH_WATER + 1))
    assert client.outbox.is_congested
    writes, questions = client.pipe.writes, client.pipe.questions
    for number in range(10_000):
        client.outbox.put(b"%05d" % number)
        if not number % 100:
            await turn()
    assert (client.pipe.writes, client.pipe.questions) == (writes, questions)
    assert client.outbox.waiting == HIGH_WATER + 1 + 50_000
    client.pipe.take(10**9)
    assert client.pipe.writes == writes + 1
    assert bytes(client.pipe.taken[HIGH_WATER + 1 :]) == b"".join(
        b"%05d" % n for n in range(10_000)
    )
    assert not client.outbox.is_congested or client.outbox._count
    await turn()
    assert not client.outbox.is_congested


async def test_a_client_is_cut_off_when_something_comes_and_too_much_waits() -> None:
    client = Client(most=1000)
    client.outbox.put(bytes(5000))  # one frame may be larger than what may wait
    await turn()
    assert client.outbox.is_congested
    assert client.cut_off == []
    client.pipe.take(4500)
    for _ in range(5):
        client.outbox.put(bytes(100))
    assert client.outbox.waiting == 1000
    client.outbox.put(b"1")
    client.outbox.put(b"2")
    assert client.outbox.waiting == 1001
    assert client.cut_off == [False]


async def test_what_the_client_has_taken_meanwhile_counts() -> None:
    client = Client(most=HIGH_WATER * 2)
    client.outbox.put(bytes(HIGH_WATER * 2))
    client.pipe.take(HIGH_WATER)
    client.outbox.put(bytes(HIGH_WATER))
    client.outbox.put(b"")
    assert client.cut_off == []
    assert client.outbox.waiting == HIGH_WATER * 2


async def test_a_client_that_takes_nothing_is_cut_off_after_a_while() -> None:
    client = Client(seconds=0.03)
    client.outbox.put(bytes(HIGH_WATER * 2))
    for _ in range(5):
        await asyncio.sleep(0.015)
        client.pipe.take(100)
    assert client.cut_off == []
    await asyncio.sleep(0.08)
    assert client.cut_off == [True]


async def test_a_client_that_goes_on_is_not_cut_off_later() -> None:
    client = Client(seconds=0.02)
    client.outbox.put(bytes(HIGH_WATER * 2))
    client.pipe.take(10**9)
    await asyncio.sleep(0.06)
    assert client.cut_off == []


async def drained(outbox: Outbox) -> asyncio.Task[None]:
    task = asyncio.create_task(outbox.drain())
    await turn()
    await turn()
    return task


async def test_who_waits_goes_on_when_the_client_does_or_is_gone() -> None:
    client = Client()
    assert (await drained(client.outbox)).done()
    client.outbox.put(bytes(HIGH_WATER * 2))
    waiting = [await drained(client.outbox) for _ in range(3)]
    assert not any(task.done() for task in waiting)
    waiting[0].cancel()
    # So much more is there that the client is as slow afterwards.
    client.outbox.put(bytes(HIGH_WATER * 2))
    client.pipe.take(HIGH_WATER * 2)
    await turn()
    assert not waiting[1].done()
    client.pipe.take(HIGH_WATER * 2)
    await asyncio.wait(waiting)
    client.outbox.put(bytes(HIGH_WATER * 2))
    last = await drained(client.outbox)
    client.outbox.close()
    await last
    assert waiting[0].cancelled()


async def test_who_sends_much_in_one_turn_lets_others_have_theirs() -> None:
    client = Client()
    client.pipe.room = 10**9
    others = 0

    async def work() -> None:
        nonlocal others
        while True:
            others += 1
            await asyncio.sleep(0)

    working = asyncio.create_task(work())
    for _ in range(FRAMES_AT_ONCE * 10):
        client.outbox.put(b"frame")
        if client.outbox.is_congested:
            await client.outbox.drain()
    assert others >= 9
    working.cancel()
    await asyncio.wait([working])


async def test_after_the_end_nothing_is_written() -> None:
    client = Client()
    client.outbox.put(b"too late")
    client.pipe.is_over = True
    await turn()
    client.outbox.close()
    client.outbox.put(bytes(HIGH_WATER * 2))
    await turn()
    assert client.pipe.writes == 0
    assert client.outbox.waiting == 0


async def test_the_last_is_handed_over_to_a_slow_client_too() -> None:
    client = Client()
    client.outbox.put(bytes(HIGH_WATER * 2))
    client.outbox.put(b"goodbye")
    client.outbox.flush()
    assert client.pipe.buffer.endswith(b"goodbye")


@pytest.mark.parametrize("how", ["pause", "resume"])
async def test_signs_of_the_transport_may_come_at_any_time(how: str) -> None:
    client = Client()
    sign: Callable[[], Awaitable[None] | None] = getattr(client.outbox, how)
    sign()
    client.outbox.close()
    assert not client.outbox.is_congested
