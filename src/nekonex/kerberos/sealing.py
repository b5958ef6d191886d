"""Sealing: RC4 and, over the ciphertext, HMAC-MD5, both with the same key."""

from __future__ import annotations

import hmac

from cryptography.hazmat.decrepit.ciphers.algorithms import ARC4
from cryptography.hazmat.primitives.ciphers import Cipher

from nekonex.kerberos.errors import KerberosError

__all__ = ["MAC_SIZE", "SEALING_KEY_SIZES", "decrypt", "encrypt"]

MAC_SIZE = 16
"""Bytes that sealing adds."""

SEALING_KEY_SIZES = (16, 32)
"""Sizes of keys: 16 of users, servers and old sessions, 32 of sessions from NEX 2 on."""


def encrypt(key: bytes, data: bytes) -> bytes:
    """Seal ``data``; raises ValueError for a key of the wrong size."""
    ciphertext = _rc4(_checked(key), data)
    return ciphertext + hmac.digest(key, ciphertext, "md5")


def decrypt(key: bytes, data: bytes) -> bytes:
    """Return what was sealed with ``key``.

    Raises KerberosError if the seal does not fit, ValueError for a key of the wrong size.
    """
    if len(data) < MAC_SIZE:
        raise KerberosError(f"{len(data)} bytes are too few to be sealed")
    ciphertext, mac = data[:-MAC_SIZE], data[-MAC_SIZE:]
    if not hmac.compare_digest(mac, hmac.digest(_checked(key), ciphertext, "md5")):
        raise KerberosError("the seal does not fit: another key, or damaged data")
    return _rc4(key, ciphertext)


def _checked(key: bytes) -> bytes:
    if len(key) not in SEALING_KEY_SIZES:
        raise ValueError(f"a key has 16 or 32 bytes, not {len(key)}")
    return key


def _rc4(key: bytes, data: bytes) -> bytes:
    return Cipher(ARC4(key), None).encryptor().update(data)
