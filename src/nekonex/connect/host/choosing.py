"""Which folder each greeter is to be of, and why others are left out."""

from __future__ import annotations

import logging
from collections.abc import Callable, Hashable
from dataclasses import replace
from pathlib import Path

from nekonex.connect.host.catalog import Found
from nekonex.connect.plugins import PluginSpec

__all__ = ["Chooser", "log_problem"]

logger = logging.getLogger(__name__)


class Chooser:
    """Chooses among what there is on the disk, and knows what is wrong with it.

    ``running`` returns the spec sheet of what runs of a folder, ``loading`` the greeter of what
    is being loaded from it.
    """

    def __init__(
        self,
        running: Callable[[Path], PluginSpec | None],
        loading: Callable[[Path], str | None],
    ) -> None:
        self._running = running
        self._loading = loading
        self._conflicts: dict[Path, str] = {}
        self.problems: dict[Path, tuple[str, Hashable]] = {}
        """Why plugins failed, also those whose earlier version still runs, and with which files."""

    def reason(self, folder: Path) -> str:
        """Return why a plugin failed or was left out; empty if it was not."""
        problem, _ = self.problems.get(folder, ("", None))
        return problem or self._conflicts.get(folder, "")

    def note_problem(self, found: Found, problem: str) -> None:
        """Log why a plugin fails; again if files have changed, whose author waits for an answer."""
        noted = (problem, found.fingerprint)
        if self.problems.get(found.folder) != noted:
            self.problems[found.folder] = noted
            log_problem(found.folder, problem)

    def choose(self, found: list[Found]) -> dict[str, Found]:
        """Return which folder each greeter is to be of; what is left out is said why."""
        folders = {each.folder for each in found}
        self.problems = {at: noted for at, noted in self.problems.items() if at in folders}
        wanted: dict[str, Found] = {}
        conflicts: dict[Path, str] = {}
        for each in sorted(found, key=self._is_new):
            if not each.is_enabled:
                self.problems.pop(each.folder, None)
            elif each.spec is None:
                self.note_problem(each, each.problem)
                self._keep_running(each, wanted)
            elif each.spec.greeter in wanted:
                conflicts[each.folder] = (
                    f'greet "{each.spec.greeter}" is that of two plugins, '
                    f"{wanted[each.spec.greeter].folder} and {each.folder}; the first is used"
                )
                self._keep_running(replace(each, problem="a conflict"), wanted)
            else:
                wanted[each.spec.greeter] = each
        for folder, text in conflicts.items():
            if self._conflicts.get(folder) != text:
                log_problem(folder, text)
        self._conflicts = conflicts
        return wanted

    def _is_new(self, found: Found) -> bool:
        """Tell whether a folder has no older claim to its greeter than others."""
        running = self._running(found.folder)
        claimed = self._loading(found.folder) or (running and running.greeter)
        if claimed is None:
            return True
        return found.spec is not None and found.spec.greeter != claimed

    def _keep_running(self, broken: Found, wanted: dict[str, Found]) -> None:
        """Let the version run on that was loaded before the spec sheet became wrong."""
        spec = self._running(broken.folder)
        if spec is not None and spec.greeter not in wanted:
            wanted[spec.greeter] = replace(broken, spec=spec)


def log_problem(folder: Path, problem: str) -> None:
    """Log why a plugin was not loaded."""
    logger.error("a plugin was not loaded: %s", problem, extra={"folder": str(folder)})
