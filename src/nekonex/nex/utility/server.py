"""The utility server: unique ids, and tables of settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from nekonex.domain import PlayerRegistry
from nekonex.domain.unique_ids import Refusal, UniqueId, UniqueIdError, UniqueIds
from nekonex.nex.callers import caller_pid
from nekonex.nex.structures import UniqueIdInfo
from nekonex.nex.utility.definition import Utility
from nekonex.rmc import Session
from nekonex.settings import Settings, SettingsSource
from nekonex.values import RMCError
from nekonex.wire import SInt32, String, UInt16, UInt32, UInt64

__all__ = ["REFUSAL_NAMES", "UtilityServer"]

REFUSAL_NAMES: Final[dict[Refusal, str]] = {
    Refusal.INVALID: "Core::InvalidArgument",
    Refusal.UNKNOWN: "Core::InvalidArgument",
    Refusal.DENIED: "Core::AccessDenied",
}
"""The name of the error for each refusal, as nex-protocols-common-go answers them."""

_NO_INTEGERS: Final[Mapping[int, Mapping[int, int]]] = MappingProxyType({})
_NO_STRINGS: Final[Mapping[int, Mapping[int, str]]] = MappingProxyType({})


class UtilityServer(Utility):
    """Serves the unique ids of a game's players, and settings that its operator chose.

    The settings are tables by their index; one that is not there is answered empty. With
    ``players`` only those are served who registered at the secure connection server.
    """

    def __init__(
        self,
        settings: SettingsSource,
        *,
        unique_ids: UniqueIds,
        players: PlayerRegistry | None = None,
        integer_settings: Mapping[int, Mapping[int, int]] = _NO_INTEGERS,
        string_settings: Mapping[int, Mapping[int, str]] = _NO_STRINGS,
    ) -> None:
        """Check and copy the settings; raises ValueError for a number that cannot be sent."""
        Settings.from_mapping(settings).transport()
        self.unique_ids = unique_ids
        self._players = players
        self._integers = {index: dict(table) for index, table in integer_settings.items()}
        self._strings = {index: dict(table) for index, table in string_settings.items()}
        for integers in self._integers.values():
            for key, value in integers.items():
                if not (0 <= key < 1 << 16 and -(1 << 31) <= value < 1 << 31):
                    raise ValueError(f"a setting has a key of 16 bits and a value of 32: {key}")
        for key in (key for strings in self._strings.values() for key in strings):
            if not 0 <= key < 1 << 16:
                raise ValueError(f"a setting has a key of 16 bits: {key}")

    # -- unique ids ------------------------------------------------------------------

    async def acquire_nex_unique_id(self, client: Session) -> UInt64:
        """Make a unique id without a password: whoever knows it may associate it."""
        pid = caller_pid(client, self._players)
        return (await self.unique_ids.acquire(pid, with_password=False)).value

    async def acquire_nex_unique_id_with_password(self, client: Session) -> UniqueIdInfo:
        """Make a unique id that its password proves."""
        pid = caller_pid(client, self._players)
        return _to_wire(await self.unique_ids.acquire(pid, with_password=True))

    async def associate_nex_unique_id_with_my_principal_id(
        self, client: Session, info: UniqueIdInfo
    ) -> None:
        """Make a unique id the caller's only one; with id 0 it has none.

        Raises RMCError, and changes nothing: Core::InvalidArgument for an id that there is not,
        Core::AccessDenied for another player's, and for a wrong password.
        """
        await self._associate(client, [info])

    async def associate_nex_unique_ids_with_my_principal_id(
        self, client: Session, infos: list[UniqueIdInfo]
    ) -> None:
        """Make unique ids the caller's, and no others; the first is the primary one.

        Raises RMCError as for one, and Core::InvalidArgument for too many and for doubles.
        """
        await self._associate(client, infos)

    async def get_associated_nex_unique_id_with_my_principal_id(
        self, client: Session
    ) -> UniqueIdInfo:
        """Return the caller's primary unique id; zeros if it has none."""
        return (await self._associated(client))[0]

    async def get_associated_nex_unique_ids_with_my_principal_id(
        self, client: Session
    ) -> list[UniqueIdInfo]:
        """Return the caller's unique ids, the primary one first.

        Who has none is answered one of zeros, as by nex-protocols-common-go.
        """
        return await self._associated(client)

    # -- settings --------------------------------------------------------------------

    async def get_integer_settings(self, client: Session, index: UInt32) -> dict[UInt16, SInt32]:
        """Return a table of numbers."""
        caller_pid(client, self._players)
        return self._integers.get(index, {})

    async def get_string_settings(self, client: Session, index: UInt32) -> dict[UInt16, String]:
        """Return a table of texts."""
        caller_pid(client, self._players)
        return self._strings.get(index, {})

    def error_of(self, error: Exception) -> Exception:
        """Return what a caller is answered: for a refusal of the domain, its code."""
        if isinstance(error, UniqueIdError):
            return RMCError(REFUSAL_NAMES[error.refusal])
        return error

    async def _associate(self, client: Session, infos: Sequence[UniqueIdInfo]) -> None:
        wanted = [UniqueId(info.unique_id, info.password) for info in infos]
        await self.unique_ids.associate(caller_pid(client, self._players), wanted)

    async def _associated(self, client: Session) -> list[UniqueIdInfo]:
        found = await self.unique_ids.of(caller_pid(client, self._players))
        return [_to_wire(each) for each in found] or [UniqueIdInfo()]


def _to_wire(unique_id: UniqueId) -> UniqueIdInfo:
    return UniqueIdInfo(unique_id.value, unique_id.password)
