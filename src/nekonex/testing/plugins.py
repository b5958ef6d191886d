"""A plugin in the real server, for tests without an event loop."""

import contextlib
import logging
import tempfile
import traceback
from collections.abc import Coroutine, Iterator
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from nekonex.app import Server
from nekonex.connect import ConnectLimits, Message, SyncClient
from nekonex.connect.plugins import SpecError, read_spec
from nekonex.domain.cells import Stored
from nekonex.storage.memory_cells import MemoryCellStore
from nekonex.testing.serving import Serving, serve_alone, serve_with_games
from nekonex.testing.threads import ServerThread

__all__ = [
    "REQUEST_SECONDS",
    "Logged",
    "PluginCells",
    "PluginClient",
    "PluginRunner",
    "PluginTestError",
    "RunningPlugin",
    "running_plugin",
]

REQUEST_SECONDS: Final = 5.0
"""How long an answer is waited for, if the test does not say."""

RELOAD_SECONDS: Final = 20.0
"""How long loading a plugin anew may take."""

_HOST: Final = "nekonex.connect.host"
"""The logger of what runs plugins; those of its parts are below it."""
_WATCHDOG_LOGGER: Final = f"{_HOST}.watchdog"

_T = TypeVar("_T")


class PluginTestError(AssertionError):
    """The plugin does not load, or it has failed in a way that the test did not expect."""


class Logged(NamedTuple):
    """Something that the plugin noted with ``log``, ``warn`` or ``error``."""

    level: str
    """``info``, ``warning`` or ``error``."""
    text: str


class PluginClient:
    """A client that is connected, for one thread; it talks to the plugin only.

    It is closed at the end of the test. The whole client is ``whole``.
    """

    def __init__(self, whole: SyncClient, greeter: str) -> None:
        self.whole = whole
        self._greeter = greeter

    def send(self, data: bytes = b"", op: int = 0) -> None:
        """Send a frame; raises DisconnectedError."""
        self.whole.send(self._greeter, op, data)

    def recv(self, timeout: float = REQUEST_SECONDS) -> Message:
        """Return the next message, of the plugin or a status.

        Raises TimeoutError if none comes, DisconnectedError if none can come any more.
        """
        return self.whole.recv(timeout)

    def request(self, data: bytes = b"", op: int = 0, timeout: float = REQUEST_SECONDS) -> Message:
        """Send a frame and return the plugin's next message.

        Raises StatusError for a status, such as 500 where the plugin raised; TimeoutError and
        DisconnectedError.
        """
        return self.whole.request(self._greeter, op, data, timeout)

    def close(self) -> None:
        """Close the connection; harmless if repeated."""
        self.whole.close()


