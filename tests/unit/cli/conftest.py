"""An empty folder to run commands in."""

from collections.abc import Callable
from pathlib import Path

import pytest

from nekonex.cli import main

Result = tuple[int, str, str]
Run = Callable[..., Result]


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Return a function that runs a command: exit status, standard output, standard error."""
    monkeypatch.chdir(tmp_path)

    def command(*arguments: str) -> Result:
        status = main(arguments)
        captured = capsys.readouterr()
        return status, captured.out, captured.err

    return command
