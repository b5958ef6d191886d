"""The names in a server's data directory."""

from __future__ import annotations

__all__ = ["DATABASE_NAME", "OBJECTS_NAME", "SECRETS_NAME"]

DATABASE_NAME = "nekonex.db"
"""The SQLite database."""

SECRETS_NAME = "secrets"
"""The directory of secrets."""

OBJECTS_NAME = "objects"
"""The directory of uploaded objects."""
