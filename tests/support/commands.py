"""Commands of ours, run in this process."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from nekonex.cli import main

__all__ = ["Commands"]


class Commands:
    """Types commands, and what they ask for."""

    def __init__(
        self, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.folder = folder
        self._monkeypatch = monkeypatch
        self._capsys = capsys

    def attempt(self, *arguments: object, typed: bytes = b"") -> tuple[int, str, str]:
        """Run a command: exit status, standard output, standard error."""
        self._monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(typed)))
        self._capsys.readouterr()
        status = main([str(argument) for argument in arguments])
        captured = self._capsys.readouterr()
        return status, captured.out, captured.err

    def __call__(self, *arguments: object, typed: bytes = b"") -> str:
        """Run a command that works, and return what it prints."""
        status, out, err = self.attempt(*arguments, typed=typed)
        assert (status, err) == (0, "")
        return out

    def fails(self, status: int, *arguments: object, typed: bytes = b"") -> str:
        """Run a command that fails with a status; return its one sentence."""
        found, out, err = self.attempt(*arguments, typed=typed)
        assert (found, out) == (status, ""), err
        assert err.startswith("nekonex: ")
        assert err.count("\n") == 1
        return err.removeprefix("nekonex: ").removesuffix("\n")

    def add(self, *arguments: object, password: str = "secret") -> int:
        """Add an account, and return its PID."""
        typed = f"{password}\n".encode()
        return int(self("account", "add", "--password-stdin", *arguments, typed=typed))
