"""The client for asyncio."""

from __future__ import annotations

import asyncio
import ssl
from types import TracebackType
from typing import Self

from nekonex.connect.client.dialing import connect_socket
from nekonex.connect.client.errors import DisconnectedError, StatusError
from nekonex.connect.client.link import Link
from nekonex.connect.client.mailbox import Mailbox
from nekonex.connect.client.target import DEFAULT_PORT, MAX_DATA, RECEIVE_QUEUE, TIMEOUT, Target
from nekonex.connect.protocol import Message

__all__ = ["Client"]


class Client:
    """A connection to NekoConnect.

        async with Client("127.0.0.1", password="…") as client:
            answer = await client.request("echo", 1, b"hello")
            async for message in client:
                print(message.greeter, message.op, message.data)

    What comes is a `Message` of a plugin, or of the server itself: a status. Everything is
    received in the order in which it came, except for answers to `request`, which go to whoever
    asked. A plugin may send any number of messages at any time and need not answer a frame at
    all, and nothing in a message says which frame it answers. So the answer to a request is the
    next message of that plugin that comes after it was sent, or the next status. Requests to one
    plugin may wait at the same time and are answered in their order; a status goes to the one
    that waits for longest. With a plugin that pushes messages by itself, or sends several for a
    frame, `send` and `recv` tell more.

    Messages that nobody takes wait, up to ``receive_queue`` bytes, of which each counts 256
    besides its data. Then nothing more is read, and the server notices. It cuts off who reads
    nothing for long, so receive what you subscribe to.

    ``tls`` True verifies the server's certificate for ``host``, or for ``server_hostname``; an
    `ssl.SSLContext` says itself what to trust. ``timeout`` is how many seconds connecting may
    take, login included, and a request; None is for ever. ``max_data`` is how many bytes of data
    one message may have. An empty password is for servers that ask for none.

    Use it from one event loop. Any number of its tasks may send, receive and request.
    """

    def __init__(
        self,
        host: str,
        port: int = DEFAULT_PORT,
        password: str = "",
        *,
        tls: bool | ssl.SSLContext = False,
        server_hostname: str | None = None,
        timeout: float | None = TIMEOUT,
        max_data: int = MAX_DATA,
        receive_queue: int = RECEIVE_QUEUE,
    ) -> None:
        self._target = Target(
            host=host,
            port=port,
            password=password,
            tls=tls,
            server_hostname=server_hostname,
            timeout=timeout,
            max_data=max_data,
            receive_queue=receive_queue,
        )
        self._link: Link | None = None
        self._opening: Link | None = None

    @property
    def is_open(self) -> bool:
        """Whether something can be sent. Messages may still wait to be received if not."""
        return self._link is not None and self._link.is_open

    @property
    def address(self) -> str:
        """Host and port of the server, as one text."""
        return str(self._target)

    @property
    def uses_tls(self) -> bool:
        """Whether TLS is spoken."""
        return self._target.tls is not False

    async def connect(self) -> None:
        """Connect, log in, and have the server prove that it knows the password.

        Nothing but the login is sent to one that does not. After `close`, or when the server is
        gone, it may be called again; messages of before are forgotten.

        Raises LoginRefusedError with the status of a server that does not let us in, such as 400
        for a wrong password, 429 after too many of them and 503 when it is full; ImpostorError,
        DisconnectedError, also when it is closed meanwhile, TimeoutError, ssl.SSLError and other
        kinds of OSError; RuntimeError when it is connected, or another task connects it.
        """
        if self.is_open:
            raise RuntimeError("the client is connected")
        if self._opening is not None:
            raise RuntimeError("another task connects the client")
        target = self._target
        link = self._opening = Link(Mailbox(target.session(), target.receive_queue))
        try:
            async with asyncio.timeout(target.timeout):
                await self._open(link)
                await link.log_in()
        except TimeoutError:
            await link.abort()
            raise TimeoutError(f"{target} does not answer") from None
        except BaseException:
            await link.abort()
            raise
        finally:
            self._opening = None
        self._link = link

    async def close(self) -> None:
        """Have what was sent arrive, and close the connection; harmless when it is closed.

        Messages that wait are thrown away, and whoever waits for one gets DisconnectedError.
        """
        if self._opening is not None:
            await self._opening.abort()
        if self._link is not None:
            await self._link.aclose()

    async def send(self, greeter: str, op: int, data: bytes = b"") -> None:
        """Send a frame to a plugin. It waits while the server is slow to read.

        Raises DisconnectedError, and ValueError for what does not fit into a frame. A frame that
        was sent may still not arrive, when the connection breaks.
        """
        await self._connected().send(greeter, op, data)

    async def recv(self) -> Message:
        """Return the next message; raises DisconnectedError when there is none and none comes.

        May be cancelled, as by `asyncio.timeout`: nothing is lost.
        """
        return await self._connected().receive()

    async def request(
        self,
        greeter: str,
        op: int,
        data: bytes = b"",
        timeout: float | None = None,  # noqa: ASYNC109 - as that of the client, which it replaces
    ) -> Message:
        """Send a frame to a plugin, and return its next message.

        Raises StatusError if a status comes instead, TimeoutError after ``timeout`` seconds or
        that of the client, and what `send` raises. An answer that comes later than that is
        received like other messages, or taken for that of the next request to the plugin.
        """
        link = self._connected()
        seconds = self._target.timeout if timeout is None else timeout
        try:
            async with asyncio.timeout(seconds):
                message = await link.request(greeter, op, data)
        except TimeoutError:
            raise TimeoutError(link.complaint(greeter)) from None
        if message.is_status:
            raise StatusError(message.op)
        return message

    async def __aenter__(self) -> Self:
        await self.connect()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Message:
        """Return the next message, until the connection is closed, by either end.

        Raises DisconnectedError when it breaks.
        """
        try:
            return await self._connected().receive()
        except DisconnectedError as error:
            if not error.was_closed:
                raise
            raise StopAsyncIteration from None

    def _connected(self) -> Link:
        if self._link is None:
            raise RuntimeError("the client is not connected: connect() comes first")
        return self._link

    async def _open(self, link: Link) -> None:
        target, loop = self._target, asyncio.get_running_loop()
        context = target.tls_context() if target.tls is not True else None
        if target.tls is True:
            context = await asyncio.to_thread(target.tls_context)  # it reads all the system trusts
        sock = await connect_socket(target.host, target.port, target.timeout)
        try:
            await loop.create_connection(
                lambda: link,
                sock=sock,
                ssl=context,
                server_hostname=target.tls_name if context is not None else None,
            )
        except BaseException:
            sock.close()
            raise
