"""All plugins of a server: loaded, reloaded and stopped, as the disk says."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Hashable, Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeVar

from nekonex.connect.host.bridge import Bridge
from nekonex.connect.host.catalog import Catalog, Found
from nekonex.connect.host.choosing import Chooser
from nekonex.connect.host.exits import guard_loop
from nekonex.connect.host.plugin import Plugin
from nekonex.connect.host.running import RunningPlugins
from nekonex.connect.host.steps import Key, Step, Steps
from nekonex.connect.host.watchdog import LoopWatchdog
from nekonex.connect.limits import ConnectLimits
from nekonex.connect.plugins import PluginSpec
from nekonex.connect.ports import GameControls
from nekonex.connect.stats import ConnectStats
from nekonex.domain.cells import CellStore
from nekonex.events import EventBus

__all__ = [
    "WATCH_SECONDS",
    "PluginHost",
    "PluginStatus",
]

logger = logging.getLogger(__name__)

WATCH_SECONDS: Final = 0.25
"""How often the plugins' folders are looked at, where changes are to be taken up."""

_T = TypeVar("_T")
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


@dataclass(slots=True)
class _Plan:
    """What leads from what runs to what was found on the disk; its steps are begun."""

    removals: list[tuple[Step, Plugin]] = field(default_factory=list)
    renewals: list[tuple[Step, Found]] = field(default_factory=list)
    obstacles: list[Step] = field(default_factory=list)
    """What has to be over before the rest can be done."""


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
        self._running = RunningPlugins(lambda loaded: Plugin(loaded, self))
        self._found: list[Found] = []
        self._taken: dict[Path, Hashable] = {}
        """The fingerprints of what was found, but for what could not be begun with yet."""
        self._steps = Steps()
        self._chooser = Chooser(self._spec_in, self._steps.greeter_for)
        self._looking = asyncio.Lock()
        self._watchdog = LoopWatchdog()
        self._tasks: list[asyncio.Task[None]] = []
        self._changes: set[asyncio.Task[None]] = set()
        self._is_stopping = False

    def find(self, greeter: str) -> Plugin | None:
        """Return the plugin with a greeter, if it runs."""
        return self._running.find(greeter)

    def statuses(self) -> list[PluginStatus]:
        """Return what became of all plugins that there are."""
        return [self._status(found) for found in self._found]

    async def start(self) -> None:
        """Load and start all plugins; what fails is logged, and left out."""
        guard_loop(asyncio.get_running_loop())
        self._watchdog.start()
        self._tasks.append(asyncio.create_task(self._look_after_calls()))
        if self._watch:
            self._tasks.append(asyncio.create_task(self._keep_up()))
        await self.refresh()

    async def stop(self) -> None:
        """Stop all plugins, also those that are just being loaded or replaced."""
        self._is_stopping = True
        await _cancel([*self._changes, *self._tasks])
        await self._running.stop()
        self.bridge.close()
        self._watchdog.stop()

    async def refresh(self, folder: Path | None = None) -> None:
        """Take up what has changed on the disk since the last time, and try again what failed.

        It waits until that is done, also for what has to be over before, and for the plugin of a
        folder, whoever has it loaded; not for others that are being loaded meanwhile.
        """
        change = self._begin(again=True, folder=folder)
        if change is not None:
            await asyncio.wait([change])  # it goes on even if whoever asked for it waits no more
            if not change.cancelled():  # as it is when the server stops
                change.result()

    def _begin(self, *, again: bool, folder: Path | None = None) -> asyncio.Task[None] | None:
        """Begin to bring the plugins up to date."""
        if self._is_stopping:
            return None
        change = asyncio.create_task(self._take_up(again=again, folder=folder))
        self._changes.add(change)
        change.add_done_callback(self._changes.discard)
        return change

    async def _take_up(self, *, again: bool, folder: Path | None) -> None:
        deferred: set[Path] = set()
        while True:
            async with self._looking:
                # Only now: of two that look at the same time, the last to go on may be the first
                # to have looked.
                found, awaited = await asyncio.to_thread(self._look, folder)
                deferred |= awaited
                plan = self._plan(found, deferred, again=again)
            await _all_of(
                self._do(step, self._running.remove, each) for step, each in plan.removals
            )
            await _all_of(self._do(step, self._renew, each) for step, each in plan.renewals)
            if not plan.obstacles:
                return
            await asyncio.wait(
                {step.over for step in plan.obstacles}, return_when=asyncio.FIRST_COMPLETED
            )
            again = False

    def _look(self, folder: Path | None) -> tuple[list[Found], set[Path]]:
        """Return what is on the disk, and what of it is in a folder, by whatever path."""
        found = self._catalog.look()
        if folder is None:
            return found, set()
        place = folder.resolve()
        return found, {each.folder for each in found if each.folder.resolve() == place}

    async def _do(self, step: Step, work: Callable[[_T], Awaitable[None]], plugin: _T) -> None:
        try:
            await work(plugin)
        finally:
            self._steps.end(step)

    def _plan(self, found: list[Found], deferred: set[Path], *, again: bool) -> _Plan:
        """Begin the steps that lead to what was found, but for those that have to wait.

        What has to wait is noted in ``deferred``, and has to be looked at again.
        """
        wanted = self._chooser.choose(found)
        plan = _Plan(obstacles=self._steps.outdated(wanted))
        deferred.update(step.found.folder for step in plan.obstacles if step.found is not None)
        self._found = found
        taken = {each.folder: each.fingerprint for each in found}
        folders = {each.folder for each in wanted.values()}
        for greeter, plugin in self._running.items():
            if greeter not in wanted and plugin.folder not in folders:
                keys = frozenset[Key]({greeter, plugin.folder})
                if others := self._steps.in_the_way(keys):
                    plan.obstacles += others
                else:
                    plan.removals.append((self._steps.begin(keys), plugin))
        for each in wanted.values():
            under_way = self._steps.bringing(each)
            if under_way is not None:
                if each.folder in deferred:
                    plan.obstacles.append(under_way)
            elif self._is_due(each, again=again) and not each.problem:
                keys = self._keys_of(each)
                if others := self._steps.in_the_way(keys):
                    plan.obstacles += others
                    deferred.add(each.folder)
                    del taken[each.folder]
                else:
                    plan.renewals.append((self._steps.begin(keys, each), each))
        self._taken = taken
        return plan

    def _is_due(self, found: Found, *, again: bool) -> bool:
        """Return whether a plugin is to be loaded now."""
        if self._taken.get(found.folder) != found.fingerprint:
            return True
        failed = found.folder in self._chooser.problems
        plugin = None if found.spec is None else self._running.find(found.spec.greeter)
        if plugin is not None and plugin.folder == found.folder:
            return again and failed
        return again or not failed

    def _keys_of(self, found: Found) -> frozenset[Key]:
        """Return the folders and greeters that loading a plugin may have to do with."""
        keys: set[Key] = {found.folder}
        before = self._running.in_folder(found.folder)
        if before is not None:
            keys.add(before.greeter)
        if found.spec is not None:
            keys.add(found.spec.greeter)
            old = self._running.find(found.spec.greeter)
            if old is not None:
                keys.add(old.folder)
        return frozenset(keys)

    def _spec_in(self, folder: Path) -> PluginSpec | None:
        plugin = self._running.in_folder(folder)
        return None if plugin is None else plugin.loaded.spec

    async def _renew(self, found: Found) -> None:
        problem = await self._running.renew(found)
        if problem:
            self._chooser.note_problem(found, problem)
        else:
            self._chooser.problems.pop(found.folder, None)

    def _status(self, found: Found) -> PluginStatus:
        plugin = self._running.in_folder(found.folder)
        spec = found.spec if plugin is None else plugin.loaded.spec
        state: PluginState = "failed" if plugin is None else "running"
        return PluginStatus(
            "" if spec is None else spec.greeter,
            "" if spec is None else spec.name,
            "" if spec is None else spec.version,
            found.folder,
            state if found.is_enabled else "disabled",
            self._chooser.reason(found.folder),
            0 if plugin is None else len(plugin.channels),
        )

    async def _look_after_calls(self) -> None:
        interval = max(0.05, min(1.0, self.limits.plugin_timeout / 4))
        while True:
            await asyncio.sleep(interval)
            now = time.monotonic()
            for plugin in [each for _, each in self._running.items()]:
                try:
                    plugin.calls.look_after(now)
                except Exception:
                    extra = {"plugin": plugin.greeter}
                    logger.exception("the calls of a plugin were not looked after", extra=extra)

    async def _keep_up(self) -> None:
        """Take up what changes on the disk, as soon as it looks the same twice."""
        last: list[Found] | None = None
        while True:
            await asyncio.sleep(WATCH_SECONDS)
            try:
                found = await asyncio.to_thread(self._catalog.look)
                if found == last and _marks(found) != _marks(self._found):
                    change = self._begin(again=False)
                    if change is not None:
                        change.add_done_callback(_log_failure)
                last = found
            except Exception:
                logger.exception("a change of the plugins was not taken up")


async def _all_of(steps: Iterable[Coroutine[Any, Any, None]]) -> None:
    """Do all of it, also where something of it fails that should not."""
    for problem in await asyncio.gather(*steps, return_exceptions=True):
        if problem is not None:
            logger.error("a change of a plugin was not taken up", exc_info=problem)


def _log_failure(change: asyncio.Task[None]) -> None:
    if not change.cancelled() and (error := change.exception()) is not None:
        logger.error("a change of the plugins was not taken up", exc_info=error)


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _marks(found: list[Found]) -> dict[Path, object]:
    return {each.folder: each.fingerprint for each in found}
