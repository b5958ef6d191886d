"""Result codes: as data in a reply, and as the error that a call is answered with."""

from __future__ import annotations

from typing import Final, NoReturn, Self

from nekonex.values.errors import ERROR_CODES, ERROR_NAMES

__all__ = ["RMCError", "Result"]

_ERROR_BIT: Final = 1 << 31
_LIMIT: Final = 1 << 32


def _code_of(error: int | str) -> int:
    if isinstance(error, str):
        try:
            return ERROR_CODES[error]
        except KeyError:
            raise ValueError(f"no result is called {error!r}") from None
    return error


class Result:
    """A 32-bit result code; bit 31 set means an error. Immutable."""

    __slots__ = ("code",)

    code: int
    """The code as it is sent, bit 31 included."""

    def __init__(self, code: int = 0x10001) -> None:
        if not 0 <= code < _LIMIT:
            raise ValueError(f"a Result has 32 bits; {code} does not fit")
        object.__setattr__(self, "code", code)

    @classmethod
    def success(cls, name_or_code: str | int = "Core::Unknown") -> Self:
        """Return the success of a facility: the code with bit 31 clear.

        Raise ValueError for a name that does not exist.
        """
        return cls(_code_of(name_or_code) & ~_ERROR_BIT)

    @classmethod
    def error(cls, name_or_code: str | int = "Core::Unknown") -> Self:
        """Return an error: the code with bit 31 set; ValueError for an unknown name."""
        return cls(_code_of(name_or_code) | _ERROR_BIT)

    @property
    def is_success(self) -> bool:
        """Whether bit 31 is clear."""
        return not self.code & _ERROR_BIT

    @property
    def is_error(self) -> bool:
        """Whether bit 31 is set."""
        return self.code & _ERROR_BIT != 0

    @property
    def name(self) -> str:
        """`"success"`, the name of the error, or `"unknown error"`."""
        if self.is_success:
            return "success"
        return ERROR_NAMES.get(self.code & ~_ERROR_BIT, "unknown error")

    def raise_if_error(self) -> None:
        """Raise the error as an `RMCError`; do nothing for a success."""
        if self.is_error:
            raise RMCError(self.code)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a Result is immutable; {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a Result is immutable; {name} cannot be deleted")

    def __reduce__(self) -> tuple[type[Result], tuple[int]]:
        return (type(self), (self.code,))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Result):
            return NotImplemented
        return self.code == other.code

    def __hash__(self) -> int:
        return hash((Result, self.code))

    def __str__(self) -> str:
        return f"{self.name} (0x{self.code:08X})"

    def __repr__(self) -> str:
        return f"Result(0x{self.code:08X}, {self.name!r})"


class RMCError(Exception):
    """A call failed with a result code: raised by handlers and by calls that are answered so."""

    def __init__(self, name_or_code: str | int = "Core::Unknown") -> None:
        self.result: Final = Result.error(name_or_code)
        super().__init__(str(self.result))

    @property
    def code(self) -> int:
        """The code with bit 31 set."""
        return self.result.code

    @property
    def name(self) -> str:
        """The name of the error, or `"unknown error"`."""
        return self.result.name

    def __reduce__(self) -> tuple[type[RMCError], tuple[int]]:
        return (type(self), (self.result.code,))
