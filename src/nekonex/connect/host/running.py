"""The plugins that run, and how one is loaded, replaced by its next version and taken away."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, ItemsView
from pathlib import Path
from typing import Final

from nekonex.connect.host.catalog import Found
from nekonex.connect.host.choosing import log_problem
from nekonex.connect.host.plugin import Plugin, PluginStartError
from nekonex.connect.host.threads import in_daemon_thread
from nekonex.connect.plugins import LoadedPlugin, PluginLoadError, SpecError, load_plugin

__all__ = ["LOAD_SECONDS", "RETIRE_SECONDS", "STOP_SECONDS", "RunningPlugins"]

logger = logging.getLogger(__name__)

LOAD_SECONDS: Final = 10.0
"""How long the modules of a plugin may take to be loaded."""
RETIRE_SECONDS: Final = 2.0
"""How long calls of a plugin that is reloaded may go on."""
STOP_SECONDS: Final = 0.8
"""How long they may when the server stops."""


class RunningPlugins:
    """The plugins that run, by greeter.

    ``make`` makes a plugin of what was loaded. What is done to plugins with the same folder or
    greeter is done one after the other: that is for the caller to see to.
    """

    def __init__(self, make: Callable[[LoadedPlugin], Plugin]) -> None:
        self._make = make
        self._plugins: dict[str, Plugin] = {}
        self._versions: set[Plugin] = set()
        """Those that are not done with: what runs, and what is being replaced."""

    def find(self, greeter: str) -> Plugin | None:
        """Return the plugin with a greeter."""
        return self._plugins.get(greeter)

    def in_folder(self, folder: Path) -> Plugin | None:
        """Return the plugin of a folder."""
        return next((each for each in self._plugins.values() if each.folder == folder), None)

    def items(self) -> ItemsView[str, Plugin]:
        """Return the greeters and plugins."""
        return self._plugins.items()

    async def stop(self) -> None:
        """Stop all of them, also those that are being replaced."""
        self._plugins.clear()
        await asyncio.gather(*(self._end(plugin, STOP_SECONDS) for plugin in self._versions))

    async def renew(self, found: Found) -> str:
        """Load what is new or has changed, in place of what runs of its folder or greeter.

        Returns why that cannot be; empty if it runs. What ran before runs on then.
        """
        try:
            new = await self._load(found)
        except (SpecError, PluginLoadError) as error:
            return str(error)
        renamed = self.in_folder(found.folder)
        if renamed is not None and renamed.greeter != new.greeter:
            del self._plugins[renamed.greeter]
            await renamed.stop(RETIRE_SECONDS)
        else:
            renamed = None
        old = self._plugins.get(new.greeter)
        self._plugins[new.greeter] = new
        if old is not None:
            await old.stop(RETIRE_SECONDS, new)
        try:
            await new.start()
        except PluginStartError as error:
            await self._go_back(old, new)
            if renamed is not None:
                await self._bring_back(renamed)
            return str(error)
        if renamed is not None:
            await self.remove(renamed)
        new.greet_all()
        if old is not None:
            await self._end(old, RETIRE_SECONDS)
        extra = {"plugin": new.greeter, "version": new.loaded.spec.version}
        message = "plugin loaded" if old is None else "plugin reloaded"
        logger.info(message, extra={**extra, "folder": str(new.folder)})
        return ""

    async def remove(self, plugin: Plugin) -> None:
        """Stop a plugin that nothing comes in place of."""
        await self._drop(plugin)
        _log_stopped(plugin)

    async def _load(self, found: Found) -> Plugin:
        """Load what is in a folder; raises SpecError and PluginLoadError."""
        folder = found.folder
        loaded = await _in_time(folder, lambda: load_plugin(folder))
        if found.spec is None or loaded.spec.greeter != found.spec.greeter:
            loaded.unload()
            raise PluginLoadError(f"{folder}: spec.conf was changed while it was loaded")
        return self._made(loaded)

    def _made(self, loaded: LoadedPlugin) -> Plugin:
        try:
            plugin = self._make(loaded)
        except BaseException as error:  # attributes of an author's class may be anything
            loaded.unload()
            raise PluginLoadError(f"{loaded.folder}: {type(error).__name__}: {error}") from error
        self._versions.add(plugin)
        return plugin

    async def _go_back(self, old: Plugin | None, new: Plugin) -> None:
        """Start the earlier version of a greeter again, because the new one cannot."""
        revived = None if old is None else await self._revived(old)
        if revived is None:
            await self._drop(new)
            if old is not None:
                _log_stopped(old)
            return
        self._plugins[new.greeter] = revived
        await new.stop(RETIRE_SECONDS, revived)
        await self._end(new, RETIRE_SECONDS)
        await self._start_again(revived)

    async def _bring_back(self, renamed: Plugin) -> None:
        """Start a plugin again that was stopped for a version of it with another greeter."""
        revived = await self._revived(renamed)
        if revived is None:
            _log_stopped(renamed)
            return
        self._plugins[revived.greeter] = revived
        await self._start_again(revived)

    async def _revived(self, old: Plugin) -> Plugin | None:
        """Return the same version, to be started; None, with a word why, if it is not to be had."""
        try:
            revived = self._made(await _in_time(old.folder, old.loaded.renewed))
        except PluginLoadError as error:
            log_problem(old.folder, f"the earlier version neither: {error}")
            await self._end(old, RETIRE_SECONDS)
            return None
        self._versions.discard(old)  # its modules are those of the one that stands for it
        return revived

    async def _start_again(self, revived: Plugin) -> None:
        try:
            await revived.start()
        except PluginStartError:
            await self.remove(revived)
        else:
            revived.greet_all()

    async def _drop(self, plugin: Plugin) -> None:
        if self._plugins.get(plugin.greeter) is plugin:
            del self._plugins[plugin.greeter]
        await self._end(plugin, RETIRE_SECONDS)

    async def _end(self, plugin: Plugin, seconds: float) -> None:
        """Stop a version of a plugin, unless it is stopped, and forget it."""
        await plugin.stop(seconds)
        plugin.loaded.unload()
        self._versions.discard(plugin)


async def _in_time(folder: Path, load: Callable[[], LoadedPlugin]) -> LoadedPlugin:
    try:
        async with asyncio.timeout(LOAD_SECONDS):
            return await in_daemon_thread(load, too_late=LoadedPlugin.unload)
    except TimeoutError:
        raise PluginLoadError(f"{folder}: not loaded within {LOAD_SECONDS:g} s") from None


def _log_stopped(plugin: Plugin) -> None:
    logger.info("plugin stopped", extra={"plugin": plugin.greeter})
