"""Which structures travel in data holders."""

from __future__ import annotations

from typing import Final

from nekonex.nex.structures.authentication import (
    AccountExtraInfo,
    AuthenticationInfo,
    NintendoLoginData,
)
from nekonex.nex.structures.common import NullData
from nekonex.nex.structures.gathering import Gathering, PersistentGathering
from nekonex.nex.structures.matchmaking import MatchmakeSession
from nekonex.nex.structures.ranking import RankingCachedResult
from nekonex.wire import HolderRegistry, Structure

__all__ = ["default_holders", "register_gatherings"]

_GATHERINGS: Final[tuple[type[Structure], ...]] = (
    Gathering,
    MatchmakeSession,
    PersistentGathering,
)

_COMMON: Final[tuple[type[Structure], ...]] = (
    NullData,
    AuthenticationInfo,
    NintendoLoginData,
    AccountExtraInfo,
    *_GATHERINGS,
    RankingCachedResult,
)


def default_holders() -> HolderRegistry:
    """Return a new registry of the structures that common protocols put into data holders."""
    return HolderRegistry({cls.__name__: cls for cls in _COMMON})


def register_gatherings(holders: HolderRegistry) -> None:
    """Add the kinds of gatherings, except where a game has one of its own by that name."""
    for cls in _GATHERINGS:
        if cls.__name__ not in holders:
            holders.register(cls)
