"""The data directory belongs to one server at a time.

Strategy: the lock is on the directory itself, so there is no lock file that a crash could leave
behind or a backup pick up; the system releases it with the process, however that ends. Windows
cannot lock a directory: there it is a file beside it.
"""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from nekonex.app.errors import DataDirInUseError, StartError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["exclusive"]


@contextlib.contextmanager
def exclusive(data_dir: Path) -> Iterator[None]:
    """Make the data directory where it is missing (mode 0700), and hold it.

    Directories that were made here and are still empty at the end are removed again. Raises
    DataDirInUseError if somebody else holds it, StartError if it cannot be used.
    """
    missing = [path for path in (data_dir, *data_dir.parents) if not path.exists()]
    try:
        data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = _open_lock(data_dir)
    except OSError as error:
        raise StartError(
            f"the data directory {data_dir} cannot be used: {error.strerror}"
        ) from error
    try:
        _lock(descriptor, data_dir)
        yield
    finally:
        # While the lock is held: whoever waits for it does not lose the directory.
        with contextlib.suppress(OSError):
            for path in missing:
                path.rmdir()
        os.close(descriptor)


def _open_lock(data_dir: Path) -> int:
    if sys.platform == "win32":
        beside = data_dir.with_name(f"{data_dir.name}.lock")
        return os.open(beside, os.O_RDWR | os.O_CREAT, 0o600)
    return os.open(data_dir, os.O_RDONLY | os.O_DIRECTORY)


def _lock(descriptor: int, data_dir: Path) -> None:
    try:
        if sys.platform == "win32":
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        raise DataDirInUseError(
            f"a nekonex server uses the data directory {data_dir} already; "
            "stop it, or give this one a data_dir of its own"
        ) from None
    except OSError as error:
        raise StartError(
            f"the data directory {data_dir} cannot be locked: {error.strerror}"
        ) from error
