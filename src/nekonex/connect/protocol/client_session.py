"""The client's end of a connection: bytes go in, messages and bytes come out."""

from __future__ import annotations

from typing import Final, NamedTuple

from nekonex.connect.protocol.auth import Password, RandomSource
from nekonex.connect.protocol.frames import FrameDecoder, encode_frame, encode_op
from nekonex.connect.protocol.status import AUTH_GREETER, SERVER_GREETER, Status

__all__ = ["ClientSession", "ImpostorError", "LoginRefusedError", "Message"]

_AUTH: Final = AUTH_GREETER.encode()


class LoginRefusedError(ConnectionError):
    """The server does not let the client in."""

    def __init__(self, status: int) -> None:
        super().__init__(f"the server answered the login with status {status}")
        self.status = status


class ImpostorError(ConnectionError):
    """What answered the login does not know the password: nothing more was sent to it."""


class Message(NamedTuple):
    """What the server has sent."""

    greeter: str
    """That of a plugin, or ``nekoconnect-server`` for a status."""
    op: int
    data: bytes

    @property
    def is_status(self) -> bool:
        """Whether the server itself says something; ``op`` is the status then."""
        return self.greeter == SERVER_GREETER


class ClientSession:
    """One connection. `start` is the first thing to send; then `feed` what comes."""

    __slots__ = ("_decoder", "_first", "_latest", "_password", "_randoms", "authenticated")

    def __init__(
        self, password: str, *, max_data: int, randoms: RandomSource | None = None
    ) -> None:
        self._password = Password(password)
        self._decoder = FrameDecoder(max_data)
        self._randoms = randoms or RandomSource()
        self._first = b""
        self._latest = b""
        self.authenticated = False
        """Whether the server has let us in and has proven that it knows the password."""

    @property
    def is_amid_frame(self) -> bool:
        """Whether a part of a frame has come, or a frame that nobody asked for yet."""
        return self._decoder.buffered > 0

    def start(self) -> bytes:
        """Return the first frame."""
        self._first = self._randoms.draw()
        data = encode_op(Status.OK)
        hash_ = self._password.hash(self._first)
        return encode_frame(_AUTH, Status.OK, self._first, data, hash_)

    def feed(self, data: bytes) -> None:
        """Take in what arrived."""
        self._decoder.feed(data)

    def next_message(self) -> Message | None:
        """Return the next message, the status 200 that ends the login included; None until then.

        Raises LoginRefusedError or ImpostorError where the login fails, and FrameError for what
        is no frame; the connection is of no use then.
        """
        frame = self._decoder.next_frame()
        if frame is None:
            return None
        if not self.authenticated:
            if frame.greeter != SERVER_GREETER:
                raise ImpostorError("what answered the login is no NekoConnect server")
            if frame.op != Status.OK:
                raise LoginRefusedError(frame.op)
            if not self._password.verify_server(self._first, frame.hash):
                raise ImpostorError("the server does not know the password")
            self.authenticated = True
        self._latest = frame.random.encode()
        return Message(frame.greeter, frame.op, frame.data)

    def frame(self, greeter: str, op: int, data: bytes) -> bytes:
        """Return a frame for a plugin; ValueError for what does not fit into one.

        Raises RuntimeError before the login is over.
        """
        if not self.authenticated:
            raise RuntimeError("the login comes first")
        hash_ = self._password.hash(self._latest)
        return encode_frame(greeter.encode(), op, self._randoms.draw(), data, hash_)
