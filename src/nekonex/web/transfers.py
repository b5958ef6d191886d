"""What the HTTP port asks of whoever keeps the files, as `typing.Protocol`s.

Refusals are `nekonex.domain.datastore.files.TransferError`, an outage is ServiceUnavailable.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

__all__ = ["Incoming", "Outgoing", "Transfers"]


class Incoming(Protocol):
    """A file that is being uploaded."""

    @property
    def key(self) -> str:
        """Under which key it will be."""

    @property
    def size(self) -> int:
        """How many bytes it has to have."""

    async def write(self, chunk: bytes) -> None:
        """Add to the end; TransferError: TOO_LARGE, NO_ROOM."""

    async def finish(self) -> str:
        """Put it in place, durably and as a whole, and return its tag; TransferError: TOO_SMALL."""

    async def discard(self) -> None:
        """Leave nothing of it behind, unless it is in place."""


class Outgoing(Protocol):
    """A file that is being downloaded, as it was when it was opened."""

    @property
    def size(self) -> int:
        """How many bytes it has."""

    @property
    def modified(self) -> float:
        """When it was written, in POSIX seconds."""

    @property
    def tag(self) -> str:
        """A text that another content would not have."""

    async def read(self, offset: int, length: int) -> bytes:
        """Return up to *length* bytes from *offset* on."""

    async def close(self) -> None:
        """Let go of it."""


class Transfers(Protocol):
    """Uploads and downloads that forms and URLs allow."""

    async def receive(self, game: str, fields: Mapping[str, str]) -> Incoming:
        """Begin the upload that the fields of a form allow; TransferError if that is none."""

    async def send(self, game: str, key: str, query: Mapping[str, str]) -> Outgoing:
        """Open what the query of a URL allows to download; TransferError if that is nothing."""
