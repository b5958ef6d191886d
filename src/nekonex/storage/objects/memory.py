"""Files in memory, for tests and trials; a console's part is played by `upload` and `fetch`."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from urllib.parse import parse_qsl, quote, unquote, urlsplit

from nekonex.domain.datastore.files import (
    Download,
    FileInfo,
    TransferError,
    TransferRefusal,
    UploadForm,
    check_key,
)
from nekonex.domain.ports import Clock
from nekonex.storage.objects.signing import SECRET_SIZE, Signer

__all__ = ["MemoryFileStore"]

_GAME = "memory"
_URL = "memory://files"


class MemoryFileStore:
    """`nekonex.domain.datastore.files.FileStore` as long as the process lives."""

    def __init__(self, *, clock: Clock = time.time) -> None:
        self._clock = clock
        self._signer = Signer(bytes(SECRET_SIZE))
        self._files: dict[str, tuple[bytes, float]] = {}

    async def upload_form(
        self, key: str, size: int, *, lifetime: float, viewer: str | None = None
    ) -> UploadForm:
        """Return a form for `upload`."""
        del viewer
        fields = self._signer.upload_fields(_GAME, key, size, self._clock() + lifetime)
        return UploadForm(_URL, fields)

    def withdraw(self, key: str) -> None:
        """Do nothing: forms are good until they expire, as with other stores than ours."""
        check_key(key)

    async def download(self, key: str, *, lifetime: float, viewer: str | None = None) -> Download:
        """Return a URL for `fetch`."""
        del viewer
        query = self._signer.download_query(_GAME, key, self._clock() + lifetime)
        return Download(f"{_URL}/{quote(key)}?{query}")

    async def size(self, key: str) -> int | None:
        """Return how many bytes a file has; None: there is no such file."""
        file = self._files.get(check_key(key))
        return None if file is None else len(file[0])

    async def move(self, source: str, target: str) -> bool:
        """Give a file another key, in place of a file that has it; False without a source."""
        check_key(target)
        file = self._files.pop(check_key(source), None)
        if file is None:
            return False
        self._files[target] = file
        return True

    async def remove(self, key: str) -> bool:
        """Remove a file; False if there is none."""
        return self._files.pop(check_key(key), None) is not None

    async def put(self, key: str, content: bytes) -> None:
        """Write a file, in place of what is there."""
        self._files[check_key(key)] = (bytes(content), self._clock())

    async def read(self, key: str, limit: int) -> bytes | None:
        """Return the first *limit* bytes of a file; None: there is no such file."""
        file = self._files.get(check_key(key))
        return None if file is None else file[0][:limit]

    async def keys(self, prefix: str = "") -> AsyncIterator[FileInfo]:
        """Yield the files whose keys begin with a text."""
        for key, (content, modified) in list(self._files.items()):
            if key.startswith(prefix):
                yield FileInfo(key, len(content), modified)

    def upload(self, form: UploadForm, content: bytes) -> None:
        """Upload as a console does; TransferError where a server refuses it."""
        grant = self._signer.check_upload(_GAME, dict(form.fields), self._clock())
        if len(content) != grant.size:
            small = len(content) < grant.size
            raise TransferError(TransferRefusal.TOO_SMALL if small else TransferRefusal.TOO_LARGE)
        self._files[grant.key] = (bytes(content), self._clock())

    def fetch(self, download: Download) -> bytes:
        """Download as a console does; TransferError where a server refuses it."""
        parts = urlsplit(download.url)
        key = unquote(parts.path[1:])
        self._signer.check_download(_GAME, key, dict(parse_qsl(parts.query)), self._clock())
        if key not in self._files:
            raise TransferError(TransferRefusal.MISSING)
        return self._files[key][0]
