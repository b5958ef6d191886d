"""The cells of plugins in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final
from weakref import WeakValueDictionary

from nekonex.domain.cells import CellLimits, CellUsage, Stored
from nekonex.storage.cell_rules import cell_name, has_room, usage_after, utf8
from nekonex.storage.sqlite.admission import Admission
from nekonex.storage.sqlite.database import Database
from nekonex.values.unavailable import ServiceUnavailable

__all__ = ["BYTES_AT_ONCE", "SqliteCellStore"]

BYTES_AT_ONCE: Final = 4 * 1024 * 1024
"""Bytes of one plugin that wait for their commit at a time, so that those of games come soon."""

_PURGED_AT_ONCE: Final = 1000
"""Cells of purged plugins that one transaction deletes, so that other writes come between."""

_SWEPT_WITH_NEW: Final = 100
"""Cells that purges have left which the first text of a cell removes: then none stay for ever."""

_AFTER_ALL: Final = b"\xff"
"""Sorts after all UTF-8."""

_TEXT = """
    SELECT text FROM cells
    WHERE owner = (SELECT id FROM cell_owners WHERE greeter = ?) AND name = ?
"""

_NAMES = """
    SELECT name FROM cells
    WHERE owner = (SELECT id FROM cell_owners WHERE greeter = ?) AND name >= ? AND name < ?
    ORDER BY name
"""

_OWNER_AND_CELL = """
    SELECT owners.id, owners.cells, owners.size, cells.rowid, length(cells.text)
    FROM cell_owners AS owners
    LEFT JOIN cells ON cells.owner = owners.id AND cells.name = ?
    WHERE owners.greeter = ?
"""

_INSERT_OWNER = "INSERT INTO cell_owners (greeter, cells, size) VALUES (?, 0, 0)"

_SET_TOTALS = "UPDATE cell_owners SET cells = ?, size = ? WHERE id = ?"

_USAGE = """
    SELECT greeter, cells, size FROM cell_owners WHERE greeter IS NOT NULL AND cells > 0
    ORDER BY greeter
"""

_DETACH = "UPDATE cell_owners SET greeter = NULL WHERE greeter = ? RETURNING cells"

_DETACHED = "SELECT id FROM cell_owners WHERE greeter IS NULL LIMIT 1"

_DELETE_OF_OWNER = """
    DELETE FROM cells WHERE rowid IN (SELECT rowid FROM cells WHERE owner = ? LIMIT ?)
"""


class SqliteCellStore:
    """`nekonex.domain.cells.CellStore` in the tables ``cell_owners`` and ``cells``."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._admissions: WeakValueDictionary[str, Admission] = WeakValueDictionary()

    async def get(self, greeter: str, cell: str) -> str:
        """Return the text of a cell, ``""`` if there is none."""
        row = await self._database.read_row(_TEXT, utf8(greeter, "a greeter"), cell_name(cell))
        match row:
            case (bytes(text),):
                return text.decode()
        return ""

    async def store(self, greeter: str, cell: str, text: str, limits: CellLimits) -> Stored:
        """Keep a text in place of the cell's earlier one; ``""`` removes the cell."""
        change = _Change(utf8(greeter, "a greeter"), cell_name(cell), utf8(text, "a text"), limits)
        if len(change.text) > limits.cell_size:
            return Stored.TOO_LARGE
        admission = self._admissions.setdefault(greeter, Admission(BYTES_AT_ONCE))
        async with admission.admitted(len(change.text)):
            return await self._database.write(change.apply)

    async def cells(self, greeter: str, prefix: str = "") -> Sequence[str]:
        """Return the names of the cells that begin so, in the order of their code points."""
        first = utf8(prefix, "the beginning of a cell's name")
        # No byte of UTF-8 is 0xFF, so the last one can always be raised.
        end = first[:-1] + bytes([first[-1] + 1]) if first else _AFTER_ALL
        parameters = (utf8(greeter, "a greeter"), first, end)

        def select(connection: sqlite3.Connection) -> list[str]:
            return [name.decode() for (name,) in connection.execute(_NAMES, parameters)]

        return await self._database.search(select)

    async def purge(self, greeter: str) -> int:
        """Remove all cells of a plugin; return how many there were.

        They are gone with the first commit; what they took in the file is given back after it,
        bit by bit, and by later changes if that is broken off.
        """
        owner = (utf8(greeter, "a greeter"),)

        def detach(connection: sqlite3.Connection) -> int:
            rows = connection.execute(_DETACH, owner).fetchall()
            return sum(cells for (cells,) in rows)

        count = await self._database.write(detach)
        with suppress(ServiceUnavailable):
            while await self._database.write(lambda each: _sweep(each, _PURGED_AT_ONCE)):
                pass
        return count

    async def usage(self) -> Sequence[CellUsage]:
        """Return what each plugin keeps, by greeter."""

        def select(connection: sqlite3.Connection) -> list[CellUsage]:
            rows = connection.execute(_USAGE)
            return [CellUsage(greeter.decode(), cells, size) for greeter, cells, size in rows]

        return await self._database.read(select)


@dataclass(frozen=True, slots=True)
class _Change:
    """A text that is to be kept; an empty one removes its cell."""

    greeter: bytes
    name: bytes
    text: bytes
    limits: CellLimits

    def apply(self, connection: sqlite3.Connection) -> Stored:
        """Make the change in a transaction."""
        row = connection.execute(_OWNER_AND_CELL, (self.name, self.greeter)).fetchone()
        owner, cells, size, number, old = row or (None, 0, 0, None, None)
        if number is None and not self.text:
            return Stored.KEPT
        before = CellUsage("", cells, size)
        after = usage_after(before, name=len(self.name), old=old, new=len(self.text))
        if not has_room(before, after, self.limits):
            return Stored.FULL
        if number is None:
            owner = self._insert(connection, owner)
        elif self.text:
            connection.execute("UPDATE cells SET text = ? WHERE rowid = ?", (self.text, number))
        else:
            connection.execute("DELETE FROM cells WHERE rowid = ?", (number,))
        connection.execute(_SET_TOTALS, (after.cells, after.size, owner))
        return Stored.KEPT

    def _insert(self, connection: sqlite3.Connection, owner: int | None) -> int | None:
        """Make the cell, and its owner if need be; return whose it is."""
        _sweep(connection, _SWEPT_WITH_NEW)
        if owner is None:
            owner = connection.execute(_INSERT_OWNER, (self.greeter,)).lastrowid
        connection.execute("INSERT INTO cells VALUES (?, ?, ?)", (owner, self.name, self.text))
        return owner


def _sweep(connection: sqlite3.Connection, limit: int) -> bool:
    """Delete up to ``limit`` cells of a purged plugin; False if there were none left."""
    row = connection.execute(_DETACHED).fetchone()
    if row is None:
        return False
    [owner] = row
    if connection.execute(_DELETE_OF_OWNER, (owner, limit)).rowcount < limit:
        connection.execute("DELETE FROM cell_owners WHERE id = ?", (owner,))
    return True
