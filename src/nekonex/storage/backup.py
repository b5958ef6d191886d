"""Backup of a data directory into one archive while servers run, and restoring it.

The archive is a gzipped tar of the database, with the cells of plugins, the secrets and the
objects, and ends with a manifest of every file's size and SHA-256; without that it is not whole.
Names that begin with a dot are work in progress and left out.

First a *snapshot* is taken: a copy of the database, made with SQLite's own online copy and so of
one moment, and a link to each file. Files are replaced and never changed, so links keep what was
there, however long packing takes. While a server runs, it takes the snapshot itself, because no
file may move to its place between the copy and the links.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import io
import json
import os
import secrets
import shutil
import sqlite3
import tarfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO, Any

from nekonex.storage.errors import StorageError
from nekonex.storage.layout import DATABASE_NAME, OBJECTS_NAME, SECRETS_NAME
from nekonex.storage.sqlite.database import connect

__all__ = ["BackupSummary", "Snapshot", "backup", "restore", "take_snapshot"]

_MANIFEST = "manifest.json"
_FORMAT = 1
_CHUNK = 1 << 20
_STALE = 86_400
"""Seconds after which a backup that is under way must have been broken off."""
_MANAGED = (
    DATABASE_NAME,
    f"{DATABASE_NAME}-wal",
    f"{DATABASE_NAME}-shm",
    SECRETS_NAME,
    OBJECTS_NAME,
)


@dataclass(frozen=True, slots=True)
class BackupSummary:
    """What a backup holds; ``created`` in POSIX seconds.

    ``replaced`` is where `restore` has put the files that were there before, if any were.
    """

    files: int
    size: int
    created: float
    replaced: Path | None = None


Snapshot = Callable[[Path], object]
"""Takes a snapshot into an empty directory, as `take_snapshot` does for its data directory."""


def take_snapshot(data_dir: Path, into: Path) -> None:
    """Copy the database and link the files of ``data_dir`` into an empty directory.

    Where the file system has no links, files are copied. No server may move files meanwhile.
    Raises StorageError if the database cannot be copied, OSError for anything else.
    """
    if (data_dir / DATABASE_NAME).exists():
        _copy_database(data_dir / DATABASE_NAME, into / DATABASE_NAME)
    for top in (SECRETS_NAME, OBJECTS_NAME):
        for path in _files(data_dir / top):
            linked = into / path.relative_to(data_dir)
            linked.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            _link(path, linked)


def backup(
    data_dir: Path,
    archive: Path,
    *,
    now: float | None = None,
    snapshot: Snapshot | None = None,
) -> BackupSummary:
    """Write a backup of ``data_dir`` to ``archive`` and return what it holds.

    The archive appears under its name, in place of an earlier one, when it is whole; it is
    readable by its owner only, because it holds every secret. ``snapshot`` is how the server
    that runs takes one; None: none runs. Raises StorageError if there is nothing to back up,
    OSError if it cannot be written, and what ``snapshot`` raises.
    """
    if not data_dir.is_dir() or not any((data_dir / name).exists() for name in _MANAGED):
        raise StorageError(f"there is nothing to back up in {data_dir}")
    created = time.time() if now is None else now
    beside = archive.with_name(f".{archive.name}.{secrets.token_hex(8)}")
    # In the data directory, because links do not reach into other file systems.
    stage = data_dir / f".backup-{secrets.token_hex(8)}"
    _remove_stages(data_dir, created)
    stage.mkdir(mode=0o700)
    try:
        (snapshot or partial(take_snapshot, data_dir))(stage)
        with _create(beside) as file:
            writer = _pack(stage, file, created)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(archive)
    finally:
        beside.unlink(missing_ok=True)
        shutil.rmtree(stage)
    return writer.summary()


def restore(
    archive: Path, data_dir: Path, *, force: bool = False, now: float | None = None
) -> BackupSummary:
    """Put the files of a backup into ``data_dir`` and return what they are.

    Nothing is changed before the whole archive has been read and found sound. A directory that
    is not empty is refused unless ``force``; then what is replaced is moved aside within it, and
    other files stay. No server may have the directory open: that is for the caller to see to.
    Raises StorageError if it is refused or the archive is not sound.
    """
    data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not force and any(data_dir.iterdir()):
        raise StorageError(f"{data_dir} is not empty, and restoring would replace what is there")
    stage = data_dir / f".restore-{secrets.token_hex(8)}"
    stage.mkdir(mode=0o700)
    try:
        try:
            manifest = _unpack(archive, stage)
        except (tarfile.TarError, EOFError, zlib.error, OSError, ValueError) as error:
            raise StorageError(f"{archive} is not a sound backup: {error}") from error
        if (stage / DATABASE_NAME).exists():
            _check_database(stage / DATABASE_NAME)
        replaced = _move_aside(data_dir, time.time() if now is None else now)
        for path in sorted(stage.iterdir()):
            path.replace(data_dir / path.name)
    finally:
        shutil.rmtree(stage)
    sizes = [entry["size"] for entry in manifest["files"].values()]
    return BackupSummary(len(sizes), sum(sizes), manifest["created"], replaced)


def _remove_stages(data_dir: Path, now: float) -> None:
    """Remove what backups left behind that were broken off."""
    for stage in data_dir.glob(".backup-*"):
        if stage.stat().st_mtime < now - _STALE:
            shutil.rmtree(stage, ignore_errors=True)


def _pack(stage: Path, file: IO[bytes], created: float) -> _Writer:
    """Write the archive of a snapshot, the database first."""
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        writer = _Writer(tar, created)
        if (stage / DATABASE_NAME).exists():
            writer.add(DATABASE_NAME, stage / DATABASE_NAME)
        for top in (SECRETS_NAME, OBJECTS_NAME):
            for path in _files(stage / top):
                writer.add(path.relative_to(stage).as_posix(), path)
        writer.finish()
    return writer


def _link(path: Path, target: Path) -> None:
    """Link a file, or copy it where that cannot be; one that has vanished is left out."""
    try:
        target.hardlink_to(path)
    except FileNotFoundError:
        return
    except OSError:
        with contextlib.suppress(FileNotFoundError):
            shutil.copy2(path, target)


class _Writer:
    """Adds files to an archive and notes what was really written."""

    def __init__(self, tar: tarfile.TarFile, created: float) -> None:
        self._tar = tar
        self._created = created
        self._files: dict[str, dict[str, Any]] = {}

    def add(self, name: str, path: Path) -> None:
        """Add a file."""
        with path.open("rb") as file:
            reader = _HashingReader(file)
            size = os.fstat(file.fileno()).st_size
            self._tar.addfile(self._info(name, size), reader)
        self._files[name] = {"size": size, "sha256": reader.hash.hexdigest()}

    def finish(self) -> None:
        """Add the manifest, which makes the archive whole."""
        manifest = {
            "format": _FORMAT,
            "created": self._created,
            "files": self._files,
        }
        content = json.dumps(manifest, indent=1).encode()
        self._tar.addfile(self._info(_MANIFEST, len(content)), io.BytesIO(content))

    def summary(self) -> BackupSummary:
        sizes = [entry["size"] for entry in self._files.values()]
        return BackupSummary(len(sizes), sum(sizes), self._created)

    def _info(self, name: str, size: int) -> tarfile.TarInfo:
        info = tarfile.TarInfo(name)
        info.size, info.mode, info.mtime = size, 0o600, int(self._created)
        return info


class _HashingReader(io.RawIOBase):
    """Passes a file on and hashes what went by."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self.hash = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self.hash.update(chunk)
        return chunk


