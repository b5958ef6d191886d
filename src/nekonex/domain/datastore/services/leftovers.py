"""What is expected to arrive, and what may arrive although nobody expects it any more."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from itertools import islice
from typing import Final

from nekonex.domain.datastore.model import StoredObject
from nekonex.domain.datastore.rules.uploads import completes_itself

__all__ = ["MOST_AT_ONCE", "Leftovers"]

MOST: Final = 100_000
"""As many are remembered of either kind; a verification finds the others."""
MOST_AT_ONCE: Final = 16
"""For as many of a player's, its newest ones, is looked when somebody waits for the answer."""


class Leftovers:
    """Remembers uploads between their announcement and the end of what could come of them.

    A form is good for some time, and for more than one upload: what comes by it after its object
    was completed or deleted is a file that nobody knows. Nothing here has to survive the process.
    """

    def __init__(self) -> None:
        self._expected: OrderedDict[int, int] = OrderedDict()
        self._of_owners: dict[int, dict[int, None]] = {}
        self._late: OrderedDict[str, tuple[int, int]] = OrderedDict()

    def expect(self, stored: StoredObject) -> None:
        """Look, from time to time, whether the content of an object has come."""
        if completes_itself(stored):
            self._expected[stored.data_id] = stored.owner
            self._of_owners.setdefault(stored.owner, {})[stored.data_id] = None
            if len(self._expected) > MOST:
                self.came(next(iter(self._expected)))

    def expected(self, owner: int | None = None) -> list[int]:
        """Return the data ids of objects whose content may have come, the oldest first.

        That is all of them, or the newest `MOST_AT_ONCE` of one owner: who announces a thousand
        and uploads none makes no request slow, its own or another's.
        """
        if owner is None:
            return list(self._expected)
        newest = list(islice(reversed(self._of_owners.get(owner, {})), MOST_AT_ONCE))
        return newest[::-1]

    def came(self, data_id: int) -> None:
        """Look no longer for the content of an object."""
        owner = self._expected.pop(data_id, None)
        if owner is None:
            return
        theirs = self._of_owners[owner]
        del theirs[data_id]
        if not theirs:
            del self._of_owners[owner]

    def note(self, stored: StoredObject) -> None:
        """Note that nobody waits for an object's upload any more."""
        self.came(stored.data_id)
        if stored.upload is not None and stored.has_file:
            self._late[stored.staging_key] = stored.data_id, stored.upload.started
            if len(self._late) > MOST:
                self._late.popitem(last=False)

    def late(self, before: int) -> Iterator[tuple[str, int]]:
        """Take out the keys, with data ids, of uploads that were announced before a time."""
        for key, (data_id, started) in list(self._late.items()):
            if started < before:
                del self._late[key]
                yield key, data_id
