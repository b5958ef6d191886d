"""The server: a thin shell of asyncio around sessions and plugins."""

from __future__ import annotations

from nekonex.connect.server.listener import ConnectServer
from nekonex.connect.stats import ConnectStats, CutOff

__all__ = ["ConnectServer", "ConnectStats", "CutOff"]
