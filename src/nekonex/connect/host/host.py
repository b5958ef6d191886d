"""All plugins of a server: loaded, reloaded and stopped, as the disk says."""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from nekonex.connect.host.bridge import Bridge
from nekonex.connect.host.catalog import Catalog, Found
from nekonex.connect.host.plugin import Plugin, PluginStartError
from nekonex.connect.host.threads import in_daemon_thread
from nekonex.connect.host.watchdog import LoopWatchdog
from nekonex.connect.limits import ConnectLimits
from nekonex.connect.plugins import LoadedPlugin, PluginLoadError, SpecError, load_plugin
from nekonex.connect.ports import GameControls
from nekonex.connect.stats import ConnectStats
from nekonex.domain.cells import CellStore
from nekonex.events import EventBus

__all__ = [
    "LOAD_SECONDS",
    "RETIRE_SECONDS",
    "STOP_SECONDS",
    "WATCH_SECONDS",
    "PluginHost",
    "PluginStatus",
]

logger = logging.getLogger(__name__)

LOAD_SECONDS: Final = 10.0
"""How long the modules of a plugin may take to be loaded."""
RETIRE_SECONDS: Final = 2.0
"""How long calls of a plugin that is reloaded may go on."""
STOP_SECONDS: Final = 0.8
"""How long they may when the server stops."""
WATCH_SECONDS: Final = 0.25
"""How often the plugins' folders are looked at, where changes are to be taken up."""

PluginState = Literal["running", "disabled", "failed"]


@dataclass(frozen=True, slots=True)
class PluginStatus:
    """What became of a plugin that is on the disk."""

    greeter: str
    """Empty where the spec sheet is wrong."""
    name: str
    version: str
    folder: Path
    state: PluginState
    reason: str
    """Why it failed; also of one whose earlier version still runs."""
    clients: int
    """Connections that have sent it a frame."""


