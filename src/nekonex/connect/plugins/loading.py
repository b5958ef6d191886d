"""Loading a plugin: from its folder to its `Logic` object."""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

from nekonex.connect.plugins.errors import PluginLoadError, failed_code, wrong_logic
from nekonex.connect.plugins.modules import PluginModules
from nekonex.connect.plugins.spec import PluginSpec, read_spec

__all__ = ["LoadedPlugin", "load_plugin"]

_METHODS: Final = {
    "recv": ("ctx",),
    "start": ("app",),
    "stop": (),
    "connected": ("ctx",),
    "disconnected": ("ctx",),
}
"""The methods that are called, and with what; all but `recv` may be missing."""


@dataclass(frozen=True, slots=True, eq=False)
class LoadedPlugin:
    """One load of a plugin."""

    folder: Path
    spec: PluginSpec
    logic: Any
    """The `Logic` object, whose methods and ``threads`` are as they have to be."""
    cls: type
    """Its class."""
    modules: PluginModules

    def renewed(self) -> LoadedPlugin:
        """Return the same code with a new `Logic` object; the files are not looked at.

        Both have the same modules, so `unload` of either drops those of both. This runs the
        author's code. Raises PluginLoadError.
        """
        return replace(self, logic=_guarded(self.modules, lambda: _instance(self.cls), self.cls))

    def blamed(self, error: BaseException, function: object) -> PluginLoadError:
        """Return where in the plugin a function has raised, and what."""
        return failed_code(error, self.modules, function)

    def unload(self) -> None:
        """Drop all modules of the plugin. Calls that still run may finish; harmless if repeated."""
        self.modules.drop()


class _WrongLogicError(Exception):
    """A class or function, the first argument, is not as it has to be: the second says why."""


def load_plugin(folder: Path) -> LoadedPlugin:
    """Import a plugin's code and make its `Logic` object.

    This runs the author's code, and waits for it: call it in a thread. Loaded again, a plugin is
    read again from its files, and shares nothing with what was loaded before. Raises SpecError and
    PluginLoadError, and leaves no module behind then.
    """
    spec = read_spec(folder)
    modules = PluginModules(folder, spec)
    try:
        cls = _guarded(modules, lambda: _logic_class(modules))
        logic = _guarded(modules, lambda: _instance(cls), cls)
    except BaseException:
        modules.drop()
        raise
    return LoadedPlugin(folder, spec, logic, cls, modules)


def _guarded(modules: PluginModules, step: Callable[[], Any], thing: object = None) -> Any:
    """Return what a step returns that runs the author's code; raises PluginLoadError.

    That names the place of ``thing`` where it raises without having come to a line of the author's.
    """
    try:
        return step()
    except _WrongLogicError as error:
        thing, reason = error.args
        problem = wrong_logic(thing, reason, modules)
    except BaseException as error:
        if isinstance(error, KeyboardInterrupt) and _is_main_thread():
            raise  # that is Ctrl+C, not the author
        problem = failed_code(error, modules, thing)
    # Raised here, it has no context; `details` has what there is to show.
    raise problem


def _is_main_thread() -> bool:
    return threading.current_thread() is threading.main_thread()


def _logic_class(modules: PluginModules) -> type:
    module = modules.load_logic()
    cls = getattr(module, "Logic", None)
    if not inspect.isclass(cls):
        raise _WrongLogicError(module, "there is no class Logic")
    return cls


def _instance(cls: type) -> Any:
    """Return a `Logic` object whose methods can be called."""
    if problem := _call_problem(cls, ()):
        raise _WrongLogicError(cls, f"Logic() must work without arguments: {problem}")
    logic = cls()
    for name, arguments in _METHODS.items():
        _check_method(logic, name, arguments)
    threads = getattr(logic, "threads", 1)
    if not isinstance(threads, int) or isinstance(threads, bool) or threads < 1:
        reason = f"Logic.threads must be a whole number above 0, not {threads!r:.80}"
        raise _WrongLogicError(cls, reason)
    return logic


def _check_method(logic: Any, name: str, arguments: tuple[str, ...]) -> None:
    method = getattr(logic, name, None)
    if method is None and name != "recv":
        return
    if method is None:
        raise _WrongLogicError(type(logic), "class Logic has no method recv(self, ctx)")
    if not callable(method):
        raise _WrongLogicError(type(logic), f"Logic.{name} is not a method")
    if problem := _call_problem(method, arguments):
        form = f"{name}({', '.join(('self', *arguments))})"
        raise _WrongLogicError(method, f"Logic.{name} must be {form}: {problem}")
    if inspect.isgeneratorfunction(method) or inspect.isasyncgenfunction(method):
        reason = (
            f"Logic.{name} has a yield, so calling it would run nothing; it must be a plain "
            "function or a coroutine function"
        )
        raise _WrongLogicError(method, reason)


def _call_problem(function: Callable[..., object], arguments: tuple[str, ...]) -> str:
    """Return why a function cannot be called with such arguments; empty if it can."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):
        return ""
    try:
        signature.bind(*arguments)
    except TypeError as error:
        return str(error)
    return ""
