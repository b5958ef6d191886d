"""The one error of encoding and decoding."""

from __future__ import annotations

__all__ = ["MalformedError", "WireError"]


class WireError(ValueError):
    """Bytes that are not what they should be, or a value that cannot be sent.

    Decoding raises nothing else, whatever the input is.
    """

    def __init__(self, structure: str, field: str, offset: int | None, reason: str) -> None:
        super().__init__(structure, field, offset, reason)
        self.structure = structure
        """The structure, method or type that was being read or written."""
        self.field = field
        """The field, `(header)` for a structure header, `""` for the whole."""
        self.offset = offset
        """Where the field begins in the input, in bytes; None when writing."""
        self.reason = reason
        """What is wrong, without the place."""

    def __str__(self) -> str:
        place = f"{self.structure}.{self.field}" if self.field else self.structure
        if self.offset is not None:
            place += f" at byte {self.offset}"
        return f"{place}: {self.reason}"


class MalformedError(ValueError):
    """What code that reads or writes one value raises; the codec adds the place to it."""
