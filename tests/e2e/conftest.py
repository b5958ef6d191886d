"""One server process for a module, where tests can share it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.server_process import ServerProcess

CONFIG = """\
[[game]]
name = "kart"
title = "mario-kart-8"
auth_port = 0
secure_port = 0
guest = true

[game.prudp]
ping_timeout = 1.0
resend_timeout = 0.5
"""


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    for name in os.environ:
        if name.startswith("NEKONEX_"):
            monkeypatch.delenv(name)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with a configuration."""
    (tmp_path / "nekonex.toml").write_text(CONFIG, encoding="utf-8")
    return tmp_path


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Yield a server that is ready, and see to it that it is gone afterwards."""
    path = tmp_path_factory.mktemp("server")
    (path / "nekonex.toml").write_text(CONFIG, encoding="utf-8")
    process = ServerProcess(path, "--log-format", "json")
    try:
        process.wait_ready()
        yield process
    finally:
        process.kill()
