"""The modules of one loaded plugin.

Strategy: every load of a plugin is a package of its own in `sys.modules`, under a name that never
comes again: ``nekonex_plugins.<greeter>_<number>``. So two plugins, or two versions of one, never
share a module, and whatever looks modules up by name (pickle, dataclasses, `typing`) finds the
right one. ``import helper`` knows nothing of packages, though: the modules of a plugin have a
mapping of builtins of their own, whose ``__import__`` looks into the plugin's folder first. The
interpreter takes it from there for every import statement, also for one that is executed much
later, in another thread.

What is not seen is `importlib.import_module("helper")`, which asks for an absolute name and gets
that; ``import_module(".helper", __package__)`` works.
"""

from __future__ import annotations

import builtins
import importlib
import importlib.util
import itertools
import os
import re
import sys
import threading
from collections.abc import Mapping, Sequence
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    ModuleSpec,
    SourceFileLoader,
)
from pathlib import Path
from types import CodeType, ModuleType
from typing import Any, Final

from nekonex.connect.plugins.sources import ShownSources
from nekonex.connect.plugins.spec import PluginSpec

__all__ = ["ROOT_PACKAGE", "PluginModules", "plugin_of_module"]

ROOT_PACKAGE: Final = "nekonex_plugins"
"""The package that all plugins' packages are in, and the logger above all of theirs."""

_MAX_SLUG: Final = 40
_numbers: Final = itertools.count(1)
_lock: Final = threading.Lock()


