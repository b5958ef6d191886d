"""What user names are: how they compare, and when one is really a principal id."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["NAME_LIMIT", "name_key", "name_problem", "pid_of_name"]

NAME_LIMIT = 63
"""Most characters of an account's name."""

_PID = re.compile(r"[1-9][0-9]{0,19}", re.ASCII)


def name_key(name: str) -> str:
    """Return the form in which two names are the same user: case and width do not count."""
    return unicodedata.normalize("NFKC", name).casefold()


def pid_of_name(name: str) -> int | None:
    """Return the principal id that a console's user name is, or None for any other name.

    Consoles log in with their principal id in plain decimal; signs, spaces, leading zeros and
    digits of other scripts are not that, so every user has exactly one such name.
    """
    return int(name) if _PID.fullmatch(name) else None


def name_problem(name: str) -> str | None:
    """Say in one sentence why ``name`` cannot be an account's name, or return None."""
    if not name:
        return "a name must not be empty"
    if len(name) > NAME_LIMIT:
        return f"a name has at most {NAME_LIMIT} characters, this one has {len(name)}"
    if not name.isprintable() or name != name.strip():
        return "a name has no control characters and no spaces around it"
    if unicodedata.normalize("NFKC", name).isdigit():
        return "a name of digits only would be taken for a PID"
    return None
