"""What an operator does beside a server that runs in the process of the test."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from nekonex.app import Server, ask
from tests.support.server_process import command

__all__ = ["Typed", "asked"]


async def asked(server: Server, name: str, **arguments: Any) -> Any:
    """Give a command to the control socket, and return the answer."""
    return await asyncio.to_thread(ask, server.data_dir, name, **arguments)


class Typed:
    """Runs the commands of a group, and returns exit status, output and errors."""

    def __init__(self, group: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self._group = group
        self._config = folder / "nekonex.toml"
        self._capsys = capsys

    async def __call__(self, *arguments: object) -> tuple[int, str, str]:
        self._capsys.readouterr()
        status = await command(self._group, *arguments, "--config", self._config)
        captured = self._capsys.readouterr()
        return status, captured.out, captured.err

    async def text(self, *arguments: object) -> str:
        """Run a command that works, and return what it prints."""
        status, out, err = await self(*arguments)
        assert (status, err) == (0, "")
        return out
