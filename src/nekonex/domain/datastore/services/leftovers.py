"""What is expected to arrive, and what may arrive although nobody expects it any more."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

from nekonex.domain.datastore.model import StoredObject
from nekonex.domain.datastore.rules.uploads import completes_itself

__all__ = ["Leftovers"]

MOST: Final = 100_000
"""As many are remembered of either kind; a verification finds the others."""


class Leftovers:
    """Remembers uploads between their announcement and the end of what could come of them.

    A form is good for some time, and for more than one upload: what comes by it after its object
    was completed or deleted is a file that nobody knows. Nothing here has to survive the process.
    """

    def __init__(self) -> None:
        self._expected: OrderedDict[int, None] = OrderedDict()
        self._late: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def expect(self, stored: StoredObject) -> None:
        """Look, from time to time, whether the content of an object has come."""
        if completes_itself(stored):
            self._expected[stored.data_id] = None
            _shorten(self._expected)

    def expected(self) -> list[int]:
        """Return the data ids of objects whose content may have come."""
        return list(self._expected)

    def came(self, data_id: int) -> None:
        """Look no longer for the content of an object."""
        self._expected.pop(data_id, None)

    def note(self, stored: StoredObject) -> None:
        """Note that nobody waits for an object's upload any more."""
        self.came(stored.data_id)
        if stored.upload is not None and stored.has_file:
            self._late[stored.staging_key] = stored.data_id, stored.upload.started
            _shorten(self._late)

    def late(self, before: int) -> Iterator[tuple[str, int]]:
        """Take out the keys, with data ids, of uploads that were announced before a time."""
        for key, (data_id, started) in list(self._late.items()):
            if started < before:
                del self._late[key]
                yield key, data_id


def _shorten(entries: OrderedDict[int, None] | OrderedDict[str, tuple[int, int]]) -> None:
    while len(entries) > MOST:
        entries.popitem(last=False)
