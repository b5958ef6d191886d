"""Where the contents of objects are kept: a port, whose adapters are in `nekonex.storage`.

A key is text such as ``ghosts/123/0.bin``, the same for a local disk and for S3. Consoles upload
and download over HTTP, by forms and URLs that say by themselves what they allow and how long;
the server moves, removes and measures.
"""

from __future__ import annotations

import unicodedata
from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

__all__ = [
    "MAX_KEY",
    "MAX_KEY_PART",
    "Download",
    "FileInfo",
    "FileStore",
    "TransferError",
    "TransferRefusal",
    "UploadForm",
    "check_key",
    "valid_key",
]

MAX_KEY: Final = 1024
"""Bytes of a key in UTF-8, as in S3."""
MAX_KEY_PART: Final = 200
"""Bytes of what is between two slashes of a key, in UTF-8."""

_UNPRINTABLE: Final = frozenset({"Cc", "Cs"})


def valid_key(key: str) -> bool:
    """Return whether a text can be the key of a file.

    It has 1 to `MAX_KEY` bytes, no control character, no backslash and no half of a surrogate
    pair. Its parts, between slashes, are 1 to `MAX_KEY_PART` bytes and do not begin with a dot.
    """
    if any(each == "\\" or unicodedata.category(each) in _UNPRINTABLE for each in key):
        return False
    if len(key.encode()) > MAX_KEY:
        return False
    return all(
        0 < len(part.encode()) <= MAX_KEY_PART and not part.startswith(".")
        for part in key.split("/")
    )


def check_key(key: str) -> str:
    """Return a key, or raise ValueError if it is none."""
    if not valid_key(key):
        raise ValueError(f"{key!r} cannot be the key of a file")
    return key


@dataclass(frozen=True, slots=True)
class UploadForm:
    """How to upload: POST to the URL as multipart/form-data, the fields first, then ``file``."""

    url: str
    fields: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...] = ()
    root_ca_cert: bytes = b""
    """The certificate of the authority that the console is to trust; empty: those it knows."""


@dataclass(frozen=True, slots=True)
class Download:
    """How to download: GET of the URL."""

    url: str
    headers: tuple[tuple[str, str], ...] = ()
    root_ca_cert: bytes = b""


@dataclass(frozen=True, slots=True)
class FileInfo:
    """A file as it is stored; ``modified`` in POSIX seconds."""

    key: str
    size: int
    modified: float


class TransferRefusal(Enum):
    """Why a console's upload or download is refused."""

    DENIED = "the form or the URL does not allow it"
    EXPIRED = "the form or the URL has expired"
    MALFORMED = "the form is not as it should be"
    TOO_SMALL = "the file is smaller than announced"
    TOO_LARGE = "the file is larger than announced"
    MISSING = "there is no such file"
    NO_ROOM = "there is no room for the file"


class TransferError(Exception):
    """An upload or download was refused, and nothing has changed."""

    def __init__(self, refusal: TransferRefusal, detail: str = "") -> None:
        super().__init__(f"{refusal.value} ({detail})" if detail else refusal.value)
        self.refusal = refusal


class FileStore(Protocol):
    """The files of one game.

    Every method raises ServiceUnavailable when the store is out of order, and ValueError for a
    key that is none. A change that was made survives the death of the machine.
    """

    async def upload_form(
        self, key: str, size: int, *, lifetime: float, viewer: str | None = None
    ) -> UploadForm:
        """Return a form that uploads exactly *size* bytes to exactly this key, once or more.

        It is good for *lifetime* seconds. *viewer* is the address that the console came from;
        the URL may depend on it.
        """

    def withdraw(self, key: str) -> None:
        """Let forms for a key that were given so far be good for nothing, as far as possible.

        Where forms cannot be called back, what comes by them is removed later.
        """

    async def download(self, key: str, *, lifetime: float, viewer: str | None = None) -> Download:
        """Return a URL that downloads a file, whether or not there is one yet."""

    async def size(self, key: str) -> int | None:
        """Return how many bytes a file has; None: there is no such file."""

    async def move(self, source: str, target: str) -> bool:
        """Give a file another key, in place of a file that has it; False without a source.

        There is no moment at which *target* is missing or half of one file and half of another.
        """

    async def remove(self, key: str) -> bool:
        """Remove a file; False if there is none."""

    async def put(self, key: str, content: bytes) -> None:
        """Write a small file of the server's own, in place of what is there."""

    async def read(self, key: str, limit: int) -> bytes | None:
        """Return the first *limit* bytes of a file; None: there is no such file."""

    def keys(self, prefix: str = "") -> AsyncIterator[FileInfo]:
        """Yield the files whose keys begin with a text, in no order; without what comes and goes.

        A file that is there all the time is yielded once.
        """
