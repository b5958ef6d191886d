"""Patterns for descriptions, as SQL writes them."""

from __future__ import annotations

import re
from collections.abc import Callable

__all__ = ["like"]


def like(pattern: str) -> Callable[[str], bool]:
    """Return a function that tells whether a text is like a pattern.

    ``%`` stands for any number of characters and ``_`` for one; nothing else is special, and case
    counts. It takes time in proportion to the text's length times the pattern's at worst: each
    part between two ``%`` is looked for once, from left to right, and never again.
    """
    first, *others = [_literal(part) for part in pattern.split("%")]
    if not others:
        return _compiled(first)
    *middle, last = others
    looked_for = "".join(f"(?>.*?{part})" for part in middle if part)
    return _compiled(f"{first}{looked_for}.*{last}")


def _literal(text: str) -> str:
    return "".join("." if letter == "_" else re.escape(letter) for letter in text)


def _compiled(expression: str) -> Callable[[str], bool]:
    compiled = re.compile(expression, re.DOTALL)
    return lambda text: compiled.fullmatch(text) is not None
