"""Turning generated source into functions."""

from __future__ import annotations

from typing import Any

__all__ = ["Lines", "run_source"]


def run_source(source: str, filename: str, scope: dict[str, Any]) -> dict[str, Any]:
    """Execute source made by this package in `scope` and return the scope.

    The source is made of names that Python's own grammar has accepted as identifiers,
    and of constants; nothing that arrives over a network is part of it.
    """
    exec(compile(source, filename, "exec"), scope)  # noqa: S102
    return scope


class Lines:
    """Source under construction: lines at the current depth of indentation."""

    __slots__ = ("_depth", "_lines")

    def __init__(self) -> None:
        self._lines: list[str] = []
        self._depth = 0

    def add(self, line: str) -> None:
        """Append a line."""
        self._lines.append("    " * self._depth + line)

    def open(self, line: str) -> None:
        """Append a line that begins a block."""
        self.add(line)
        self._depth += 1

    def close(self) -> None:
        """End the innermost block."""
        self._depth -= 1

    def text(self) -> str:
        """Return everything so far."""
        return "\n".join(self._lines) + "\n"
