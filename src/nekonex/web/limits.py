"""The named bounds of the HTTP port."""

from __future__ import annotations

from dataclasses import dataclass, fields

__all__ = ["HttpLimits"]

KIB = 1024
MIB = 1024 * KIB


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpLimits:
    """What the HTTP port lets its clients use. Times are in seconds."""

    max_connections: int = 1024
    """Connections at a time; more are closed at once."""
    max_connections_per_address: int = 64
    """Connections of one address at a time."""
    max_uploads: int = 128
    """Uploads at a time; more are answered SlowDown."""
    max_uploads_per_address: int = 16
    """Uploads of one address at a time."""
    limit_loopback: bool = False
    """Whether the limits of an address hold for this machine too, where a proxy may be."""
    header_bytes: int = 16 * KIB
    """Bytes of a request's first line and headers."""
    header_timeout: float = 10.0
    """How long a client may take for them."""
    keep_alive: int = 10
    """How long a connection stays open without a request."""
    upload_idle: float = 20.0
    """How long an upload may pause."""
    upload_timeout: float = 900.0
    """How long an upload may take in all."""
    send_timeout: float = 30.0
    """How long a client may take nothing of what waits for it."""
    max_file: int = 256 * MIB
    """Bytes of one file, whatever its form allows."""
    max_fields: int = 32
    """Parts of a form, the file included."""
    field_bytes: int = 8 * KIB
    """Bytes of one field's value."""
    part_header_bytes: int = 2 * KIB
    """Bytes of one header of a part."""
    form_bytes: int = 64 * KIB
    """Bytes of a form besides its file."""
    discard_bytes: int = MIB
    """Bytes that are still taken after the answer, so that a client that sends all first hears it;
    for `header_timeout` at most."""

    def __post_init__(self) -> None:
        for each in fields(self):
            if each.type != "bool" and getattr(self, each.name) <= 0:
                raise ValueError(f"{each.name} of the HTTP port is more than 0")
