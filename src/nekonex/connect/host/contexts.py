"""The context object, as `nekonex.connect.context` describes it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from nekonex.connect.host.drafts import checked_data, checked_op

if TYPE_CHECKING:
    from nekonex.connect.host.channel import Channel
    from nekonex.connect.protocol.server_session import Request

__all__ = ["THREAD_BURST", "PluginContext"]

THREAD_BURST: Final = 256 * 1024
"""Bytes that a plugin's thread sends before it waits until the event loop has taken them."""
_POSTED: Final = 256
"""Bytes that a frame counts besides its data."""


class PluginContext:
    """What a plugin has of a connection: a `Context` in threads, an `AsyncContext` on the loop."""

    __slots__ = ("__weakref__", "_channel", "_posted", "data", "len", "op")

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._posted = 0
        self.op = 0
        self.data = b""
        self.len = 0

    def __repr__(self) -> str:
        host, port = self.address
        return f"<client {self.client_id} of {self._channel.plugin.greeter!r} at {host}:{port}>"

    def show(self, request: Request) -> None:
        """Let the fields be those of a frame."""
        self.op = request.op
        self.data = request.data
        self.len = len(request.data)

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the client."""
        return self._channel.link.address

    @property
    def client_id(self) -> str:
        """What tells this connection from every other one."""
        return self._channel.link.client_id

    @property
    def state(self) -> dict[Any, Any]:
        """Whatever the plugin wants to remember of this connection."""
        return self._channel.state

    def recv(self, packets: int = 1) -> Any:
        """Wait for further frames; see `nekonex.connect.context.Context.recv`."""
        if not isinstance(packets, int) or packets < 0:
            raise ValueError(f"recv waits for a number of packets, not {packets!r}")
        return self._channel.plugin.bridge.wait(self._channel.receive(packets))

    def send(self, data: bytes, op: int = 200) -> Any:
        """Send a frame; see `nekonex.connect.context.Context.send`."""
        channel = self._channel
        limit = channel.plugin.limits.max_data
        content, code = checked_data(data, limit), checked_op(op)
        bridge = channel.plugin.bridge
        if not channel.is_open:
            return bridge.wait(channel.refuse())
        if bridge.is_here:
            channel.link.push(channel.plugin.greeter_bytes, code, content)
            return channel.drain()
        self._send_in_thread(content, code)
        return None

    def close(self) -> Any:
        """Close the connection; see `nekonex.connect.context.Context.close`."""
        return self._channel.plugin.bridge.wait(self._channel.close())

    def broadcast(self, data: bytes, op: int = 200, include_self: bool = False) -> Any:
        """Send a frame to all; see `nekonex.connect.context.Context.broadcast`."""
        channel = self._channel
        without = None if include_self else channel.link
        reached = channel.plugin.broadcast(data, op, without=without)
        return channel.plugin.bridge.wait(reached, keeps_place=True)

    def db_get(self, cell: str) -> Any:
        """Return a text; see `nekonex.connect.context.Context.db_get`."""
        return self._channel.plugin.app.db_get(cell)

    def db_store(self, cell: str, data: str) -> Any:
        """Keep a text; see `nekonex.connect.context.Context.db_store`."""
        return self._channel.plugin.app.db_store(cell, data)

    def db_cells(self, prefix: str = "") -> Any:
        """Return names of cells; see `nekonex.connect.context.Context.db_cells`."""
        return self._channel.plugin.app.db_cells(prefix)

    def log(self, message: object) -> None:
        """Note what is worth knowing."""
        self._channel.plugin.app.log(message, self)

    def warn(self, message: object) -> None:
        """Note what may be wrong."""
        self._channel.plugin.app.warn(message, self)

    def error(self, message: object) -> None:
        """Note what went wrong."""
        self._channel.plugin.app.error(message, self)

    def _send_in_thread(self, data: bytes, op: int) -> None:
        """Hand a frame to the event loop; wait for it now and then, or if the client is slow."""
        channel = self._channel
        bridge = channel.plugin.bridge
        bridge.post(channel.send, data, op)
        self._posted += len(data) + _POSTED
        if self._posted > THREAD_BURST or channel.link.is_congested:
            self._posted = 0
            bridge.wait(channel.drain())
