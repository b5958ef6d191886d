"""Which plugins there are on the disk, as they are now."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from pathlib import Path

from nekonex.connect.packages import PluginsFolder
from nekonex.connect.plugins import PluginSpec, SpecError, fingerprint, read_spec

__all__ = ["Catalog", "Found"]


@dataclass(frozen=True, slots=True)
class Found:
    """A folder that holds a plugin."""

    folder: Path
    spec: PluginSpec | None
    """None if the spec sheet is wrong."""
    problem: str
    """Why, in one sentence."""
    is_enabled: bool
    fingerprint: Hashable
    """Something that changes when a file of the plugin does."""


class Catalog:
    """Looks for plugins: some folders of their own, and those in the plugins folder."""

    def __init__(self, plugins: PluginsFolder | None, folders: Sequence[Path]) -> None:
        self._plugins = plugins
        self._folders = tuple(folders)

    def look(self) -> list[Found]:
        """Return what there is; it reads the disk."""
        found = [_look_into(folder, is_enabled=True) for folder in self._folders]
        if self._plugins is not None:
            own = {folder.resolve() for folder in self._folders}
            found += [
                _look_into(folder, is_enabled=self._plugins.is_enabled(folder))
                for folder in self._plugins.folders()
                if folder.resolve() not in own
            ]
        return found


def _look_into(folder: Path, *, is_enabled: bool) -> Found:
    try:
        spec, problem = read_spec(folder), ""
    except SpecError as error:
        spec, problem = None, str(error)
    except OSError as error:
        spec, problem = None, f"{folder} cannot be read: {error.strerror}"
    return Found(folder, spec, problem, is_enabled, (is_enabled, fingerprint(folder)))
