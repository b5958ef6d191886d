"""What the forms and URLs that consoles are given say, signed so that nobody else can make them.

An upload form is in S3's manner. Its fields, in this order:

- ``key``: where the file goes.
- ``policy``: the base64 of a JSON object with ``expiration`` (ISO 8601, UTC) and ``conditions``:
  ``bucket`` (the game), ``key``, and ``content-length-range`` with the exact size twice.
- ``x-nekonex-signature``: HMAC-SHA256 of "nekonex-upload", a line end and the policy as it is
  sent; hexadecimal.

A download URL ends in ``?expires=<POSIX seconds>&signature=<hexadecimal>``. That signs
"nekonex-download", the game, the key and the time, each on a line of its own.

Pure: the time and the secret are arguments.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from nekonex.domain.datastore.files import TransferError, TransferRefusal, check_key

__all__ = ["SECRET_SIZE", "SIGNATURE_FIELD", "Grant", "Signer"]

SECRET_SIZE: Final = 32
"""The least bytes of a secret."""
SIGNATURE_FIELD: Final = "x-nekonex-signature"

_UPLOAD: Final = b"nekonex-upload\n"
_DOWNLOAD: Final = b"nekonex-download\n"
_LAST: Final = datetime(9999, 12, 31, tzinfo=UTC).timestamp()


@dataclass(frozen=True, slots=True)
class Grant:
    """What a form that was shown allows: a file of this size under this key."""

    key: str
    size: int


class Signer:
    """Makes forms and URLs of a server, and checks those that are shown to it."""

    def __init__(self, secret: bytes) -> None:
        if len(secret) < SECRET_SIZE:
            raise ValueError(f"the secret of an object store has {SECRET_SIZE} bytes or more")
        self._secret = secret

    def upload_fields(
        self, game: str, key: str, size: int, expires: float
    ) -> tuple[tuple[str, str], ...]:
        """Return the fields of a form that uploads exactly *size* bytes until a POSIX time."""
        if size < 0:
            raise ValueError(f"a file has 0 bytes or more, not {size}")
        policy = {
            "expiration": f"{datetime.fromtimestamp(_whole(expires), UTC):%Y-%m-%dT%H:%M:%SZ}",
            "conditions": [
                {"bucket": game},
                {"key": check_key(key)},
                ["content-length-range", size, size],
            ],
        }
        text = json.dumps(policy, ensure_ascii=False, separators=(",", ":"))
        encoded = base64.b64encode(text.encode()).decode()
        signature = self._sign(_UPLOAD + encoded.encode())
        return (("key", key), ("policy", encoded), (SIGNATURE_FIELD, signature))

    def check_upload(self, game: str, fields: Mapping[str, str], now: float) -> Grant:
        """Return what the fields of a form allow in a game; TransferError if that is nothing."""
        policy, signature = fields.get("policy", ""), fields.get(SIGNATURE_FIELD, "")
        if not self._is_signed(_UPLOAD + _bytes(policy), signature):
            raise TransferError(TransferRefusal.DENIED)
        signed: dict[str, Any] = json.loads(base64.b64decode(policy))
        bucket, key, length = signed["conditions"]
        if (bucket["bucket"], key["key"]) != (game, fields.get("key")):
            raise TransferError(TransferRefusal.DENIED)
        if now > datetime.fromisoformat(signed["expiration"]).timestamp():
            raise TransferError(TransferRefusal.EXPIRED)
        return Grant(key["key"], length[1])

    def download_query(self, game: str, key: str, expires: float) -> str:
        """Return the query of a URL that downloads a file until a POSIX time."""
        until = _whole(expires)
        signature = self._sign(_download(game, check_key(key), str(until)))
        return f"expires={until}&signature={signature}"

    def check_download(self, game: str, key: str, query: Mapping[str, str], now: float) -> None:
        """Raise TransferError unless a query allows to download a file of a game."""
        expires = query.get("expires", "")
        if not self._is_signed(_download(game, key, expires), query.get("signature", "")):
            raise TransferError(TransferRefusal.DENIED)
        if now > int(expires):
            raise TransferError(TransferRefusal.EXPIRED)

    def _sign(self, message: bytes) -> str:
        return hmac.digest(self._secret, message, hashlib.sha256).hex()

    def _is_signed(self, message: bytes, signature: str) -> bool:
        return hmac.compare_digest(self._sign(message).encode(), _bytes(signature))


def _download(game: str, key: str, expires: str) -> bytes:
    # Of the three only the time can hold a line end, and the last line is all that it is.
    return _DOWNLOAD + _bytes(f"{game}\n{key}\n{expires}")


def _whole(expires: float) -> int:
    return math.ceil(min(expires, _LAST))


def _bytes(text: str) -> bytes:
    """Encode what a stranger sent, whatever it is."""
    return text.encode(errors="surrogatepass")
