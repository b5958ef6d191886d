"""The control socket: one JSON object a line each way.

A request is ``{"command": NAME, …arguments}``, the answer ``{"ok": true, "result": …}`` or
``{"ok": false, "error": "one sentence"}``. Connections may stay open for more requests.
"""

import asyncio
import contextlib
import hmac
import json
import logging
import secrets
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any, Final

from nekonex.app.control_address import LINE_LIMIT, TcpControl, fits, socket_path, token_path
from nekonex.app.errors import StartError

__all__ = ["CommandRefusedError", "ControlServer", "Handler"]

logger = logging.getLogger(__name__)

Handler = Callable[[str, Mapping[str, Any]], Awaitable[Any]]
"""Does a command with its arguments, and returns what the answer holds."""

MAX_CLIENTS: Final = 32
"""Connections at a time."""
IDLE_SECONDS: Final = 60.0
"""How long a connection may say nothing."""


class CommandRefusedError(Exception):
    """A command that cannot be done; the text is one sentence for whoever gave it."""


class ControlServer:
    """Listens in a data directory and hands commands to a handler."""

    def __init__(self, data_dir: Path, handler: Handler) -> None:
        self._data_dir = data_dir
        self._handler = handler
        self._token: str | None = None
        self._clients: set[asyncio.Task[None]] = set()

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[None]:
        """Take commands meanwhile. Raises StartError if the socket cannot be made.

        Whoever calls this has the data directory to itself, so a socket that is there already
        is what a crash has left.
        """
        files = (socket_path(self._data_dir), token_path(self._data_dir))
        try:
            _remove(files)
            server = await self._listen()
        except OSError as error:
            raise StartError(
                f"the control socket in {self._data_dir} cannot be made: {error.strerror}"
            ) from error
        try:
            yield
        finally:
            server.close()
            _remove(files)
            clients = list(self._clients)
            for task in clients:
                task.cancel()
            await asyncio.gather(*clients, return_exceptions=True)

    async def _listen(self) -> asyncio.Server:
        path = socket_path(self._data_dir)
        if fits(path):
            return await asyncio.start_unix_server(
                self._accept, sock=_unix_socket(path), limit=LINE_LIMIT
            )
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, limit=LINE_LIMIT)
        self._token = secrets.token_hex(32)
        port = server.sockets[0].getsockname()[1]
        TcpControl(port, self._token).write(token_path(self._data_dir))
        return server

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        if task is None or len(self._clients) >= MAX_CLIENTS:
            writer.close()
            return
        self._clients.add(task)
        try:
            await self._converse(reader, writer)
        except (ConnectionError, TimeoutError, asyncio.CancelledError):
            # Cancelled only by `serving`: the stream's own callback wants no exception of it.
            pass
        finally:
            self._clients.discard(task)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            try:
                async with asyncio.timeout(IDLE_SECONDS):
                    line = await reader.readline()
            except ValueError:
                # What follows is the rest of that line: there is no telling where it ends.
                writer.write(_encode(_error(f"a request has at most {LINE_LIMIT} bytes")))
                await writer.drain()
                return
            if not line.endswith(b"\n"):
                return
            writer.write(_encode(await self._answer(line)))
            await writer.drain()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
        except (ValueError, RecursionError):
            return _error("a request is one JSON object on a line")
        if not isinstance(request, dict) or not isinstance(request.get("command"), str):
            return _error('a request is a JSON object with a "command"')
        token = request.pop("token", "")
        if self._token is not None and not (
            isinstance(token, str) and hmac.compare_digest(token.encode(), self._token.encode())
        ):
            return _error("the token is wrong")
        try:
            result = await self._handler(request.pop("command"), request)
        except CommandRefusedError as error:
            return _error(str(error))
        except Exception:
            logger.exception("a control command failed")
            return _error("the command failed; the server's log says why")
        return {"ok": True, "result": result}


def _unix_socket(path: Path) -> socket.socket:
    """Return a socket at this path that only its owner may open; nobody can before it listens."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(str(path))
        path.chmod(0o600)
    except BaseException:
        sock.close()
        raise
    return sock


def _remove(files: tuple[Path, ...]) -> None:
    for path in files:
        path.unlink(missing_ok=True)


def _encode(answer: Mapping[str, Any]) -> bytes:
    # A path that is no Unicode text has surrogates, for which JSON writes the same as Python.
    return json.dumps(answer, ensure_ascii=False).encode("utf-8", "backslashreplace") + b"\n"


def _error(text: str) -> dict[str, Any]:
    return {"ok": False, "error": text}
