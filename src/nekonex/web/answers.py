"""Refusals, as S3 words them: a status and a small XML document."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from xml.sax.saxutils import escape

from starlette.responses import Response

from nekonex.domain.datastore.files import TransferRefusal

__all__ = ["refusal", "refused"]

_TRANSFERS: Final[Mapping[TransferRefusal, tuple[int, str]]] = {
    TransferRefusal.DENIED: (403, "AccessDenied"),
    TransferRefusal.EXPIRED: (403, "AccessDenied"),
    TransferRefusal.MALFORMED: (400, "MalformedPOSTRequest"),
    TransferRefusal.TOO_SMALL: (400, "EntityTooSmall"),
    TransferRefusal.TOO_LARGE: (400, "EntityTooLarge"),
    TransferRefusal.MISSING: (404, "NoSuchKey"),
    TransferRefusal.NO_ROOM: (507, "InsufficientStorage"),
}


def refused(
    status: int, code: str, message: str, headers: Mapping[str, str] | None = None
) -> Response:
    """Return a refusal with one of S3's error codes and a sentence for a person."""
    body = (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f"<Error><Code>{escape(code)}</Code><Message>{escape(message)}</Message></Error>\n"
    )
    return Response(body, status, headers, media_type="application/xml")


def refusal(why: TransferRefusal, message: str) -> Response:
    """Return the refusal of an upload or download."""
    return refused(*_TRANSFERS[why], message)
