"""TCP ports are bound here, before anything is served on them."""

import asyncio
import socket

__all__ = ["bind"]


async def bind(host: str, port: int, *, backlog: int, receive_buffer: int) -> socket.socket:
    """Return a socket that listens on the first address of a host; OSError where that fails.

    Who connects waits until it is served: so many as ``backlog`` says. ``receive_buffer`` is how
    many bytes the system keeps for a connection until they are read.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    family, _, _, _, address = found[0]
    server = socket.create_server(
        (str(address[0]), port),
        family=family,
        backlog=backlog,
        dualstack_ipv6=address[0] == "::" and socket.has_dualstack_ipv6(),
    )
    server.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)  # of its connections
    server.setblocking(False)
    return server
