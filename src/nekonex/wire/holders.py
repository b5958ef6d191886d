"""Data holders: structures that travel with their name."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Self

from nekonex.wire.structure import Structure
from nekonex.wire.types import Holder

__all__ = ["AnyData", "HolderRegistry", "UnknownData"]


@dataclass(frozen=True, slots=True)
class UnknownData:
    """The content of a data holder whose name is not registered, kept as it came."""

    name: str
    payload: bytes


AnyData = Annotated[Structure | UnknownData, Holder()]
"""The content of a data holder: whatever structure its name stands for."""


class HolderRegistry:
    """Which structure a name in a data holder stands for.

    Every server has its own, so that two games whose structures differ but share a name
    live in one process.
    """

    __slots__ = ("_classes", "_names")

    def __init__(self, classes: Mapping[str, type[Structure]] | None = None) -> None:
        self._classes: dict[str, type[Structure]] = {}
        self._names: dict[type[Structure], str] = {}
        for name, cls in (classes or {}).items():
            self.register(cls, name)

    def register(self, cls: type[Structure], name: str | None = None) -> None:
        """Let `name`, by default the name of the class, stand for a structure.

        A name that is registered already gets the new meaning: so a game replaces a
        common structure by its own.
        """
        if not (isinstance(cls, type) and issubclass(cls, Structure)):
            raise TypeError(f"{cls!r} is not a Structure")
        name = cls.__name__ if name is None else name
        self._classes[name] = cls
        self._names[cls] = name

    def class_of(self, name: str) -> type[Structure] | None:
        """Return the structure that a name stands for, or None."""
        return self._classes.get(name)

    def name_of(self, cls: type[Structure]) -> str:
        """Return the name to write for a structure; TypeError if it was never registered."""
        try:
            return self._names[cls]
        except KeyError:
            raise TypeError(
                f"{cls.__name__} is not registered as the content of a data holder"
            ) from None

    def copy(self) -> Self:
        """Return an independent registry with the same names."""
        return type(self)(self._classes)

    def __contains__(self, name: object) -> bool:
        return name in self._classes
