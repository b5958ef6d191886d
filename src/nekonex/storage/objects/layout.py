"""How keys become paths, and paths keys.

Every key has one path and no two keys share one, also where the file system takes upper and
lower case or composed and decomposed letters for the same, and where one key is a directory of
another (``a`` and ``a/b``):

- Lower-case ASCII letters, digits, ``-``, ``_``, ``~`` and ``.`` stay. Every other byte of the
  UTF-8 text becomes ``%`` and two lower-case hexadecimal digits.
- The last part of a key is a file's name. An earlier part is a directory's, which ends in ``+``.
- A name of more than `PIECE` characters is cut: each piece but the last is a directory whose
  name ends in ``=``.
- A dot at either end of a piece, and the first letter of a name that Windows keeps for devices,
  become ``%`` and digits too.

``Ghosts/1.bin`` is the file ``%47hosts+/1.bin``. No name begins with a dot: those are for what
is not finished.

A key here is a key of `nekonex.domain.datastore.files` with more parts in front of it, which say
whose it is; so that the length as a whole does not matter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from nekonex.domain.datastore.files import valid_key

__all__ = ["PIECE", "directory_of", "key_of", "path_of"]

PIECE: Final = 120
"""Characters of one name in the file system, the mark at its end aside."""

_PLAIN: Final = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_~.")
_DIRECTORY: Final = "+"
_CUT: Final = "="
_DEVICE: Final = re.compile(r"(con|prn|aux|nul|(com|lpt)[0-9])(\.|$)")
_ESCAPE: Final = re.compile(r"%([0-9a-f]{2})")


def path_of(key: str) -> tuple[str, ...]:
    """Return the names from the store's directory to a file; ValueError for what is no key."""
    *parents, last = key.split("/")
    if not _has_path(key):
        raise ValueError(f"{key!r} cannot be the key of a file")
    *cut, name = _pieces(last)
    return (*_directories(parents), *(piece + _CUT for piece in cut), name)


def directory_of(prefix: str) -> tuple[str, ...]:
    """Return the names to a directory below which all keys that begin with a text are."""
    parents = prefix.split("/")[:-1]
    if parents and not _has_path("/".join(parents)):
        raise ValueError(f"{prefix!r} cannot be the beginning of a key")
    return tuple(_directories(parents))


def key_of(names: Sequence[str]) -> str | None:
    """Return the key whose file this is; None for a path that no key has."""
    text = ""
    for name in names[:-1]:
        body, mark = name[:-1], name[-1:]
        if mark not in (_DIRECTORY, _CUT):
            return None
        text += body + ("/" if mark == _DIRECTORY else "")
    try:
        key = _ESCAPE.sub(_unescape, text + names[-1]).encode("latin-1").decode()
    except ValueError:
        return None
    return key if _has_path(key) and path_of(key) == tuple(names) else None


def _has_path(key: str) -> bool:
    return all(map(valid_key, key.split("/")))


def _unescape(match: re.Match[str]) -> str:
    return chr(int(match[1], 16))


def _directories(parts: Sequence[str]) -> Iterator[str]:
    for part in parts:
        *cut, last = _pieces(part)
        yield from (piece + _CUT for piece in cut)
        yield last + _DIRECTORY


def _pieces(part: str) -> list[str]:
    pieces = [""]
    for byte in part.encode():
        symbol = chr(byte) if byte in _PLAIN else _escaped(byte)
        if len(pieces[-1]) + len(symbol) > PIECE:
            pieces.append("")
        pieces[-1] += symbol
    return [_harmless(piece) for piece in pieces]


def _harmless(piece: str) -> str:
    if _DEVICE.match(piece):
        return _escaped(ord(piece[0])) + piece[1:]
    if piece.startswith("."):
        piece = _escaped(ord(".")) + piece[1:]
    if piece.endswith("."):
        piece = piece[:-1] + _escaped(ord("."))
    return piece


def _escaped(byte: int) -> str:
    return f"%{byte:02x}"
