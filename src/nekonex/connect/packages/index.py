"""The index of a repository: which packages it has.

It is a JSON list of objects, or an object whose ``plugins`` is that list; nekonex writes the first
form and reads both. Each entry has ``name``, ``version``, ``greet``, ``sha256`` and ``file``, and
may have ``about``, ``home`` and ``icon``. Other keys are ignored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from packaging.version import InvalidVersion, Version

from nekonex.connect.packages.downloading import follow
from nekonex.connect.packages.errors import RepositoryError, UnsafeUrlError
from nekonex.connect.packages.limits import DEFAULT_LIMITS, PackageLimits

__all__ = ["IndexEntry", "RepositoryIndex", "parse_index", "version_key"]

MAX_TEXT: Final = 1000
"""Characters of a text of an entry."""
MAX_URL: Final = 2000
"""Characters of a URL of an entry."""

_REQUIRED: Final = ("name", "version", "greet", "sha256", "file")
_OPTIONAL: Final = ("about", "home", "icon")
_SHA256: Final = re.compile(r"[0-9a-fA-F]{64}")
_NUMBERS: Final = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class IndexEntry:
    """A package that a repository has."""

    name: str
    version: str
    greeter: str
    sha256: str
    """64 hexadecimal digits, lower case."""
    file: str
    """The URL of the package."""
    about: str = ""
    home: str = ""
    icon: str = ""
    repository: str = ""
    """The URL of the index that lists it."""


@dataclass(frozen=True, slots=True)
class RepositoryIndex:
    """What a repository has, and what of its index was left out."""

    entries: tuple[IndexEntry, ...]
    problem: str = ""
    """Why entries were left out; empty where none were."""


def parse_index(
    content: bytes, url: str, limits: PackageLimits = DEFAULT_LIMITS
) -> RepositoryIndex:
    """Return what the index at ``url`` lists; entries that are wrong are left out.

    Raises RepositoryError if it is no index at all.
    """
    try:
        listed = json.loads(content)
    except (ValueError, RecursionError):
        raise RepositoryError("its index is no JSON") from None
    if isinstance(listed, dict):
        listed = listed.get("plugins")
    if not isinstance(listed, list):
        raise RepositoryError('its index is neither a list nor an object with a list "plugins"')
    entries, problems = [], []
    for number, each in enumerate(listed[: limits.max_entries], 1):
        try:
            entries.append(_entry(each, url))
        except (ValueError, UnsafeUrlError) as error:
            problems.append(f"entry {number}: {error}")
    if len(listed) > limits.max_entries:
        problems.append(f"it lists more than {limits.max_entries}")
    left_out = len(listed) - len(entries)
    problem = (
        f"{left_out} of {len(listed)} entries are left out ({problems[0]})" if left_out else ""
    )
    return RepositoryIndex(tuple(entries), problem)


def version_key(version: str) -> tuple[bool, bool, Version, tuple[int, ...], str]:
    """Return what versions are compared by.

    They are compared as those of Python packages are. Final ones come after all pre-releases, so
    that the newest one is a pre-release only where there is nothing else. What is no such version
    comes before all that are; it goes by the numbers in it.
    """
    try:
        parsed = Version(version)
    except InvalidVersion:
        numbers = tuple(int(each[:18]) for each in _NUMBERS.findall(version)[:8])
        return False, False, Version("0"), numbers, version
    return True, not parsed.is_prerelease, parsed, (), ""


def _entry(value: Any, url: str) -> IndexEntry:
    if not isinstance(value, Mapping):
        raise ValueError("it is no object")  # noqa: TRY004 - wrong data, not a wrong call
    texts = {key: _text(value, key, needed=True) for key in _REQUIRED}
    texts |= {key: _text(value, key, needed=False) for key in _OPTIONAL}
    if not _SHA256.fullmatch(texts["sha256"]):
        raise ValueError('"sha256" is not 64 hexadecimal digits')
    return IndexEntry(
        name=texts["name"],
        version=texts["version"],
        greeter=texts["greet"],
        sha256=texts["sha256"].lower(),
        file=follow(url, texts["file"]),
        about=texts["about"],
        home=texts["home"],
        icon=texts["icon"],
        repository=url,
    )


def _text(value: Mapping[str, Any], key: str, *, needed: bool) -> str:
    text = value.get(key)
    if text is None and not needed:
        return ""
    limit = MAX_URL if key in {"file", "home", "icon"} else MAX_TEXT
    if not isinstance(text, str) or (needed and not text.strip()):
        raise ValueError(f'"{key}" is missing, or no text')
    if len(text) > limit:
        raise ValueError(f'"{key}" has more than {limit} characters')
    if any("\ud800" <= each <= "\udfff" for each in text):
        raise ValueError(f'"{key}" is no Unicode text')
    return text
