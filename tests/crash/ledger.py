"""What players were told, and what may therefore be found after a crash."""

from __future__ import annotations

import hashlib
import random
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Generic, TypeVar

__all__ = ["Content", "Ledger", "StoredFile", "Told"]

_T = TypeVar("_T")


@dataclass
class Told(Generic[_T]):
    """What a value may be: the one that was acknowledged last, or one that was sent since."""

    possible: list[_T] = field(default_factory=list)
    acknowledged: bool = False

    def ask(self, value: _T) -> None:
        """Note that a value was sent."""
        self.possible.append(value)

    def settle(self, value: _T) -> None:
        """Note that the server has this value for sure."""
        self.possible = [value]
        self.acknowledged = True

    def allows(self, found: _T | None) -> bool:
        """Tell whether this may be found; None is nothing."""
        return found in self.possible if found is not None else not self.acknowledged


@dataclass(frozen=True)
class Content:
    """The content of one version of an object, made anew from its seed when it is wanted."""

    seed: int
    size: int

    def content(self) -> bytes:
        """Return the content."""
        return random.Random(self.seed).randbytes(self.size)

    def is_in(self, data: bytes) -> bool:
        """Tell whether this is what somebody was given."""
        digest = hashlib.sha256(data).digest()
        return len(data) == self.size and digest == hashlib.sha256(self.content()).digest()


@dataclass
class StoredFile:
    """An object, as its owner knows it.

    ``possible`` are the contents that it may have: the one that was acknowledged last, and those
    whose completion was asked for and never answered.
    """

    data_id: int
    owner: str
    possible: list[Content]
    acknowledged: bool = False
    """Whether its first completion was answered."""
    deleting: bool = False
    """Whether somebody asked to delete it, and was not answered."""
    rated: int = 0
    """Sum of the ratings that were answered."""
    rating: int = 0
    """Sum of the ratings that were asked for, answered or not."""

    def settled(self, content: Content) -> None:
        """Note that the server acknowledged a content: no other one is possible any more."""
        self.possible = [content]
        self.acknowledged = True


@dataclass
class Ledger:
    """All that was acknowledged, and all that was asked for and never answered."""

    scores: defaultdict[tuple[str, int], Told[int]] = field(
        default_factory=lambda: defaultdict(Told)
    )
    """By player and category."""
    names: defaultdict[str, Told[bytes]] = field(default_factory=lambda: defaultdict(Told))
    """The common data, by player."""
    files: dict[int, StoredFile] = field(default_factory=dict)
    deleted: set[int] = field(default_factory=set)
    operations: int = 0
    """How much was acknowledged."""

    def of(self, owner: str) -> list[StoredFile]:
        """Return the objects of a player that others may see."""
        return [
            each
            for each in self.files.values()
            if each.owner == owner and each.acknowledged and not each.deleting
        ]

    def remove(self, data_id: int) -> None:
        """Note that an object is gone for good."""
        del self.files[data_id]
        self.deleted.add(data_id)

    def crashed(self, gone: Iterable[int]) -> None:
        """Forget what turned out not to be there, and need not be, after a crash."""
        for data_id in gone:
            self.remove(data_id)
