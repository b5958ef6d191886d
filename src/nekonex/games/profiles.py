"""The title profiles that come with the package: one TOML file a game in `titles/`."""

import tomllib
from difflib import get_close_matches
from functools import cache
from importlib import resources
from typing import Any, Final

from nekonex.games.schema import GameIdentity, TitleProfile

__all__ = ["all_profiles", "closest", "load_profile", "profile_keys", "search", "slugs"]

_SUFFIX: Final = ".toml"


@cache
def slugs() -> tuple[str, ...]:
    """Return the names of all profiles, sorted."""
    folder = resources.files(__package__) / "titles"
    names = (entry.name for entry in folder.iterdir())
    return tuple(sorted(name.removesuffix(_SUFFIX) for name in names if name.endswith(_SUFFIX)))


@cache
def load_profile(slug: str) -> TitleProfile:
    """Return the profile of a title; KeyError if there is none of that name."""
    return TitleProfile.model_validate({"slug": slug, **_read(slug)})


def profile_keys(slug: str) -> dict[str, Any]:
    """Return what a profile sets of a game's configuration, as read from its file.

    Raise KeyError if there is no such profile.
    """
    return {key: value for key, value in _read(slug).items() if key in GameIdentity.model_fields}


def all_profiles() -> tuple[TitleProfile, ...]:
    """Return all profiles, sorted by name."""
    return tuple(load_profile(slug) for slug in slugs())


def search(text: str) -> tuple[TitleProfile, ...]:
    """Return the profiles whose name, title, platform, id or access key has every word.

    The comparison ignores case; an empty text finds all.
    """
    words = text.casefold().split()
    return tuple(
        profile for profile in all_profiles() if all(word in _haystack(profile) for word in words)
    )


def closest(text: str) -> tuple[str, ...]:
    """Return up to three profile names that someone who typed `text` may have meant."""
    near = get_close_matches(text.casefold().replace("_", "-"), slugs(), n=3)
    return tuple(near or [profile.slug for profile in search(text.replace("-", " "))[:3]])


def _haystack(profile: TitleProfile) -> str:
    parts = (
        profile.slug,
        profile.slug.replace("-", " "),
        profile.full_title,
        *profile.platforms,
        *profile.server_ids,
        *profile.title_ids,
        profile.access_key,
    )
    return "\n".join(parts).casefold()


def _read(slug: str) -> dict[str, Any]:
    # Membership first: a slug from a command line must never become a path.
    if slug not in slugs():
        raise KeyError(f"there is no title profile {slug!r}")
    file = resources.files(__package__) / "titles" / f"{slug}{_SUFFIX}"
    return tomllib.loads(file.read_text(encoding="utf-8"))
