"""What has come of a server: messages that somebody waits for, and those that have to wait."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Final, NamedTuple

from nekonex.connect.client.errors import DisconnectedError
from nekonex.connect.protocol import ClientSession, FrameError, ImpostorError, Message, Status

__all__ = ["MESSAGE_OVERHEAD", "Expected", "Mailbox", "no_answer"]

MESSAGE_OVERHEAD: Final = 256
"""Bytes that a waiting message counts besides its data."""

_ENDS: Final = frozenset(Status) - {Status.OK, Status.NOT_FOUND, Status.PLUGIN_FAILED}
"""The statuses after which a server may close the connection."""


class Expected(NamedTuple):
    """A request that waits for the next message of a plugin, or the next status."""

    greeter: str
    deliver: Callable[[Message], bool]
    """Called once; returns whether the message was wanted."""


class Mailbox:
    """Sorts what comes. It knows no socket, and holds no more than ``limit`` bytes and a message.

    Bytes that came while it is full stay with the session, which are no more than one `feed`
    brings: whoever feeds it stops then.
    """

    def __init__(self, session: ClientSession, limit: int) -> None:
        self.session = session
        self.is_full = False
        """Whether no more is to be read for now."""
        self._limit = limit
        self._messages: deque[Message] = deque()
        self._size = 0
        self._expected: deque[Expected] = deque()
        self._status: int | None = None
        self._end = ""
        self._is_broken = False
        self._is_closed = False

    def __len__(self) -> int:
        return len(self._messages)

    def feed(self, data: bytes) -> None:
        """Take in what arrived, and sort it.

        Raises LoginRefusedError or ImpostorError while the login is not over.
        """
        if not self._is_closed:
            self.session.feed(data)
            self.sort()

    def sort(self) -> None:
        """Hand messages to whoever expects them, and keep the others, as far as there is room.

        Raises what `feed` raises.
        """
        while not self.is_full and not self._is_closed:
            message = self._next()
            if message is None:
                return
            if not self._deliver(message):
                self._messages.append(message)
                self._resize(_size(message))

    def take(self) -> Message | None:
        """Return the oldest message that waits."""
        if not self._messages:
            return None
        message = self._messages.popleft()
        self._resize(-_size(message))
        self.sort()
        return message

    def put_back(self, message: Message) -> None:
        """Keep a message that was delivered to somebody who did not wait any more."""
        self._messages.appendleft(message)
        self._resize(_size(message))

    def expect(self, expected: Expected) -> None:
        """Deliver a message instead of keeping it, as soon as it comes."""
        self._expected.append(expected)

    def forget(self, expected: Expected) -> None:
        """Do not wait for a message any more, if it has not come."""
        if expected in self._expected:
            self._expected.remove(expected)

    def end(self, text: str, *, is_broken: bool = False) -> None:
        """Hear that nothing more comes, and why. The first reason counts."""
        self._end = self._end or text
        self._is_broken = self._is_broken or is_broken

    def close(self) -> None:
        """Throw everything away, and take nothing more: the client is closed."""
        self.end("the client is closed")
        self._is_closed = True
        self._messages.clear()
        self._resize(-self._size)

    @property
    def is_over(self) -> bool:
        """Whether nothing more comes; messages may still wait."""
        return bool(self._end)

    def disconnected(self) -> DisconnectedError:
        """Return the error that tells why the connection is over."""
        is_whole = self._is_closed or not self.session.is_amid_frame
        was_closed = is_whole and not self._is_broken
        return DisconnectedError(self._end, status=self._status, was_closed=was_closed)

    def _next(self) -> Message | None:
        session = self.session
        is_new = not session.authenticated
        try:
            message = session.next_message()
            if is_new and message is not None:  # the answer to the login: nobody's business
                message = session.next_message()
        except FrameError as error:
            if not session.authenticated:
                text = "what answered the login is no NekoConnect server"
                raise ImpostorError(text) from error
            self.end(f"what the server sent is no frame: {error}", is_broken=True)
            return None
        if message is not None:
            self._status = message.op if message.is_status and message.op in _ENDS else None
        return message

    def _deliver(self, message: Message) -> bool:
        while (expected := self._who_expects(message)) is not None:
            self._expected.remove(expected)
            if expected.deliver(message):
                return True
        return False

    def _who_expects(self, message: Message) -> Expected | None:
        for expected in self._expected:
            if message.greeter == expected.greeter or message.is_status:
                return expected
        return None

    def _resize(self, change: int) -> None:
        self._size += change
        if self._size >= self._limit:
            self.is_full = True
        elif self._size <= self._limit // 2:
            self.is_full = False


def _size(message: Message) -> int:
    return len(message.data) + MESSAGE_OVERHEAD


def no_answer(greeter: str, mailbox: Mailbox) -> str:
    """Return why a request has no answer."""
    if not mailbox.is_full:
        return f"{greeter!r} does not answer"
    return f"{len(mailbox)} messages wait to be received, so no answer of {greeter!r} can be read"
