"""An empty folder to run commands in."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.commands import Commands

TWO_GAMES = """\
[[game]]
name = "kart"
title = "mario-kart-8"

[[game]]
name = "ink"
title = "splatoon"
auth_port = 0
secure_port = 0
"""


@pytest.fixture
def run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Commands:
    monkeypatch.chdir(tmp_path)
    return Commands(tmp_path, monkeypatch, capsys)


@pytest.fixture
def two_games(run: Commands) -> None:
    """Have the configuration in the folder name two games, kart and ink."""
    (run.folder / "nekonex.toml").write_text(TWO_GAMES)
