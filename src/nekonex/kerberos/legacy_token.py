"""The token format of Pretendo's account server until 2026, which servers of its kind still use.

A token is a CRC-32 of the plain text (big-endian), then the plain text under AES-CBC with a zero
initialisation vector and PKCS#7 padding. Plain text, little-endian: u8 system type, u8 token
type, u32 principal id, u64 expiry in milliseconds, u64 title id, s8 access level. It is sent in
base64; 3DS consoles and the ``AuthenticationInfo`` holder have ``.-*`` for ``+/=``; Cemu sends
hexadecimal digits. Sources: PretendoNetwork/account ``src/util.ts``,
PretendoNetwork/nex-protocols-common-go ``globals/authentication.go``.

There is no message authentication code in it. Whoever knows the AES key can make any token, and
the CRC keeps others from it only by luck, so nothing but titles and bans should depend on it.
"""

from __future__ import annotations

import base64
import binascii
import re
import struct
import zlib
from collections.abc import Collection
from enum import Enum

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES
from cryptography.hazmat.primitives.ciphers.modes import CBC
from cryptography.hazmat.primitives.padding import PKCS7

from nekonex.kerberos.tokens import (
    ACCOUNT_DISABLED,
    EXPIRED,
    NEX_TOKEN,
    PRINCIPAL_ID_UNMATCHED,
    VALIDATION_FAILED,
    TokenError,
    TokenInfo,
)

__all__ = ["LegacyTokenVerifier", "TokenText", "encode_legacy_token"]

_PLAIN = struct.Struct("<BBIQQb")
_CRC_SIZE = 4
_BLOCK_SIZE = 16
_SIZE = _CRC_SIZE + (_PLAIN.size // _BLOCK_SIZE + 1) * _BLOCK_SIZE
_AES_KEY_SIZES = (16, 32)
_HEX = re.compile(rf"[0-9A-Fa-f]{{{2 * _SIZE}}}")

_TO_CONSOLE = str.maketrans("+/=", ".-*")
_FROM_CONSOLE = str.maketrans(".-*", "+/=")


class TokenText(Enum):
    """How the bytes of a token are written."""

    BASE64 = "base64"
    CONSOLE = "console"
    """Base64 with ``.-*`` for ``+/=``."""
    HEX = "hex"


class LegacyTokenVerifier:
    """Verifies tokens that were encrypted with ``aes_key`` (16 or 32 bytes).

    With ``title_ids`` a token must be for one of them; without, the title is not looked at, as on
    Pretendo's servers. The checks are made in their order there, with the title after the expiry.
    """

    def __init__(self, aes_key: bytes, *, title_ids: Collection[int] = ()) -> None:
        self._aes_key = _check_aes_key(aes_key)
        self._title_ids = frozenset(title_ids)

    async def verify(self, token: str, *, pid: int, now: float) -> TokenInfo:
        """Return what the token of this player says; raises TokenError to refuse it."""
        info = self.read(token, now=now)
        if info.pid != pid:
            raise TokenError(PRINCIPAL_ID_UNMATCHED, f"the token is PID {info.pid}'s, not {pid}'s")
        if info.access_level < 0:
            raise TokenError(ACCOUNT_DISABLED, f"the access level of PID {pid} is below 0")
        return info

    def read(self, token: str, *, now: float) -> TokenInfo:
        """Return what a valid token says, whoever's it is; raises TokenError for any other."""
        info = self._decode(token)
        if info.token_type != NEX_TOKEN:
            raise TokenError(VALIDATION_FAILED, f"the token is of type {info.token_type}")
        if info.expire <= now:
            raise TokenError(EXPIRED, f"the token expired {now - info.expire:.0f} s ago")
        if self._title_ids and info.title_id not in self._title_ids:
            raise TokenError(VALIDATION_FAILED, f"the token is for title {info.title_id:016x}")
        return info

    def _decode(self, token: str) -> TokenInfo:
        data = _token_bytes(token)
        # Damage is told apart nowhere: that would help to guess plain texts.
        malformed = TokenError(VALIDATION_FAILED, "the token is malformed or of another key")
        if data is None or len(data) != _SIZE:
            raise malformed
        decryptor = Cipher(AES(self._aes_key), CBC(bytes(_BLOCK_SIZE))).decryptor()
        unpadder = PKCS7(8 * _BLOCK_SIZE).unpadder()
        try:
            plain = unpadder.update(decryptor.update(data[_CRC_SIZE:])) + unpadder.finalize()
        except ValueError:
            raise malformed from None
        crc = int.from_bytes(data[:_CRC_SIZE], "big")
        if len(plain) != _PLAIN.size or zlib.crc32(plain) != crc:
            raise malformed
        system_type, token_type, pid, expire_ms, title_id, access_level = _PLAIN.unpack(plain)
        return TokenInfo(system_type, token_type, pid, expire_ms / 1000, title_id, access_level)


def encode_legacy_token(info: TokenInfo, aes_key: bytes, text: TokenText = TokenText.BASE64) -> str:
    """Return the token that says ``info``; raises ValueError for a number that does not fit."""
    try:
        plain = _PLAIN.pack(
            info.system_type,
            info.token_type,
            info.pid,
            round(info.expire * 1000),
            info.title_id,
            info.access_level,
        )
    except struct.error as error:
        raise ValueError(f"a number of the token does not fit: {error}") from None
    padder = PKCS7(8 * _BLOCK_SIZE).padder()
    encryptor = Cipher(AES(_check_aes_key(aes_key)), CBC(bytes(_BLOCK_SIZE))).encryptor()
    sealed = encryptor.update(padder.update(plain) + padder.finalize())
    data = zlib.crc32(plain).to_bytes(_CRC_SIZE, "big") + sealed
    if text is TokenText.HEX:
        return data.hex()
    encoded = base64.b64encode(data).decode("ascii")
    return encoded.translate(_TO_CONSOLE) if text is TokenText.CONSOLE else encoded


def _token_bytes(token: str) -> bytes | None:
    if _HEX.fullmatch(token):
        return bytes.fromhex(token)
    try:
        return base64.b64decode(token.translate(_FROM_CONSOLE).encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        return None


def _check_aes_key(aes_key: bytes) -> bytes:
    if len(aes_key) not in _AES_KEY_SIZES:
        raise ValueError(f"an AES key of tokens has 16 or 32 bytes, not {len(aes_key)}")
    return aes_key
