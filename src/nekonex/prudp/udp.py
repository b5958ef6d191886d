"""The thin shell: one non-blocking UDP socket under an endpoint, on asyncio.

A socket of our own with ``add_reader`` costs 4.7 us for a datagram in and one
out, asyncio's ``DatagramTransport`` 24 (docs/performance.md). Where the event
loop has no ``add_reader`` (Windows' proactor loop) the transport is used.
"""

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import Final

from nekonex.prudp.base import Address
from nekonex.prudp.events import Event
from nekonex.prudp.host import Endpoint
from nekonex.prudp.limits import DropReason

__all__ = ["UDPShell", "bind_socket"]

DATAGRAMS_PER_WAKE: Final = 64
"""Datagrams read before timers and tasks get their turn."""
SOCKET_BUFFER: Final = 4 << 20
"""Bytes asked of the kernel each way: a burst of a thousand consoles fits in."""
MAX_DATAGRAM: Final = 65536


def bind_socket(host: str, port: int) -> socket.socket:
    """Return a non-blocking UDP socket bound to *host* (empty: all of IPv4) and *port*.

    Raises OSError when the address is in use or not this machine's.
    """
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        for option in (socket.SO_RCVBUF, socket.SO_SNDBUF):
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.SOL_SOCKET, option, SOCKET_BUFFER)
        sock.bind((host, port))
        sock.setblocking(False)
    except BaseException:
        sock.close()
        raise
    return sock


class UDPShell:
    """Moves datagrams between a socket and an endpoint, and calls it in time.

    Must be made and used in a running event loop.
    """

    def __init__(self, endpoint: Endpoint, sock: socket.socket) -> None:
        self.endpoint = endpoint
        self._sock = sock
        self._on_events: Callable[[list[Event]], None] = _ignore
        self._loop = asyncio.get_running_loop()
        self._timer: asyncio.TimerHandle | None = None
        self._timer_at = float("inf")
        self._transport: asyncio.DatagramTransport | None = None
        self._closed = False

    @property
    def address(self) -> Address:
        """The address that the socket is bound to."""
        address: Address = self._sock.getsockname()
        return address

    async def start(self, on_events: Callable[[list[Event]], None]) -> None:
        """Begin to receive.

        *on_events* gets what the endpoint reports, after the answers (acknowledgements
        above all) went out. It runs in the event loop and must not block or raise.
        """
        self._on_events = on_events
        self.endpoint.on_wake = self._wake
        self.endpoint.local_address = self.address
        try:
            self._loop.add_reader(self._sock, self._readable)
        except NotImplementedError:
            self._transport, _ = await self._loop.create_datagram_endpoint(
                lambda: _Receiver(self), sock=self._sock
            )

    def close(self) -> None:
        """Send what is left and release the socket. Connections are not told."""
        if self._closed:
            return
        self._flush()
        self._closed = True
        self.endpoint.on_wake = lambda: None
        if self._timer is not None:
            self._timer.cancel()
        if self._transport is not None:
            self._transport.close()
        else:
            self._loop.remove_reader(self._sock)
        self._sock.close()

    def receive(self, data: bytes, address: Address) -> None:
        """Take one datagram from a transport."""
        self.endpoint.receive_datagram(data, address, self._loop.time())
        self.advance()

    def _readable(self) -> None:
        receive = self.endpoint.receive_datagram
        recvfrom = self._sock.recvfrom
        now = self._loop.time()
        try:
            for _ in range(DATAGRAMS_PER_WAKE):
                data, address = recvfrom(MAX_DATAGRAM)
                receive(data, address, now)
        except (BlockingIOError, InterruptedError):
            pass
        except OSError:
            # A peer's port is closed (ICMP unreachable): it will be found silent.
            pass
        self.advance()

    def _on_timer(self) -> None:
        self._timer = None
        self._timer_at = float("inf")
        self.endpoint.handle_timer(self._loop.time())
        self.advance()

    def _wake(self) -> None:
        if not self._closed:
            self._loop.call_soon(self.advance)

    def advance(self) -> None:
        """Send, report, and see to the timer."""
        if self._closed:
            return
        self._flush()
        events = self.endpoint.take_events()
        if events:
            self._on_events(events)
            self._flush()
        at = self.endpoint.next_timer
        if at is not None and at < self._timer_at:
            if self._timer is not None:
                self._timer.cancel()
            self._timer_at = at
            self._timer = self._loop.call_at(at, self._on_timer)

    def _flush(self) -> None:
        output = self.endpoint.take_output()
        if self._transport is not None:
            for data, address in output:
                self._transport.sendto(data, address)
            return
        sendto = self._sock.sendto
        for data, address in output:
            try:
                sendto(data, address)
            except OSError:
                # Full buffer or unreachable peer: UDP may lose it, PRUDP sends it again.
                self.endpoint.drop(DropReason.SOCKET_FULL)


def _ignore(_events: list[Event]) -> None:
    return


class _Receiver(asyncio.DatagramProtocol):
    """Feeds a shell from asyncio's own transport."""

    def __init__(self, shell: UDPShell) -> None:
        self._shell = shell

    def datagram_received(self, data: bytes, addr: Address) -> None:
        self._shell.receive(data, addr)
