"""Cells: the small texts that plugins keep, each plugin its own."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final, Protocol

__all__ = ["MAX_CELL_NAME", "CellLimits", "CellStore", "CellUsage", "Stored", "check_cell_name"]

MAX_CELL_NAME: Final = 255
"""Bytes of a cell's name in UTF-8."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CellLimits:
    """How much one plugin may keep; sizes are bytes of UTF-8."""

    cell_size: int = 1024 * 1024
    """Bytes of one text."""
    database_size: int = 64 * 1024 * 1024
    """Bytes of all texts and names of a plugin."""
    max_cells: int = 1_000_000
    """Cells of a plugin."""


class Stored(Enum):
    """What became of a text that was to be kept."""

    KEPT = "kept"
    TOO_LARGE = "too large"
    """The text has more than `CellLimits.cell_size`."""
    FULL = "full"
    """The plugin has no room for it: `CellLimits.database_size` or `max_cells`."""


@dataclass(frozen=True, slots=True)
class CellUsage:
    """What a plugin keeps."""

    greeter: str
    cells: int
    size: int
    """Bytes of texts and names."""


class CellStore(Protocol):
    """The cells of all plugins, by greeter. The promises of `nekonex.domain.ports` hold.

    Raises ValueError for names that `check_cell_name` refuses, and for what is no Unicode text.
    """

    async def get(self, greeter: str, cell: str) -> str:
        """Return the text of a cell, ``""`` if there is none."""

    async def store(self, greeter: str, cell: str, text: str, limits: CellLimits) -> Stored:
        """Keep a text in place of the cell's earlier one; ``""`` removes the cell.

        A text that replaces a longer or an equally long one is kept however full the plugin's
        database is, and removing always works. What is not kept leaves the earlier text in place.
        """

    async def cells(self, greeter: str, prefix: str = "") -> Sequence[str]:
        """Return the names of the cells that begin so, in the order of their code points."""

    async def purge(self, greeter: str) -> int:
        """Remove all cells of a plugin; return how many there were."""

    async def usage(self) -> Sequence[CellUsage]:
        """Return what each plugin keeps, in the order of greeters; none that keeps nothing."""


def check_cell_name(name: str) -> str:
    """Return ``name`` if a cell may be called so, else raise ValueError."""
    try:
        size = len(name.encode())
    except UnicodeEncodeError:
        raise ValueError("the name of a cell is Unicode text without lone surrogates") from None
    if not 1 <= size <= MAX_CELL_NAME:
        raise ValueError(f"the name of a cell has 1 to {MAX_CELL_NAME} bytes, not {size}")
    return name
