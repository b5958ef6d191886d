"""Files on the local disk, which consoles upload to and download from this server's HTTP port.

One `LocalObjects` keeps the files of all games, each in a directory of its own; a game has a
`LocalFileStore`, and `nekonex.web` the two methods `receive` and `send`. All that touches the
disk happens in a few threads of its own, and no file is ever in memory as a whole.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import math
import threading
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Final, ParamSpec, TypeVar
from urllib.parse import quote

from nekonex.domain.datastore.files import (
    Download,
    FileInfo,
    TransferError,
    TransferRefusal,
    UploadForm,
    check_key,
)
from nekonex.domain.ports import Clock
from nekonex.storage.objects.disk import ObjectDirectory, OpenFile, Unfinished
from nekonex.storage.objects.signing import Grant, Signer
from nekonex.storage.objects.withdrawn import Withdrawn
from nekonex.values.unavailable import ServiceUnavailable

__all__ = [
    "DISK_RESERVE",
    "FILE_THREADS",
    "LEFTOVER_SECONDS",
    "Arrived",
    "BaseUrl",
    "IncomingFile",
    "LocalFileStore",
    "LocalObjects",
    "OutgoingFile",
    "open_objects",
]

_logger = logging.getLogger(__name__)

_P = ParamSpec("_P")
_T = TypeVar("_T")

FILE_THREADS: Final = 8
"""Threads that read and write the files of all games."""
DISK_RESERVE: Final = 64 * 1024 * 1024
"""Bytes of the disk that no upload may take: the database needs room too."""
LEFTOVER_SECONDS: Final = 3600.0
"""How long after its last byte a file that nobody finishes is kept at most."""
_WALK_BATCH: Final = 256

BaseUrl = Callable[[str | None], str]
"""Returns where a console that comes from an address (None: any) finds this server: a URL
without a slash at its end."""


Arrived = Callable[[str], Awaitable[None]]
"""Takes note of an upload, by its key, before the console is told that it succeeded."""


class LocalObjects:
    """The files of all games below one directory; `open_objects` makes one."""

    def __init__(
        self,
        directory: ObjectDirectory,
        signer: Signer,
        threads: ThreadPoolExecutor,
        clock: Clock,
    ) -> None:
        self._directory = directory
        self._signer = signer
        self._threads = threads
        self._clock = clock
        self._watchers: dict[str, Arrived] = {}
        self.withdrawn = Withdrawn()
        """Forms that are good for nothing any more, by the game's name and the key."""

    def files(self, game: str, base_url: BaseUrl | None) -> LocalFileStore:
        """Return the files of a game; without *base_url* consoles can neither upload nor download.

        A game's name is one that a key may begin with.
        """
        return LocalFileStore(self, check_key(game), base_url)

    def watch(self, game: str, arrived: Arrived) -> None:
        """Call and await a function with the key of each file of a game that was uploaded."""
        self._watchers[game] = arrived

    async def tell(self, game: str, key: str) -> None:
        """Tell whoever watches a game of an upload; what goes wrong there is not the console's."""
        arrived = self._watchers.get(game)
        if arrived is None:
            return
        try:
            await arrived(key)
        except Exception:
            _logger.exception("nobody could take note of an upload", extra={"key": key})

    async def receive(self, game: str, fields: Mapping[str, str]) -> IncomingFile:
        """Begin the upload that the fields of a form allow.

        Raises TransferError: DENIED, EXPIRED, NO_ROOM.
        """
        grant = self._signer.check_upload(game, fields, self._clock())
        stored = f"{game}/{grant.key}"
        self.check_wanted(stored, grant.size)
        begin = partial(self._directory.begin, stored, grant.size)
        file = await self._hold(begin, Unfinished.discard)
        return IncomingFile(self, file, grant, game)

    def check_wanted(self, stored: str, size: int) -> None:
        """Refuse what nobody waits for any more. Raises TransferError: DENIED."""
        if not self.withdrawn.admits(stored, size):
            raise TransferError(TransferRefusal.DENIED, "nobody waits for it any more")

    async def send(self, game: str, key: str, query: Mapping[str, str]) -> OutgoingFile:
        """Open the file that a URL allows to download.

        Raises TransferError: DENIED, EXPIRED, MISSING.
        """
        self._signer.check_download(game, key, query, self._clock())
        file = await self._hold(partial(self._directory.open, f"{game}/{key}"), _close)
        if file is None:
            raise TransferError(TransferRefusal.MISSING)
        return OutgoingFile(self, file)

    async def sweep(self, before: float = math.inf) -> int:
        """Remove what was begun, is not being written and was last written before a time.

        Without a time that is all of it: for when nobody else uses the directory. Returns how
        many files that were.
        """
        removed = await self.run(self._directory.sweep, before)
        if removed:
            _logger.info("removed %d unfinished uploads", removed)
        return removed

    async def keep_swept(self) -> None:
        """Sweep every `LEFTOVER_SECONDS`, for ever."""
        while True:
            await asyncio.sleep(LEFTOVER_SECONDS)
            with contextlib.suppress(ServiceUnavailable):
                # The file system's clock is the system's, whatever that of the games is.
                await self.sweep(time.time() - LEFTOVER_SECONDS)

    async def walk(self, prefix: str) -> AsyncIterator[FileInfo]:
        """Yield the files of all games whose keys, the game's name first, begin with a text."""
        files = self._directory.walk(prefix)
        while batch := await self.run(lambda: list(islice(files, _WALK_BATCH))):
            for each in batch:
                yield each

    async def run(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        """Call something in one of the threads; what the system complains of is an outage.

        It is done even if nobody waits for it any more.
        """
        results: list[_T] = []

        def attempt() -> Exception | None:
            # Returned, because asyncio complains of what a future has raised and nobody asked for.
            try:
                results.append(work(*args, **kwargs))
            except Exception as error:  # noqa: BLE001 - raised below
                return error
            return None

        loop = asyncio.get_running_loop()
        error = await asyncio.shield(loop.run_in_executor(self._threads, attempt))
        if isinstance(error, OSError):
            _logger.error("the files of the object store cannot be read or written", exc_info=error)
            raise ServiceUnavailable("the object store cannot be read or written") from error
        if error is not None:
            raise error
        return results[0]

    async def _hold(self, make: Callable[[], _T], let_go: Callable[[_T], None]) -> _T:
        """Return what a thread opened; whoever stops waiting for it does not leave it open."""
        lock = threading.Lock()
        nobody_waits = False
        made: list[_T] = []

        def work() -> _T:
            value = make()
            with lock:
                made.append(value)
                if not nobody_waits:
                    return value
            let_go(value)
            return value

        try:
            return await self.run(work)
        except asyncio.CancelledError:
            with lock:
                nobody_waits = True
                late = tuple(made)
            for value in late:
                self._threads.submit(let_go, value)
            raise

    @property
    def directory(self) -> ObjectDirectory:
        """The files, for what runs in the threads."""
        return self._directory

    @property
    def signer(self) -> Signer:
        """Who signs forms and URLs."""
        return self._signer

    @property
    def clock(self) -> Clock:
        """The time by which forms and URLs expire."""
        return self._clock


class LocalFileStore:
    """`nekonex.domain.datastore.files.FileStore` for one game."""

    def __init__(self, objects: LocalObjects, game: str, base_url: BaseUrl | None) -> None:
        self._objects = objects
        self._game = game
        self._base_url = base_url
        self._complained = False

    async def upload_form(
        self, key: str, size: int, *, lifetime: float, viewer: str | None = None
    ) -> UploadForm:
        """Return a form that uploads exactly *size* bytes to exactly this key."""
        expires = self._objects.clock() + lifetime
        fields = self._objects.signer.upload_fields(self._game, key, size, expires)
        form = UploadForm(self._url(viewer), fields)
        self._objects.withdrawn.allow(self._stored(key), size)
        return form

    def withdraw(self, key: str) -> None:
        """Let all forms for a key that were given so far be good for nothing."""
        self._objects.withdrawn.add(self._stored(key))

    async def download(self, key: str, *, lifetime: float, viewer: str | None = None) -> Download:
        """Return a URL that downloads a file."""
        expires = self._objects.clock() + lifetime
        query = self._objects.signer.download_query(self._game, key, expires)
        return Download(f"{self._url(viewer)}/{quote(key, safe='/~')}?{query}")

    async def size(self, key: str) -> int | None:
        """Return how many bytes a file has; None: there is no such file."""
        return await self._objects.run(self._directory.size, self._stored(key))

    async def move(self, source: str, target: str) -> bool:
        """Give a file another key, in place of a file that has it; False without a source."""
        names = self._stored(source), self._stored(target)
        return await self._changed(self._directory.move, *names)

    async def remove(self, key: str) -> bool:
        """Remove a file; False if there is none."""
        return await self._changed(self._directory.remove, self._stored(key))

    async def put(self, key: str, content: bytes) -> None:
        """Write a small file of the server's own, in place of what is there."""
        await self._changed(self._directory.put, self._stored(key), content)

    async def read(self, key: str, limit: int) -> bytes | None:
        """Return the first *limit* bytes of a file; None: there is no such file."""
        return await self._objects.run(self._read, self._stored(key), limit)

    async def keys(self, prefix: str = "") -> AsyncIterator[FileInfo]:
        """Yield the files whose keys begin with a text, in no order."""
        above = f"{self._game}/"
        async for each in self._objects.walk(above + prefix):
            yield FileInfo(each.key.removeprefix(above), each.size, each.modified)

    @property
    def _directory(self) -> ObjectDirectory:
        return self._objects.directory

    def _read(self, stored: str, limit: int) -> bytes | None:
        file = self._directory.open(stored)
        if file is None:
            return None
        with contextlib.closing(file):
            return file.read(0, limit)

    async def _changed(self, work: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T:
        try:
            return await self._objects.run(work, *args, **kwargs)
        except TransferError as error:
            _logger.error("the object store is full", extra={"game": self._game})  # noqa: TRY400
            raise ServiceUnavailable("the object store is full") from error

    def _stored(self, key: str) -> str:
        return f"{self._game}/{check_key(key)}"

    def _url(self, viewer: str | None) -> str:
        if self._base_url is None:
            if not self._complained:
                self._complained = True
                _logger.warning(
                    "consoles want to upload or download, but [http] is not enabled",
                    extra={"game": self._game},
                )
            raise ServiceUnavailable("there is no HTTP port to upload to and download from")
        return f"{self._base_url(viewer)}/objects/{quote(self._game)}"


class IncomingFile:
    """A file that a console uploads: nothing is to be seen of it before `finish` returned."""

    def __init__(self, objects: LocalObjects, file: Unfinished, grant: Grant, game: str) -> None:
        self._objects = objects
        self._file = file
        self._game = game
        self.key = grant.key
        self.size = grant.size

    async def write(self, chunk: bytes) -> None:
        """Add to the end; TransferError: TOO_LARGE, NO_ROOM."""
        await self._objects.run(self._file.write, chunk)

    async def finish(self) -> str:
        """Put the file in place, durably, and return its tag.

        Raises TransferError: DENIED if nobody waits for it any more, TOO_SMALL, NO_ROOM.
        """
        self._objects.check_wanted(f"{self._game}/{self.key}", self.size)
        tag = await self._objects.run(self._file.finish)
        await self._objects.tell(self._game, self.key)
        return tag

    async def discard(self) -> None:
        """Forget what was written, unless it is in place."""
        with contextlib.suppress(ServiceUnavailable):
            await self._objects.run(self._file.discard)


class OutgoingFile:
    """A file that a console downloads, as it was when it was opened."""

    def __init__(self, objects: LocalObjects, file: OpenFile) -> None:
        self._objects = objects
        self._file = file
        self.size = file.size
        self.modified = file.modified
        self.tag = file.tag

    async def read(self, offset: int, length: int) -> bytes:
        """Return up to *length* bytes from *offset* on."""
        return await self._objects.run(self._file.read, offset, length)

    async def close(self) -> None:
        """Let go of the file."""
        await self._objects.run(self._file.close)


def _close(file: OpenFile | None) -> None:
    if file is not None:
        file.close()


@asynccontextmanager
async def open_objects(
    root: Path, secret: bytes, *, clock: Clock = time.time, reserve: int = DISK_RESERVE
) -> AsyncIterator[LocalObjects]:
    """Open the files below a directory, which is made where it is missing.

    *secret* signs forms and URLs; *reserve* is how many bytes of the disk uploads leave free.
    Any number of processes may have it open. Raises ServiceUnavailable if it cannot be used.
    """
    threads = ThreadPoolExecutor(FILE_THREADS, thread_name_prefix="nekonex-files")
    try:
        directory = ObjectDirectory(root, reserve=reserve)
        objects = LocalObjects(directory, Signer(secret), threads, clock)
        try:
            await asyncio.get_running_loop().run_in_executor(threads, directory.make)
        except OSError as error:
            # Whoever opens it says so; there is nothing else to log.
            raise ServiceUnavailable(f"the object store {root} cannot be used: {error}") from error
        yield objects
    finally:
        await asyncio.to_thread(threads.shutdown)
