"""The files themselves: what is slow and blocks, to be called in threads.

A file is written under a name that begins with a dot, in a directory of its own, and gets its
real name when all of it is on the disk; so there is never half a file under a real name. Names
are made durable too: the directory is synchronised before anybody is told.
"""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import shutil
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from nekonex.domain.datastore.files import FileInfo, TransferError, TransferRefusal
from nekonex.storage.objects.layout import directory_of, key_of, path_of

__all__ = ["UNFINISHED", "ObjectDirectory", "OpenFile", "Unfinished"]

UNFINISHED: Final = ".unfinished"
"""The directory, in that of the objects, of files that have no name yet."""

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_ATTEMPTS: Final = 5
_NO_FOLLOW: Final = getattr(os, "O_NOFOLLOW", 0)
_BINARY: Final = getattr(os, "O_BINARY", 0)


class Unfinished:
    """A file that is being written; `ObjectDirectory.begin` makes it.

    Calls may come from different threads, one after the other; `discard` at any time.
    """

    def __init__(self, directory: ObjectDirectory, key: str, size: int) -> None:
        self._directory = directory
        self._key = key
        self._size = size
        self._written = 0
        self._lock = threading.Lock()
        self._path = directory.new_name()
        try:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY
            self._descriptor = os.open(self._path, flags, 0o600)
        except BaseException:
            directory.forget(self._path)
            raise
        self._open = True

    def write(self, content: bytes) -> None:
        """Add to the end; TransferError: TOO_LARGE, or NO_ROOM where the disk is full."""
        with self._lock:
            self._must_be_open()
            if self._written + len(content) > self._size:
                raise TransferError(TransferRefusal.TOO_LARGE, f"{self._size} bytes are allowed")
            view = memoryview(content)
            while view:
                with _full_disk():
                    done = os.write(self._descriptor, view)
                self._written += done
                view = view[done:]

    def finish(self) -> str:
        """Put the file in place, durably, and return its tag; TransferError: TOO_SMALL, NO_ROOM."""
        with self._lock:
            self._must_be_open()
            if self._written < self._size:
                raise TransferError(
                    TransferRefusal.TOO_SMALL, f"{self._written} bytes instead of {self._size}"
                )
            with _full_disk():
                os.fsync(self._descriptor)
                tag = _tag(os.fstat(self._descriptor))
                self._close()
                self._directory.publish(self._path, self._key)
            self._directory.forget(self._path)
            return tag

    def discard(self) -> None:
        """Remove what was written, unless it is in place."""
        with self._lock:
            if self._open:
                self._close()
            with contextlib.suppress(FileNotFoundError):
                self._path.unlink()
            self._directory.forget(self._path)

    def _must_be_open(self) -> None:
        if not self._open:
            raise ValueError("the file is finished or discarded")

    def _close(self) -> None:
        self._open = False
        os.close(self._descriptor)


class OpenFile:
    """A file that is being read. It stays what it was when another takes its place."""

    def __init__(self, path: Path) -> None:
        """Raise FileNotFoundError where there is no plain file."""
        self._lock = threading.Lock()
        self._descriptor = os.open(path, os.O_RDONLY | _NO_FOLLOW | _BINARY)
        self._open = True
        found = os.fstat(self._descriptor)
        if not stat.S_ISREG(found.st_mode):
            self.close()
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path))
        self.size = found.st_size
        self.modified = found.st_mtime
        self.tag = _tag(found)

    def read(self, offset: int, length: int) -> bytes:
        """Return up to *length* bytes from *offset* on; ValueError once it is closed."""
        with self._lock:
            if not self._open:
                raise ValueError("the file is closed")
            os.lseek(self._descriptor, offset, os.SEEK_SET)
            return os.read(self._descriptor, length)

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            if self._open:
                self._open = False
                os.close(self._descriptor)


