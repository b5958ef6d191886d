"""What is wrong with a ticket, or with anything sealed."""

from __future__ import annotations

__all__ = ["KerberosError"]


class KerberosError(ValueError):
    """Sealed data is malformed, or was sealed with another key. The only error of opening it."""
