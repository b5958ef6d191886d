"""The HTTP port of the server, and under which URL consoles are told to look for it."""

import logging
import socket
from functools import partial
from ipaddress import ip_address

from nekonex.app.addresses import (
    ANYWHERE,
    WILDCARDS,
    ExternalAddress,
    format_address,
    plain_address,
)
from nekonex.app.origin import origin_of_key
from nekonex.app.ports import bind_refusal
from nekonex.app.sockets import bind
from nekonex.config import Config
from nekonex.storage.objects import BaseUrl
from nekonex.web import (
    BACKLOG,
    RECEIVE_BUFFER,
    HttpListener,
    HttpStats,
    Transfers,
    make_application,
)

__all__ = ["HttpPort"]

logger = logging.getLogger(__name__)


class HttpPort:
    """The TCP port: bound by `open`, in service after `serve`, released by `close`."""

    def __init__(self, config: Config, bound: socket.socket) -> None:
        self._host = config.http.host
        self._public_url = config.http.public_url
        self._socket = bound
        host, port, *_ = bound.getsockname()
        self.address: tuple[str, int] = (host, port)
        """Host and port that are bound."""
        self.stats = HttpStats()
        """What was transferred and refused."""
        self._listener: HttpListener | None = None
        self._warned = False

    @classmethod
    async def open(cls, config: Config) -> "HttpPort":
        """Bind the port; StartError in one sentence if it cannot be had."""
        host, port = config.http.host, config.http.port
        try:
            bound = await bind(host, port, backlog=BACKLOG, receive_buffer=RECEIVE_BUFFER)
        except OSError as error:
            key_of = partial(_origin, config)
            raise bind_refusal(key_of, "port", port, host, error) from error
        return cls(config, bound)

    async def serve(self, transfers: Transfers) -> None:
        """Answer requests from now on."""
        application = make_application(transfers, stats=self.stats)
        self._listener = HttpListener(application, self._socket, stats=self.stats)
        await self._listener.start()
        logger.info("listening", extra={"http": format_address(self.address)})

    async def close(self) -> None:
        """Let transfers that are under way come to an end for a while, and release the port."""
        if self._listener is None:
            self._socket.close()
        else:
            await self._listener.close()

    def url_for(self, external: ExternalAddress) -> BaseUrl:
        """Return what tells the consoles of a game the URL of this port.

        That is the public URL, where one is configured. Else it is made of the host, or where
        that stands for all addresses, of the address that the game's consoles are told.
        """
        return partial(self._url, external)

    def _url(self, external: ExternalAddress, viewer: str | None) -> str:
        if self._public_url:
            return self._public_url
        host = self._host
        if self.address[0] in WILDCARDS:
            host = external.towards(viewer or ANYWHERE)
        elif viewer and _is_loopback(self.address[0]) and not _is_loopback(viewer):
            self._warn(viewer)
        return f"http://{format_address((host, self.address[1]))}"

    def _warn(self, viewer: str) -> None:
        if not self._warned:
            self._warned = True
            logger.warning(
                "a console was told to upload to or download from this machine's loopback "
                "address, which it cannot reach; set host in [http] to 0.0.0.0, or public_url",
                extra={"console": viewer, "host": self._host},
            )


def _origin(config: Config, key: str) -> str:
    return origin_of_key(config, f"http.{key}")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(plain_address(host)).is_loopback
    except ValueError:
        return False
