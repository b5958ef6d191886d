"""Both ends of a NekoConnect connection without sockets, and their parts as tests want them."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from typing import Any

from nekonex.connect import ConnectLimits
from nekonex.connect.protocol import (
    ClientSession,
    Frame,
    FrameDecoder,
    Gatekeeper,
    Message,
    Password,
    RandomSource,
    Request,
    ServerSession,
    Status,
    encode_frame,
)

__all__ = [
    "ADDRESS",
    "FixedRandoms",
    "ServerEnd",
    "frames_of",
    "login_frame",
    "numbered",
    "plugin_frame",
    "pump",
]

ADDRESS = "192.0.2.7"
MAX_DATA = 1 << 20


class FixedRandoms(RandomSource):
    """Randoms that a test gives, in their order."""

    __slots__ = ("_texts",)

    def __init__(self, texts: Iterable[str]) -> None:
        super().__init__()
        self._texts = iter(texts)

    def draw(self) -> bytes:
        return next(self._texts).encode()


def numbered(prefix: str) -> Iterator[str]:
    """Yield randoms that tell which they are."""
    number = 0
    while True:
        yield f"{prefix}{number}"
        number += 1


def login_frame(password: str, drawn: str = "a client's random", **changes: Any) -> bytes:
    """Return a client's first frame, or one that is not quite it."""
    random = changes.pop("random", drawn.encode())
    parts = {
        "greeter": b"auth",
        "op": 200,
        "data": b"\xc8",
        "hash_": Password(password).hash(random),
        **changes,
    }
    return encode_frame(random=random, **parts)


def plugin_frame(
    password: str, answered: str, data: bytes = b"", *, greeter: str = "echo", op: int = 1
) -> bytes:
    """Return a frame that carries the hash of a random of the server's."""
    hash_ = Password(password).hash(answered.encode())
    return encode_frame(greeter.encode(), op, b"", data, hash_)


def frames_of(data: bytes) -> list[Frame]:
    """Return the frames in some bytes, which hold nothing else."""
    decoder = FrameDecoder(MAX_DATA)
    decoder.feed(data)
    frames = list(iter(decoder.next_frame, None))
    assert not decoder.buffered
    return frames


class ServerEnd:
    """A server's session with a clock of its own."""

    def __init__(
        self,
        password: str | None = "secret",
        *,
        gate: Gatekeeper | None = None,
        address: str = ADDRESS,
        now: float = 1000.0,
        **limits: Any,
    ) -> None:
        randoms = FixedRandoms(numbered("r"))
        self.gate = gate or Gatekeeper.make(password, ConnectLimits(**limits), randoms)
        self.now = now
        self.session = ServerSession(self.gate, address, now)

    def hear(self, data: bytes) -> list[Request]:
        """Take in what a client sends; return what goes to plugins."""
        self.session.feed(data)
        return list(iter(lambda: self.session.next_request(self.now), None))

    def answers(self) -> list[Frame]:
        """Return what the session has answered since the last time."""
        data = b"".join(self.session.output)
        self.session.output.clear()
        return frames_of(data)

    def push(self, data: bytes = b"", op: int = 1) -> str:
        """Send the client a frame; return its random."""
        (frame,) = frames_of(self.session.frame(b"echo", op, data, self.now))
        return frame.random

    def log_in(self, password: str = "secret", random: str = "a client's random") -> str:
        """Have a client log in; return the first random of the server's."""
        assert self.hear(login_frame(password, random)) == []
        (answer,) = self.answers()
        assert (answer.greeter, answer.op) == ("nekoconnect-server", 200)
        return answer.random

    def refusal(self) -> Status | None:
        """Return the status with which the connection has ended; the client was told it last."""
        rejection = self.session.rejection
        if rejection is None:
            assert not self.session.output
            return None
        told = self.answers()[-1]
        assert (told.greeter, told.op) == ("nekoconnect-server", rejection.status)
        assert told.data == rejection.status.to_bytes(2, "big")
        assert told.hash == b"server"
        assert self.hear(login_frame("secret", "one more")) == []
        assert not self.session.output
        return rejection.status


def pump(client: ClientSession, data: bytes) -> deque[Message]:
    """Feed a client; return its messages."""
    client.feed(data)
    return deque(iter(client.next_message, None))
