"""An empty folder to run commands in, and no configuration from outside."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.commands import Commands


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    for name in os.environ:
        if name.startswith("NEKONEX_"):
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return Commands(tmp_path, monkeypatch, capsys)
