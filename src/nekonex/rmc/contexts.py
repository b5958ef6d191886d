"""From settings to the wire context that they mean."""

from nekonex.settings import Settings
from nekonex.wire import HolderRegistry, WireContext

__all__ = ["context_of"]


def context_of(settings: Settings, *, holders: HolderRegistry | None = None) -> WireContext:
    """Return how values are encoded for a game with these settings."""
    return WireContext(
        settings.nex_version,
        versions=settings.nex_versions,
        pid_size=settings["nex.pid_size"],
        struct_header=settings.struct_header,
        holders=holders,
    )
