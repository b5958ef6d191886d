"""Bounds of a served connection, by name, and what is counted."""

from dataclasses import dataclass

__all__ = ["RMCLimits", "RMCStats"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RMCLimits:
    """What one connection may ask of this process. ValueError for a bound below its minimum."""

    max_waiting_requests: int = 64
    """Requests that wait behind the running one before reading from the connection pauses."""
    max_waiting_while_calling: int = 256
    """The same while a call of ours waits for its reply, which stands behind those requests."""
    request_timeout: float = 60.0
    """Seconds a handler may take before it is cancelled and answered with ``Core::Timeout``.

    Checked at every tick of the watchdog: never early, and at most two ticks late.
    """
    call_timeout: float = 10.0
    """Seconds to wait for the reply to a call, where the caller names no other."""
    max_pending_calls: int = 256
    """Calls of this side that may wait for their replies; more are refused to the caller."""

    def __post_init__(self) -> None:
        for name in ("max_waiting_requests", "max_waiting_while_calling", "max_pending_calls"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("request_timeout", "call_timeout"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} must be more than 0 seconds, not {getattr(self, name)}")


@dataclass(slots=True)
class RMCStats:
    """Counts since the start. Whoever shows them copies them; nothing resets them."""

    requests: int = 0
    """Requests that reached their turn, malformed ones included."""
    replies: int = 0
    """Successes and errors sent."""
    malformed: int = 0
    """Frames, requests and replies alike, that could not be read."""
    unknown_protocol: int = 0
    unknown_method: int = 0
    invalid_argument: int = 0
    """Requests whose parameters could not be read."""
    refused: int = 0
    """Requests that a handler answered with an error of its choice."""
    handler_errors: int = 0
    """Handlers that raised something unexpected, or returned what cannot be encoded."""
    unavailable: int = 0
    """Requests that failed because a store or another part was out of order."""
    timeouts: int = 0
    """Handlers that took too long, or raised TimeoutError."""
    abandoned: int = 0
    """Requests that were waiting or running when their connection died."""
    undelivered: int = 0
    """Replies that found their connection closed."""
    late_replies: int = 0
    """Replies of the other side to calls that nobody waits for any more."""
    pauses: int = 0
    """How often reading was paused because too many requests waited."""
    old_minor_versions: int = 0
    """Connections that agreed on a minor version before structure headers, where they are on."""
    logout_errors: int = 0
    """Logout hooks that raised or took too long."""
