"""The tables of what is refused, and of what the flags of gatherings mean."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from docs._gen.tables import attribute_docstrings, one_line, table
from nekonex.domain.matchmaking import GatheringFlag
from nekonex.nex.matchmaking import REFUSAL_NAMES

__all__ = ["flag_table", "refusal_table"]


def refusal_table(names: Mapping[Any, str] = REFUSAL_NAMES) -> Iterator[str]:
    """Yield the table of the errors, and of the rules that each is for; keys are refusals."""
    rules: dict[str, list[str]] = {}
    for refusal, error in names.items():
        rules.setdefault(error, []).append(refusal.value)
    rows = ((f"`{error}`", "; ".join(texts)) for error, texts in rules.items())
    yield from table(("error", "when"), rows)


def flag_table() -> Iterator[str]:
    """Yield the table of the flags of gatherings."""
    meanings = attribute_docstrings(GatheringFlag)
    rows = (
        (f"`{flag.value:#05x}`", f"`{flag.name}`", one_line(meanings[str(flag.name)]))
        for flag in GatheringFlag
    )
    yield from table(("flag", "name", "meaning"), rows)
