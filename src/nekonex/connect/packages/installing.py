"""Installing, upgrading and removing plugins, so that there is always a whole one or none.

Strategy: a plugin is written beside the others under a hidden name, synchronised, and then renamed.
An upgrade renames the old version away before, and back if anything fails. What a crash leaves
behind is told by where it is: `PluginsFolder.folders` puts an old version back, and the next
command removes the rest.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote

from nekonex.connect.packages.errors import (
    AmbiguousNameError,
    FolderInUseError,
    InstallError,
    NotInstalledError,
)
from nekonex.connect.packages.folder import PluginsFolder
from nekonex.connect.packages.limits import DEFAULT_LIMITS, PackageLimits
from nekonex.connect.packages.locking import holding
from nekonex.connect.packages.names import folder_name, quoted
from nekonex.connect.packages.unpacking import Package
from nekonex.connect.plugins import SPEC_FILE, PluginSpec, SpecError, read_spec

__all__ = [
    "Installation",
    "InstalledPlugin",
    "PluginChanges",
    "changing",
    "find_plugin",
    "installed_plugins",
]


@dataclass(frozen=True, slots=True)
class InstalledPlugin:
    """A folder with a spec.conf among the plugins."""

    folder: Path
    enabled: bool
    spec: PluginSpec | None
    """None where it cannot be read."""
    problem: str = ""
    """Why not: file, line, column and text."""

    @property
    def greeter(self) -> str:
        """Its greeter, or the one that its folder is called for."""
        return self.spec.greeter if self.spec else unquote(self.folder.name)


@dataclass(frozen=True, slots=True)
class Installation:
    """What became of a package."""

    folder: Path
    spec: PluginSpec
    replaced: bool
    """Whether there was a version before."""
    previous: str = ""
    """That version; empty where it could not be told."""


def installed_plugins(plugins: PluginsFolder) -> list[InstalledPlugin]:
    """Return all plugins that are installed, by the names of their folders. Raises InstallError."""
    with _sentence(f"{plugins.path} cannot be read"):
        return [_look_at(plugins, folder) for folder in plugins.read()]


def find_plugin(plugins: PluginsFolder, greeter: str) -> InstalledPlugin:
    """Return the plugin with a greeter; one without a sound spec.conf is found by its folder.

    Raises NotInstalledError where there is none, AmbiguousNameError where there are several.
    """
    installed = installed_plugins(plugins)
    found = [each for each in installed if each.spec and each.spec.greeter == greeter]
    if not found:
        names = _folder_names(greeter)
        found = [each for each in installed if not each.spec and each.folder.name in names]
    if not found:
        raise NotInstalledError(f"no plugin with the greeter {quoted(greeter)} is installed")
    if len(found) > 1:
        folders = " and ".join(str(each.folder) for each in found)
        raise AmbiguousNameError(
            f"{folders} have the same greeter {quoted(greeter)}; remove one of them by hand"
        )
    return found[0]


@contextlib.contextmanager
def changing(
    plugins: PluginsFolder, limits: PackageLimits = DEFAULT_LIMITS
) -> Iterator[PluginChanges]:
    """Change plugins while no other command does. The folder is made where it is missing.

    Installations can be undone until the end. Raises FolderInUseError if another command does
    not finish in time, InstallError.
    """
    with contextlib.ExitStack() as stack:
        with _sentence(f"{plugins.path} cannot be changed"):
            plugins.command_lock.parent.mkdir(parents=True, exist_ok=True)
            try:
                stack.enter_context(holding(plugins.command_lock, limits.lock_timeout))
            except TimeoutError:
                raise FolderInUseError(
                    f"another command has been changing the plugins in {plugins.path} for "
                    f"{limits.lock_timeout:.0f} seconds; try again when it is done"
                ) from None
            plugins.restore()
            plugins.forget_removed()
        _clear(plugins)
        try:
            yield PluginChanges(plugins)
        finally:
            _clear(plugins)


class PluginChanges:
    """What may be done while nobody else does; `changing` makes it. Raises InstallError."""

    def __init__(self, plugins: PluginsFolder) -> None:
        self._plugins = plugins

    def install(self, package: Package) -> Installation:
        """Install a package, or upgrade the plugin with its greeter to it.

        What is not of the package is gone from the folder then; cells and the enabled state stay.
        """
        spec = package.spec
        target = self._plugins.path / folder_name(spec.greeter)
        previous = self._refuse_clash(spec, target)
        staged = self._new_name()
        with _sentence(f"{target} cannot be installed"):
            _write(staged, package.files)
            self._swap(staged, target)
        return Installation(
            target,
            spec,
            replaced=previous is not None,
            previous=previous.spec.version if previous and previous.spec else "",
        )

    def undo(self, installation: Installation) -> None:
        """Put the old version back, or remove a plugin that had none."""
        target = installation.folder
        kept = self._plugins.replaced / target.name
        with _sentence(f"{target} cannot be put back"), self._plugins.swapping():
            target.replace(self._new_name())
            if installation.replaced:
                kept.replace(target)

    def remove(self, greeter: str) -> InstalledPlugin:
        """Remove a plugin with its folder, but not its cells; return what it was."""
        found = find_plugin(self._plugins, greeter)
        _refuse_working_copy(found.folder)
        with _sentence(f"{found.folder} cannot be removed"):
            found.folder.replace(self._new_name())
            self._plugins.forget_removed()
        return found

    def set_enabled(self, greeter: str, enabled: bool) -> InstalledPlugin:
        """Enable or disable a plugin; return what it was before."""
        found = find_plugin(self._plugins, greeter)
        with _sentence(f"{found.folder} cannot be {'enabled' if enabled else 'disabled'}"):
            self._plugins.set_enabled(found.folder, enabled)
        return found

    def _refuse_clash(self, spec: PluginSpec, target: Path) -> InstalledPlugin | None:
        """Return what will be replaced; InstallError where something else is in the way."""
        for each in installed_plugins(self._plugins):
            if each.spec and each.spec.greeter == spec.greeter and each.folder != target:
                raise InstallError(
                    f"{each.folder} has the greeter {quoted(spec.greeter)} already, for which "
                    f"{target} would be made; remove or rename that folder by hand"
                )
        if not os.path.lexists(target):
            return None
        if not os.path.lexists(target / SPEC_FILE):
            raise InstallError(f"{target} is in the way, and is no plugin")
        _refuse_working_copy(target)
        found = _look_at(self._plugins, target)
        if found.spec and found.spec.greeter != spec.greeter:
            raise InstallError(
                f"{target} has the greeter {quoted(found.spec.greeter)}, and would be replaced by "
                f"{quoted(spec.greeter)}; remove or rename that folder by hand"
            )
        return found

    def _new_name(self) -> Path:
        """Return a path that nothing has, for what nobody is to see."""
        with _sentence(f"{self._plugins.path} cannot be changed"):
            self._plugins.staged.mkdir(exist_ok=True)
        return self._plugins.staged / secrets.token_hex(8)

    def _swap(self, staged: Path, target: Path) -> None:
        kept = self._plugins.replaced / target.name
        with self._plugins.swapping():
            try:
                if os.path.lexists(target):
                    kept.parent.mkdir(exist_ok=True)
                    target.replace(kept)
                staged.replace(target)
                _sync(target.parent)
            except BaseException:
                # Whatever it was that failed: what was there before is to be there.
                if not os.path.lexists(staged):
                    target.replace(staged)
                if os.path.lexists(kept):
                    kept.replace(target)
                raise


def _folder_names(greeter: str) -> set[str]:
    try:
        return {greeter, folder_name(greeter)}
    except InstallError:
        return {greeter}


def _look_at(plugins: PluginsFolder, folder: Path) -> InstalledPlugin:
    enabled = plugins.is_enabled(folder)
    try:
        return InstalledPlugin(folder, enabled, read_spec(folder))
    except SpecError as error:
        return InstalledPlugin(folder, enabled, None, str(error))


def _refuse_working_copy(folder: Path) -> None:
    """Raise InstallError for a folder that somebody works in, which is not ours to remove."""
    if folder.is_symlink():
        raise InstallError(f"{folder} is a link, and so not replaced or removed; do so by hand")
    if os.path.lexists(folder / ".git"):
        raise InstallError(
            f"{folder} is a git working copy, and so not replaced or removed; do so by hand"
        )


def _write(folder: Path, files: Mapping[str, bytes]) -> None:
    """Write files, durably, into a folder that is made; OSError, and then it is not there."""
    try:
        folder.mkdir()
        for path, content in files.items():
            file = folder / path
            file.parent.mkdir(parents=True, exist_ok=True)
            with file.open("xb") as stream:
                stream.write(content)
                stream.flush()
                os.fsync(stream.fileno())
        for each in {folder, *((folder / path).parent for path in files)}:
            _sync(each)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _sync(folder: Path) -> None:
    """Make names in a folder durable, where the system lets one do so."""
    if os.name != "posix":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _clear(plugins: PluginsFolder) -> None:
    """Remove what is not needed any more; what cannot be removed waits for the next command."""
    with contextlib.suppress(OSError):
        for old in plugins.replaced.iterdir():
            if os.path.lexists(plugins.path / old.name):
                # Out of there at once: half of it must not be taken for a version to put back.
                plugins.staged.mkdir(exist_ok=True)
                old.replace(plugins.staged / secrets.token_hex(8))
    with contextlib.suppress(OSError):
        for left in plugins.staged.iterdir():
            shutil.rmtree(left, ignore_errors=True)
    for each in (plugins.replaced, plugins.staged):
        with contextlib.suppress(OSError):
            each.rmdir()


@contextlib.contextmanager
def _sentence(text: str) -> Iterator[None]:
    """Turn the system's errors into one of ours."""
    try:
        yield
    except OSError as error:
        raise InstallError(f"{text}: {error.strerror or error}") from error
