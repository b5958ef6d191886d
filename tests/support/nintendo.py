"""NintendoClients as the console: its settings from ours, and its login."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

from nintendo.nex import backend, settings

from nekonex.settings import Settings
from tests.support.login import PLAYERS, Game

__all__ = ["console", "nintendo_settings", "refusal"]


def nintendo_settings(own: Settings) -> Any:
    """Return NintendoClients' settings object with the same values."""
    result = settings.default()
    for key, value in own.as_dict().items():
        if key not in {"prudp.legacy_signature", "prudp.silence_timeout", "nex.versions"}:
            result[key] = value
    if own["prudp.version"] == 0:
        # It goes by the negotiated minor version, and v0 negotiates none.
        result["nex.struct_header"] = own.struct_header
    return result


@contextlib.asynccontextmanager
async def console(
    game: Game,
    name: str = "1000",
    password: str | None = PLAYERS[1000],
    auth_info: Any = None,
    *,
    own: Settings | None = None,
) -> AsyncIterator[Any]:
    """Log in at a game as a console does; the value is its connection to the secure server."""
    theirs = nintendo_settings(game.settings if own is None else own)
    async with (
        backend.connect(theirs, *game.auth.address) as client,
        client.login(name, password, auth_info) as session,
    ):
        yield session


async def refusal(
    game: Game, name: str = "1000", password: str | None = PLAYERS[1000], auth_info: Any = None
) -> str:
    """Return why a console cannot log in; it says goodbye to the authentication server."""
    async with backend.connect(nintendo_settings(game.settings), *game.auth.address) as client:
        try:
            async with client.login(name, password, auth_info):
                return "no error"
        except Exception as error:  # noqa: BLE001
            return str(error)
