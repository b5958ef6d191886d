"""What is counted of the HTTP port; nothing that it refuses or cuts off goes uncounted."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum

from nekonex.domain.datastore.files import TransferRefusal

__all__ = ["ClosedConnection", "HttpStats", "RefusedTransfer", "refused_by"]


class ClosedConnection(StrEnum):
    """Why a connection was closed before its client wanted that."""

    TOO_MANY = "too_many"
    """`max_connections` is reached."""
    TOO_MANY_FROM_ADDRESS = "too_many_from_address"
    """`max_connections_per_address` is reached."""
    LATE = "late"
    """No whole request, or not all of its headers, came within `header_timeout`."""
    STALLED = "stalled"
    """The client took nothing of what waits for it within `send_timeout`."""
    UNWANTED = "unwanted"
    """The client sent more than `discard_bytes` after the answer."""
    MALFORMED = "malformed"
    """What came is no HTTP, or its headers have more than `header_bytes`."""


class RefusedTransfer(StrEnum):
    """Why an upload or a download did not come about."""

    DENIED = "denied"
    """The form or the URL does not allow it, or its signature is wrong."""
    EXPIRED = "expired"
    """The form or the URL is too old."""
    MALFORMED = "malformed"
    """The body is no form with a file, or a form beyond the limits."""
    TOO_SMALL = "too_small"
    """The file is smaller than announced."""
    TOO_LARGE = "too_large"
    """The file is larger than announced, or than `max_file`."""
    MISSING = "missing"
    """There is no such file."""
    NO_ROOM = "no_room"
    """The disk is full."""
    NO_LENGTH = "no_length"
    """The upload does not say how long it is."""
    SLOW_DOWN = "slow_down"
    """`max_uploads` or `max_uploads_per_address` is reached."""
    TIMEOUT = "timeout"
    """The upload paused for `upload_idle`, or took `upload_timeout`."""
    BROKEN_OFF = "broken_off"
    """The client went away in the middle."""
    BAD_PATH = "bad_path"
    """The path cannot be one of a file."""
    BAD_RANGE = "bad_range"
    """The file has nothing of the range that was asked for."""
    UNAVAILABLE = "unavailable"
    """The store of files is out of order."""


def refused_by(refusal: TransferRefusal) -> RefusedTransfer:
    """Return under which name a refusal of the store is counted."""
    return RefusedTransfer[refusal.name]


@dataclass(slots=True)
class HttpStats:
    """Counts since the start. Whoever shows them copies them; nothing resets them."""

    connections: int = 0
    """Connections that were taken."""
    closed: dict[ClosedConnection, int] = field(
        default_factory=lambda: dict.fromkeys(ClosedConnection, 0)
    )
    """Connections that were refused or cut off, by reason."""
    strays: int = 0
    """Requests for paths that there are not, or by methods that they do not have."""
    uploads: int = 0
    """Files that were uploaded."""
    received: int = 0
    """Bytes of files that came in, those of refused uploads included."""
    uploads_refused: dict[RefusedTransfer, int] = field(
        default_factory=lambda: dict.fromkeys(RefusedTransfer, 0)
    )
    """Uploads that failed, by reason."""
    downloads: int = 0
    """Files, or parts of them, that were sent to their ends."""
    sent: int = 0
    """Bytes of files that were sent, those of downloads that broke off included."""
    downloads_refused: dict[RefusedTransfer, int] = field(
        default_factory=lambda: dict.fromkeys(RefusedTransfer, 0)
    )
    """Downloads that failed, by reason."""
