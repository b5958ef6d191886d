"""The HTTP port: uploads and downloads of consoles, and whether the server is well."""

from __future__ import annotations

from nekonex.web.application import make_application
from nekonex.web.limits import HttpLimits
from nekonex.web.listener import HttpListener, bind
from nekonex.web.stats import ClosedConnection, HttpStats, RefusedTransfer
from nekonex.web.transfers import Incoming, Outgoing, Transfers

__all__ = [
    "ClosedConnection",
    "HttpLimits",
    "HttpListener",
    "HttpStats",
    "Incoming",
    "Outgoing",
    "RefusedTransfer",
    "Transfers",
    "bind",
    "make_application",
]