class PluginModules:
    """The package of one load of a plugin, empty until `load_logic`. May be used by any thread."""

    def __init__(self, folder: Path, spec: PluginSpec) -> None:
        self.folder = Path(os.path.abspath(folder))  # noqa: PTH100 - links stay as the user sees them
        self.greeter = spec.greeter
        self._named = folder
        slug = re.sub(r"[^0-9a-z]+", "_", spec.greeter.lower())[:_MAX_SLUG]
        self.package = f"{ROOT_PACKAGE}.{slug}_{next(_numbers)}"
        self.sources = ShownSources()
        self.builtins = {**vars(builtins), "__import__": self._import}
        self.closed = False
        self._logic_file = self.folder / f"{spec.logic}.py"
        # A dot would make it a module inside another; no import statement can name one with a "-".
        self._logic = f"{self.package}.{spec.logic.replace('.', '-')}"
        if spec.logic == "__init__":
            self._logic = self.package
        self._elsewhere: set[str] = set()
        self._dropped: dict[str, ModuleType] = {}

    @property
    def logic_file(self) -> str:
        """The file that the spec sheet names."""
        return str(self._logic_file)

    def shown(self, file: str) -> str:
        """Return a file as people are shown it: as they named the folder, if it is in that."""
        inside = file.removeprefix(f"{self.folder}{os.sep}")
        return file if inside == file else str(self._named / inside)

    def load_logic(self) -> ModuleType:
        """Import the logic file, and what that imports. Raises whatever the author's code does."""
        _finder.add(self)
        return importlib.import_module(self._logic)

    def drop(self) -> None:
        """Take all modules out of `sys.modules`. Code that still runs keeps those it knows."""
        _finder.remove(self)
        self.closed = True
        self._sweep()
        self.sources.forget()

    def find(self, name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        """Find a module of this package by its full name, in the folders of its parent."""
        if name == self.package:
            return self._package_spec()
        if name == self._logic:
            loader = _SourceLoader(name, self.logic_file, self)
            return importlib.util.spec_from_file_location(name, self._logic_file, loader=loader)
        bare_folder = None
        for folder in path or ():
            if spec := self._file_finder(folder).find_spec(name):
                if spec.loader is not None:
                    return spec
                bare_folder = bare_folder or spec
        return bare_folder

    def _package_spec(self) -> ModuleSpec | None:
        init = self.folder / "__init__.py"
        folders = [str(self.folder)]
        if init.is_file():
            return importlib.util.spec_from_file_location(
                self.package,
                init,
                loader=_SourceLoader(self.package, str(init), self),
                submodule_search_locations=folders,
            )
        spec = ModuleSpec(self.package, None, is_package=True)
        spec.submodule_search_locations = folders
        return spec

    def _file_finder(self, folder: str) -> FileFinder:
        # A new one each time: a finder remembers a folder for as long as its time stamp stays.
        make_loader: Any = partial(_SourceLoader, modules=self)
        return FileFinder(
            folder,
            (ExtensionFileLoader, EXTENSION_SUFFIXES),
            (make_loader, SOURCE_SUFFIXES),
        )

    def _import(
        self,
        name: str,
        globals: Mapping[str, object] | None = None,  # noqa: A002 - the names of `__import__`
        locals: Mapping[str, object] | None = None,  # noqa: A002
        fromlist: Sequence[str] | None = (),
        level: int = 0,
    ) -> ModuleType:
        """Stand for `__import__` in this plugin's modules."""
        if level:
            full = self._resolved(name, globals, level)
            if full is None or not self.closed:
                return self._imported(name, globals, locals, fromlist or (), level)
            return self._known(full, fromlist)
        if type(fromlist) is list and not fromlist:
            # Not a statement but the interpreter's own C code (time.strptime, pickle), called
            # from here. It means the standard modules and takes them from sys.modules.
            return builtins.__import__(name, globals, locals, fromlist, level)
        head = name.partition(".")[0]
        if not self._has(head):
            module = builtins.__import__(name, globals, locals, fromlist or (), level)
            self._elsewhere.add(head)
            return module
        full = f"{self.package}.{name}"
        if self.closed:
            return self._known(full, fromlist)
        module = self._imported(full, None, None, fromlist or (), 0)
        top = f"{self.package}.{head}"
        return module if fromlist else sys.modules.get(top) or self._dropped[top]

    def _imported(self, *arguments: Any) -> ModuleType:
        """Call the standard `__import__` for what is in this package."""
        try:
            return builtins.__import__(*arguments)
        except KeyError as error:
            if self.closed and _in_package(str(error.args[0]), self.package):
                raise ImportError("the plugin was unloaded meanwhile") from None
            raise
        finally:
            if self.closed:
                self._sweep()

    def _known(self, full: str, fromlist: Sequence[str] | None) -> ModuleType:
        """Return a module of a dropped package to code that still runs."""
        module = self._dropped.get(full)
        if module is None:
            own = full.removeprefix(self.package).lstrip(".")
            raise ImportError(f"cannot import {own}: the plugin was unloaded", name=full)
        return module if fromlist else self._dropped[".".join(full.split(".", 3)[:3])]

    def _resolved(self, name: str, names: Mapping[str, object] | None, level: int) -> str | None:
        """Return the full name of a relative import, None where it is of another package.

        Raises ImportError for one that leads out of this package.
        """
        package = (names or {}).get("__package__")
        if not isinstance(package, str) or not _in_package(package, self.package):
            return None
        full = importlib.util.resolve_name("." * level + name, package)
        if not _in_package(full, self.package):
            raise ImportError("attempted relative import beyond top-level package")
        return full

    def _has(self, head: str) -> bool:
        """Whether the plugin's folder has a module or package of this name."""
        if head in self._elsewhere:
            return False
        full = f"{self.package}.{head}"
        if full in sys.modules or self.closed:
            return full in sys.modules or full in self._dropped
        spec = self.find(full, [str(self.folder)])
        # As everywhere in Python, a folder that is no package comes last.
        return spec is not None and (spec.loader is not None or not _exists_elsewhere(head))

    def _sweep(self) -> None:
        for name in list(sys.modules):
            if _in_package(name, self.package) and (module := sys.modules.pop(name, None)):
                self._dropped[name] = module
        if root := sys.modules.get(ROOT_PACKAGE):
            vars(root).pop(self.package.removeprefix(f"{ROOT_PACKAGE}."), None)


class _SourceLoader(SourceFileLoader):
    """Loads a module from its source, always.

    Bytecode counts as fresh while size and second of the last change are the same, which does not
    hold while an author edits; and a plugin's folder is not to be written to.
    """

    def __init__(self, name: str, path: str, modules: PluginModules) -> None:
        super().__init__(name, path)
        self._modules = modules

    def get_code(self, fullname: str) -> CodeType:
        """Return the compiled module, whose source tracebacks show from now on."""
        path = self.get_filename(fullname)
        source = self.get_data(path)
        code = compile(source, path, "exec", dont_inherit=True)
        self._modules.sources.show(path, importlib.util.decode_source(source))
        return code

    def exec_module(self, module: ModuleType) -> None:
        """Execute the module with the plugin's builtins."""
        if self._modules.closed:
            raise ImportError("the plugin was unloaded", name=module.__name__)
        vars(module)["__builtins__"] = self._modules.builtins
        super().exec_module(module)


class _PluginFinder(MetaPathFinder):
    """Finds the modules of all plugins; the import system asks it for every module."""

    def __init__(self) -> None:
        self._plugins: dict[str, PluginModules] = {}

    def add(self, modules: PluginModules) -> None:
        with _lock:
            if ROOT_PACKAGE not in sys.modules:
                root = ModuleType(ROOT_PACKAGE, "The plugins that NekoConnect has loaded.")
                root.__path__ = []
                sys.modules[ROOT_PACKAGE] = root
            if self not in sys.meta_path:
                sys.meta_path.insert(0, self)
            self._plugins[modules.package] = modules

    def remove(self, modules: PluginModules) -> None:
        with _lock:
            self._plugins.pop(modules.package, None)

    def greeter_of(self, package: str) -> str | None:
        modules = self._plugins.get(package)
        return None if modules is None else modules.greeter

    def find_spec(
        self,
        fullname: str,
        path: Sequence[str] | None,
        target: ModuleType | None = None,  # noqa: ARG002
    ) -> ModuleSpec | None:
        """See `importlib.abc.MetaPathFinder`."""
        if not fullname.startswith(f"{ROOT_PACKAGE}."):
            return None
        modules = self._plugins.get(".".join(fullname.split(".", 2)[:2]))
        return None if modules is None else modules.find(fullname, path)


_finder: Final = _PluginFinder()


def plugin_of_module(name: str) -> str | None:
    """Return the greeter of the plugin that a module is of, by its name; None if of none.

    Of one that was unloaded meanwhile it is the name of the package, which is much like it.
    """
    if not name.startswith(f"{ROOT_PACKAGE}."):
        return None
    package = ".".join(name.split(".", 2)[:2])
    return _finder.greeter_of(package) or package.removeprefix(f"{ROOT_PACKAGE}.")


def _in_package(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _exists_elsewhere(name: str) -> bool:
    """Whether Python finds a module of this name that is more than a bare folder."""
    if name in sys.modules:
        return True
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.origin is not None
