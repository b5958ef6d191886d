"""Where connections come in: no more shake hands at a time than could be let in."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from itertools import count
from typing import Final

from nekonex.connect.server.clients import MAX_REFUSED, Clients
from nekonex.connect.server.connection import Connection
from nekonex.connect.stats import CutOff

__all__ = ["ACCEPTS_PER_TURN", "ACCEPT_PAUSE_SECONDS", "Door"]

logger = logging.getLogger(__name__)

ACCEPTS_PER_TURN: Final = 64
"""Connections that are accepted until others have their turn."""
ACCEPT_PAUSE_SECONDS: Final = 1.0
"""How long nobody is accepted after the system has refused a socket, as it does without files."""


class Door:
    """Accepts connections from when it is made until `close`.

    asyncio's own server knows of a connection with TLS only when its handshake is over, so it
    could neither bound how many there are before that, nor end them when it stops. In a process
    that has no files left it complains without end, a hundred times where once would do.
    """

    def __init__(self, sock: socket.socket, tls: ssl.SSLContext | None, clients: Clients) -> None:
        self._socket = sock
        self._tls = tls
        self._clients = clients
        self._handshakes: set[asyncio.Task[None]] = set()
        self._fresh: set[socket.socket] = set()
        """Those whose handshake has not begun."""
        self._accepting = asyncio.create_task(self._accept())

    async def close(self) -> None:
        """Accept nobody any more, end the handshakes, and close the socket."""
        tasks = [self._accepting, *self._handshakes]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for peer in self._fresh:
            peer.close()
        self._socket.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        for number in count(1):
            if not number % ACCEPTS_PER_TURN:
                await asyncio.sleep(0)  # as long as some wait, accepting does not
            try:
                peer, _ = await loop.sock_accept(self._socket)
            except ConnectionError:
                continue  # it was gone again
            except OSError as error:
                logger.warning("no connection can be accepted: %s", error.strerror)
                await asyncio.sleep(ACCEPT_PAUSE_SECONDS)
                continue
            self._take(peer)

    def _take(self, peer: socket.socket) -> None:
        clients = self._clients
        most = clients.limits.max_connections + MAX_REFUSED
        if len(self._handshakes) + len(clients.all()) >= most:
            clients.stats.cut_off[CutOff.TOO_MANY] += 1
            peer.close()
            return
        self._fresh.add(peer)
        handshake = asyncio.create_task(self._shake_hands(peer))
        self._handshakes.add(handshake)
        handshake.add_done_callback(self._handshakes.discard)

    async def _shake_hands(self, peer: socket.socket) -> None:
        self._fresh.discard(peer)
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(self._clients),
                peer,
                ssl=self._tls,
                ssl_handshake_timeout=self._clients.limits.auth_timeout if self._tls else None,
            )
        except OSError as error:  # strangers' mistakes are no news
            logger.debug("no connection with a client: %s", error)
