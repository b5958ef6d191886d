"""Secrets as files of their own, readable by their owner only.

Strategy: a secret is written completely beside its name and then linked to it. A link never
replaces a file, so of two processes that start at once one wins and both use the winner's secret,
and a crash leaves either no secret or a whole one. On file systems without links the file is
made exclusively instead; one that a crash left half-written there is told apart by its last line.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import re
import secrets
import stat
from collections.abc import Callable
from pathlib import Path

from nekonex.storage.errors import StorageError
from nekonex.values.unavailable import ServiceUnavailable

__all__ = ["FileSecretStore", "check_secret_name"]

_logger = logging.getLogger(__name__)

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]*")


def check_secret_name(name: str) -> str:
    """Return ``name`` if a secret may be called so, else raise ValueError."""
    if not _NAME.fullmatch(name):
        raise ValueError(f"a secret's name is lower-case letters, digits, - and _, not {name!r}")
    return name


class FileSecretStore:
    """`nekonex.domain.ports.SecretStore` in a directory, one file for each secret.

    A file holds the secret in hexadecimal digits and a line end.
    """

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    async def get_or_create(self, name: str, factory: Callable[[], bytes]) -> bytes:
        """Return the secret of this name, stored from ``factory()`` if there was none.

        Raises StorageError for a file that holds no secret, ServiceUnavailable if the directory
        cannot be read or written.
        """
        path = self._directory / check_secret_name(name)
        try:
            return await asyncio.to_thread(_get_or_create, path, factory)
        except OSError as error:
            _logger.exception("the secret %s could not be read or stored", name)
            raise ServiceUnavailable(f"the secret {name!r} cannot be read or stored") from error


def _get_or_create(path: Path, factory: Callable[[], bytes]) -> bytes:
    with contextlib.suppress(FileNotFoundError):
        return _read(path)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    secret = factory()
    with contextlib.suppress(FileExistsError):
        _create(path, secret.hex().encode() + b"\n")
    return _read(path)


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        mode = stat.S_IMODE(os.fstat(file.fileno()).st_mode)
        if os.name == "posix" and mode & 0o077:
            _logger.warning("%s was readable by others (mode %o): mode is 600 now", path, mode)
            os.fchmod(file.fileno(), 0o600)
        content = file.read()
    with contextlib.suppress(ValueError):
        if content.endswith(b"\n"):
            return bytes.fromhex(content.decode("ascii"))
    raise StorageError(f"{path} holds no secret: restore it, or remove it for a new one")


def _create(path: Path, content: bytes) -> None:
    """Write a whole new file, or raise FileExistsError."""
    beside = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    _write_new(beside, content)
    try:
        os.link(beside, path)
    except FileExistsError:
        raise
    except OSError:
        _write_new(path, content)
    finally:
        beside.unlink()
    _sync_directory(path.parent)


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_directory(directory: Path) -> None:
    if os.name != "posix":
        return  # elsewhere a directory cannot be opened, and need not be
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
