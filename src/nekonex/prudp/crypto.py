"""Payload encryption and compression of PRUDP over UDP.

One RC4 stream per direction runs over all reliable DATA payloads of a
substream; unreliable payloads get a cipher of their own each. Source:
NintendoClients' ``PayloadEncoder`` and the wiki's ``prudp.md``.
"""

import hashlib
import zlib
from collections.abc import Callable

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher

from nekonex.prudp.constants import DEFAULT_CIPHER_KEY

__all__ = ["Crypt", "compress", "decompress", "rc4", "substream_key", "unreliable_cipher"]

Crypt = Callable[[bytes], bytes]
"""Encrypts or decrypts the next bytes of a stream (RC4 does not tell the two apart)."""

_UNRELIABLE_PARTS = (bytes.fromhex("18d8233437e4e3fe"), bytes.fromhex("233e600123cdab80"))


def rc4(key: bytes) -> Crypt:
    """Return a fresh RC4 stream under *key*."""
    # An RC4 context of the cryptography package takes 0.3 us for a small
    # payload; pycryptodome's takes 2.9 (docs/performance.md).
    return Cipher(ARC4(key), mode=None).encryptor().update


def substream_key(session_key: bytes, substream: int) -> bytes:
    """Return the RC4 key of a reliable substream.

    Substream 0 uses the session key; each further one changes the first half of
    the key before it. Without a session key all use ``CD&ML``.
    """
    if not session_key:
        return DEFAULT_CIPHER_KEY
    key = bytearray(session_key)
    half = len(key) // 2
    for _ in range(substream):
        for index in range(half):
            key[index] = (key[index] + half + 1 - index) & 0xFF
    return bytes(key)


def unreliable_cipher(session_key: bytes, sequence_id: int, session_id: int) -> Crypt:
    """Return the RC4 stream of one unreliable packet."""
    key = bytearray(32)
    if session_key:
        key[:] = b"".join(
            hashlib.md5(session_key + part, usedforsecurity=False).digest()
            for part in _UNRELIABLE_PARTS
        )
    key[0] = (key[0] + sequence_id) & 0xFF
    key[1] = (key[1] + (sequence_id >> 8)) & 0xFF
    key[31] = (key[31] + session_id) & 0xFF
    return rc4(bytes(key))


def compress(data: bytes) -> bytes:
    """Return *data* as one ratio byte and a zlib stream, or 0 and *data* where that is shorter."""
    packed = zlib.compress(data)
    ratio = len(data) // len(packed) + 1
    if len(packed) >= len(data) or ratio > 0xFF:
        return b"\0" + data
    return bytes((ratio,)) + packed


def decompress(data: bytes, limit: int) -> bytes:
    """Undo :func:`compress`, making at most *limit* bytes.

    Raises ValueError for a stream that is broken, lies about its ratio or would
    be larger than *limit*.
    """
    if data[0] == 0:
        return data[1:]
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(data[1:], limit)
    except zlib.error as error:
        raise ValueError(f"broken zlib stream: {error}") from None
    if not stream.eof or stream.unused_data:
        raise ValueError("zlib stream too large, cut short or followed by other bytes")
    if len(raw) // (len(data) - 1) + 1 != data[0]:
        raise ValueError("compression ratio does not match")
    return raw
