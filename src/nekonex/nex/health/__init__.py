"""Health (protocol 18)."""

from nekonex.nex.health.definition import Health
from nekonex.nex.health.server import HealthServer

__all__ = ["Health", "HealthServer"]