@contextlib.contextmanager
def _create(path: Path) -> Iterator[IO[bytes]]:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        yield file


def _files(directory: Path) -> Iterator[Path]:
    """Yield the plain files below ``directory``; links are followed nowhere."""
    for parent, directories, names in os.walk(directory):
        directories[:] = sorted(name for name in directories if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if not name.startswith(".") and path.is_file() and not path.is_symlink():
                yield path


def _copy_database(path: Path, target: Path) -> None:
    with _create(target):
        pass
    # mode=rw and not ro: reading beside a writer needs the shared memory file.
    with (
        contextlib.closing(sqlite3.connect(f"{path.absolute().as_uri()}?mode=rw", uri=True)) as old,
        contextlib.closing(sqlite3.connect(target)) as new,
    ):
        try:
            old.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")  # all in one file
        except sqlite3.Error as error:
            raise StorageError(f"the database {path} cannot be copied: {error}") from error


def _unpack(archive: Path, stage: Path) -> dict[str, Any]:
    """Write the files of an archive below ``stage`` and return its manifest, if it is sound.

    Raises ValueError, OSError or TarError with the reason if it is not.
    """
    found: dict[str, dict[str, Any]] = {}
    manifest: dict[str, Any] | None = None
    with gzip.open(archive) as stream, tarfile.open(fileobj=stream, mode="r:") as tar:
        for listed in tar:
            member = tarfile.data_filter(listed, str(stage))
            content = tar.extractfile(member)
            if not member.isreg() or content is None or member.name in found:
                raise ValueError(f"it has an entry {listed.name!r} that no backup has")
            if member.name == _MANIFEST:
                manifest = json.loads(content.read())
                continue
            if not _belongs(member.name):
                raise ValueError(f"it has an entry {listed.name!r} that no backup has")
            found[member.name] = _write(content, stage, member.name)
        while stream.read(_CHUNK):
            pass  # the checksum of it all comes last
    if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
        raise ValueError("its manifest is missing or of a later version")
    if manifest.get("files") != found or not isinstance(manifest.get("created"), int | float):
        raise ValueError("its files are not those of its manifest")
    return manifest


def _belongs(name: str) -> bool:
    path = PurePosixPath(name)
    if path.as_posix() != name or path.is_absolute() or ".." in path.parts:
        return False
    top, *below = path.parts or ("",)
    return top in (SECRETS_NAME, OBJECTS_NAME) if below else top == DATABASE_NAME


def _write(content: IO[bytes], stage: Path, name: str) -> dict[str, Any]:
    path = stage / name
    for parent in reversed(PurePosixPath(name).parents):  # mkdir(parents=True) ignores its mode
        stage.joinpath(parent).mkdir(mode=0o700, exist_ok=True)
    reader = _HashingReader(content)
    with _create(path) as file:
        while chunk := reader.read(_CHUNK):
            file.write(chunk)
        file.flush()
        os.fsync(file.fileno())
        return {"size": file.tell(), "sha256": reader.hash.hexdigest()}


def _check_database(path: Path) -> None:
    with contextlib.closing(connect(path)) as connection:
        try:
            problem = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            problem = str(error)
    if problem != "ok":
        raise StorageError(f"the database of the backup is damaged: {problem}")


def _move_aside(data_dir: Path, now: float) -> Path | None:
    """Move what a restore replaces into a directory named after the time; None if nothing."""
    present = [data_dir / name for name in _MANAGED if (data_dir / name).exists()]
    if not present:
        return None
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
    aside = data_dir / f"before-restore-{stamp}-{secrets.token_hex(3)}"
    aside.mkdir(mode=0o700)
    for path in present:
        path.replace(aside / path.name)
    return aside
