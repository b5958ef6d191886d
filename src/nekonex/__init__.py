"""Private NEX game servers for Wii U and 3DS, and NekoConnect, in one process.

`nekonex.connect` is two things: the function that opens a session with a game server, and, once it
is imported, the package of NekoConnect, which can still be called like the function.
"""

import sys
from importlib import import_module
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
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

_HOMES: Final = {
    "DateTime": "nekonex.values",
    "Game": "nekonex.game",
    "GameServices": "nekonex.game",
    "Protocol": "nekonex.rmc",
    "RMCError": "nekonex.values",
    "Result": "nekonex.values",
    "Session": "nekonex.rmc",
    "StationURL": "nekonex.values",
    "connect": "nekonex.rmc.connector",
    "listen": "nekonex.rmc.listener",
    "method": "nekonex.rmc",
    "serve": "nekonex.rmc.listener",
}
"""Where each name is from. It is imported when it is asked for: a script that talks to a plugin
needs a fifth of the time and none of the game servers."""


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(_HOMES[name]), name)
    # Another thread may have imported the package nekonex.connect meanwhile, which is to stay.
    globals().setdefault(name, value)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


class _CallablePackage(ModuleType):
    """`nekonex.connect`, which the import system puts in the place of the function."""

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        """Open a session with a game server: `nekonex.rmc.connector.connect`."""
        return import_module("nekonex.rmc.connector").connect(*arguments, **named)


class _RootPackage(ModuleType):
    """This package."""

    def __setattr__(self, name: str, value: object) -> None:
        if name == "connect" and isinstance(value, ModuleType):
            value.__class__ = _CallablePackage
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _RootPackage
