"""The hashes by which client and server show that they know the same password."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections import deque
from collections.abc import Callable
from typing import Final

__all__ = ["IssuedRandoms", "Password", "RandomSource"]

_ALPHABET: Final = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789#?!&$"
_TABLE: Final = bytes(_ALPHABET[number % len(_ALPHABET)] for number in range(256))
_SERVER: Final = b"nekoconnect-server\0"

RANDOM_SIZE: Final = 16
"""Characters of a random."""

_POOL: Final = 256 * RANDOM_SIZE

_BLOCK: Final = 64
_INNER: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER: Final = bytes(byte ^ 0x5C for byte in range(256))


class _HmacSha256:
    """HMAC-SHA256 (RFC 2104) with the two key blocks hashed once.

    Every frame that is sent costs one: 0.6 us, where `hmac.digest` takes 1.4.
    """

    __slots__ = ("_copy_inner", "_copy_outer")

    def __init__(self, key: bytes) -> None:
        if len(key) > _BLOCK:
            key = hashlib.sha256(key).digest()
        block = key.ljust(_BLOCK, b"\0")
        self._copy_inner = hashlib.sha256(block.translate(_INNER)).copy
        self._copy_outer = hashlib.sha256(block.translate(_OUTER)).copy

    def digits(self, message: bytes) -> bytes:
        """Return the digest of a message in hexadecimal digits."""
        inner = self._copy_inner()
        inner.update(message)
        outer = self._copy_outer()
        outer.update(inner.digest())
        return outer.hexdigest().encode()


class Password:
    """The password of a server, as the key of its hashes."""

    __slots__ = ("_client", "_server")

    def __init__(self, text: str) -> None:
        key = text.encode()
        self._client = _HmacSha256(key)
        self._server = _HmacSha256(_SERVER + key)

    def hash(self, random: bytes) -> bytes:
        """Return what proves that a client knows the password: 64 hexadecimal digits."""
        return self._client.digits(random)

    def server_hash(self, random: bytes) -> bytes:
        """Return what proves the same of the server, for a random of the client's.

        It is made with another key than `hash`, because an impostor could send that back.
        """
        return self._server.digits(random)

    def verify(self, random: bytes, hash_: bytes) -> bool:
        """Return whether a hash is that of a random, in constant time."""
        return hmac.compare_digest(self.hash(random), hash_)

    def verify_server(self, random: bytes, hash_: bytes) -> bool:
        """Return whether a hash is the server's of a random, in constant time."""
        return hmac.compare_digest(self.server_hash(random), hash_)


class RandomSource:
    """Makes randoms of 16 letters, digits and ``#?!&$``, from ``token_bytes(n)``."""

    __slots__ = ("_pool", "_position", "_token_bytes")

    def __init__(self, token_bytes: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self._token_bytes = token_bytes
        self._pool = b""
        self._position = 0

    def draw(self) -> bytes:
        """Return a random that was never returned before."""
        if self._position == len(self._pool):
            # Many at once: asking the system takes longer than all the rest of a small frame.
            self._pool = self._token_bytes(_POOL).translate(_TABLE)
            self._position = 0
        start = self._position
        self._position = start + RANDOM_SIZE
        return self._pool[start : self._position]


class IssuedRandoms:
    """The server's randoms of one connection, and the hashes that a client makes of them.

    A random is good for ``seconds``; the ``latest`` ones, and the one whose hash was accepted
    last, for ever. No more than ``most`` are kept.

    A hash is made when a client may have sent it, those of the newest randoms first: most are
    never answered, because clients answer with the newest that they have, and hear of many
    frames between two of their own.
    """

    __slots__ = (
        *("_accepted", "_hash_of", "_hashes", "_issued", "_latest", "_most", "_password"),
        *("_seconds", "_unhashed"),
    )

    def __init__(self, password: Password, *, seconds: float, latest: int, most: int) -> None:
        self._password = password
        self._seconds = seconds
        self._latest = latest
        self._most = most
        self._issued: deque[tuple[float, bytes]] = deque()
        self._unhashed: deque[bytes] = deque()
        self._hash_of: dict[bytes, bytes] = {}
        self._hashes: set[bytes] = set()
        self._accepted = b""

    def __len__(self) -> int:
        return len(self._issued)

    def issue(self, random: bytes, now: float) -> None:
        """Let a client answer with a random from now on."""
        issued = self._issued
        issued.append((now, random))
        self._unhashed.append(random)
        if len(issued) > self._most or issued[0][0] < now - self._seconds:
            self._forget(now)

    def accept(self, hash_: bytes, now: float) -> bool:
        """Return whether a hash is that of a random that is still good."""
        if self._accepted and hmac.compare_digest(hash_, self._accepted):
            return True
        self._forget(now)
        # It takes as long for a hash that is nearly right as for any other: a set compares only
        # what has the same 64-bit SipHash, whose key is the process's secret.
        while hash_ not in self._hashes:
            if not self._unhashed:
                return False
            self._make_hash(self._unhashed.pop())
        self._accepted = hash_
        return True

    def _make_hash(self, random: bytes) -> None:
        hash_ = self._hash_of[random] = self._password.hash(random)
        self._hashes.add(hash_)

    def _forget(self, now: float) -> None:
        issued, oldest = self._issued, now - self._seconds
        while len(issued) > self._latest and (issued[0][0] < oldest or len(issued) > self._most):
            _, random = issued.popleft()
            if self._unhashed and self._unhashed[0] is random:
                self._unhashed.popleft()
            else:
                self._hashes.discard(self._hash_of.pop(random, b""))
