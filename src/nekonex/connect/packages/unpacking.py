"""Reading a package that may be anything, before a byte of it is written.

Strategy: the whole package is read in memory, where it is small, and found good or refused. So
there is nothing to take back: what `read_package` returns can be written as it is.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nekonex.connect.packages.errors import (
    BadSpecError,
    BrokenPackageError,
    CompressionError,
    EncryptedPackageError,
    MissingLogicError,
    MissingSpecError,
    NotPlainFileError,
    PackageError,
    PackageTooLargeError,
    TooManyFilesError,
)
from nekonex.connect.packages.limits import DEFAULT_LIMITS, PackageLimits
from nekonex.connect.packages.logic import check_compiles
from nekonex.connect.packages.names import PathSet, check_path, folder_name, quoted
from nekonex.connect.plugins import (
    MAX_SPEC_SIZE,
    SPEC_FILE,
    PluginSpec,
    SpecError,
    parse_spec,
)

__all__ = ["Package", "read_package", "read_package_file"]

_CHUNK: Final = 64 * 1024
_ENCRYPTED: Final = 0x1 | 0x40 | 0x2000
_READABLE: Final = frozenset({zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED})
_LEFT_OUT: Final = frozenset({"__pycache__", "__MACOSX"})

_DAMAGE: Final = (
    *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, OSError),
    *(IndexError, OverflowError, RuntimeError, ValueError),
)
"""What `zipfile` raises for all sorts of nonsense; UnicodeDecodeError is a ValueError."""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that was read and found good."""

    spec: PluginSpec
    files: Mapping[str, bytes]
    """Contents by path; the parts of a path have slashes between them."""


def read_package_file(path: Path, limits: PackageLimits = DEFAULT_LIMITS) -> Package:
    """Read a package from a file; PackageError with the reason where that cannot be."""
    try:
        kind = path.stat().st_mode
        if stat.S_ISDIR(kind):
            reason = "is a folder; nekonex plugin build makes a package of it"
            raise NotPlainFileError(f"{path} {reason}")
        if not stat.S_ISREG(kind):
            raise NotPlainFileError(f"{path} is no plain file")
        with path.open("rb") as file:
            content = file.read(limits.max_package + 1)
    except OSError as error:
        raise BrokenPackageError(f"{path} cannot be read: {error.strerror}") from None
    return read_package(content, path.name, limits)


def read_package(content: bytes, name: str, limits: PackageLimits = DEFAULT_LIMITS) -> Package:
    """Return what is in a package, or raise the PackageError that tells why it is refused.

    ``name`` is what errors call it. spec.conf and the logic file are at the top, or all is in one
    folder, as other programs pack it. What begins with a dot is left out, as it is when a package
    is built, and so is compiled code.
    """
    try:
        if len(content) > limits.max_package:
            raise PackageTooLargeError(f"it has more than {limits.max_package} bytes")
        return _Reader(content, limits).read(f"{name}/{SPEC_FILE}")
    except BadSpecError:
        raise
    except PackageError as error:
        raise type(error)(f"{name} is refused: {error}") from None
    except _DAMAGE as error:
        raise BrokenPackageError(f"{name} is no package, or a damaged one: {error}") from None


class _Reader:
    def __init__(self, content: bytes, limits: PackageLimits) -> None:
        self._file = _BoundedFile(content, limits.max_directory)
        self._limits = limits
        self._unpacked = 0

    def read(self, spec_file: str) -> Package:
        with zipfile.ZipFile(self._file) as archive:
            entries = self._checked(archive)
            files = {path: self._content(archive, each) for path, each in entries.items()}
        files = _without_top_folder(files)
        files = {path: each for path, each in files.items() if not _is_left_out(path)}
        if SPEC_FILE not in files:
            raise MissingSpecError(f"there is no {SPEC_FILE} in it")
        spec = _read_spec(files[SPEC_FILE], spec_file)
        folder_name(spec.greeter)  # refused here, before there is any folder to install it in
        logic = f"{spec.logic}.py"
        if logic not in files:
            raise MissingLogicError(f"the logic file {logic} is not in it")
        check_compiles(files[logic], logic)
        return Package(spec, files)

    def _checked(self, archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
        """Return the files by their paths, when all that is there has been looked at."""
        found: dict[str, zipfile.ZipInfo] = {}
        paths = PathSet()
        for entry in archive.infolist():
            # `filename` ends at a zero byte, and may have been replaced by an extra field.
            path = entry.orig_filename
            is_folder = path.endswith("/")
            check_path(path[:-1] if is_folder else path)
            _check_kind(entry, path, is_folder=is_folder)
            if is_folder:
                continue
            paths.add(path)
            found[path] = entry
            if len(found) > self._limits.max_files:
                raise TooManyFilesError(f"it has more than {self._limits.max_files} files")
        return found

    def _content(self, archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
        chunks = []
        with archive.open(entry) as file:
            while chunk := file.read(_CHUNK):
                # Counted, because what the package says of its sizes need not be so.
                self._unpacked += len(chunk)
                if self._unpacked > self._limits.max_unpacked:
                    raise PackageTooLargeError(
                        f"it unpacks to more than {self._limits.max_unpacked} bytes"
                    )
                chunks.append(chunk)
        return b"".join(chunks)


class _BoundedFile(io.BytesIO):
    """A package in memory, of which no more is read at a time than its table of contents takes.

    `zipfile` makes an object for each entry of that table before anybody can count them.
    """

    def __init__(self, content: bytes, limit: int) -> None:
        super().__init__(content)
        self._size = len(content)
        self._limit = limit

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(self._size - self.tell(), 0)
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > self._limit:
            raise TooManyFilesError(f"its table of contents has more than {self._limit} bytes")
        return super().read(wanted)


def _check_kind(entry: zipfile.ZipInfo, path: str, *, is_folder: bool) -> None:
    kind = stat.S_IFMT(entry.external_attr >> 16)
    if kind not in {0, stat.S_IFDIR if is_folder else stat.S_IFREG}:
        what = "a link" if kind == stat.S_IFLNK else "no plain file"
        raise NotPlainFileError(f"{quoted(path)} is {what}")
    if entry.flag_bits & _ENCRYPTED:
        raise EncryptedPackageError(f"{quoted(path)} is encrypted")
    if entry.compress_type not in _READABLE:
        raise CompressionError(f"{quoted(path)} is compressed by something else than deflate")


def _without_top_folder(files: dict[str, bytes]) -> dict[str, bytes]:
    """Return the files by their paths in the one folder at the top, if there is just that."""
    shown = [path for path in files if not _is_left_out(path)]
    tops = {path.partition("/")[0] for path in shown}
    if SPEC_FILE in files or len(tops) != 1:
        return files
    top = f"{tops.pop()}/"
    return {path.removeprefix(top): files[path] for path in shown if path.startswith(top)}


def _is_left_out(path: str) -> bool:
    return any(part.startswith(".") or part in _LEFT_OUT for part in path.split("/"))


def _read_spec(content: bytes, file: str) -> PluginSpec:
    if len(content) > MAX_SPEC_SIZE:
        raise BadSpecError(f"{file}:1:1: has more than {MAX_SPEC_SIZE} bytes")
    try:
        return parse_spec(content.decode("utf-8"), file)
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise BadSpecError(f"{file}:{line}:1: expected UTF-8") from None
    except SpecError as error:
        raise BadSpecError(str(error)) from None
