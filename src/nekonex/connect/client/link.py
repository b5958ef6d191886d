"""The socket of a `Client`: the asyncio protocol around a mailbox."""

from __future__ import annotations

import asyncio
import contextlib
from functools import partial
from typing import Final, cast

from nekonex.connect.client.mailbox import Expected, Mailbox, no_answer
from nekonex.connect.protocol import ImpostorError, LoginRefusedError, Message

__all__ = ["CLOSE_SECONDS", "FLUSH_SECONDS", "Link"]

FLUSH_SECONDS: Final = 10.0
"""How long the system may take what is still to be sent, when the client closes."""
CLOSE_SECONDS: Final = 1.0
"""How long the server may then take to close its end."""


class Link(asyncio.Protocol):
    """One connection, from its first byte to its last."""

    def __init__(self, mailbox: Mailbox) -> None:
        self._mailbox = mailbox
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._is_paused = False
        self._news = _Bell()
        self._room = _Bell()
        self._requests: set[asyncio.Future[Message | None]] = set()
        self._failure: LoginRefusedError | ImpostorError | None = None
        self._lost = asyncio.Event()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin the login."""
        self._transport = cast("asyncio.Transport", transport)
        self._transport.write(self._mailbox.session.start())

    def data_received(self, data: bytes) -> None:
        """Take in what arrived."""
        if self._mailbox.is_over:
            return
        try:
            self._mailbox.feed(data)
        except (LoginRefusedError, ImpostorError) as error:
            self._failure = error
            self._mailbox.end("the login has failed")
        self._settle()
        self._news.ring()

    def connection_lost(self, exc: Exception | None) -> None:
        """Let everybody know who waits."""
        if exc is None:
            self._mailbox.end("the server has closed the connection")
        else:
            self._mailbox.end(f"the connection is broken: {exc}", is_broken=True)
        self._lost.set()
        self._wake_all()

    def pause_writing(self) -> None:
        """Have whoever sends wait."""
        self._is_paused = True

    def resume_writing(self) -> None:
        """Let them go on."""
        self._is_paused = False
        self._room.ring()

    @property
    def is_open(self) -> bool:
        """Whether something can be sent."""
        return not self._mailbox.is_over

    async def log_in(self) -> None:
        """Wait until the server has proven itself.

        Raises LoginRefusedError, ImpostorError and DisconnectedError.
        """
        while not self._mailbox.session.authenticated:
            if self._failure is not None:
                raise self._failure
            if self._mailbox.is_over:
                raise self._mailbox.disconnected()
            await self._news.wait()

    async def send(self, greeter: str, op: int, data: bytes) -> None:
        """Send a frame as soon as there is room; raises DisconnectedError and ValueError."""
        transport = await self._when_writable()
        # Made at the last moment: the hash is that of the server's latest random.
        transport.write(self._mailbox.session.frame(greeter, op, data))

    async def receive(self) -> Message:
        """Return the oldest message, or wait for one; raises DisconnectedError."""
        while True:
            message = self._mailbox.take()
            if message is not None:
                self._settle()
                return message
            if self._mailbox.is_over:
                raise self._mailbox.disconnected()
            await self._news.wait()

    async def request(self, greeter: str, op: int, data: bytes) -> Message:
        """Send a frame and return what `Mailbox.expect` delivers; raises DisconnectedError."""
        transport = await self._when_writable()
        frame = self._mailbox.session.frame(greeter, op, data)
        answer: asyncio.Future[Message | None] = self._loop.create_future()
        expected = Expected(greeter, partial(_deliver, answer))
        self._mailbox.expect(expected)
        self._requests.add(answer)
        transport.write(frame)
        try:
            message = await answer
        except asyncio.CancelledError:
            # What was delivered in the turn in which its task was cancelled must not be lost.
            if not answer.cancelled() and (delivered := answer.result()) is not None:
                self._mailbox.put_back(delivered)
                self._settle()
                self._news.ring()
            raise
        finally:
            self._mailbox.forget(expected)
            self._requests.discard(answer)
        if message is None:
            raise self._mailbox.disconnected()
        return message

    def complaint(self, greeter: str) -> str:
        """Return why a request has no answer."""
        return no_answer(greeter, self._mailbox)

    async def aclose(self) -> None:
        """Have what was sent arrive, and close the connection; what has come is thrown away."""
        self._mailbox.close()
        self._wake_all()
        transport = self._transport
        # One that is lost is not asked for anything: with TLS asyncio would fail over it.
        if transport is None or self._lost.is_set():
            return
        try:
            await self._flush(transport)
            if transport.can_write_eof() and not transport.is_closing():
                with contextlib.suppress(OSError):  # the server is gone already
                    transport.write_eof()
                transport.resume_reading()
            else:
                transport.close()
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._lost.wait()
        except TimeoutError:
            pass
        finally:
            transport.abort()
        await self._lost.wait()

    async def abort(self) -> None:
        """Close the connection at once."""
        self._mailbox.close()
        self._wake_all()
        if self._transport is not None:
            self._transport.abort()
            await self._lost.wait()

    async def _flush(self, transport: asyncio.Transport) -> None:
        """Wait until the system has taken all that was sent; TimeoutError."""
        transport.set_write_buffer_limits(high=0)
        async with asyncio.timeout(FLUSH_SECONDS):
            # That of TLS calls itself full when it is empty, and a limit is 0.
            while transport.get_write_buffer_size() and not self._lost.is_set():
                await self._room.wait()

    async def _when_writable(self) -> asyncio.Transport:
        while self._is_paused and not self._mailbox.is_over:
            await self._room.wait()
        if self._mailbox.is_over or self._transport is None:
            raise self._mailbox.disconnected()
        return self._transport

    def _settle(self) -> None:
        """Hold the server up while nobody takes what it sends; let go of one that sends rubbish."""
        transport = self._transport
        if transport is not None and not self._lost.is_set():
            if self._mailbox.is_over:
                transport.abort()
            elif self._mailbox.is_full:
                transport.pause_reading()
            else:
                transport.resume_reading()

    def _wake_all(self) -> None:
        self._news.ring()
        self._room.ring()
        for answer in self._requests:
            _deliver(answer, None)


class _Bell:
    """Wakes everybody who waits for it."""

    def __init__(self) -> None:
        self._waiters: dict[asyncio.Future[None], None] = {}  # in their order

    async def wait(self) -> None:
        waiter = asyncio.get_running_loop().create_future()
        self._waiters[waiter] = None
        try:
            await waiter
        finally:
            del self._waiters[waiter]

    def ring(self) -> None:
        for waiter in self._waiters:
            if not waiter.done():
                waiter.set_result(None)


def _deliver(answer: asyncio.Future[Message | None], message: Message | None) -> bool:
    """Return whether somebody still waits for an answer; the message is theirs then."""
    if answer.done():
        return False
    answer.set_result(message)
    return True
