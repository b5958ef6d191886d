"""The health server."""

from __future__ import annotations

from nekonex.nex.health.definition import Health
from nekonex.rmc import Session
from nekonex.settings import Settings, SettingsSource

__all__ = ["HealthServer"]


class HealthServer(Health):
    """Says that all is well: whoever asks over the network of players need not know more.

    Nothing is checked and nothing mended, so that asking costs nothing. Operators have
    ``/healthz`` and the logs.
    """

    def __init__(self, settings: SettingsSource) -> None:
        Settings.from_mapping(settings).transport()

    async def ping_daemon(self, client: Session) -> bool:
        """Return True: the server runs."""
        return True

    async def ping_database(self, client: Session) -> bool:
        """Return True."""
        return True

    async def run_sanity_check(self, client: Session) -> bool:
        """Return True: no errors were found, because none were looked for."""
        return True

    async def fix_sanity_errors(self, client: Session) -> bool:
        """Return True: there is nothing to mend."""
        return True
