"""The table of the title profiles."""

from __future__ import annotations

from collections.abc import Iterator

from docs._gen.tables import table
from nekonex.games.profiles import all_profiles

__all__ = ["title_table"]


def title_table() -> Iterator[str]:
    """Yield the table."""
    yield from table(
        ("profile", "game", "platform", "NEX"),
        (
            (
                f"`{profile.slug}`",
                profile.full_title,
                ", ".join(profile.platforms),
                profile.nex_version,
            )
            for profile in all_profiles()
        ),
    )