class ObjectDirectory:
    """Files by their keys, below a directory that this process may write. OSError: the system's."""

    def __init__(self, root: Path, *, reserve: int) -> None:
        """*reserve*: bytes of the disk that uploads leave free, for whatever else needs them."""
        self._root = root
        self._reserve = reserve
        self._names = threading.Lock()
        """Held while directories are made, filled with a name, or removed because empty."""
        self._active: set[Path] = set()

    def make(self) -> None:
        """Make the directories that are missing, readable by their owner only."""
        for directory in (self._root, self._root / UNFINISHED):
            with contextlib.suppress(FileExistsError):
                directory.mkdir(mode=0o700)
                _sync(directory.parent)

    def begin(self, key: str, size: int) -> Unfinished:
        """Begin a file of exactly *size* bytes; TransferError: NO_ROOM."""
        path_of(key)
        if shutil.disk_usage(self._root).free - size < self._reserve:
            raise TransferError(TransferRefusal.NO_ROOM)
        with _full_disk():
            return Unfinished(self, key, size)

    def open(self, key: str) -> OpenFile | None:
        """Open a file; None if there is none."""
        try:
            return OpenFile(self._path(key))
        except FileNotFoundError:
            return None

    def size(self, key: str) -> int | None:
        """Return the size of a file; None if there is none."""
        try:
            found = self._path(key).lstat()
        except FileNotFoundError:
            return None
        return found.st_size if stat.S_ISREG(found.st_mode) else None

    def move(self, source: str, target: str) -> bool:
        """Rename a file, durably; False without a source."""
        old = self._path(source)
        if self.size(source) is None:
            return False
        if source == target:
            return True
        try:
            self.publish(old, target)
        except FileNotFoundError:
            return False
        self._leave(old.parent)
        return True

    def remove(self, key: str) -> bool:
        """Remove a file, durably; False if there is none."""
        path = self._path(key)
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        self._leave(path.parent)
        return True

    def put(self, key: str, content: bytes) -> None:
        """Write a file as a whole, durably."""
        file = Unfinished(self, key, len(content))
        try:
            file.write(content)
            file.finish()
        finally:
            file.discard()

    def walk(self, prefix: str) -> Iterator[FileInfo]:
        """Yield the files whose keys begin with a text; other people's files are no keys'."""
        waiting = [directory_of(prefix)]
        while waiting:
            above = waiting.pop()
            with contextlib.suppress(FileNotFoundError):
                for name, found in _entries(self._root.joinpath(*above)):
                    if stat.S_ISDIR(found.st_mode):
                        waiting.append((*above, name))
                        continue
                    key = key_of((*above, name)) if stat.S_ISREG(found.st_mode) else None
                    if key is not None and key.startswith(prefix):
                        yield FileInfo(key, found.st_size, found.st_mtime)

    def sweep(self, before: float) -> int:
        """Remove what was begun, is not being written here and was last written before a time."""
        removed = 0
        for path in (self._root / UNFINISHED).iterdir():
            with contextlib.suppress(FileNotFoundError):
                if path not in self._active and path.lstat().st_mtime < before:
                    path.unlink()
                    removed += 1
        return removed

    def new_name(self) -> Path:
        """Return a name for a file that is being written, which `sweep` leaves alone."""
        path = self._root / UNFINISHED / f".{time.time_ns():x}-{secrets.token_hex(8)}"
        self._active.add(path)
        return path

    def forget(self, path: Path) -> None:
        """End what `new_name` began."""
        self._active.discard(path)

    def publish(self, path: Path, key: str) -> None:
        """Give a file its real name, durably; FileNotFoundError if it is gone."""
        target = self._path(key)
        for attempt in range(_ATTEMPTS):
            with self._names:
                self._make_parents(target)
                try:
                    path.replace(target)
                    break
                except FileNotFoundError:
                    # Another process may have removed the directory because it was empty.
                    if attempt == _ATTEMPTS - 1 or not path.exists():
                        raise
        with contextlib.suppress(FileNotFoundError):  # it was removed again meanwhile
            _sync(target.parent)

    def _path(self, key: str) -> Path:
        return self._root.joinpath(*path_of(key))

    def _make_parents(self, path: Path) -> None:
        missing = []
        for parent in path.parents:
            if parent == self._root or parent.is_dir():
                break
            missing.append(parent)
        for directory in reversed(missing):
            with contextlib.suppress(FileExistsError):
                directory.mkdir(mode=0o700)
            _sync(directory.parent)

    def _leave(self, directory: Path) -> None:
        """Make it durable that a name is gone, and remove directories that are empty now."""
        with contextlib.suppress(FileNotFoundError):  # somebody else has removed it
            _sync(directory)
        with self._names, contextlib.suppress(OSError):
            while directory != self._root:
                directory.rmdir()
                directory = directory.parent


def _entries(directory: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Yield what is in a directory, without listing it first: there may be a million files."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if not entry.name.startswith("."):
                with contextlib.suppress(FileNotFoundError):
                    yield entry.name, entry.stat(follow_symlinks=False)


def _tag(found: os.stat_result) -> str:
    """Name one state of a file: no two that are there at once have the same."""
    return f"{found.st_mtime_ns:x}-{found.st_ino:x}-{found.st_size:x}"


@contextlib.contextmanager
def _full_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _FULL:
            raise TransferError(TransferRefusal.NO_ROOM) from error
        raise


def _sync(directory: Path) -> None:
    if os.name != "posix":
        return  # elsewhere a directory cannot be opened, and need not be
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
