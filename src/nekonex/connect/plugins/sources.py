"""The source lines that tracebacks show of loaded plugins."""

from __future__ import annotations

import linecache
import threading
from typing import Final

__all__ = ["ShownSources"]

_Entry = tuple[int, float | None, list[str], str]

_lock: Final = threading.Lock()
_entries: Final[dict[str, list[_Entry]]] = {}
"""The sources of each file that loaded plugins were made of, the latest last."""


class ShownSources:
    """The sources of one load of a plugin, as they were then.

    A traceback reads its lines from the file as it is by now, which in the midst of an edit are
    others than those that ran. Of several loads the latest that is not over is shown.
    """

    def __init__(self) -> None:
        self._own: list[tuple[str, _Entry]] = []

    def show(self, path: str, text: str) -> None:
        """Show ``text`` for a file from now on."""
        lines = [f"{line}\n" for line in text.split("\n")]
        # Without a time of change nobody compares it with the file.
        entry: _Entry = (len(text), None, lines, path)
        with _lock:
            self._own.append((path, entry))
            _entries.setdefault(path, []).append(entry)
            linecache.cache[path] = entry

    def forget(self) -> None:
        """Show what was shown before, or the files themselves again."""
        with _lock:
            for path, entry in self._own:
                entries = [each for each in _entries[path] if each is not entry]
                _entries[path] = entries
                if linecache.cache.get(path) is entry:
                    if entries:
                        linecache.cache[path] = entries[-1]
                    else:
                        del linecache.cache[path]
                if not entries:
                    del _entries[path]
            self._own.clear()
