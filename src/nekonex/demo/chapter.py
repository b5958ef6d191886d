"""What a chapter is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from nekonex.demo.stage import Stage

__all__ = ["Chapter"]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the story: a title, a sentence about it, and what is played."""

    title: str
    about: str
    play: Callable[[Stage], Awaitable[None]]
    limit: float = 10.0
    """Seconds after which it has failed."""
    begin: Callable[[Stage], Awaitable[None]] | None = None
    """Begins what is to go on already before the first chapter."""
    narrated: bool = True
    """Whether what the server logs meanwhile is told too."""
