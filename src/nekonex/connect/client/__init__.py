"""Clients of NekoConnect: one for asyncio, one that blocks."""

from __future__ import annotations

from nekonex.connect.client.client import Client
from nekonex.connect.client.errors import DisconnectedError, StatusError, status_text
from nekonex.connect.client.sync import SyncClient
from nekonex.connect.client.target import DEFAULT_PORT

__all__ = [
    "DEFAULT_PORT",
    "Client",
    "DisconnectedError",
    "StatusError",
    "SyncClient",
    "status_text",
]
