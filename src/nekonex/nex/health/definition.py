"""Health (protocol 18): whether a server is well.

Methods as in NintendoClients' ``health.py``.
"""

from __future__ import annotations

from nekonex.rmc import Protocol, Session, method

__all__ = ["Health"]


class Health(Protocol, id=18):
    """The protocol. Tools for operators used it; consoles do not."""

    @method(1)
    async def ping_daemon(self, client: Session) -> bool:
        """Ask whether the server runs."""
        raise NotImplementedError

    @method(2)
    async def ping_database(self, client: Session) -> bool:
        """Ask whether the database does."""
        raise NotImplementedError

    @method(3)
    async def run_sanity_check(self, client: Session) -> bool:
        """Have the server look for errors in its data."""
        raise NotImplementedError

    @method(4)
    async def fix_sanity_errors(self, client: Session) -> bool:
        """Have the server mend them."""
        raise NotImplementedError
