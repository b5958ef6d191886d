"""The app object, as `nekonex.connect.context` describes it."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any, Final, TypeVar

from nekonex.connect.context import DatabaseError
from nekonex.connect.host.calls import Method, waiting
from nekonex.domain.cells import Stored
from nekonex.events import Event
from nekonex.values import ServiceUnavailable

if TYPE_CHECKING:
    from nekonex.connect.host.contexts import PluginContext
    from nekonex.connect.host.plugin import Plugin

__all__ = ["PluginApp"]

_T = TypeVar("_T")

_SHOWN: Final = 80
"""Characters that are logged of each argument of an action."""


class PluginApp:
    """What a plugin holds of the server: an `App` in threads, an `AsyncApp` on the loop."""

    def __init__(self, plugin: Plugin) -> None:
        self._plugin = plugin
        self._logger = logging.getLogger(f"nekonex.plugin.{plugin.greeter}")

    @property
    def greeter(self) -> str:
        """The plugin's own greeter."""
        return self._plugin.greeter

    def log(self, message: object, client: PluginContext | None = None) -> None:
        """Note what is worth knowing."""
        self._note(logging.INFO, message, client)

    def warn(self, message: object, client: PluginContext | None = None) -> None:
        """Note what may be wrong."""
        self._note(logging.WARNING, message, client)

    def error(self, message: object, client: PluginContext | None = None) -> None:
        """Note what went wrong."""
        self._note(logging.ERROR, message, client)

    def on(self, event: type[Event], callback: Callable[[Any], object]) -> Callable[[], None]:
        """Call back with events; see `nekonex.connect.context.App`."""
        if not (isinstance(event, type) and issubclass(event, Event)):
            raise TypeError(f"an event is a class of nekonex.events, not {event!r}")
        if not callable(callback):
            raise TypeError(f"a callback is a function, not {callback!r:.80}")
        method = Method(callback, inspect.iscoroutinefunction(callback))
        bridge, queue = self._plugin.bridge, self._plugin.events
        end = bridge.call(queue.subscribe, event, method)
        return lambda: bridge.call(end)

    def clients(self) -> list[Any]:
        """Return the connections that have sent this plugin a frame."""
        return [channel.context for channel in list(self._plugin.latest.channels.values())]

    def broadcast(self, data: bytes, op: int = 200) -> Any:
        """Send a frame to all; see `nekonex.connect.context.App.broadcast`."""
        return self._brief(self._plugin.broadcast(data, op))

    def db_get(self, cell: str) -> Any:
        """Return a text; see `nekonex.connect.context.Context.db_get`."""
        store, name = self._plugin.host.cells, _text(cell, "the name of a cell")
        return self._wait(lambda: store.get(self.greeter, name))

    def db_store(self, cell: str, data: str) -> Any:
        """Keep a text; see `nekonex.connect.context.Context.db_store`."""
        _text(cell, "the name of a cell")
        return self._brief(self._store(cell, _text(data, "the data of a cell")))

    def db_cells(self, prefix: str = "") -> Any:
        """Return names of cells; see `nekonex.connect.context.Context.db_cells`."""
        store, start = self._plugin.host.cells, _text(prefix, "the beginning of a name")

        async def names() -> list[str]:
            return list(await store.cells(self.greeter, start))

        return self._wait(names)

    def games(self) -> Any:
        """Return the games' names."""
        return self._wait(self._plugin.host.controls.games)

    def players(self, game: str | None = None) -> Any:
        """Return who is logged in."""
        return self._wait(lambda: self._plugin.host.controls.players(game))

    def gatherings(self, game: str | None = None) -> Any:
        """Return which gatherings are open."""
        return self._wait(lambda: self._plugin.host.controls.gatherings(game))

    def top_scores(self, game: str, category: int, count: int = 10) -> Any:
        """Return the best scores of a category."""
        return self._wait(lambda: self._plugin.host.controls.top_scores(game, category, count))

    def kick(self, pid: int, *, game: str | None = None, reason: str = "kicked") -> Any:
        """Disconnect a player."""
        controls = self._plugin.host.controls
        return self._act(
            "kick", lambda: controls.kick(pid, game=game, reason=reason), pid=pid, game=game
        )

    def ban(
        self, pid: int, reason: str = "", *, seconds: float | None = None, game: str | None = None
    ) -> Any:
        """Keep a player out."""
        controls = self._plugin.host.controls
        return self._act(
            "ban",
            lambda: controls.ban(pid, reason, seconds=seconds, game=game),
            pid=pid,
            game=game,
            seconds=seconds,
        )

    def unban(self, pid: int, *, game: str | None = None) -> Any:
        """Lift a ban."""
        controls = self._plugin.host.controls
        return self._act("unban", lambda: controls.unban(pid, game=game), pid=pid, game=game)

    def announce(self, pid: int, text: str, *, game: str | None = None) -> Any:
        """Send a text to a player's consoles."""
        return self._wait(lambda: self._plugin.host.controls.announce(pid, text, game=game))

    def start_maintenance(self, *, game: str | None = None, seconds: float | None = None) -> Any:
        """Let nobody log in from now on."""
        controls = self._plugin.host.controls
        return self._act(
            "start_maintenance",
            lambda: controls.start_maintenance(game=game, seconds=seconds),
            game=game,
            seconds=seconds,
        )

    def end_maintenance(self, *, game: str | None = None) -> Any:
        """Let players log in again."""
        controls = self._plugin.host.controls
        return self._act("end_maintenance", lambda: controls.end_maintenance(game=game), game=game)

    def _note(
        self, level: int, message: object, client: PluginContext | None, **about: object
    ) -> None:
        where: dict[str, object] = {"plugin": self.greeter, **about}
        if client is not None:
            where["client"] = client.client_id
        # Made text here: what cannot be is the plugin's mistake, and it may change afterwards.
        self._logger.log(level, "%s", str(message), extra=where)

    def _act(
        self, what: str, action: Callable[[], Coroutine[Any, Any, _T]], **about: object
    ) -> Any:
        """Do what changes something for players, and leave a trace of which plugin did, to whom."""
        known = {name: str(value)[:_SHOWN] for name, value in about.items() if value is not None}
        self._note(logging.INFO, f"the plugin calls {what}", None, **known)
        return self._wait(action)

    def _wait(self, question: Callable[[], Coroutine[Any, Any, _T]]) -> Any:
        return self._brief(_ask(question))

    def _brief(self, coroutine: Coroutine[Any, Any, _T]) -> Any:
        return self._plugin.bridge.wait(coroutine, keeps_place=True)

    async def _store(self, cell: str, data: str) -> bool:
        host = self._plugin.host
        try:
            with waiting():
                stored = await host.cells.store(self.greeter, cell, data, host.limits.cells)
        except ServiceUnavailable as error:
            self.error(f"the cell {cell!r} was not stored: {error}")
            return False
        if stored is not Stored.KEPT:
            self.warn(f"the cell {cell!r} was not stored: {stored.value}")
        return stored is Stored.KEPT


async def _ask(question: Callable[[], Coroutine[Any, Any, _T]]) -> _T:
    try:
        with waiting():
            return await question()
    except ServiceUnavailable as error:
        raise DatabaseError(str(error)) from error


def _text(value: object, what: str) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{what} is text, not {type(value).__name__}")
    return value
