"""Why a plugin cannot be loaded, and finding the author's line that is to blame."""

from __future__ import annotations

import inspect
import os
import traceback
from typing import Final

from nekonex.connect.plugins.modules import PluginModules

__all__ = ["MAX_REASON", "PluginLoadError", "failed_code", "wrong_logic"]

MAX_REASON: Final = 500
"""Characters of a reason; what an author's exception says beyond that is cut off."""
_MAX_DETAILS: Final = 50
"""Calls that `PluginLoadError.details` shows."""


class PluginLoadError(Exception):
    """A plugin's code cannot be used; the text of the error is one line, ``FILE:LINE: REASON``."""

    def __init__(self, reason: str, *, file: str = "", line: int = 0, details: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.file = file
        """Empty if it has to do with no file; the text is the reason alone then."""
        self.line = line
        """From 1; 1 too where no line can be told."""
        self.details = details
        """The traceback of what the author's code raised, for a log; empty if it raised nothing."""

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.reason}" if self.file else self.reason


def failed_code(error: BaseException, modules: PluginModules, thing: object) -> PluginLoadError:
    """Return what to report where the author's code raised.

    The line is the last one of the plugin's own that was executed, or where ``thing`` begins.
    """
    file, line = _raised_at(error, modules) or _source_place(thing, modules)
    details = traceback.format_exception(error, limit=-_MAX_DETAILS)
    return PluginLoadError(
        _reason(error, modules),
        file=modules.shown(file),
        line=line,
        details="".join(details).rstrip(),
    )


def wrong_logic(thing: object, reason: str, modules: PluginModules) -> PluginLoadError:
    """Return what to report of a class or function that is not as it has to be."""
    file, line = _source_place(thing, modules)
    return PluginLoadError(reason, file=modules.shown(file), line=line)


def _source_place(thing: object, modules: PluginModules) -> tuple[str, int]:
    """Return file and line of a class or function, the top of the logic file if unknown."""
    try:
        file = inspect.getsourcefile(thing)  # type: ignore[arg-type]
        line = inspect.getsourcelines(thing)[1]  # type: ignore[arg-type]
    except Exception:  # noqa: BLE001 - it has none, or is something of the author's own
        return modules.logic_file, 1
    return file or modules.logic_file, max(line, 1)


def _raised_at(error: BaseException, modules: PluginModules) -> tuple[str, int] | None:
    if isinstance(error, SyntaxError) and _is_own(error.filename, modules):
        return str(error.filename), error.lineno or 1
    place = None
    for frame, line in traceback.walk_tb(error.__traceback__):
        if _is_own(frame.f_code.co_filename, modules):
            place = frame.f_code.co_filename, line
    return place


def _is_own(file: object, modules: PluginModules) -> bool:
    return isinstance(file, str) and file.startswith(f"{modules.folder}{os.sep}")


def _reason(error: BaseException, modules: PluginModules) -> str:
    try:
        text = str(error.msg if isinstance(error, SyntaxError) else error)
    except BaseException:  # noqa: BLE001 - the author's own __str__
        text = ""
    # Authors know nothing of the package that their files are modules of.
    text = text.replace(f"{modules.package}.", "").replace(modules.package, ".")
    text = " ".join(text.split())
    reason = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return reason if len(reason) <= MAX_REASON else f"{reason[: MAX_REASON - 1]}…"
