"""The socket of a `SyncClient`: reads and writes that end at a deadline."""

from __future__ import annotations

import contextlib
import selectors
import socket
import ssl
import time
from collections.abc import Callable
from typing import Final

__all__ = ["READ_SIZE", "BlockingStream"]

READ_SIZE: Final = 64 * 1024
"""Bytes that are read at once."""

_READ: Final = selectors.EVENT_READ
_WRITE: Final = selectors.EVENT_WRITE


class BlockingStream:
    """A socket that is connected, perhaps with TLS. Deadlines are in `time.monotonic`'s time."""

    def __init__(self, sock: socket.socket) -> None:
        sock.setblocking(False)
        self._socket = sock
        self._selector = selectors.DefaultSelector()
        self._selector.register(sock, _READ)
        self._events = _READ
        self._needed = _READ

    def handshake(self, deadline: float | None) -> None:
        """Have both ends of TLS agree; raises ssl.SSLError, OSError and TimeoutError."""
        if isinstance(self._socket, ssl.SSLSocket):
            self._until_done(self._socket.do_handshake, deadline)

    def read(self, deadline: float | None) -> bytes:
        """Return what has come, or comes until then, ``b""`` at the end; TimeoutError, OSError."""
        while True:
            data = self._read_now()
            if data is not None:
                return data
            self._wait(self._needed, deadline)

    def write(
        self, data: bytes, deadline: float | None, hear: Callable[[bytes], bool] | None = None
    ) -> None:
        """Send everything. What comes meanwhile is heard, as long as *hear* returns True.

        Two ends that both write, and read nothing, would wait for each other for ever.
        Raises TimeoutError and OSError; a part may have been sent then.
        """
        rest = memoryview(data)
        listens = hear is not None
        while rest:
            needed = _WRITE
            try:
                rest = rest[self._socket.send(rest) :]
                continue
            except ssl.SSLWantReadError:
                needed = _READ
            except (BlockingIOError, ssl.SSLWantWriteError):
                pass
            ready = self._wait(needed | _READ if listens else needed, deadline)
            if listens and hear is not None and ready & _READ:
                came = self._read_now()
                if came is not None:
                    listens = hear(came)

    def close(self, deadline: float) -> None:
        """Have what was sent arrive, if the server reads it until then, and close the socket."""
        # To close it while something unread is there would have the system throw away what the
        # server has not read yet.
        with contextlib.suppress(OSError):
            self._end_tls(deadline)
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_WR)
            while self.read(deadline):
                pass
        self.abort()

    def abort(self) -> None:
        """Close the socket at once."""
        self._selector.close()
        self._socket.close()

    def _end_tls(self, deadline: float) -> None:
        sock = self._socket
        if isinstance(sock, ssl.SSLSocket):
            self._until_done(sock.unwrap, deadline)

    def _until_done(self, step: Callable[[], object], deadline: float | None) -> None:
        """Repeat a step of TLS for as long as it waits for the other end."""
        while True:
            try:
                step()
            except ssl.SSLWantReadError:
                self._wait(_READ, deadline)
            except ssl.SSLWantWriteError:
                self._wait(_WRITE, deadline)
            else:
                return

    def _read_now(self) -> bytes | None:
        """Return what is there, None if that is nothing."""
        self._needed = _READ
        try:
            return self._socket.recv(READ_SIZE)
        except (BlockingIOError, ssl.SSLWantReadError):
            return None
        except ssl.SSLWantWriteError:
            self._needed = _WRITE
            return None

    def _wait(self, events: int, deadline: float | None) -> int:
        """Return which of these is possible now; raises TimeoutError if none is until then."""
        if events != self._events:
            self._selector.modify(self._socket, events)
            self._events = events
        left = None if deadline is None else max(0.0, deadline - time.monotonic())
        ready = self._selector.select(left)
        if not ready and deadline is not None and time.monotonic() >= deadline:
            raise TimeoutError
        return ready[0][1] if ready else 0
