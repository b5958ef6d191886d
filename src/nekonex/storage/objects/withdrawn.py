"""Which forms are good for nothing any more, although they have not expired."""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

__all__ = ["MOST", "Withdrawn"]

MOST: Final = 100_000
"""Keys that are remembered; the oldest give way."""


class Withdrawn:
    """Remembers keys to which nothing is to be uploaded, as long as the process lives.

    A form says by itself what it allows. This is for what has happened since it was given.
    """

    def __init__(self, most: int = MOST) -> None:
        self._most = most
        self._sizes: OrderedDict[str, int | None] = OrderedDict()

    def add(self, key: str) -> None:
        """Let all forms for a key that were given so far be good for nothing."""
        self._sizes[key] = None
        self._sizes.move_to_end(key)
        if len(self._sizes) > self._most:
            self._sizes.popitem(last=False)

    def allow(self, key: str, size: int) -> None:
        """Let forms for a key and a size be good again: a new one is given."""
        if key in self._sizes:
            self._sizes[key] = size

    def admits(self, key: str, size: int) -> bool:
        """Tell whether a form for a key and a size is good, if its signature is."""
        return self._sizes.get(key, size) == size
