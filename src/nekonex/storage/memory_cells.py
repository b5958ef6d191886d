"""The cells of plugins in memory. No method awaits anything, so each is atomic."""

from __future__ import annotations

from collections.abc import Sequence

from nekonex.domain.cells import CellLimits, CellUsage, Stored
from nekonex.storage.cell_rules import cell_name, has_room, usage_after, utf8

__all__ = ["MemoryCellStore"]


class MemoryCellStore:
    """`nekonex.domain.cells.CellStore` in dictionaries of UTF-8, by greeter."""

    def __init__(self) -> None:
        self._texts: dict[str, dict[bytes, bytes]] = {}
        self._usage: dict[str, CellUsage] = {}

    async def get(self, greeter: str, cell: str) -> str:
        """Return the text of a cell, ``""`` if there is none."""
        utf8(greeter, "a greeter")
        name = cell_name(cell)
        return self._texts.get(greeter, {}).get(name, b"").decode()

    async def store(self, greeter: str, cell: str, text: str, limits: CellLimits) -> Stored:
        """Keep a text in place of the cell's earlier one; ``""`` removes the cell."""
        utf8(greeter, "a greeter")
        name, new = cell_name(cell), utf8(text, "a text")
        if len(new) > limits.cell_size:
            return Stored.TOO_LARGE
        old = self._texts.get(greeter, {}).get(name)
        before = self._usage.get(greeter, CellUsage(greeter, 0, 0))
        replaced = None if old is None else len(old)
        after = usage_after(before, name=len(name), old=replaced, new=len(new))
        if not has_room(before, after, limits):
            return Stored.FULL
        if new:
            self._texts.setdefault(greeter, {})[name] = new
        elif old is not None:
            del self._texts[greeter][name]
        self._usage[greeter] = after
        return Stored.KEPT

    async def cells(self, greeter: str, prefix: str = "") -> Sequence[str]:
        """Return the names of the cells that begin so, in the order of their code points."""
        utf8(greeter, "a greeter")
        first = utf8(prefix, "the beginning of a cell's name")
        names = sorted(name for name in self._texts.get(greeter, ()) if name.startswith(first))
        return [name.decode() for name in names]

    async def purge(self, greeter: str) -> int:
        """Remove all cells of a plugin; return how many there were."""
        utf8(greeter, "a greeter")
        self._usage.pop(greeter, None)
        return len(self._texts.pop(greeter, ()))

    async def usage(self) -> Sequence[CellUsage]:
        """Return what each plugin keeps, by greeter."""
        return [usage for _, usage in sorted(self._usage.items()) if usage.cells]
