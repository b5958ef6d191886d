"""Noticing that a plugin was edited."""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Hashable, Iterator
from itertools import islice
from pathlib import Path
from typing import Final

from nekonex.connect.plugins.server_files import CONFIG_FILE, is_server_data

__all__ = ["MAX_WATCHED_FILES", "fingerprint"]

MAX_WATCHED_FILES: Final = 5000
"""Files and folders of a plugin that are looked at."""

_IGNORED_FOLDERS: Final = frozenset({"__pycache__", "node_modules"})
_IGNORED_ENDINGS: Final = (
    "~", ".bak", ".log", ".orig", ".pyc", ".swp", ".tmp",
    ".db", ".sqlite", ".sqlite3", "-journal", "-shm", "-wal",
)  # fmt: skip
"""What editors, plugins and databases write beside the files of a plugin."""


def fingerprint(folder: Path) -> Hashable:
    """Return what differs as soon as a file of a plugin was added, changed, renamed or removed.

    Names, sizes and times of change are compared, of the first `MAX_WATCHED_FILES`. Dot files,
    ``__pycache__``, ``build/``, what editors and databases leave beside files, and what a server
    keeps there do not count.
    A folder that is not there has a fingerprint too. Blocking: call it in a thread.
    """
    digest = hashlib.blake2b(digest_size=16)
    for name, size, changed in sorted(_files(folder)):
        digest.update(f"{size} {changed} {len(name)} ".encode())
        digest.update(os.fsencode(name))
    return digest.digest()


def _files(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Yield path, size and time of change (ns) of each file; folders have neither."""
    left = MAX_WATCHED_FILES
    waiting = [""]
    while waiting and left:
        inside = waiting.pop()
        # What cannot be read, or vanishes meanwhile, counts as not there.
        with contextlib.suppress(OSError), os.scandir(folder / inside) as entries:
            for entry in islice(entries, left):
                left -= 1
                name = f"{inside}{entry.name}"
                with contextlib.suppress(OSError):
                    if not entry.is_dir(follow_symlinks=False):
                        if not _is_ignored_file(entry.name):
                            status = entry.stat()
                            yield name, status.st_size, status.st_mtime_ns
                    elif not _is_ignored_folder(name) and not is_server_data(folder / name):
                        waiting.append(f"{name}/")
                        yield name, 0, 0


def _is_ignored_folder(name: str) -> bool:
    last = name.rpartition("/")[2]
    return name == "build" or last.startswith(".") or last in _IGNORED_FOLDERS


def _is_ignored_file(name: str) -> bool:
    return name.startswith(".") or name == CONFIG_FILE or name.endswith(_IGNORED_ENDINGS)
