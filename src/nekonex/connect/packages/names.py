"""Names of files and folders that are good, and mean the same, on every system."""

from __future__ import annotations

import unicodedata
from typing import Final
from urllib.parse import quote

from nekonex.connect.packages.errors import InstallError, UnsafePathError

__all__ = ["MAX_DEPTH", "MAX_NAME", "MAX_PATH", "PathSet", "check_path", "folder_name", "quoted"]

MAX_PATH: Final = 240
"""Bytes of a path in a package; Windows has room for 260 characters together with the folder."""
MAX_DEPTH: Final = 16
"""Folders and the file of a path in a package."""
MAX_NAME: Final = 255
"""Bytes of one name; what the common file systems have room for."""

_SHOWN: Final = 100
_FORBIDDEN: Final = frozenset('<>:"|?*\\/')
_DEVICES: Final = frozenset(
    {"con", "prn", "aux", "nul", "conin$", "conout$", "clock$"}
    | {f"{port}{number}" for port in ("com", "lpt") for number in "123456789¹²³"}
)
_UNSEEN: Final = frozenset({"Cc", "Cs", "Zl", "Zp"})


def check_path(path: str) -> None:
    """Raise UnsafePathError for what may be no path of a file in a package."""
    problem = _problem_of_path(path)
    if problem:
        raise UnsafePathError(f"{quoted(path)} cannot be in a package: {problem}")


def quoted(path: str) -> str:
    """Return a path for an error, in quotes, on one line and not too long."""
    return repr(path if len(path) <= _SHOWN else f"{path[:_SHOWN]}…")


def folder_name(greeter: str) -> str:
    """Return the name of the folder that a plugin with this greeter is installed in.

    It is the greeter, with percent signs and hexadecimal digits for the bytes of what no file
    name may have everywhere; so no two greeters have the same. Raises InstallError where there
    can be no folder, as the name would be too long.
    """
    if not greeter:
        raise InstallError("a greeter has at least one character")
    if not unicodedata.is_normalized("NFC", greeter):
        # Some systems would hand out another spelling of the name than they were given.
        name = quote(greeter, safe="")
    else:
        name = "".join(quote(each, safe="") if _needs_code(each) else each for each in greeter)
    if name[0] == "." or _is_device(name):
        name = f"%{ord(name[0]):02X}{name[1:]}"
    if name[-1] in ". ":
        name = f"{name[:-1]}%{ord(name[-1]):02X}"
    if len(name.encode()) > MAX_NAME:
        raise InstallError(
            f"the greeter {quoted(greeter)} makes the name of its folder longer than "
            f"{MAX_NAME} bytes"
        )
    return name


class PathSet:
    """The paths of one package; none may be another one on a system that ignores case."""

    def __init__(self) -> None:
        self._taken: dict[str, tuple[str, bool]] = {}

    def add(self, path: str) -> None:
        """Add the path of a file; UnsafePathError where there is something in its way."""
        parts = path.split("/")
        for count in range(1, len(parts)):
            self._enter("/".join(parts[:count]), is_file=False)
        self._enter(path, is_file=True)

    def _enter(self, path: str, *, is_file: bool) -> None:
        key = unicodedata.normalize("NFC", unicodedata.normalize("NFC", path).casefold())
        if key not in self._taken:
            self._taken[key] = path, is_file
            return
        other, other_is_file = self._taken[key]
        if other != path:
            raise UnsafePathError(
                f"{quoted(other)} and {quoted(path)} are the same where case does not count"
            )
        if is_file != other_is_file:
            raise UnsafePathError(f"{quoted(path)} is both a file and a folder of the package")
        if is_file:
            raise UnsafePathError(f"{quoted(path)} is in the package twice")


def _problem_of_path(path: str) -> str:
    if any(unicodedata.category(each) in _UNSEEN for each in path):
        return "its name has control characters"
    if "\\" in path:
        return "its path has a backslash"
    if path.startswith("/"):
        return "its path is absolute"
    if len(path.encode()) > MAX_PATH:
        return f"its path is longer than {MAX_PATH} bytes"
    parts = path.split("/")
    if len(parts) > MAX_DEPTH:
        return f"it is deeper than {MAX_DEPTH} folders"
    return next(filter(None, map(_problem_of_name, parts)), "")


def _problem_of_name(name: str) -> str:
    if not name:
        return "a part of its path is empty"
    if name in {".", ".."}:
        return "its path leaves the folder" if name == ".." else "its path has a dot for a folder"
    for each in name:
        if each in _FORBIDDEN:
            return f"its path has a {each}, which Windows does not allow"
    if name[-1] in ". ":
        return "a name ends with a dot or a blank, which Windows does not allow"
    if _is_device(name):
        return f"{name} is the name of a device on Windows"
    return ""


def _needs_code(character: str) -> bool:
    return character == "%" or character in _FORBIDDEN or not character.isprintable()


def _is_device(name: str) -> bool:
    return name.partition(".")[0].rstrip(" ").casefold() in _DEVICES
