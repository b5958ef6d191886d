"""Finding a server: the addresses of a host are tried one after the other."""

from __future__ import annotations

import asyncio
import socket
import time
from typing import Any, Final

__all__ = ["MAX_ADDRESSES", "connect_blocking", "connect_socket"]

MAX_ADDRESSES: Final = 8
"""Addresses of one host that are tried."""

_Address = tuple[int, Any]


async def connect_socket(host: str, port: int, seconds: float | None) -> socket.socket:
    """Return a non-blocking socket that is connected; each address gets its share of the time.

    Raises OSError, which is TimeoutError or socket.gaierror where that fits.
    """
    loop = asyncio.get_running_loop()
    deadline = None if seconds is None else loop.time() + seconds
    addresses = _find_at_once(host, port)
    if not addresses:
        addresses = await loop.run_in_executor(None, _find_slowly, host, port)
    failure: OSError = TimeoutError()
    for index, (family, address) in enumerate(addresses):
        share = None if deadline is None else (deadline - loop.time()) / (len(addresses) - index)
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.setblocking(False)
            async with asyncio.timeout(share):
                await loop.sock_connect(sock, address)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            _configure(sock)
            return sock
    raise failure


def connect_blocking(host: str, port: int, seconds: float | None) -> socket.socket:
    """Do what `connect_socket` does, without an event loop. Looking a name up has no limit."""
    deadline = None if seconds is None else time.monotonic() + seconds
    addresses = _find_at_once(host, port) or _find_slowly(host, port)
    failure: OSError = TimeoutError()
    for index, (family, address) in enumerate(addresses):
        left = None if deadline is None else max(0.001, deadline - time.monotonic())
        sock = socket.socket(family, socket.SOCK_STREAM)
        try:
            sock.settimeout(None if left is None else left / (len(addresses) - index))
            sock.connect(address)
        except OSError as error:
            sock.close()
            failure = error
        except BaseException:
            sock.close()
            raise
        else:
            _configure(sock)
            return sock
    raise failure


def _configure(sock: socket.socket) -> None:
    """Have small frames leave at once, and a peer that vanished noticed some day."""
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)


def _find_at_once(host: str, port: int) -> list[_Address]:
    """Return the address that a host is in itself, none if it is a name; never waits."""
    try:
        return _find(host, port, socket.AI_NUMERICHOST)
    except socket.gaierror:
        return []


def _find_slowly(host: str, port: int) -> list[_Address]:
    """Return the addresses of a host, up to MAX_ADDRESSES; socket.gaierror if it has none."""
    return _find(host, port, 0)


def _find(host: str, port: int, flags: int) -> list[_Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=flags)
    except ValueError:  # what cannot be a name at all, such as one with a NUL
        raise socket.gaierror(socket.EAI_NONAME, "this is no name of a host") from None
    return [(family, address) for family, _, _, _, address in found[:MAX_ADDRESSES]]
