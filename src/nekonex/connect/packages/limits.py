"""The named bounds of plugin packages."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

__all__ = ["DEFAULT_LIMITS", "PackageLimits"]

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageLimits:
    """What a package and a repository may cost. Times are in seconds, sizes in bytes."""

    max_package: int = 17 * MIB
    """The package itself: what it may unpack to, stored as it is, and the names."""
    max_unpacked: int = 16 * MIB
    """All files of a package."""
    max_files: int = 1000
    """Files of a package."""
    max_directory: int = MIB
    """The table of contents of a package."""
    max_index: int = 4 * MIB
    """A repository's index."""
    max_entries: int = 10_000
    """Packages that an index lists; of more the rest is left out."""
    stall_timeout: float = 15.0
    """How long another server may send nothing, or take to accept a connection."""
    download_timeout: float = 120.0
    """How long the download of a package may take in all."""
    index_timeout: float = 30.0
    """How long that of a repository's index may."""
    lock_timeout: float = 90.0
    """How long a command waits for another one that changes the same plugins."""

    def __post_init__(self) -> None:
        for each in fields(self):
            if getattr(self, each.name) <= 0:
                raise ValueError(f"{each.name} of packages is more than 0")


DEFAULT_LIMITS: Final = PackageLimits()
"""Those that hold where nothing else is said."""
