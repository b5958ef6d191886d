"""The composition root: makes a server of a configuration, runs it, and takes commands for it."""

from nekonex.app.assembly import RESERVED_USERS
from nekonex.app.connect import ConnectPort
from nekonex.app.connect_password import connect_password
from nekonex.app.control_client import NoServerError, RefusedCommandError, ask
from nekonex.app.data_dir import exclusive
from nekonex.app.errors import DataDirInUseError, StartError
from nekonex.app.hosting import HostedGame
from nekonex.app.loading import load_game
from nekonex.app.process import ReadyFile, serve_until_stopped
from nekonex.app.server import Server, running
from nekonex.app.supported import refuse_what_is_missing
from nekonex.app.tls import tls_context

__all__ = [
    "RESERVED_USERS",
    "ConnectPort",
    "DataDirInUseError",
    "HostedGame",
    "NoServerError",
    "ReadyFile",
    "RefusedCommandError",
    "Server",
    "StartError",
    "ask",
    "connect_password",
    "exclusive",
    "load_game",
    "refuse_what_is_missing",
    "running",
    "serve_until_stopped",
    "tls_context",
]
