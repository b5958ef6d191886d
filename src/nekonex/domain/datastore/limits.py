"""The named bounds of the data store."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

__all__ = [
    "MAX_META_BINARY",
    "MAX_NAME",
    "MAX_PERIOD",
    "MAX_RATING_SLOTS",
    "MAX_RECIPIENTS",
    "MAX_TAG",
    "MAX_TAGS",
    "DataStoreLimits",
]

# The protocol's own, as nex-protocols-go has them.
MAX_NAME: Final = 64
"""Characters of an object's name."""
MAX_META_BINARY: Final = 1024
"""Bytes of an object's meta binary."""
MAX_RECIPIENTS: Final = 100
"""Players whom a permission names."""
MAX_TAGS: Final = 16
"""Tags of an object."""
MAX_TAG: Final = 24
"""Characters of one tag."""
MAX_PERIOD: Final = 365
"""Days that an object may be kept; the least is 1."""
MAX_RATING_SLOTS: Final = 16
"""Rating slots of an object; their numbers are 0 to 15."""
MAX_EXTRA_DATA: Final = 6
"""Texts of extra data: platform, region and country, none of which is used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DataStoreLimits:
    """What one game's data store lets its players use."""

    max_object_size: int = 16 * 1024 * 1024
    """Bytes of one object's content."""
    max_objects: int = 1000
    """Objects of one player, unfinished ones too."""
    max_stored: int = 512 * 1024 * 1024
    """Bytes of all objects of one player together."""
    max_batch: int = 100
    """Objects that one request names."""
    max_small_batch: int = 16
    """Objects that one request posts or rates, and slots that it asks for."""
    max_results: int = 100
    """Objects that one search returns."""
    max_offset: int = 10_000
    """How far into the results a range may begin; there is nothing beyond."""
    max_data_types: int = 10
    """Data types that one search names."""
    max_owners: int = 300
    """Owners, or recipients, that one search names."""
    max_counted: int = 10_000
    """Up to which number the results of a search are counted; above it is a minimum."""
    unfinished_seconds: int = 3 * 3600
    """How long an upload may take from its announcement to its completion."""
    url_seconds: int = 15 * 60
    """How long the URL of an upload or download is good."""
    notification_url_seconds: int = 7 * 24 * 3600
    """How long the URL at which a console looks for notifications is good."""
    upkeep_seconds: float = 60.0
    """How often what has expired or was never finished is cleared away."""
    upkeep_batch: int = 500
    """Objects that are cleared away at a time."""

    def __post_init__(self) -> None:
        for each in fields(self):
            if getattr(self, each.name) <= 0:
                raise ValueError(f"{each.name} of the data store is more than 0")
