"""Utility (protocol 110)."""

from nekonex.nex.utility.definition import Utility
from nekonex.nex.utility.server import REFUSAL_NAMES, UtilityServer

__all__ = ["REFUSAL_NAMES", "Utility", "UtilityServer"]
