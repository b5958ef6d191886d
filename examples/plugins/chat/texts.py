"""What clients may write: rules for texts and names."""

from __future__ import annotations

import unicodedata

MAX_DATA = 4096
"""Bytes of a frame."""
MAX_TEXT = 500
"""Characters of a message."""
MAX_NAME = 20
"""Characters of the name of a person or room."""


class RefusedError(Exception):
    """Why something was not done, in a sentence for the client."""


def decoded(data: bytes) -> str:
    """Return a text on one line, with single spaces."""
    if len(data) > MAX_DATA:
        raise RefusedError(f"a frame has at most {MAX_DATA} bytes of text")
    try:
        text = " ".join(data.decode().split())
    except UnicodeDecodeError:
        raise RefusedError("texts are UTF-8") from None
    if any(unicodedata.category(character) == "Cc" for character in text):
        raise RefusedError("texts have no control characters")
    return text


def sayable(text: str) -> str:
    """Return a text that may be said."""
    if not 1 <= len(text) <= MAX_TEXT:
        raise RefusedError(f"a message has 1 to {MAX_TEXT} characters")
    return text


def name_of(text: str) -> str:
    """Return the name of a person or room."""
    name = unicodedata.normalize("NFKC", text)
    if not 1 <= len(name) <= MAX_NAME or not all(c.isalnum() or c in "-_" for c in name):
        raise RefusedError(f"a name has 1 to {MAX_NAME} letters, digits, - and _")
    return name


def key_of(name: str) -> str:
    """Return what names have in common that are the same but for upper and lower case."""
    return unicodedata.normalize("NFKC", name.casefold())
