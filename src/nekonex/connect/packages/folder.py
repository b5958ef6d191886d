"""The folder of plugins, as a server and the commands see it.

Each sub-folder with a spec.conf is a plugin; what begins with a dot is none, and keeps what belongs
to the folder itself. There is a moment in an upgrade in which the old version is away and the new
one not there yet. Who looks holds a lock then that the upgrade has to wait for, so nobody sees
that moment; and where a crash has left it, whoever looks next puts the old version back.
"""

from __future__ import annotations

import contextlib
import logging
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from nekonex.connect.packages.locking import holding, sharing
from nekonex.connect.plugins import SPEC_FILE

__all__ = ["PluginsFolder"]

_logger = logging.getLogger(__name__)

SWAP_SECONDS: Final = 5.0
"""How long anybody waits for two renames."""

_DISABLED: Final = ".disabled"
_LOCKS: Final = ".locks"
_REPLACED: Final = ".replaced"
_STAGED: Final = ".staged"


class PluginsFolder:
    """Plugins below one folder, and which of them are disabled. Its calls block, on the disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._last: list[Path] = []
        self._problem = ""
        self.replaced = path / _REPLACED
        """Old versions, under their names, while their upgrades may still be undone."""
        self.staged = path / _STAGED
        """What is not there yet, and what is about to be removed."""
        self.command_lock = path / _LOCKS / "command"
        """Held by a command that changes plugins, from its first step to its last."""
        self._swap_lock = path / _LOCKS / "swap"
        self._disabled = path / _DISABLED

    def folders(self) -> list[Path]:
        """Return the folders of plugins, disabled ones too, by name; none without the folder.

        For a server, which has to go on: where the folder cannot be read, that is logged, and
        the answer is what it was the last time.
        """
        try:
            self._last, problem = self._look()
        except OSError as error:
            problem = f"the plugins in {self.path} cannot be read: {error.strerror or error}"
        if problem and problem != self._problem:
            _logger.warning("%s", problem)
        self._problem = problem
        return list(self._last)

    def read(self) -> list[Path]:
        """Return what `folders` does, or raise OSError where that cannot be read."""
        return self._look()[0]

    def _look(self) -> tuple[list[Path], str]:
        """Return the folders, and why an old version among them cannot be put back."""
        with sharing(self._swap_lock, SWAP_SECONDS):
            broken_off = self._broken_off()
            found = self._plugins()
        if not broken_off:
            return found, ""
        try:
            self.restore()
        except OSError as error:
            names = ", ".join(broken_off)
            return (
                found,
                f"{names} in {self.replaced} cannot be put back: {error.strerror or error}",
            )
        return self._plugins(), ""

    def is_enabled(self, folder: Path) -> bool:
        """Tell whether a plugin may run; folders elsewhere always may."""
        return not self._has(folder) or not self._marker(folder).exists()

    def set_enabled(self, folder: Path, enabled: bool) -> None:
        """Let a plugin run, or not, from now on; ValueError for a folder elsewhere, OSError."""
        if not self._has(folder):
            raise ValueError(f"{folder} is not in {self.path}")
        marker = self._marker(folder)
        if enabled:
            marker.unlink(missing_ok=True)
        else:
            self._disabled.mkdir(exist_ok=True)
            marker.touch()

    @contextlib.contextmanager
    def swapping(self) -> Iterator[None]:
        """Let nobody look meanwhile. Raises OSError."""
        self._swap_lock.parent.mkdir(exist_ok=True)
        with holding(self._swap_lock, SWAP_SECONDS):
            yield

    def restore(self) -> None:
        """Put back the old versions of upgrades that broke off before the new one was there."""
        if self._broken_off():
            with self.swapping():
                for name in self._broken_off():
                    (self.replaced / name).replace(self.path / name)

    def forget_removed(self) -> None:
        """Drop what is remembered of plugins that are gone."""
        for name in _names(self._disabled):
            if not os.path.lexists(self.path / name):
                (self._disabled / name).unlink(missing_ok=True)

    def _broken_off(self) -> list[str]:
        return [each for each in _names(self.replaced) if not os.path.lexists(self.path / each)]

    def _plugins(self) -> list[Path]:
        return [
            self.path / name
            for name in _names(self.path)
            if not name.startswith(".") and _is_file(self.path / name / SPEC_FILE)
        ]

    def _has(self, folder: Path) -> bool:
        return folder.parent == self.path or folder.parent.resolve() == self.path.resolve()

    def _marker(self, folder: Path) -> Path:
        return self._disabled / folder.name


def _names(folder: Path) -> list[str]:
    """Return what is in a folder, sorted; nothing where there is no such folder."""
    try:
        return sorted(each.name for each in folder.iterdir())
    except (FileNotFoundError, NotADirectoryError):
        return []


def _is_file(path: Path) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - that of Path raises where one may not look
