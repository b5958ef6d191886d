"""Under which address consoles are told to look for the secure server."""

import asyncio
import contextlib
import logging
import socket
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Final

from nekonex.app.errors import StartError

__all__ = [
    "ANYWHERE",
    "AUTO",
    "WILDCARDS",
    "ExternalAddress",
    "address_towards",
    "format_address",
    "plain_address",
]

logger = logging.getLogger(__name__)

AUTO: Final = "auto"

REFRESH_SECONDS: Final = 300.0
"""How long the address of a host name is believed: the names of home connections change theirs."""

WILDCARDS: Final = frozenset({"0.0.0.0", "::"})  # noqa: S104
"""The addresses of a socket that listens on all of the machine's."""
ANYWHERE: Final = "192.0.2.1"
"""A console of which nothing is known."""
# Reserved for documentation (RFC 5737, RFC 3849), so nothing on a network of its own answers
# to them: what leads there is the way to the internet.
_ELSEWHERE: Final = (ANYWHERE, "2001:db8::1")


def format_address(address: tuple[str, int]) -> str:
    """Return host and port as one text; an IPv6 host in brackets."""
    host, port = address
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def plain_address(host: str) -> str:
    """Return a numeric address without its scope, and as IPv4 if it is that inside IPv6."""
    host = host.partition("%")[0]
    address = _parse(host)
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped) if mapped else host


def address_towards(host: str) -> str | None:
    """Return the address of this machine that faces *host*, or None without a way to it.

    A UDP socket that is connected knows it; nothing is sent.
    """
    mapped = plain_address(host)
    target = mapped if ":" not in mapped else host
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    try:
        with socket.socket(family, socket.SOCK_DGRAM) as probe:
            probe.connect((target, 9))
            return plain_address(probe.getsockname()[0])
    except OSError:
        return None


class ExternalAddress:
    """Knows what to tell a console, for one game.

    An address that is given is told to all. A host name is looked up, at the start and every
    five minutes, because consoles cannot. With "auto" a console is told the address that it
    came in on: that of the socket, or for a socket on all addresses the one that faces the
    console.
    """

    def __init__(self, game: str, configured: str, bound: str) -> None:
        """*bound* is the numeric address of the secure server's socket."""
        self._game = game
        self._configured = configured
        self._bound = bound
        self._fixed: str | None = None
        if configured != AUTO:
            self._fixed = configured if _parse(configured) else None
        elif bound not in WILDCARDS:
            self._fixed = plain_address(bound)
        self._is_name = configured != AUTO and self._fixed is None
        self._warned = False

    async def start(self) -> None:
        """Look up a host name and warn of what cannot work; StartError if there is no such name."""
        if self._is_name and not await self._look_up():
            raise StartError(
                f"game {self._game}: external_address is {self._configured!r}, "
                "which has no IPv4 address"
            )
        if self._configured == AUTO and self._only_loopback():
            logger.warning(
                "external_address = auto, and only loopback is known: consoles on other "
                "machines cannot play; set host to 0.0.0.0 and external_address to the "
                "address that they reach",
                extra={"game": self._game, "host": self._bound},
            )

    async def keep_fresh(self) -> None:
        """Look a host name up again and again; returns at once where there is none."""
        while self._is_name:
            await asyncio.sleep(REFRESH_SECONDS)
            if not await self._look_up():
                logger.warning(
                    "external_address cannot be looked up; the last address is used",
                    extra={
                        "game": self._game,
                        "host_name": self._configured,
                        "address": self._fixed,
                    },
                )

    def towards(self, peer: str) -> str:
        """Return the address to tell a console whose datagrams come from *peer*."""
        if self._fixed is not None:
            return self._fixed
        address = address_towards(peer) or plain_address(self._bound)
        if not self._warned and _is_global(peer) and not _is_global(address):
            self._warned = True
            logger.warning(
                "a console from the internet was told a private address, which it cannot reach; "
                "set external_address to the public one",
                extra={"game": self._game, "console": peer, "address": address},
            )
        return address

    async def _look_up(self) -> bool:
        with contextlib.suppress(OSError):
            loop = asyncio.get_running_loop()
            found = await loop.getaddrinfo(self._configured, None, family=socket.AF_INET)
            self._fixed = str(found[0][4][0])
            return True
        return False

    def _only_loopback(self) -> bool:
        if self._fixed is not None:
            return _is_loopback(self._fixed)
        ways = (address_towards(host) for host in _ELSEWHERE)
        return all(way is None or _is_loopback(way) for way in ways)


def _parse(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(host)
    except ValueError:
        return None


def _is_loopback(host: str) -> bool:
    address = _parse(plain_address(host))
    return address is not None and address.is_loopback


def _is_global(host: str) -> bool:
    address = _parse(plain_address(host))
    return address is not None and address.is_global
