"""Utility (protocol 110): unique ids, which name players independently of accounts, and settings.

Methods and fields as in NintendoClients' ``utility.py``. The protocol of this number before
NEX 3 is another one.
"""

from __future__ import annotations

from nekonex.nex.structures import UniqueIdInfo
from nekonex.rmc import Protocol, Session, method
from nekonex.wire import SInt32, String, UInt16, UInt32, UInt64

__all__ = ["Utility"]


class Utility(Protocol, id=110, key="utility"):
    """The protocol."""

    @method(1)
    async def acquire_nex_unique_id(self, client: Session) -> UInt64:
        """Make a unique id."""
        raise NotImplementedError

    @method(2)
    async def acquire_nex_unique_id_with_password(self, client: Session) -> UniqueIdInfo:
        """Make a unique id that its password proves."""
        raise NotImplementedError

    @method(3)
    async def associate_nex_unique_id_with_my_principal_id(
        self, client: Session, info: UniqueIdInfo
    ) -> None:
        """Make a unique id the caller's; id 0 makes none the caller's."""
        raise NotImplementedError

    @method(4)
    async def associate_nex_unique_ids_with_my_principal_id(
        self, client: Session, infos: list[UniqueIdInfo]
    ) -> None:
        """Make unique ids the caller's; the first is the primary one."""
        raise NotImplementedError

    @method(5)
    async def get_associated_nex_unique_id_with_my_principal_id(
        self, client: Session
    ) -> UniqueIdInfo:
        """Ask for the caller's primary unique id."""
        raise NotImplementedError

    @method(6)
    async def get_associated_nex_unique_ids_with_my_principal_id(
        self, client: Session
    ) -> list[UniqueIdInfo]:
        """Ask for the caller's unique ids, the primary one first."""
        raise NotImplementedError

    @method(7)
    async def get_integer_settings(self, client: Session, index: UInt32) -> dict[UInt16, SInt32]:
        """Ask for a table of numbers that the game's makers can change."""
        raise NotImplementedError

    @method(8)
    async def get_string_settings(self, client: Session, index: UInt32) -> dict[UInt16, String]:
        """Ask for a table of texts that the game's makers can change."""
        raise NotImplementedError
