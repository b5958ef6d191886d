"""Where generated code is in the input, and what it has not taken yet."""

from __future__ import annotations

from nekonex.wire.layout import SCALAR_SIZE
from nekonex.wire.scope import Scope
from nekonex.wire.source import Lines

__all__ = ["Cursor"]

Collected = tuple[list[str], list[str], int]


class Cursor:
    """Collects consecutive fields of fixed size and takes them with one `unpack`.

    The position is the variable `p` plus a constant that only the generator knows, so a
    run does not cost an addition.
    """

    __slots__ = ("_after", "_codes", "_lines", "_offset", "_scope", "_targets")

    def __init__(self, scope: Scope, lines: Lines) -> None:
        self._scope = scope
        self._lines = lines
        self._codes: list[str] = []
        self._targets: list[str] = []
        self._after: list[str] = []
        self._offset = 0

    def fixed(self, code: str, target: str | None) -> None:
        """Collect a field; without a target its byte is skipped."""
        self._codes.append("x" if target is None else code)
        if target is not None:
            self._targets.append(target)

    def after(self, line: str) -> None:
        """Append a line that needs what has been collected so far."""
        self._after.append(line)

    def position(self) -> str:
        """Return an expression for the position after all that has been collected."""
        offset = self._offset + self._size()
        return f"p + {offset}" if offset else "p"

    def settle(self) -> None:
        """Take what has been collected if lines wait for it."""
        if self._after:
            self.flush()

    def flush(self) -> None:
        """Take what has been collected."""
        if not self._codes:
            return
        position = f"p + {self._offset}" if self._offset else "p"
        if self._codes == ["B"]:
            self._lines.add(f"{self._targets[0]} = data[{position}]")
        elif self._codes == ["?"]:
            self._lines.add(f"{self._targets[0]} = data[{position}] != 0")
        else:
            targets = ", ".join(self._targets) + ("," if len(self._targets) == 1 else "")
            call = f"{self._scope.unpacker(self._codes)}(data, {position})"
            self._lines.add(f"({targets}) = {call}")
        self._offset += self._size()
        self._codes, self._targets = [], []
        for line in self._after:
            self._lines.add(line)
        self._after = []

    def advance(self) -> None:
        """Make `p` itself the position."""
        self.flush()
        if self._offset:
            self._lines.add(f"p += {self._offset}")
            self._offset = 0

    def advance_by(self, count: str) -> None:
        """Make `p` the position `count` bytes after what has been collected."""
        self.flush()
        self._lines.add(f"p += {count} + {self._offset}" if self._offset else f"p += {count}")
        self._offset = 0

    def jump(self, position: str) -> None:
        """Make `p` another position; nothing may be collected."""
        self._lines.add(f"p = {position}")
        self._offset = 0

    def save(self) -> Collected:
        """Remember what is collected, for a second branch; no lines may wait for it."""
        return (self._codes.copy(), self._targets.copy(), self._offset)

    def restore(self, collected: Collected) -> None:
        """Return to what was collected."""
        self._codes, self._targets, self._offset = collected

    def _size(self) -> int:
        return sum(SCALAR_SIZE.get(code, 1) for code in self._codes)
