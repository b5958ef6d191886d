"""Under which keys contents are published."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, Final

from nekonex.domain.callbacks import call_user
from nekonex.domain.datastore.files import valid_key

__all__ = ["NOTIFICATIONS", "KeyOfClient", "KeyOfPlayer", "ObjectKeys"]

NOTIFICATIONS: Final = "notifications/"
"""What the keys of the files begin with by which players learn of notifications."""

KeyOfClient = Callable[[Any, Any, int, int], str | Awaitable[str]]
"""``key(database, client, persistence_id, object_id)``; ``client`` is who posts the object: its
``pid()`` is its principal id."""

KeyOfPlayer = Callable[[Any, int, int, int], str | Awaitable[str]]
"""``key(database, pid, persistence_id, object_id)``, for where there is no client."""


class ObjectKeys:
    """Asks a game's callbacks, plain or coroutine functions, for an object's published key.

    ``database`` is handed to them as it is. Without any, objects are ``objects/<data id>.bin``.
    ``persistence_id`` is 65535 for an object that is not for a persistence slot.
    """

    def __init__(
        self,
        by_client: KeyOfClient | None = None,
        by_player: KeyOfPlayer | None = None,
        database: object = None,
    ) -> None:
        self._by_client = by_client
        self._by_player = by_player
        self._database = database

    async def find(self, pid: int, client: object, persistence_id: int, data_id: int) -> str:
        """Return the key of an object; ``client`` is None where nobody is connected.

        Raises what the callback raises, and ValueError for a key that is none; ``~`` is kept for
        contents that are not published, `NOTIFICATIONS` for the server's own files.
        """
        if self._by_client is not None and client is not None:
            key = await call_user(self._by_client, self._database, client, persistence_id, data_id)
        elif self._by_player is not None:
            key = await call_user(self._by_player, self._database, pid, persistence_id, data_id)
        else:
            return f"objects/{data_id}.bin"
        if not (isinstance(key, str) and valid_key(key)) or _is_kept(key):
            raise ValueError(f"{key!r} cannot be the key of an object")
        return key


def _is_kept(key: str) -> bool:
    """Tell whether the server has another use for a key; not every disk tells case apart."""
    return "~" in key or key.casefold().startswith(NOTIFICATIONS)
