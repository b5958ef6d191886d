"""Private NEX game servers for Wii U and 3DS, and NekoConnect, in one process."""

from nekonex.game import Game, GameServices
from nekonex.rmc import Protocol, Session, method
from nekonex.rmc.connector import connect
from nekonex.rmc.listener import listen, serve
from nekonex.values import DateTime, Result, RMCError, StationURL

__all__ = [
    "DateTime",
    "Game",
    "GameServices",
    "Protocol",
    "RMCError",
    "Result",
    "Session",
    "StationURL",
    "__version__",
    "connect",
    "listen",
    "method",
    "serve",
]

__version__ = "0.1.0"
