"""The HTTP port: uploads and downloads of consoles, and whether the server is well."""

from __future__ import annotations

from nekonex.web.application import make_application
from nekonex.web.limits import HttpLimits
from nekonex.web.listener import BACKLOG, RECEIVE_BUFFER, HttpListener
from nekonex.web.stats import ClosedConnection, HttpStats, RefusedTransfer
from nekonex.web.transfers import Incoming, Outgoing, Transfers

__all__ = [
    "BACKLOG",
    "RECEIVE_BUFFER",
    "ClosedConnection",
    "HttpLimits",
    "HttpListener",
    "HttpStats",
    "Incoming",
    "Outgoing",
    "RefusedTransfer",
    "Transfers",
    "make_application",
]
