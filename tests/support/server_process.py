"""The real program in a process of its own, as an operator sees it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from nekonex.cli import main

__all__ = ["ServerProcess", "clean_environment", "command"]

START_SECONDS = 20.0


def clean_environment(**more: str) -> dict[str, str]:
    """Return the environment without any configuration in it."""
    kept = {key: value for key, value in os.environ.items() if not key.startswith("NEKONEX_")}
    return {**kept, **more}


async def command(*arguments: object) -> int:
    """Run a command of ours beside the running event loop, and return its exit status."""
    return await asyncio.to_thread(main, [str(argument) for argument in arguments])


class ServerProcess:
    """`python -m nekonex serve`, or another command that serves.

    What it writes is in a folder, from which it is also started unless there is a ``cwd``.
    """

    def __init__(
        self,
        folder: Path,
        *arguments: str,
        command: str = "serve",
        cwd: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.ready_file = folder / "ready.json"
        self.log = folder / "server.log"
        self._log_file = self.log.open("ab")
        self._output = folder / "server.out"
        self._stale = self._stamp()
        with self._output.open("wb") as output:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "nekonex", command),
                    *("--ready-file", str(self.ready_file), *arguments),
                ],
                cwd=cwd or folder,
                env=clean_environment(
                    NEKONEX_HTTP__PORT="0", NEKONEX_CONNECT__PORT="0", **(environment or {})
                ),
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=self._log_file,
            )

    def wait_ready(self) -> dict[str, Any]:
        """Return the content of the ready file as soon as it is there."""
        deadline = time.monotonic() + START_SECONDS
        while self._stamp() in (None, self._stale):
            if self.process.poll() is not None or time.monotonic() > deadline:
                status = self.process.poll()
                self.kill()
                raise AssertionError(f"not ready, status {status}: {self.log_text()}")
            time.sleep(0.01)
        content: dict[str, Any] = json.loads(self.ready_file.read_text(encoding="utf-8"))
        return content

    def _stamp(self) -> tuple[int, int] | None:
        """Tell one ready file from another: a crash leaves one behind."""
        try:
            found = self.ready_file.stat()
        except FileNotFoundError:
            return None
        return found.st_ino, found.st_mtime_ns

    def wait(self, seconds: float = START_SECONDS) -> int:
        """Return the exit status once the process has ended."""
        try:
            return self.process.wait(seconds)
        finally:
            self._log_file.close()

    def stop(self, number: int = signal.SIGTERM) -> tuple[int, float]:
        """Ask the server to stop; return its exit status, and how many seconds it took."""
        start = time.monotonic()
        self.process.send_signal(number)
        return self.wait(), time.monotonic() - start

    def kill(self) -> None:
        """End the process at once, whatever state it is in; harmless when it has ended."""
        if self.process.poll() is None:
            self.process.kill()
        self.wait()

    def output_text(self) -> str:
        """Return what it has printed."""
        return self._output.read_text(encoding="utf-8")

    def log_text(self) -> str:
        """Return everything that was logged."""
        return self.log.read_text(encoding="utf-8")
