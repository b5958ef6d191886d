"""The status frames of the server."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

__all__ = ["AUTH_GREETER", "SERVER_GREETER", "SERVER_HASH", "Status"]

AUTH_GREETER: Final = "auth"
"""The greeter of a client's first frame; no plugin can have it."""

SERVER_GREETER: Final = "nekoconnect-server"
"""The greeter of status frames; no plugin can have it."""

SERVER_HASH: Final = b"server"
"""The hash field of what the server sends, but for its answer to the first frame."""


class Status(IntEnum):
    """What the server says by itself: the op code of a status frame, and its data."""

    OK = 200
    """Authenticated."""
    BAD_FRAME = 400
    """A frame that is none, or whose hash does not verify. The connection is closed."""
    NOT_FOUND = 404
    """No plugin has that greeter."""
    TIMEOUT = 408
    """Not authenticated in time, or idle for too long. The connection is closed."""
    TOO_LARGE = 413
    """A frame larger than allowed. The connection is closed."""
    TOO_MANY = 429
    """Too many failed logins of this address (closed), or too many frames a second (stays)."""
    PLUGIN_FAILED = 500
    """The plugin raised."""
    UNAVAILABLE = 503
    """The server is full or stopping. The connection is closed."""
