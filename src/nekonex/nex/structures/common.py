"""Structures and version numbers that several protocols share."""

from __future__ import annotations

from typing import Final

from nekonex.wire import Data, Structure, UInt32, V

__all__ = ["LATE_MATCHMAKING", "Data", "NullData", "ResultRange"]

LATE_MATCHMAKING: Final = V("3.4", key="matchmaking")
"""Since when sessions have a progress score, criteria a number of vacant places,
notifications a third parameter, and creating and joining a participation count.

nex-protocols-go and the wiki of NintendoClients say 3.4. The 3.4 titles whose bytes are
known use the older forms, and NintendoClients' code says 3.5, so titles of 3.4 set their
matchmaking version to 3.3.0. The parameter of notifications follows the same number.
"""


class NullData(Data):
    """Nothing: the content of a data holder where no extra data is given."""


class ResultRange(Structure):
    """Which part of a list of results is wanted."""

    offset: UInt32 = 0
    size: UInt32 = 10
