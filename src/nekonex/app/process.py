"""The server as a process: signals, the ready file, and what the service manager is told."""

import asyncio
import contextlib
import gc
import json
import logging
import os
import secrets
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any, Final

from nekonex.app.errors import DataDirInUseError, StartError
from nekonex.app.server import Server, running
from nekonex.config import Config

__all__ = ["ReadyFile", "notify_systemd", "serve_until_stopped"]

logger = logging.getLogger(__name__)

STOP_SECONDS: Final = 4.5
"""How long a stop may take before the process ends with whatever still runs in it."""

_STOP_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT)


class ReadyFile:
    """Says in one JSON object that everything listens, and where; absent at other times."""

    def __init__(self, path: Path | None) -> None:
        self._path = path

    def remove(self) -> None:
        """Remove the file, if there is one. What cannot be removed `write` complains about."""
        if self._path is not None:
            with contextlib.suppress(OSError):
                self._path.unlink()

    def write(self, content: dict[str, Any]) -> None:
        """Let the file appear, whole; StartError if it cannot be written."""
        if self._path is None:
            return
        beside = self._path.with_name(f".{self._path.name}.{secrets.token_hex(8)}")
        try:
            beside.write_text(json.dumps(content) + "\n", encoding="utf-8")
            beside.replace(self._path)
        except OSError as error:
            with contextlib.suppress(OSError):
                beside.unlink()
            raise StartError(
                f"the ready file {self._path} cannot be written: {error.strerror}"
            ) from error


def serve_until_stopped(
    config: Config,
    ready: ReadyFile,
    *,
    plugin_folders: Iterable[Path] = (),
    watch: bool | None = None,
    on_ready: Callable[[Server], object] | None = None,
) -> None:
    """Run a server until SIGTERM or SIGINT. A second signal ends the process at once.

    *on_ready* is called with the server once everything listens. The rest is as with
    `nekonex.app.running`, and raises what that raises.
    """
    asyncio.run(_serve(config, ready, plugin_folders, watch, on_ready))


async def _serve(
    config: Config,
    ready: ReadyFile,
    plugin_folders: Iterable[Path],
    watch: bool | None,
    on_ready: Callable[[Server], object] | None,
) -> None:
    watchdog = threading.Timer(STOP_SECONDS, _give_up)
    watchdog.daemon = True
    try:
        with _stop_signals() as stop:
            async with running(
                config, on_claim=ready.remove, plugin_folders=plugin_folders, watch=watch
            ) as server:
                # What was loaded stays: the collector need not go through a million scores.
                gc.collect()
                gc.freeze()
                ready.write(server.addresses())
                notify_systemd("READY=1")
                logger.info("ready", extra={"process_id": os.getpid()})
                if on_ready is not None:
                    on_ready(server)
                await stop.wait()
                watchdog.start()
                ready.remove()
                notify_systemd("STOPPING=1")
                logger.info("stopping")
    except DataDirInUseError:
        raise  # the file, if there is one, belongs to the server that runs
    except BaseException:
        ready.remove()
        raise
    logger.info("stopped")


@contextlib.contextmanager
def _stop_signals() -> Iterator[asyncio.Event]:
    """Yield an event that the first signal sets; the next one has its default effect."""
    loop = asyncio.get_running_loop()
    stop = asyncio.Event()

    def on_signal(_number: int, _frame: FrameType | None) -> None:
        for number in _STOP_SIGNALS:
            signal.signal(number, signal.SIG_DFL)
        loop.call_soon_threadsafe(stop.set)

    # Not loop.add_signal_handler: a loop that hangs would keep the second signal waiting too.
    previous = {number: signal.signal(number, on_signal) for number in _STOP_SIGNALS}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def _give_up() -> None:
    """End a process in which something does not stop, such as a callback in a thread."""
    logger.error("something did not stop in time: the process ends without it")
    sys.stderr.flush()
    os._exit(0)


def notify_systemd(state: str) -> None:
    """Tell the service manager about a change of state; nothing happens where there is none.

    The protocol is that of sd_notify(3): one datagram to the socket in $NOTIFY_SOCKET, whose
    name begins with @ if it is abstract.
    """
    address = os.environ.get("NOTIFY_SOCKET")
    if not address or not hasattr(socket, "AF_UNIX"):
        return
    if address.startswith("@"):
        address = f"\0{address[1:]}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        try:
            manager.sendto(state.encode(), address)
        except OSError as error:
            logger.warning("the service manager cannot be told %s: %s", state, error)
