"""NekoConnect: one socket, behind which anyone plugs a small service.

    async with Client("127.0.0.1", 10390, password="…") as client:
        await client.send("echo", 1, b"hello")
        print((await client.recv()).data)

The document of the system calls a plugin's name on the wire its greeter. `nekonex.connect.protocol`
has the frames and both ends of a connection without sockets, `nekonex.connect.server` the server,
`nekonex.connect.context` what authors of plugins import.
"""

from __future__ import annotations

from nekonex.connect.client import Client, DisconnectedError, StatusError, SyncClient
from nekonex.connect.context import ConnectionClosed, DatabaseError
from nekonex.connect.limits import ConnectLimits
from nekonex.connect.protocol import (
    FrameError,
    ImpostorError,
    LoginRefusedError,
    Message,
    Status,
)
from nekonex.connect.server import ConnectServer, ConnectStats, CutOff

__all__ = [
    "Client",
    "ConnectLimits",
    "ConnectServer",
    "ConnectStats",
    "ConnectionClosed",
    "CutOff",
    "DatabaseError",
    "DisconnectedError",
    "FrameError",
    "ImpostorError",
    "LoginRefusedError",
    "Message",
    "Status",
    "StatusError",
    "SyncClient",
]
