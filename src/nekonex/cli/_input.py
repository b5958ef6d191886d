"""Lines of standard input, for a command that does other things meanwhile."""

import asyncio
import contextlib
import io
import os
import threading
from typing import BinaryIO, Final

__all__ = ["READ_SIZE", "InputLines", "LineTooLongError"]

READ_SIZE: Final = 64 * 1024
"""Bytes that are read at once."""


class LineTooLongError(ValueError):
    """A line has more bytes than may be kept."""


class InputLines:
    """The lines of a stream, of up to so many bytes each.

    It reads only when it is asked to, and never holds the event loop up. Use it for all that is
    read of the stream.
    """

    def __init__(self, stream: BinaryIO, most: int) -> None:
        self._stream = stream
        self._most = most
        self._read = bytearray()
        self._searched = 0
        self._is_over = False
        try:
            self._descriptor = stream.fileno()
        except io.UnsupportedOperation:
            self._descriptor = -1

    async def next(self) -> bytes | None:
        """Return the next line without its end, None at the end; LineTooLongError."""
        while (end := self._read.find(b"\n", self._searched)) < 0:
            self._searched = len(self._read)
            if self._is_over:
                return self._take(self._searched) if self._read else None
            if self._searched > self._most:
                break
            data = await self._more()
            self._is_over = not data
            self._read += data
        return self._take(end if end >= 0 else self._searched)

    def _take(self, end: int) -> bytes:
        if end > self._most:
            raise LineTooLongError(f"a line has more than {self._most} bytes")
        line = bytes(self._read[:end])
        del self._read[: end + 1]
        self._searched = 0
        return line.removesuffix(b"\r")

    async def _more(self) -> bytes:
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        try:
            loop.add_reader(self._descriptor, _finish, ready, b"")
        except (OSError, ValueError, NotImplementedError):
            return await self._more_by_thread()  # a file is always ready; Windows cannot tell
        try:
            await ready
        finally:
            loop.remove_reader(self._descriptor)
        return os.read(self._descriptor, READ_SIZE)

    async def _more_by_thread(self) -> bytes:
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[bytes] = loop.create_future()

        def read() -> None:
            data = b""
            with contextlib.suppress(OSError):
                data = self._read_blocking()
            with contextlib.suppress(RuntimeError):  # the command is over
                loop.call_soon_threadsafe(_finish, answer, data)

        # Not one of the loop's own threads: the command would end only when the read does.
        threading.Thread(target=read, name="nekonex-input", daemon=True).start()
        return await answer

    def _read_blocking(self) -> bytes:
        if self._descriptor < 0:
            return self._stream.read(READ_SIZE)
        return os.read(self._descriptor, READ_SIZE)


def _finish(future: asyncio.Future[bytes], data: bytes) -> None:
    if not future.done():
        future.set_result(data)
