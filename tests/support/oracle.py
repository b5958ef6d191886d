"""Settings and tickets in NintendoClients' form, beside the same ones in ours."""

from __future__ import annotations

import random
import time
from types import SimpleNamespace
from typing import Any

import nintendo.nex.settings as oracle_settings

from nekonex.settings import Settings, TransportSettings
from tests.support.transport import ACCESS_KEY, credentials

__all__ = ["BIG", "login", "settings_pair"]

BIG = random.Random(1).randbytes(1000) * 200
"""200,000 bytes: 154 fragments."""


def settings_pair(preset: str = "default", **changes: Any) -> tuple[Any, TransportSettings]:
    """Return the same settings for their side and ours."""
    theirs, ours = oracle_settings.load(preset), Settings(preset)
    for each in (theirs, ours):
        each.configure(ACCESS_KEY, 30504)
        for name, value in changes.items():
            each[name.replace("__", ".")] = value
    return theirs, ours.transport()


def login(pid: int = 77) -> Any:
    """Return credentials in their form; the session key differs each time."""
    key = random.Random(time.monotonic_ns()).randbytes(32)
    ours = credentials(time.time(), pid=pid, cid=5, session_key=key)
    ticket = SimpleNamespace(session_key=ours.session_key, internal=ours.ticket)
    return SimpleNamespace(pid=ours.pid, cid=ours.cid, ticket=ticket)
