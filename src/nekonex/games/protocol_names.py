"""The names that profiles use for protocols, and which titles have methods of their own.

Ids and variants are facts from PretendoNetwork/nex-protocols-go and from
PretendoNetwork/nintendo-wiki. Two names may share an id: NEX before 3.0 has
StorageManager and the legacy Ranking where later versions have Utility and Ranking.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

__all__ = ["PROTOCOL_IDS", "PROTOCOL_VARIANTS"]

PROTOCOL_IDS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "nat_traversal": 0x03,
        "secure_connection": 0x0B,
        "match_making": 0x15,
        "account_management": 0x19,
        "message_delivery": 0x1B,
        "match_making_ext": 0x32,
        "nintendo_notifications": 0x64,
        "friends_3ds": 0x65,
        "friends_wiiu": 0x66,
        "matchmake_extension": 0x6D,
        "storage_manager": 0x6E,
        "utility": 0x6E,
        "legacy_ranking": 0x70,
        "ranking": 0x70,
        "datastore": 0x73,
        "subscription": 0x75,
        "rating": 0x76,
        "service_item": 0x77,
        "matchmake_referee": 0x78,
        "shop": 0xC8,
    }
)

PROTOCOL_VARIANTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "datastore": frozenset(
            {
                "badge-arcade",
                "mario-kart-8",
                "pokemon-bank",
                "pokemon-gen6",
                "pokemon-gen7",
                "smash-4",
                "super-mario-maker",
                "xenoblade-x",
            }
        ),
        "legacy_ranking": frozenset({"mario-kart-7"}),
        "matchmake_extension": frozenset(
            {
                "mario-kart-8",
                "monster-hunter-xx",
                "pokemon-gen6",
                "pokemon-gen7",
                "smash-4",
                "xenoblade-x",
            }
        ),
        "ranking": frozenset({"mario-kart-8", "smash-4", "splatoon", "xenoblade-x"}),
        "secure_connection": frozenset({"badge-arcade"}),
        "service_item": frozenset({"team-kirby-clash", "wii-sports-club"}),
        "shop": frozenset({"badge-arcade"}),
        "subscription": frozenset({"pokemon-gen7", "xenoblade-x"}),
    }
)
