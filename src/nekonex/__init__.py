"""Private NEX game servers for Wii U and 3DS, and NekoConnect, in one process.

`nekonex.connect` is two things: the function that opens a session with a game server, and, once it
is imported, the package of NekoConnect, which can still be called like the function.
"""

import sys
from types import ModuleType
from typing import Any

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


class _CallablePackage(ModuleType):
    """`nekonex.connect`, which the import system puts in the place of the function."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Open a session with a game server: `nekonex.rmc.connector.connect`."""
        return _connect_to_game(*arguments, **named)


class _RootPackage(ModuleType):
    """This package."""

    def __setattr__(self, name: str, value: object) -> None:
        if name == "connect" and isinstance(value, ModuleType):
            value.__class__ = _CallablePackage
        super().__setattr__(name, value)


_connect_to_game = connect
sys.modules[__name__].__class__ = _RootPackage
