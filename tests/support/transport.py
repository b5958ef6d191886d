"""Settings and tickets for tests of the transport."""

from __future__ import annotations

import dataclasses
from typing import Any

from nekonex.kerberos import ServerTicket
from nekonex.prudp.client import Credentials
from nekonex.prudp.connection import Connection
from nekonex.settings import Settings, TransportSettings
from nekonex.values import DateTime

__all__ = ["ACCESS_KEY", "SERVER_KEY", "credentials", "preset_numbers", "transport"]

ACCESS_KEY = "6f599f81"
SERVER_KEY = bytes(range(16))


def transport(**changes: Any) -> TransportSettings:
    """Return settings of NEX 3.5.4 and PRUDP v1, with some fields changed."""
    settings = Settings()
    settings.configure(ACCESS_KEY, "3.5.4")
    return dataclasses.replace(settings.transport(), **{"version": 1, **changes})


def credentials(
    issued: float,
    *,
    pid: int = 1337,
    cid: int = 7,
    claimed_pid: int | None = None,
    session_key: bytes = bytes(range(32)),
    key: bytes = SERVER_KEY,
    ticket_version: int = 1,
    pid_size: int = 4,
) -> Credentials:
    """Return what an authentication server gave to *pid* at *issued* (seconds since 1970)."""
    ticket = ServerTicket(DateTime.from_timestamp(issued), pid, session_key)
    return Credentials(
        pid=pid if claimed_pid is None else claimed_pid,
        cid=cid,
        session_key=session_key,
        ticket=ticket.seal(
            key, ticket_version=ticket_version, pid_size=pid_size, random16=bytes(16)
        ),
    )


def preset_numbers(
    sender: Connection, receiver: Connection, number: int, substream: int = 0
) -> None:
    """Let the next number of one direction of an idle connection be *number*."""
    sender.sender(substream).next = number
    receiver.receiver(substream).next = number
