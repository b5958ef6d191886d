"""Where connections with TLS come in: no more shake hands at a time than could be let in."""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from typing import Final

from nekonex.connect.server.clients import MAX_REFUSED, Clients
from nekonex.connect.server.connection import Connection
from nekonex.connect.stats import CutOff

__all__ = ["ACCEPT_PAUSE_SECONDS", "TlsDoor"]

logger = logging.getLogger(__name__)

ACCEPT_PAUSE_SECONDS: Final = 1.0
"""How long nobody is accepted after the system has refused a socket, as it does without files."""


class TlsDoor:
    """Accepts connections from when it is made until `close`.

    asyncio's own server knows of a connection only when its handshake is over, so it could
    neither bound how many there are before that, nor end them when it stops.
    """

    def __init__(self, sock: socket.socket, tls: ssl.SSLContext, clients: Clients) -> None:
        self._socket = sock
        self._tls = tls
        self._clients = clients
        self._handshakes: set[asyncio.Task[None]] = set()
        self._accepting = asyncio.create_task(self._accept())

    async def close(self) -> None:
        """Accept nobody any more, end the handshakes, and close the socket."""
        tasks = [self._accepting, *self._handshakes]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        self._socket.close()

    async def _accept(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
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
        handshake = asyncio.create_task(self._shake_hands(peer))
        self._handshakes.add(handshake)
        handshake.add_done_callback(self._handshakes.discard)

    async def _shake_hands(self, peer: socket.socket) -> None:
        try:
            await asyncio.get_running_loop().connect_accepted_socket(
                lambda: Connection(self._clients),
                peer,
                ssl=self._tls,
                ssl_handshake_timeout=self._clients.limits.auth_timeout,
            )
        except OSError as error:  # strangers' mistakes are no news
            logger.debug("no TLS with a client: %s", error)
