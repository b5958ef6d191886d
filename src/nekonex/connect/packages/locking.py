"""Files that processes hold while they change, or look at, what others must not see half done.

Strategy: the system releases a lock with the process that holds it, however that ends, so a file
that is left there locks nothing.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Final

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

__all__ = ["holding", "sharing"]

_PAUSE: Final = 0.02
"""Seconds between two attempts; waiting inside the system could not be bounded."""


@contextlib.contextmanager
def holding(file: Path, seconds: float) -> Iterator[None]:
    """Hold a lock alone, its file made where it is missing.

    Raises TimeoutError if others keep it for ``seconds``, OSError if there can be no such file.
    """
    descriptor = os.open(file, os.O_RDWR | os.O_CREAT, 0o666)
    try:
        _wait(descriptor, seconds, shared=False)
        yield
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def sharing(file: Path, seconds: float) -> Iterator[None]:
    """Hold a lock together with others that share it; where there is no file, there is no lock.

    Raises TimeoutError if somebody holds it alone for ``seconds``, OSError.
    """
    try:
        descriptor = os.open(file, os.O_RDONLY)
    except FileNotFoundError:
        yield
        return
    try:
        _wait(descriptor, seconds, shared=True)
        yield
    finally:
        os.close(descriptor)


def _wait(descriptor: int, seconds: float, *, shared: bool) -> None:
    deadline = time.monotonic() + seconds
    while not _try(descriptor, shared=shared):
        if time.monotonic() > deadline:
            raise TimeoutError("somebody else holds the lock")
        time.sleep(_PAUSE)


def _try(descriptor: int, *, shared: bool) -> bool:
    try:
        if sys.platform == "win32":
            # There are none to share: those that read take turns.
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        else:
            kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
            fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    return True
