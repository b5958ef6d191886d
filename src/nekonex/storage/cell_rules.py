"""What a plugin may keep, the same however its cells are kept."""

from __future__ import annotations

from dataclasses import replace

from nekonex.domain.cells import CellLimits, CellUsage, check_cell_name

__all__ = ["cell_name", "has_room", "usage_after", "utf8"]


def utf8(text: str, what: str) -> bytes:
    """Return the UTF-8 of ``text``, which errors call ``what``; ValueError for what has none."""
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise ValueError(f"{what} is Unicode text without lone surrogates") from None


def cell_name(name: str) -> bytes:
    """Return the UTF-8 of a cell's name; ValueError if a cell may not be called so."""
    return check_cell_name(name).encode()


def usage_after(before: CellUsage, *, name: int, old: int | None, new: int) -> CellUsage:
    """Return what a plugin keeps once a cell has another text.

    ``name``, ``old`` and ``new`` are the sizes of the cell's name and texts. ``old`` is None if
    there is no such cell, ``new`` 0 if it is removed.
    """
    removed = 0 if old is None else name + old
    added = name + new if new else 0
    cells = before.cells - (old is not None) + (new > 0)
    return replace(before, cells=cells, size=before.size - removed + added)


def has_room(before: CellUsage, after: CellUsage, limits: CellLimits) -> bool:
    """Tell whether a change is within the limits, or at least takes no more than before."""
    if after.size <= before.size:
        return True
    cells = after.cells if after.cells > before.cells else 0
    return cells <= limits.max_cells and after.size <= limits.database_size
