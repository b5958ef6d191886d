"""The client that blocks, for programs without an event loop."""

from __future__ import annotations

import contextlib
import ssl
import time
from collections import deque
from functools import partial
from types import TracebackType
from typing import Self

from nekonex.connect.client.blocking import BlockingStream
from nekonex.connect.client.dialing import connect_blocking
from nekonex.connect.client.errors import DisconnectedError, StatusError
from nekonex.connect.client.link import CLOSE_SECONDS
from nekonex.connect.client.mailbox import Expected, Mailbox, no_answer
from nekonex.connect.client.target import DEFAULT_PORT, MAX_DATA, RECEIVE_QUEUE, TIMEOUT, Target
from nekonex.connect.protocol import ImpostorError, LoginRefusedError, Message

__all__ = ["SyncClient"]


class SyncClient:
    """A connection to NekoConnect whose methods block; for one thread.

        with SyncClient("127.0.0.1", password="…") as client:
            answer = client.request("echo", 1, b"hello")
            for message in client:
                print(message.greeter, message.op, message.data)

    Everything that `Client` says of messages, requests and arguments is true of this one.
    ``timeout`` also is how long `send` may wait for a server that does not read. What comes is
    read by `recv`, `request`, and by `send` while it waits.
    """

    def __init__(
        self,
        host: str,
        port: int = DEFAULT_PORT,
        password: str = "",
        *,
        tls: bool | ssl.SSLContext = False,
        server_hostname: str | None = None,
        timeout: float | None = TIMEOUT,
        max_data: int = MAX_DATA,
        receive_queue: int = RECEIVE_QUEUE,
    ) -> None:
        self._target = Target(
            host=host,
            port=port,
            password=password,
            tls=tls,
            server_hostname=server_hostname,
            timeout=timeout,
            max_data=max_data,
            receive_queue=receive_queue,
        )
        self._stream: BlockingStream | None = None
        self._mailbox = self._new_mailbox()

    @property
    def is_open(self) -> bool:
        """Whether something can be sent, as far as that is known without reading."""
        return self._stream is not None and not self._mailbox.is_over

    @property
    def address(self) -> str:
        """Host and port of the server, as one text."""
        return str(self._target)

    @property
    def uses_tls(self) -> bool:
        """Whether TLS is spoken."""
        return self._target.tls is not False

    def connect(self) -> None:
        """Connect, log in, and have the server prove that it knows the password.

        See `Client.connect`, also for what it raises.
        """
        if self.is_open:
            raise RuntimeError("the client is connected")
        self.close()
        target = self._target
        deadline = _deadline(target.timeout)
        self._mailbox = self._new_mailbox()
        try:
            self._stream = self._open(deadline)
            self._stream.write(self._mailbox.session.start(), deadline)
            while not self._mailbox.session.authenticated:
                self._read(deadline, "")
        except BaseException as error:
            self._abort("the login has failed")
            self._mailbox = self._new_mailbox()
            if isinstance(error, TimeoutError):
                raise TimeoutError(f"{target} does not answer") from None
            raise

    def close(self) -> None:
        """Have what was sent arrive, and close the connection; harmless when it is closed.

        Messages that wait are thrown away.
        """
        stream, self._stream = self._stream, None
        self._mailbox.close()
        if stream is not None:
            stream.close(time.monotonic() + CLOSE_SECONDS)

    def send(self, greeter: str, op: int, data: bytes = b"") -> None:
        """Send a frame to a plugin. It waits while the server is slow to read.

        Raises DisconnectedError, ValueError for what does not fit into a frame, and TimeoutError,
        after which the connection is of no use.
        """
        self._write(greeter, op, data, _deadline(self._target.timeout))

    def recv(self, timeout: float | None = None) -> Message:
        """Return the next message; None waits for ever.

        Raises DisconnectedError when there is none and none comes, and TimeoutError after so many
        seconds: nothing is lost then. 0 returns what has come.
        """
        deadline = _deadline(timeout)
        while True:
            message = self._mailbox.take()
            if message is not None:
                return message
            self._read(deadline, "no message has come")

    def request(
        self, greeter: str, op: int, data: bytes = b"", timeout: float | None = None
    ) -> Message:
        """Send a frame to a plugin, and return its next message.

        Raises StatusError if a status comes instead, TimeoutError after ``timeout`` seconds or
        that of the client, and what `send` raises. TimeoutError is raised at once when too many
        other messages wait: it would not be read before they are received.
        """
        deadline = _deadline(self._target.timeout if timeout is None else timeout)
        self._look()
        answers: deque[Message] = deque()
        expected = Expected(greeter, partial(_deliver, answers))
        self._mailbox.expect(expected)
        try:
            self._refuse_if_full(greeter)
            self._write(greeter, op, data, deadline)
            while not answers:
                self._refuse_if_full(greeter)
                self._read(deadline, f"{greeter!r} does not answer")
        finally:
            self._mailbox.forget(expected)
        message = answers.popleft()
        if message.is_status:
            raise StatusError(message.op)
        return message

    def __enter__(self) -> Self:
        self.connect()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> Message:
        """Return the next message, until the connection is closed, by either end.

        Raises DisconnectedError when it breaks.
        """
        try:
            return self.recv()
        except DisconnectedError as error:
            if not error.was_closed:
                raise
            raise StopIteration from None

    def _new_mailbox(self) -> Mailbox:
        return Mailbox(self._target.session(), self._target.receive_queue)

    def _open(self, deadline: float | None) -> BlockingStream:
        target = self._target
        context = target.tls_context()
        left = None if deadline is None else deadline - time.monotonic()
        sock = connect_blocking(target.host, target.port, left)
        if context is None:
            return BlockingStream(sock)
        sock.setblocking(False)
        with contextlib.closing(sock):  # wrapping leaves nothing of it to close
            wrapped = context.wrap_socket(
                sock, do_handshake_on_connect=False, server_hostname=target.tls_name
            )
        stream = BlockingStream(wrapped)
        try:
            stream.handshake(deadline)
        except BaseException:
            stream.abort()
            raise
        return stream

    def _write(self, greeter: str, op: int, data: bytes, deadline: float | None) -> None:
        stream = self._connected()
        frame = self._mailbox.session.frame(greeter, op, data)
        try:
            stream.write(frame, deadline, self._hear)
        except TimeoutError:
            self._abort("a frame could not be sent in time")
            raise TimeoutError("the server does not read what is sent") from None
        except OSError as error:
            self._look()  # the server may have said why
            self._mailbox.end(f"the connection is broken: {error}", is_broken=True)
            raise self._mailbox.disconnected() from error
        except BaseException:
            self._abort("a frame was sent in part")
            raise

    def _read(self, deadline: float | None, complaint: str) -> None:
        """Wait for something to come; raises DisconnectedError, TimeoutError with a complaint."""
        stream = self._connected()
        try:
            self._hear(stream.read(deadline))
        except TimeoutError:
            raise TimeoutError(complaint) from None
        except (LoginRefusedError, ImpostorError):
            raise
        except OSError as error:
            self._mailbox.end(f"the connection is broken: {error}", is_broken=True)

    def _look(self) -> None:
        """Take in what has come, as far as there is room for it."""
        with contextlib.suppress(TimeoutError, DisconnectedError):
            while not self._mailbox.is_full:
                self._read(0.0, "")

    def _hear(self, data: bytes) -> bool:
        """Take in what has come; return whether there may be more."""
        if data:
            self._mailbox.feed(data)
        else:
            self._mailbox.end("the server has closed the connection")
        return not self._mailbox.is_full and not self._mailbox.is_over

    def _refuse_if_full(self, greeter: str) -> None:
        if self._mailbox.is_full:
            raise TimeoutError(no_answer(greeter, self._mailbox))

    def _connected(self) -> BlockingStream:
        if self._mailbox.is_over:
            raise self._mailbox.disconnected()
        if self._stream is None:
            raise RuntimeError("the client is not connected: connect() comes first")
        return self._stream

    def _abort(self, reason: str) -> None:
        """Close the socket at once; messages that wait stay."""
        self._mailbox.end(reason, is_broken=True)
        stream, self._stream = self._stream, None
        if stream is not None:
            stream.abort()


def _deliver(answers: deque[Message], message: Message) -> bool:
    answers.append(message)
    return True


def _deadline(seconds: float | None) -> float | None:
    return None if seconds is None else time.monotonic() + seconds
