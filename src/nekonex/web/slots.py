"""How many of something there may be at a time, in all and of one address."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator
from ipaddress import ip_address

__all__ = ["NoSlotError", "Slots"]


class NoSlotError(Exception):
    """All slots are taken."""


class Slots:
    """Counts who has a slot."""

    def __init__(self, in_all: int, per_address: int, *, limit_loopback: bool) -> None:
        self._in_all = in_all
        self._per_address = per_address
        self._limit_loopback = limit_loopback
        self._taken: Counter[str] = Counter()

    def __len__(self) -> int:
        return self._taken.total()

    @property
    def full(self) -> bool:
        """Whether all slots are taken."""
        return len(self) >= self._in_all

    def take(self, address: str) -> bool:
        """Take a slot, which has to be given back; False if there is none."""
        if self.full:
            return False
        limited = self._limit_loopback or not _is_loopback(address)
        if limited and self._taken[address] >= self._per_address:
            return False
        self._taken[address] += 1
        return True

    def give_back(self, address: str) -> None:
        """Give a slot back that was taken."""
        self._taken[address] -= 1
        if not self._taken[address]:
            del self._taken[address]

    @contextlib.contextmanager
    def taken(self, address: str) -> Iterator[None]:
        """Have a slot meanwhile; NoSlotError if there is none."""
        if not self.take(address):
            raise NoSlotError
        try:
            yield
        finally:
            self.give_back(address)


def _is_loopback(address: str) -> bool:
    try:
        return ip_address(address.partition("%")[0]).is_loopback
    except ValueError:
        return False
