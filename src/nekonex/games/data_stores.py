"""Data stores of titles whose NEX version had fewer methods than the common server.

A title's own methods come right after those of its version: 39 in NEX 3.3, 42 in 3.5, 44 from 3.6
on and 46 from 3.10 on, as the nintendo-wiki has them. What a title means by such a number must not
be taken for what later versions mean by it: it is answered with Core::NotImplemented.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from nekonex.games.mario_kart_8 import MarioKart8DataStoreServer
from nekonex.nex.datastore import DataStoreServer

__all__ = [
    "DATA_STORES",
    "DataStoreServer33",
    "DataStoreServer35",
    "DataStoreServer36",
    "SuperMarioMakerDataStoreServer",
]


class SuperMarioMakerDataStoreServer(DataStoreServer):
    """The data store as Super Mario Maker has it: 45 is the later version's, 46 its own."""

    search_object_light: Any = None


class DataStoreServer36(SuperMarioMakerDataStoreServer):
    """The 44 methods of NEX 3.6."""

    get_object_infos: Any = None


class DataStoreServer35(DataStoreServer36):
    """The 42 methods of NEX 3.5."""

    rate_object_with_posting: Any = None
    rate_objects_with_posting: Any = None


class DataStoreServer33(DataStoreServer35):
    """The 39 methods of NEX 3.3."""

    rate_objects: Any = None
    post_meta_binary_with_data_id: Any = None
    post_meta_binaries_with_data_id: Any = None


DATA_STORES: Final[Mapping[str, type[DataStoreServer]]] = MappingProxyType(
    {
        "badge-arcade": DataStoreServer36,
        "mario-kart-8": MarioKart8DataStoreServer,
        "pokemon-bank": DataStoreServer33,
        "pokemon-gen6": DataStoreServer33,
        "smash-4": DataStoreServer36,
        "super-mario-maker": SuperMarioMakerDataStoreServer,
        "xenoblade-x": DataStoreServer35,
    }
)
"""The server of protocol 115 for titles that have methods of their own there, by the variant's
name in the profile; all others have the common one."""