class PluginHost:
    """Made on the event loop; `start` comes first, `stop` last."""

    def __init__(
        self,
        catalog: Catalog,
        *,
        cells: CellStore,
        controls: GameControls,
        events: EventBus,
        limits: ConnectLimits,
        stats: ConnectStats,
        watch: bool,
    ) -> None:
        self.cells = cells
        self.controls = controls
        self.events = events
        self.limits = limits
        self.stats = stats
        self.bridge = Bridge()
        self._catalog = catalog
        self._watch = watch
        self._plugins: dict[str, Plugin] = {}
        self._found: list[Found] = []
        self._problems: dict[Path, str] = {}
        self._conflicts: dict[Path, str] = {}
        self._refreshing = asyncio.Lock()
        self._watchdog = LoopWatchdog()
        self._tasks: list[asyncio.Task[None]] = []

    def find(self, greeter: str) -> Plugin | None:
        """Return the plugin with a greeter, if it runs."""
        return self._plugins.get(greeter)

    def statuses(self) -> list[PluginStatus]:
        """Return what became of all plugins that there are."""
        return [self._status(found) for found in self._found]

    async def start(self) -> None:
        """Load and start all plugins; what fails is logged, and left out."""
        self._watchdog.start()
        self._tasks.append(asyncio.create_task(self._look_after_calls()))
        await self.refresh()
        if self._watch:
            self._tasks.append(asyncio.create_task(self._keep_up()))

    async def stop(self) -> None:
        """Stop all plugins."""
        for task in self._tasks[1:]:
            task.cancel()
        async with self._refreshing:
            plugins, self._plugins = list(self._plugins.values()), {}
            await asyncio.gather(*(plugin.stop(STOP_SECONDS) for plugin in plugins))
            for plugin in plugins:
                plugin.loaded.unload()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._watchdog.stop()

    async def refresh(self) -> None:
        """Take up what has changed on the disk since the last time, and try again what failed."""
        await self._take_up(await asyncio.to_thread(self._catalog.look), again=True)

    async def _take_up(self, found: list[Found], *, again: bool) -> None:
        async with self._refreshing:
            before = {each.folder: each for each in self._found}
            wanted = self._choose(found)
            gone = [p for greeter, p in self._plugins.items() if greeter not in wanted]
            await asyncio.gather(*(self._remove(plugin) for plugin in gone))
            due = [
                each
                for each in wanted.values()
                if self._is_due(each, before.get(each.folder), again=again)
            ]
            self._found = found
            await asyncio.gather(*(self._renew(each) for each in due))

    def _is_due(self, found: Found, before: Found | None, *, again: bool) -> bool:
        """Return whether a plugin is to be loaded now."""
        if before is None or before.fingerprint != found.fingerprint:
            return True
        failed = found.folder in self._problems
        plugin = None if found.spec is None else self._plugins.get(found.spec.greeter)
        if plugin is not None and plugin.folder == found.folder:
            return again and failed
        return again or not failed

    def _choose(self, found: list[Found]) -> dict[str, Found]:
        """Return which folder each greeter is to be of; what is left out is said why."""
        folders = {each.folder for each in found}
        self._problems = {at: text for at, text in self._problems.items() if at in folders}
        running = {plugin.folder for plugin in self._plugins.values()}
        wanted: dict[str, Found] = {}
        conflicts: dict[Path, str] = {}
        # What runs already keeps its greeter.
        for each in sorted(found, key=lambda each: each.folder not in running):
            if not each.is_enabled:
                self._problems.pop(each.folder, None)
            elif each.spec is None:
                self._note_problem(each.folder, each.problem)
                self._keep_running(each, wanted, found)
            elif each.spec.greeter in wanted:
                conflicts[each.folder] = (
                    f'greet "{each.spec.greeter}" is that of two plugins, '
                    f"{wanted[each.spec.greeter].folder} and {each.folder}; the first is used"
                )
            else:
                wanted[each.spec.greeter] = each
        for folder, text in conflicts.items():
            if self._conflicts.get(folder) != text:
                _log_problem(folder, text)
        self._conflicts = conflicts
        return wanted

    def _keep_running(self, broken: Found, wanted: dict[str, Found], found: list[Found]) -> None:
        """Let the version run on that was loaded before the spec sheet became wrong."""
        for greeter, plugin in self._plugins.items():
            if plugin.folder == broken.folder and greeter not in wanted:
                known = Found(
                    broken.folder, plugin.loaded.spec, broken.problem, True, broken.fingerprint
                )
                found[found.index(broken)] = known
                wanted[greeter] = known

    async def _renew(self, found: Found) -> None:
        """Load what is new or has changed, in place of what runs with its greeter."""
        if found.problem:
            return
        try:
            loaded = await self._load(found.folder)
        except (SpecError, PluginLoadError) as error:
            self._note_problem(found.folder, str(error))
            return
        greeter = loaded.spec.greeter
        old, new = self._plugins.get(greeter), Plugin(loaded, self)
        self._plugins[greeter] = new
        if old is not None:
            await old.stop(RETIRE_SECONDS, new)
        try:
            await new.start()
        except PluginStartError as error:
            self._note_problem(found.folder, f"{found.folder}: {error}")
            await self._go_back(old, new)
            return
        self._problems.pop(found.folder, None)
        new.greet_all()
        if old is not None:
            old.loaded.unload()
        logger.info(
            "plugin loaded" if old is None else "plugin reloaded",
            extra={"plugin": greeter, "version": loaded.spec.version, "folder": str(new.folder)},
        )

    async def _load(self, folder: Path) -> LoadedPlugin:
        try:
            async with asyncio.timeout(LOAD_SECONDS):
                return await in_daemon_thread(load_plugin, folder)
        except TimeoutError:
            raise PluginLoadError(f"{folder}: not loaded within {LOAD_SECONDS:g} s") from None

    async def _go_back(self, old: Plugin | None, new: Plugin) -> None:
        """Start the earlier version again, because the new one cannot."""
        if old is None:
            await self._remove(new)
            return
        try:
            revived = Plugin(await in_daemon_thread(old.loaded.renewed), self)
        except PluginLoadError:
            old.loaded.unload()
            await self._remove(new)
            return
        self._plugins[new.greeter] = revived
        await new.stop(RETIRE_SECONDS, revived)
        new.loaded.unload()
        try:
            await revived.start()
        except PluginStartError:
            await self._remove(revived)
        else:
            revived.greet_all()

    async def _remove(self, plugin: Plugin) -> None:
        del self._plugins[plugin.greeter]
        await plugin.stop(RETIRE_SECONDS)
        plugin.loaded.unload()
        logger.info("plugin stopped", extra={"plugin": plugin.greeter})

    def _note_problem(self, folder: Path, problem: str) -> None:
        if self._problems.get(folder) != problem:
            self._problems[folder] = problem
            _log_problem(folder, problem)

    def _status(self, found: Found) -> PluginStatus:
        spec = found.spec
        greeter = "" if spec is None else spec.greeter
        plugin = self._plugins.get(greeter)
        is_running = plugin is not None and plugin.folder == found.folder
        state: PluginState = "running" if is_running else "failed"
        return PluginStatus(
            greeter,
            "" if spec is None else spec.name,
            plugin.loaded.spec.version if is_running and plugin else spec.version if spec else "",
            found.folder,
            state if found.is_enabled else "disabled",
            self._problems.get(found.folder) or self._conflicts.get(found.folder, ""),
            len(plugin.channels) if is_running and plugin else 0,
        )

    async def _look_after_calls(self) -> None:
        interval = max(0.05, min(1.0, self.limits.plugin_timeout / 4))
        while True:
            await asyncio.sleep(interval)
            now = time.monotonic()
            for plugin in list(self._plugins.values()):
                plugin.look_after_calls(now)

    async def _keep_up(self) -> None:
        """Take up what changes on the disk, as soon as it looks the same twice."""
        last: list[Found] | None = None
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            found = await asyncio.to_thread(self._catalog.look)
            if found == last and _marks(found) != _marks(self._found):
                try:
                    await self._take_up(found, again=False)
                except Exception:
                    logger.exception("a change of the plugins was not taken up")
            last = found


def _log_problem(folder: Path, problem: str) -> None:
    logger.error("a plugin was not loaded: %s", problem, extra={"folder": str(folder)})


def _marks(found: list[Found]) -> dict[Path, object]:
    return {each.folder: each.fingerprint for each in found}
