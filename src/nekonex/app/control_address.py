"""Where a running server takes commands, as server and client agree on it.

A Unix socket in the data directory, for its owner only. Where there are none (Windows), or its
path is longer than the system allows, it is a TCP port on loopback, and a file in the data
directory says which, with a token that every request has to bear.
"""

import json
import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["LINE_LIMIT", "REPLY_LIMIT", "TcpControl", "fits", "socket_path", "token_path"]

SOCKET_NAME: Final = "control.sock"
TOKEN_NAME: Final = "control.json"  # noqa: S105

LINE_LIMIT: Final = 64 * 1024
"""Bytes of a request."""
REPLY_LIMIT: Final = 64 * 1024 * 1024
"""Bytes of an answer: 50,000 players take 6 MiB."""

PATH_LIMIT: Final = 103
"""Bytes of a Unix socket's path: Linux has room for 107, macOS for 103."""


def socket_path(data_dir: Path) -> Path:
    """Return the path of the control socket."""
    return data_dir / SOCKET_NAME


def token_path(data_dir: Path) -> Path:
    """Return the path of the file that stands in for the socket."""
    return data_dir / TOKEN_NAME


def fits(path: Path) -> bool:
    """Tell whether a Unix socket can have this path here."""
    return hasattr(socket, "AF_UNIX") and len(os.fsencode(path)) <= PATH_LIMIT


@dataclass(frozen=True, slots=True)
class TcpControl:
    """A loopback port and the token for it."""

    port: int
    token: str

    def write(self, path: Path) -> None:
        """Write the file, readable by its owner only; one that is there is replaced."""
        beside = path.with_name(f".{path.name}.new")
        beside.unlink(missing_ok=True)
        descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump({"port": self.port, "token": self.token}, file)
        beside.replace(path)

    @classmethod
    def read(cls, path: Path) -> "TcpControl | None":
        """Read the file; None if there is none, or it holds something else."""
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
            return cls(int(content["port"]), str(content["token"]))
        except (OSError, ValueError, KeyError, TypeError):
            return None
