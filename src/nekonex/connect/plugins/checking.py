"""Checking a plugin for its author."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nekonex.connect.plugins.errors import PluginLoadError
from nekonex.connect.plugins.loading import load_plugin
from nekonex.connect.plugins.spec import (
    REQUIRED,
    SPEC_FILE,
    PluginSpec,
    SpecError,
    read_directives,
    read_spec,
)

__all__ = ["CheckReport", "check_plugin"]

_HARMLESS: Final = frozenset({"test", "this", "antigravity"})
"""Standard modules that nobody misses."""


@dataclass(frozen=True, slots=True)
class CheckReport:
    """What is wrong with a plugin, each in one line that begins with the file."""

    spec: PluginSpec | None
    """None if the spec sheet is wrong."""
    errors: tuple[str, ...]
    """Why it cannot be loaded; empty if it can."""
    warnings: tuple[str, ...]
    """What may not be as its author means it."""


def check_plugin(folder: Path) -> CheckReport:
    """Find what is wrong with a plugin.

    Whether its code can be used shows only when it runs: this imports the logic file and makes its
    `Logic` object, as a server does, and drops both. Whether another plugin has its greeter is not
    known here. Blocking.
    """
    try:
        spec = read_spec(folder)
    except SpecError as error:
        return CheckReport(None, (str(error),), tuple(_commented_out(folder, error)))
    warnings = (*_unknown_directives(folder), *_hidden_modules(folder))
    try:
        load_plugin(folder).unload()
    except (SpecError, PluginLoadError) as error:
        return CheckReport(spec, (str(error),), warnings)
    return CheckReport(spec, (), warnings)


def _unknown_directives(folder: Path) -> list[str]:
    file = folder / SPEC_FILE
    return [
        f"{file}:{each.line}:{each.column}: ${each.name} is unknown and ignored"
        for each in read_directives(folder)
        if each.name not in REQUIRED
    ]


def _commented_out(folder: Path, error: SpecError) -> list[str]:
    """Tell where a directive that is missing stands in a comment."""
    if not (missing := re.match(r"missing \$(\w+) ", error.text)):
        return []
    name = missing[1]
    lines = (folder / SPEC_FILE).read_text("utf-8-sig").split("\n")
    return [
        f"{error.file}:{number}:{found.start() + 1}: ${name} is in a comment here; "
        "a directive begins at the first character of a line"
        for number, line in enumerate(lines, 1)
        if (found := re.search(rf"\$\s*{name}\s*{{\s*\"", line))
    ]


def _hidden_modules(folder: Path) -> list[str]:
    names = sys.stdlib_module_names - _HARMLESS
    return [
        f"{file}: hides Python's own module {file.stem} from this plugin"
        for file in sorted(folder.glob("*.py"))
        if file.stem in names
    ]