class RunningPlugin:
    """A plugin that runs, with the real server on a real socket; see `running_plugin`."""

    def __init__(self, folder: Path, greeter: str, thread: partial[ServerThread[Serving]]) -> None:
        self.folder = folder
        self.greeter = greeter
        self.log: list[Logged] = []
        """What the plugin noted so far with ``log``, ``warn`` and ``error``."""
        self.failures: list[BaseException] = []
        """What the plugin raised, in the order in which it did. What is left here at the end fails
        the test: one that expects a failure takes it off the list."""
        self.cells = PluginCells(self)
        """The plugin's database."""
        self._make_thread = thread
        self._clients: list[PluginClient] = []
        self._thread: ServerThread[Serving] | None = None
        self._serving: Serving | None = None

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of NekoConnect."""
        return self.serving.address

    @property
    def password(self) -> str:
        """What clients have to know; empty where anybody may come."""
        return self.serving.password

    @property
    def server(self) -> Server:
        """The whole server, where there is a configuration; its coroutines are for `run`."""
        if self.serving.server is None:
            raise RuntimeError("there is no game here: give `config`, a configuration with one")
        return self.serving.server

    @property
    def serving(self) -> Serving:
        """What `address`, `password`, `server` and `cells` are of."""
        if self._serving is None:
            raise RuntimeError("the plugin does not run")
        return self._serving

    def client(self) -> PluginClient:
        """Return a new client that is connected."""
        host, port = self.address
        whole = SyncClient(host, port, self.password, timeout=REQUEST_SECONDS)
        whole.connect()
        client = PluginClient(whole, self.greeter)
        self._clients.append(client)
        return client

    def run(self, coroutine: Coroutine[Any, Any, _T], timeout: float = REQUEST_SECONDS) -> _T:
        """Return what a coroutine returns that is awaited in the server's event loop.

        Raises TimeoutError, and what it raises.
        """
        if self._thread is None:
            coroutine.close()
            raise RuntimeError("the plugin does not run")
        return self._thread.run(coroutine, timeout)

    def restart(self) -> None:
        """Stop the server and start it again: clients are disconnected, cells are kept."""
        self.stop()
        self.start()

    def reload(self) -> None:
        """Load the plugin anew if its files have changed; clients stay connected.

        Raises PluginTestError if it does not load; the version of before runs on then.
        """
        serving = self.serving

        async def refresh() -> None:
            await serving.refresh()

        self.run(refresh(), RELOAD_SECONDS)
        self._refuse_problem(serving)

    def start(self) -> None:
        """Start the server; raises PluginTestError if the plugin does not load."""
        self._thread = self._make_thread()
        try:
            self._serving = self._thread.start()
        except BaseException:
            self.stop()
            raise
        self._refuse_problem(self._serving)

    def stop(self) -> None:
        """Close all clients, and stop the server. Harmless if repeated."""
        clients, self._clients = self._clients, []
        for client in clients:
            client.close()
        thread, self._thread, self._serving = self._thread, None, None
        if thread is not None:
            thread.stop()

    def _refuse_problem(self, serving: Serving) -> None:
        async def problem() -> str:
            return serving.problem()

        if reason := self.run(problem()):
            raise PluginTestError(f"the plugin does not run: {reason}")


class PluginCells:
    """The database of a plugin that is tested."""

    def __init__(self, plugin: RunningPlugin) -> None:
        self._plugin = plugin

    def get(self, cell: str) -> str:
        """Return the text of a cell, ``""`` where there is none."""
        plugin = self._plugin
        return plugin.run(plugin.serving.cells.get(plugin.greeter, cell))

    def store(self, cell: str, text: str) -> None:
        """Keep a text; raises ValueError where the plugin could not either."""
        plugin, serving = self._plugin, self._plugin.serving
        kept = plugin.run(serving.cells.store(plugin.greeter, cell, text, serving.cell_limits))
        if kept is not Stored.KEPT:
            raise ValueError(f"the cell {cell!r} was not stored: {kept.value}")

    def names(self, prefix: str = "") -> list[str]:
        """Return the names of the cells that begin so, sorted."""
        plugin = self._plugin
        return list(plugin.run(plugin.serving.cells.cells(plugin.greeter, prefix)))


class PluginRunner(Protocol):
    """`running_plugin`, as the fixture `nekonex_plugin` has it."""

    def __call__(
        self, folder: Path | str, *, config: str = "", limits: ConnectLimits | None = None
    ) -> AbstractContextManager[RunningPlugin]:
        """Run a plugin."""


@contextlib.contextmanager
def running_plugin(
    folder: Path | str, *, config: str = "", limits: ConnectLimits | None = None
) -> Iterator[RunningPlugin]:
    """Run the plugin of a folder in the real server, on a free port and in a thread of its own.

    Without *config* there is nothing but NekoConnect, with cells in memory and with *limits*.
    *config* is the text of a ``nekonex.toml``: the whole server runs then, games included, and
    keeps what it keeps in a temporary folder.

    Raises PluginTestError if the plugin does not load, and at the end if it has raised something
    that the test did not take off `RunningPlugin.failures`.
    """
    folder = Path(folder)
    if config and limits is not None:
        raise ValueError("with a configuration, limits are those of its [connect]")
    try:
        greeter = read_spec(folder).greeter
    except SpecError as error:
        raise PluginTestError(f"the plugin does not run: {error}") from None
    with contextlib.ExitStack() as stack:
        if config:
            data = stack.enter_context(tempfile.TemporaryDirectory(prefix="nekonex-"))
            make = partial(serve_with_games, folder, config, Path(data))
        else:
            make = partial(serve_alone, folder, limits or ConnectLimits(), MemoryCellStore())
        plugin = RunningPlugin(folder, greeter, partial(ServerThread, make))
        stack.enter_context(_listening(plugin))
        stack.callback(plugin.stop)
        plugin.start()
        yield plugin
        plugin.stop()
        if plugin.failures:
            raise PluginTestError(_told(plugin.failures))


class _Notes(logging.Handler):
    """Hears what the plugin notes."""

    def __init__(self, plugin: RunningPlugin) -> None:
        super().__init__()
        self._plugin = plugin

    def emit(self, record: logging.LogRecord) -> None:
        """Remember a note."""
        self._plugin.log.append(Logged(record.levelname.lower(), record.getMessage()))


class _Failures(logging.Handler):
    """Hears what the server says of the plugin's failures."""

    def __init__(self, plugin: RunningPlugin) -> None:
        super().__init__(logging.WARNING)
        self._plugin = plugin

    def emit(self, record: logging.LogRecord) -> None:
        """Remember a failure: what was raised, or what the server says of it."""
        is_its_own = getattr(record, "plugin", None) == self._plugin.greeter
        if not is_its_own and record.name != _WATCHDOG_LOGGER:
            return
        raised = None if record.exc_info is None else record.exc_info[1]
        if raised is None:
            stack = getattr(record, "stack", "")
            text = f"{record.getMessage()}, at\n{stack}" if stack else record.getMessage()
            raised = RuntimeError(text)
        self._plugin.failures.append(raised)


@contextlib.contextmanager
def _listening(plugin: RunningPlugin) -> Iterator[None]:
    notes, host = logging.getLogger(f"nekonex.plugin.{plugin.greeter}"), logging.getLogger(_HOST)
    heard, failures = _Notes(plugin), _Failures(plugin)
    level = notes.level
    notes.setLevel(logging.INFO)
    notes.addHandler(heard)
    host.addHandler(failures)
    try:
        yield
    finally:
        host.removeHandler(failures)
        notes.removeHandler(heard)
        notes.setLevel(level)


def _told(failures: list[BaseException]) -> str:
    tracebacks = ["".join(traceback.format_exception(each)) for each in failures]
    return "the plugin has failed:\n\n" + "\n".join(tracebacks).rstrip()
