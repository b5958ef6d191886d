"""What a game may add to the rules of the data store."""

from __future__ import annotations

from nekonex.domain.datastore.model import StoredObject

__all__ = ["DataStoreHooks"]


class DataStoreHooks:
    """Override what differs; nothing here changes anything.

    Each may raise `nekonex.values.RMCError` to say what the console is told instead.
    """

    async def may_post(self, pid: int, stored: StoredObject) -> bool:  # noqa: ARG002
        """Tell whether a player may post an object; where it may not: OperationNotAllowed.

        Asked before the console is told where to upload; the protocol's own bounds were checked.
        """
        return True

    async def may_read(self, pid: int, stored: StoredObject) -> bool:  # noqa: ARG002
        """Tell whether a player may read an object that it is permitted to; else: NotFound."""
        return True

    async def may_rate(self, pid: int, stored: StoredObject, slot: int, value: int) -> bool:  # noqa: ARG002
        """Tell whether a player may rate an object so; where it may not: OperationNotAllowed."""
        return True
