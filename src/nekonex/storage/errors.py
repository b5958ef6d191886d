"""What can be wrong with stored data before anything runs."""

from __future__ import annotations

__all__ = ["SchemaTooNewError", "StorageError"]


class StorageError(Exception):
    """The stored data cannot be used; the text says in one sentence why, and names the file."""


class SchemaTooNewError(StorageError):
    """The database was written by a later version of nekonex."""
