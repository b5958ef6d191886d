"""Remote method calls: protocols as classes, served and called over a connection.

The shortest program that serves and calls one::

    class Echo(Protocol, id=200):
        @method(1)
        async def echo(self, client: Session, text: String) -> String:
            return text

    dispatcher = Dispatcher([Echo()], WireContext("3.5.4"))
    session = dispatcher.accept(connection)     # then session.on_message, session.on_closed
    text = await Echo.client(session).echo("hello")
"""

from nekonex.rmc.channel import Channel
from nekonex.rmc.definition import MethodDefinition, method
from nekonex.rmc.dispatcher import Dispatcher
from nekonex.rmc.errors import CallLimitError, InvalidReplyError, RMCConnectionClosed
from nekonex.rmc.limits import RMCLimits, RMCStats
from nekonex.rmc.messages import FrameError
from nekonex.rmc.pool import TaskPool
from nekonex.rmc.protocol import Protocol
from nekonex.rmc.servant import BoundMethod, Servant
from nekonex.rmc.session import Session
from nekonex.rmc.stub import Stub
from nekonex.rmc.watchdog import Watchdog

__all__ = [
    "BoundMethod",
    "CallLimitError",
    "Channel",
    "Dispatcher",
    "FrameError",
    "InvalidReplyError",
    "MethodDefinition",
    "Protocol",
    "RMCConnectionClosed",
    "RMCLimits",
    "RMCStats",
    "Servant",
    "Session",
    "Stub",
    "TaskPool",
    "Watchdog",
    "method",
]
