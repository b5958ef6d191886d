"""The chapters of the demo, in the order in which they are told.

A chapter is a module with an ``async def play(stage)`` and a ``CHAPTER``; each thing that it
tries is a ``with stage.step(title, expectation) as step``.
"""

from typing import Final

from nekonex.demo.chapter import Chapter
from nekonex.demo.chapters import (
    addresses,
    calls,
    communities,
    full_house,
    ghost,
    guest,
    leaderboard,
    maintenance,
    nekoconnect,
    nobody_found,
    private_room,
    refusals,
    report,
    rooms,
    second_login,
    vanishing,
)

__all__ = ["CHAPTERS"]

CHAPTERS: Final[tuple[Chapter, ...]] = (
    guest.CHAPTER,
    full_house.CHAPTER,
    refusals.CHAPTER,
    addresses.CHAPTER,
    report.CHAPTER,
    calls.CHAPTER,
    second_login.CHAPTER,
    vanishing.CHAPTER,
    rooms.CHAPTER,
    private_room.CHAPTER,
    communities.CHAPTER,
    nobody_found.CHAPTER,
    leaderboard.CHAPTER,
    ghost.CHAPTER,
    maintenance.CHAPTER,
    nekoconnect.CHAPTER,
)
