"""Where a client connects to, and how: what both clients are told."""

from __future__ import annotations

import ssl
from dataclasses import dataclass, field
from typing import Final

from nekonex.connect.protocol import ClientSession

__all__ = ["DEFAULT_PORT", "MAX_DATA", "RECEIVE_QUEUE", "TIMEOUT", "Target"]

DEFAULT_PORT: Final = 10390
"""The port of NekoConnect where nothing else is said."""
TIMEOUT: Final = 10.0
"""Seconds that connecting may take, login included; and a request."""
MAX_DATA: Final = 1024 * 1024
"""Bytes of data in one frame of the server."""
RECEIVE_QUEUE: Final = 4 * 1024 * 1024
"""Bytes that may wait to be received, `mailbox.MESSAGE_OVERHEAD` of each message included; with
more no more is read."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A server, what to show it and what to take of it. Raises ValueError."""

    host: str
    port: int
    password: str = field(repr=False)
    tls: bool | ssl.SSLContext
    server_hostname: str | None
    timeout: float | None
    max_data: int
    receive_queue: int

    def __post_init__(self) -> None:
        if not self.host:
            raise ValueError("the host of a server is not empty")
        if not 1 <= self.port <= 65_535:
            raise ValueError(f"a port is 1 to 65535, not {self.port}")
        if self.timeout is not None and self.timeout <= 0:
            raise ValueError("the timeout is more than 0 seconds, or None")
        if self.max_data < 1 or self.receive_queue < 1:
            raise ValueError("max_data and receive_queue are more than 0 bytes")

    def session(self) -> ClientSession:
        """Return a new session."""
        return ClientSession(self.password, max_data=self.max_data)

    def tls_context(self) -> ssl.SSLContext | None:
        """Return what verifies the server, None without TLS. May read files."""
        if isinstance(self.tls, ssl.SSLContext):
            return self.tls
        return ssl.create_default_context() if self.tls else None

    @property
    def tls_name(self) -> str:
        """The name that the server's certificate has to be for."""
        return self.server_hostname or self.host

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"
