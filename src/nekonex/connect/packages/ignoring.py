"""Which files of a folder go into its package."""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Final

from pathspec import GitIgnoreSpec, Pattern

from nekonex.connect.packages.errors import BuildError, NotPlainFileError, TooManyFilesError
from nekonex.connect.packages.names import check_path, quoted
from nekonex.connect.plugins import CONFIG_FILE, is_server_data

__all__ = ["BUILD_FOLDER", "package_files"]

BUILD_FOLDER: Final = "build"
"""The folder, in that of the plugin, that packages are written to."""

_IGNORE_FILE: Final = ".gitignore"
_LEFT_OUT_FOLDERS: Final = frozenset({"__pycache__", "tests"})
_TEST_FILE: Final = re.compile(r"test_.*\.py|.*_test\.py|conftest\.py")

_CHARACTER_CLASS: Final = re.compile(r"\[[^\]]*\[:\w+:\]")
_ALL_FOLDERS: Final = re.compile(r"/\*\*/(?= *$)")
"""The end of a pattern for all folders in a folder."""

_Rules = tuple[tuple[str, GitIgnoreSpec], ...]
"""What the .gitignore files say from the top to here, each with the path of its folder."""


def package_files(folder: Path, always: Collection[str], limit: int) -> list[str]:
    """Return the paths, in the folder, of what belongs into its package, in their order.

    Left out is what begins with a dot, ``build/`` at the top, ``__pycache__/``, tests (``tests/``,
    ``test_*.py``, ``*_test.py``, ``conftest.py``), what a server keeps there (``nekonex.toml``
    and its data directory, with passwords in both) and what the .gitignore files of the folder
    name, but nothing of ``always``. Raises NotPlainFileError for a link, UnsafePathError for a
    name that is not good everywhere, TooManyFilesError above ``limit``, BuildError for the data
    directory itself, OSError.
    """
    if is_server_data(folder):
        raise BuildError(f"{folder} is the data directory of a server, which is nobody else's")
    found = []
    for path in _walk(folder, "", (), frozenset(always)):
        found.append(path)
        if len(found) > limit:
            raise TooManyFilesError(f"{folder} has more than {limit} files for a package")
    return sorted(found)


def _walk(root: Path, prefix: str, rules: _Rules, always: frozenset[str]) -> Iterator[str]:
    own = _read_rules(root / prefix / _IGNORE_FILE)
    if own is not None:
        rules = (*rules, (prefix, own))
    with os.scandir(root / prefix) as entries:
        listed = sorted(entries, key=lambda entry: entry.name)
    for entry in listed:
        path = f"{prefix}{entry.name}"
        is_folder = entry.is_dir(follow_symlinks=False)
        if path not in always and _is_left_out(entry.name, prefix, rules, is_folder=is_folder):
            continue
        if is_folder and is_server_data(root / path):
            continue
        check_path(path)
        if is_folder:
            yield from _walk(root, f"{path}/", rules, always)
        elif entry.is_file(follow_symlinks=False):
            yield path
        else:
            what = "a link" if entry.is_symlink() else "no plain file"
            raise NotPlainFileError(f"{root / path} is {what}, and a package has only files")


def _is_left_out(name: str, prefix: str, rules: _Rules, *, is_folder: bool) -> bool:
    if name.startswith("."):
        return True
    if is_folder and (name in _LEFT_OUT_FOLDERS or (name == BUILD_FOLDER and not prefix)):
        return True
    if not is_folder and (name == CONFIG_FILE or _TEST_FILE.fullmatch(name)):
        return True
    return _is_ignored(f"{prefix}{name}/" if is_folder else f"{prefix}{name}", rules)


def _is_ignored(path: str, rules: Sequence[tuple[str, GitIgnoreSpec]]) -> bool:
    """Tell whether .gitignore files name a path; of several the nearest one counts."""
    for prefix, spec in reversed(rules):
        inside = path.removeprefix(prefix)
        for pattern in reversed(spec.patterns):
            if pattern.include is not None and _names(pattern, inside):
                return pattern.include
    return False


def _names(pattern: Pattern, path: str) -> bool:
    """Tell whether a pattern means a path itself; that of a folder ends with a slash.

    `pathspec` takes all that is in a folder for named with it, even by ``!/src``. For git, and for
    whoever walks from folder to folder as we do, ``!/src`` takes nothing back but the folder.
    """
    found = pattern.match_file(path)
    if found is None:
        return False
    # The only group of a pattern is the slash behind a folder that it names; all of ``*/`` is that.
    if found.match.lastindex:
        behind = path.rfind("/") if found.match.start() else found.match.end() - 1
        return bool(behind == len(path) - 1)
    # Without one it may be all that is in a folder, as of ``src/**``, but not that folder.
    return pattern.match_file(path.removesuffix("/")) is not None


def _read_rules(file: Path) -> GitIgnoreSpec | None:
    if not file.is_file():
        return None  # as folders and pipes of that name, too
    content = file.read_bytes()
    # As git: it skips a byte order mark, and knows no ends of lines but these.
    text = os.fsdecode(content.removeprefix(codecs.BOM_UTF8))
    lines = [line.removesuffix("\r") for line in text.split("\n")]
    for number, line in enumerate(lines, 1):
        if _CHARACTER_CLASS.search(line) and not line.startswith("#"):
            # `pathspec` takes the letters of its name for it, and would pack what git leaves out.
            raise BuildError(
                f"{file}:{number}:1: {quoted(line)} has a class of characters such as [:alpha:]; "
                "name the characters, as in [a-z]"
            )
        try:
            GitIgnoreSpec.from_lines([line])
        except ValueError:
            raise BuildError(
                f"{file}:{number}:1: {quoted(line)} is no pattern that git understands"
            ) from None
    # `pathspec` takes ``src/**/`` for all that is in there, files and the folder itself, too.
    return GitIgnoreSpec.from_lines([_ALL_FOLDERS.sub("/**/*/", line) for line in lines])
