"""A NekoConnect server that waits for nobody for long: for tests of what it does after that."""

from __future__ import annotations

import pytest

from nekonex.connect.host import host, running, supervisor
from nekonex.connect.server import listener

__all__ = ["in_haste"]


def in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let plugins and clients have less time than they have in earnest."""
    monkeypatch.setattr(running, "RETIRE_SECONDS", 0.2)
    monkeypatch.setattr(running, "STOP_SECONDS", 0.1)
    monkeypatch.setattr(host, "WATCH_SECONDS", 0.02)
    monkeypatch.setattr(supervisor, "CUT_SECONDS", 0.05)
    monkeypatch.setattr(listener, "GOODBYE_SECONDS", 0.1)
