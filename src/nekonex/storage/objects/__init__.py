"""Adapters for `nekonex.domain.datastore.files.FileStore`: on the local disk, and in memory."""

from __future__ import annotations

from nekonex.storage.objects.local import BaseUrl, LocalFileStore, LocalObjects, open_objects
from nekonex.storage.objects.memory import MemoryFileStore
from nekonex.storage.objects.signing import SECRET_SIZE

__all__ = [
    "SECRET_SIZE",
    "BaseUrl",
    "LocalFileStore",
    "LocalObjects",
    "MemoryFileStore",
    "open_objects",
]
