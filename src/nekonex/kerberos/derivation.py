"""How a password becomes a key; also, run as a program, the worker that derives keys.

The derivations are those of NintendoClients' ``kerberos.py`` (``KeyDerivationOld`` and ``New``)
with their default counts. This module imports nothing but the standard library, and nothing
of nekonex, so that the worker starts at once and stays small.

The worker reads requests from standard input, one after the other: PID (u64), derivation (u8),
length of the password (u32), little-endian, then the password. It writes the 16 bytes of each
key to standard output, and ends at the end of its input.
"""

from __future__ import annotations

import importlib
import signal
import struct
import sys
from hashlib import md5
from typing import Any, BinaryIO

__all__ = ["KEY_SIZE", "NEW_DERIVATION", "OLD_DERIVATION", "REQUEST", "derive_key"]

OLD_DERIVATION = 0
"""MD5 some 65,000 times over: Wii U and 3DS."""

NEW_DERIVATION = 1
"""MD5 twice, with the principal id in between: Switch."""

KEY_SIZE = 16
"""Bytes of a derived key."""

REQUEST = struct.Struct("<QBI")
"""Head of a request to the worker: PID, derivation, length of the password."""

_OLD_ROUNDS = 65000
_OLD_PID_ROUNDS = 1024


def _fast_md5() -> Any:
    # Measured for 16 bytes: CPython's own MD5 takes 0.29 us, OpenSSL's behind hashlib 0.65 us.
    try:
        return importlib.import_module("_md5").md5
    except (ImportError, AttributeError):
        return md5


def derive_key(password: bytes | str, pid: int, derivation: int = OLD_DERIVATION) -> bytes:
    """Return the 16-byte key of a user; text is encoded as UTF-8.

    The old derivation takes some 20 ms and holds the interpreter for all of them: on an event
    loop use `nekonex.kerberos.WorkerKeyDeriver`. Raises ValueError for an unknown derivation or a
    principal id that has no 64 bits.
    """
    key = password.encode("utf-8", "surrogatepass") if isinstance(password, str) else password
    if not 0 <= pid < 1 << 64:
        raise ValueError(f"{pid} is not a principal id")
    if derivation == NEW_DERIVATION:
        first = md5(key, usedforsecurity=False).digest()
        return md5(first + pid.to_bytes(8, "little"), usedforsecurity=False).digest()
    if derivation != OLD_DERIVATION:
        raise ValueError(f"key derivation {derivation} is neither 0 (old) nor 1 (new)")
    digest = _fast_md5()
    for _ in range(_OLD_ROUNDS + pid % _OLD_PID_ROUNDS):
        key = digest(key).digest()
    return bytes(key)


def serve_requests(source: BinaryIO, sink: BinaryIO) -> None:
    """Answer the requests that are read from ``source`` until it ends."""
    while len(head := source.read(REQUEST.size)) == REQUEST.size:
        pid, derivation, length = REQUEST.unpack(head)
        sink.write(derive_key(source.read(length), pid, derivation))
        sink.flush()


if __name__ == "__main__":
    # Ctrl-C in a terminal reaches the worker too; it ends when the server closes its input.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    serve_requests(sys.stdin.buffer, sys.stdout.buffer)
