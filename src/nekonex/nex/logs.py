"""The log of who came, who went and who was turned away: one line each."""

from __future__ import annotations

import logging
from typing import Final

from nekonex.rmc import Session

__all__ = ["LOGGER_NAME", "login_logger", "where"]

LOGGER_NAME: Final = "nekonex.login"

login_logger: Final = logging.getLogger(LOGGER_NAME)


def where(client: Session, game: str, **more: object) -> dict[str, object]:
    """Return the keys that every line has, as ``extra`` for a logger.

    Never pass what must stay secret: passwords, keys, tokens, tickets.
    """
    host, port = client.remote_address
    return {
        "game": game,
        "pid": client.pid,
        "address": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
        "connection_id": client.id,
        **more,
    }
