"""Giving commands to the server that runs on a data directory."""

import json
import socket
from pathlib import Path
from typing import Any, Final

from nekonex.app.control_address import REPLY_LIMIT, TcpControl, fits, socket_path, token_path

__all__ = ["NoServerError", "RefusedCommandError", "ask"]

TIMEOUT: Final = 10.0
"""Seconds to wait for the server."""


class NoServerError(Exception):
    """No server runs on the data directory."""


class RefusedCommandError(Exception):
    """The server does not do what it was told; the text is one sentence."""


def ask(data_dir: Path, command: str, *, seconds: float | None = None, **arguments: Any) -> Any:
    """Give a command to the running server and return the result.

    ``seconds`` is how long it may take. Default: `TIMEOUT`.

    Raises NoServerError if none runs, RefusedCommandError if it refuses or does not answer.
    """
    request = {"command": command, **arguments}
    with _connect(data_dir, request) as connection:
        seconds = TIMEOUT if seconds is None else seconds
        connection.settimeout(seconds)
        try:
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as stream:
                line = stream.readline(REPLY_LIMIT)
        except TimeoutError:
            raise RefusedCommandError(
                f"the server did not answer within {seconds:.0f} seconds"
            ) from None
        except ConnectionError:
            line = b""
    if not line:
        raise NoServerError(f"the server with the data directory {data_dir} has just stopped")
    try:
        answer = json.loads(line)
    except ValueError:
        raise RefusedCommandError("the server's answer cannot be read") from None
    if not answer.get("ok"):
        raise RefusedCommandError(str(answer.get("error", "the server refused")))
    return answer.get("result")


def _connect(data_dir: Path, request: dict[str, Any]) -> socket.socket:
    """Return a connection; a token that it needs is put into the request."""
    path = socket_path(data_dir)
    try:
        if fits(path):
            connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            try:
                connection.connect(str(path))
            except BaseException:
                connection.close()
                raise
            return connection
        control = TcpControl.read(token_path(data_dir))
        if control is not None:
            request["token"] = control.token
            return socket.create_connection(("127.0.0.1", control.port), timeout=TIMEOUT)
    except PermissionError:
        raise RefusedCommandError(
            f"the server with the data directory {data_dir} belongs to another user"
        ) from None
    except OSError:
        pass  # no such socket, or a crash has left it
    raise NoServerError(f"no server runs with the data directory {data_dir}")
