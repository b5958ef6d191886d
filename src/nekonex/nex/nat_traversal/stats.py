"""Bounds of a NAT traversal server, by name, and what is counted."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum

__all__ = ["IgnoredReport", "NATLimits", "NATStats", "SkippedProbe"]


@dataclass(frozen=True, slots=True, kw_only=True)
class NATLimits:
    """Bounds of a NAT traversal server."""

    max_targets: int = 16
    """Station URLs whose consoles a request for probes may name."""
    probe_requests_per_second: int = 20
    """Requests for probes of one connection, after a second's worth at once; more are dropped."""
    tracked_callers: int = 65_536
    """Connections whose rate is remembered; the one seen longest ago is forgotten first."""
    believe_seconds: float = 120.0
    """How long after a probe its two consoles may report a result, though they parted since."""
    tracked_probes: int = 65_536
    """Pairs of connections whose last probe is remembered; the oldest is forgotten first."""
    max_detail_codes: int = 64
    """Different detail codes that are counted one by one."""

    def __post_init__(self) -> None:
        for each in fields(self):
            if not getattr(self, each.name) > 0:
                raise ValueError(f"{each.name} is more than 0, not {getattr(self, each.name)}")


class SkippedProbe(StrEnum):
    """Why a console was not asked to probe."""

    UNREGISTERED = "unregistered"
    """The caller has not registered."""
    RATE = "rate"
    """The caller asked too often."""
    UNKNOWN = "unknown"
    """Nobody is registered on the connection that the target URL names, if it names one."""
    REPEATED = "repeated"
    """The same console was named before in the same request."""
    OWN = "own"
    """The target is the caller."""
    STRANGER = "stranger"
    """Caller and target share no gathering."""
    GONE = "gone"
    """The target's connection is about to end."""


class IgnoredReport(StrEnum):
    """Why the result of a traversal was not believed."""

    UNREGISTERED = "unregistered"
    """The caller has not registered."""
    UNKNOWN = "unknown"
    """Nobody is registered on the connection that the report names."""
    SAME_PLAYER = "same_player"
    """It names the caller, or one of the two is a guest, whose principal id others share."""
    STRANGER = "stranger"
    """The two share no gathering, and did not when one was last asked to probe the other."""
    UNAVAILABLE = "unavailable"
    """Where gatherings are kept is out of order."""


@dataclass(slots=True)
class NATStats:
    """Counts since the start. Whoever shows them copies them; nothing resets them."""

    probes: int = 0
    """Consoles that were asked to probe."""
    replaced_stations: int = 0
    """Requests for probes of a station that is not the caller's."""
    skipped: dict[SkippedProbe, int] = field(default_factory=lambda: dict.fromkeys(SkippedProbe, 0))
    """Target URLs for which nobody was asked, by reason."""
    properties: int = 0
    """Reports of NAT properties that were put into station URLs."""
    bad_properties: int = 0
    """Reports of NAT properties that were not: impossible values, or nobody's."""
    successes: int = 0
    """Consoles that reached another one."""
    failures: int = 0
    """Consoles that could not reach another one."""
    details: dict[int, int] = field(default_factory=dict)
    """Results by detail code, where a console told one."""
    other_details: int = 0
    """Results with codes beyond the number that are counted one by one."""
    ignored: dict[IgnoredReport, int] = field(
        default_factory=lambda: dict.fromkeys(IgnoredReport, 0)
    )
    """Results that were not believed, by reason; they count nowhere else."""

    def skip(self, reason: SkippedProbe, count: int = 1) -> None:
        """Count target URLs for which nobody was asked."""
        self.skipped[reason] += count

    def count_detail(self, detail: int, max_codes: int) -> None:
        """Count the detail code of a result."""
        if detail in self.details or len(self.details) < max_codes:
            self.details[detail] = self.details.get(detail, 0) + 1
        else:
            self.other_details += 1
