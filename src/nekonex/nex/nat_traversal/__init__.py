"""NAT traversal (protocol 3)."""

from nekonex.nex.nat_traversal.definition import NATTraversal, RelaySignatureKey
from nekonex.nex.nat_traversal.server import NATTraversalServer, Neighbours
from nekonex.nex.nat_traversal.stats import IgnoredReport, NATLimits, NATStats, SkippedProbe

__all__ = [
    "IgnoredReport",
    "NATLimits",
    "NATStats",
    "NATTraversal",
    "NATTraversalServer",
    "Neighbours",
    "RelaySignatureKey",
    "SkippedProbe",
]
