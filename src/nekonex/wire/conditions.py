"""When a field is on the wire: conditions on the NEX version and the structure revision.

`V("3.6")` holds from NEX 3.6 on, `Rev(1)` from revision 1 of the structure on; `&` and
`|` combine them. A condition is asked two questions about a version:

- `need(version)`: which revision must a structure have so that the field is in it? That
  is what a writer does: it writes every field of its version, and the revision that
  announces them.
- `floor(version)`: from which received revision on may the field be there? Where a
  version says that the field exists, an older revision does not deny it (servers of the
  field often leave the revision at 0), so `V("3.6") & Rev(1)` has floor 0 from 3.6 on. A
  bare `Rev(1)` has floor 1. Without structure headers no revision is sent, and a field
  is there if its floor is 0.

Both answer None for "never".
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass

from nekonex.settings import Version, format_version, parse_version

__all__ = ["Condition", "Rev", "V"]

VersionOf = Callable[[str | None], Version]
"""Gives the version for a key, the structure's own for None."""


class Condition(ABC):
    """Whether a field exists, as far as version and revision decide."""

    __slots__ = ()

    @abstractmethod
    def need(self, version_of: VersionOf, /) -> int | None:
        """Return the revision that a structure with the field is written with, or None."""

    @abstractmethod
    def floor(self, version_of: VersionOf, /) -> int | None:
        """Return the lowest received revision that may have the field, or None."""

    def __and__(self, other: Condition) -> Condition:
        return _All(self, other)

    def __or__(self, other: Condition) -> Condition:
        return _Any(self, other)


@dataclass(frozen=True, slots=True, init=False)
class V(Condition):
    """From a NEX version on: `V("3.6")`, `V((3, 6, 0))`.

    The version compared is that of the structure's key; `key` names another one of the
    per-protocol versions.
    """

    version: Version
    key: str | None

    def __init__(self, version: str | tuple[int, ...], key: str | None = None) -> None:
        object.__setattr__(self, "version", parse_version(version))
        object.__setattr__(self, "key", key)

    def holds(self, version_of: VersionOf) -> bool:
        """Tell whether the version is this one or a later one."""
        return version_of(self.key) >= self.version

    def need(self, version_of: VersionOf, /) -> int | None:
        """Return 0 from the version on."""
        return 0 if self.holds(version_of) else None

    def floor(self, version_of: VersionOf, /) -> int | None:
        """Return 0 from the version on."""
        return 0 if self.holds(version_of) else None

    def __str__(self) -> str:
        return f"NEX {format_version(self.version)}"


@dataclass(frozen=True, slots=True)
class Rev(Condition):
    """From a structure revision on: `Rev(1)`."""

    revision: int

    def __post_init__(self) -> None:
        if not 1 <= self.revision <= 255:
            raise ValueError(f"a revision is 1 to 255, not {self.revision}")

    def need(self, _version_of: VersionOf, /) -> int | None:
        """Return the revision."""
        return self.revision

    def floor(self, _version_of: VersionOf, /) -> int | None:
        """Return the revision."""
        return self.revision

    def __str__(self) -> str:
        return f"revision {self.revision}"


@dataclass(frozen=True, slots=True)
class _All(Condition):
    left: Condition
    right: Condition

    def need(self, version_of: VersionOf, /) -> int | None:
        left, right = self.left.need(version_of), self.right.need(version_of)
        return None if left is None or right is None else max(left, right)

    def floor(self, version_of: VersionOf, /) -> int | None:
        left, right = self.left.floor(version_of), self.right.floor(version_of)
        return None if left is None or right is None else min(left, right)

    def __str__(self) -> str:
        return f"{self.left} and {self.right}"


@dataclass(frozen=True, slots=True)
class _Any(Condition):
    left: Condition
    right: Condition

    def need(self, version_of: VersionOf, /) -> int | None:
        return _least(self.left.need(version_of), self.right.need(version_of))

    def floor(self, version_of: VersionOf, /) -> int | None:
        return _least(self.left.floor(version_of), self.right.floor(version_of))

    def __str__(self) -> str:
        return f"({self.left}) or ({self.right})"


def _least(left: int | None, right: int | None) -> int | None:
    if left is None or right is None:
        return right if left is None else left
    return min(left, right)
