"""Who asks for what, and what the data store answers that is no object."""

from __future__ import annotations

from dataclasses import dataclass

from nekonex.domain.datastore.files import UploadForm
from nekonex.domain.datastore.model import NO_SLOT

__all__ = ["Caller", "ObjectDownload", "ObjectTarget", "Passwords", "Posted", "Update"]


@dataclass(frozen=True, slots=True)
class Caller:
    """The player who asks for something."""

    pid: int
    client: object | None = None
    """What the game's callbacks know the player by; None where nobody is connected."""
    address: str = ""
    """From where it asks: URLs that it is given depend on it. Empty: it is not known."""


@dataclass(frozen=True, slots=True)
class ObjectTarget:
    """An object by its data id, which wins, or by its owner and persistence slot."""

    data_id: int = 0
    owner: int = 0
    slot: int = NO_SLOT


@dataclass(frozen=True, slots=True)
class Posted:
    """A new object, and how its content is uploaded."""

    data_id: int
    form: UploadForm


@dataclass(frozen=True, slots=True)
class Update:
    """The version that an object will have, and how its content is uploaded."""

    version: int
    form: UploadForm


@dataclass(frozen=True, slots=True)
class ObjectDownload:
    """How the content of an object is downloaded, and how many bytes it has."""

    data_id: int
    size: int
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    root_ca_cert: bytes = b""


@dataclass(frozen=True, slots=True)
class Passwords:
    """What lets others past the permissions of an object."""

    data_id: int
    access: int
    update: int
