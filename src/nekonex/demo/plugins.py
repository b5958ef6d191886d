"""NekoConnect in the demo: which plugins run, and what is sent to them."""

import json
from pathlib import Path
from typing import Any, Final

from nekonex.app import Server
from nekonex.connect import Client

__all__ = [
    "PLUGINS",
    "client_of",
    "enter_room",
    "next_board",
    "next_line",
    "plugin_folders",
    "say",
    "watch_board",
]

PLUGINS: Final = ("chat", "scoreboard")
"""The example plugins that the demo's server runs."""

_PACKAGED: Final = Path(__file__).parent / "example_plugins"
"""Where they are in an installed package."""
_CLONE: Final = Path(__file__).parents[3] / "examples" / "plugins"
"""Where they are in a clone."""

_CHAT, _SCOREBOARD = PLUGINS
_SAID, _NICK, _JOINED, _HISTORY = 1, 2, 3, 7
_BOARD = 1


def plugin_folders() -> list[Path]:
    """Return the folders of the plugins."""
    root = _PACKAGED if _PACKAGED.is_dir() else _CLONE
    return [root / name for name in PLUGINS]


def client_of(server: Server, password: str | None = None) -> Client:
    """Return a client for the demo's server, with another password if wanted; not connected."""
    connect = server.connect
    if connect is None:
        raise ConnectionError("NekoConnect is off")
    host, port = connect.address
    return Client(host, port, (connect.password or "") if password is None else password)


async def enter_room(client: Client, nick: str, room: str) -> list[str]:
    """Chat under a nickname in a room; return what was said there before, ``NICK: TEXT``."""
    await client.send(_CHAT, _NICK, nick.encode())
    await client.send(_CHAT, _JOINED, room.encode())
    async for message in client:
        if message.op == _JOINED and message.data.decode() == f"{nick} {room}":
            break
    async for message in client:
        if message.op == _HISTORY:
            return [line.partition(" ")[2] for line in message.data.decode().splitlines()]
    raise ConnectionError("the server has closed the connection")


async def say(client: Client, text: str) -> None:
    """Say something in the room that a client is in."""
    await client.send(_CHAT, _SAID, text.encode())


async def next_line(client: Client) -> str:
    """Return what is said next in the room: ``NICK: TEXT``."""
    while True:
        message = await client.recv()
        if message.op == _SAID:
            return message.data.decode()


async def watch_board(client: Client, game: str, category: int) -> list[dict[str, Any]]:
    """Watch a leaderboard; return the scores that there are, the best first."""
    request = json.dumps({"game": game, "category": category}).encode()
    return _scores((await client.request(_SCOREBOARD, _BOARD, request)).data)


async def next_board(client: Client) -> list[dict[str, Any]]:
    """Return the scores as soon as others are pushed."""
    return _scores((await client.recv()).data)


def _scores(data: bytes) -> list[dict[str, Any]]:
    scores: list[dict[str, Any]] = json.loads(data)["scores"]
    return scores
