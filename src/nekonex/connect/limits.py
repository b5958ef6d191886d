"""The named bounds of NekoConnect."""

from __future__ import annotations

from dataclasses import dataclass, fields

from nekonex.domain.cells import CellLimits

__all__ = ["ConnectLimits"]

KIB = 1024
MIB = 1024 * KIB

_MAY_BE_ZERO = frozenset({"idle_timeout", "rate_limit"})


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectLimits:
    """What the socket lets clients and plugins use. Times are in seconds, sizes in bytes."""

    max_data: int = MIB
    """Data of one frame, in either direction; more is answered 413."""
    max_login_data: int = 64 * KIB
    """Data of a frame before the client is authenticated, where `max_data` is not less."""
    max_connections: int = 1000
    """Connections at a time; more are answered 503."""
    auth_timeout: float = 10.0
    """How long a client may take to authenticate; then 408."""
    idle_timeout: float = 0.0
    """How long a connection may pass no frame in either direction; then 408. 0: for ever."""
    failed_logins: int = 10
    """Wrong passwords of one address within `failed_login_period`; then 429."""
    failed_login_period: float = 60.0
    """How long a wrong password counts."""
    tracked_addresses: int = 65_536
    """Addresses whose wrong passwords are counted; the oldest is forgotten first."""
    remembered_randoms: int = 65_536
    """Accepted first frames that are refused if they come again."""
    remembered_seconds: float = 600.0
    """How long they are."""
    random_seconds: float = 30.0
    """How long a client may answer with a random that the server has issued."""
    latest_randoms: int = 64
    """How many of the latest randoms are good for longer than that."""
    max_randoms: int = 4096
    """How many randoms of a connection are good at a time."""
    rate_limit: int = 0
    """Frames a second of one connection, with bursts of as many; more are answered 429. 0: any."""
    send_queue: int = 4 * MIB
    """What may wait for a client that does not read; with more it is disconnected."""
    send_timeout: float = 30.0
    """How long a client may take nothing of what a plugin waits to send, or of what is left when
    its connection closes; then it is disconnected."""
    receive_queue: int = 2 * MIB
    """Frames of a connection that wait for plugins; with more no more is read from its socket."""
    max_joined: int = 16 * MIB
    """What one `recv` of a plugin may join; a client that sends more is answered 413."""
    max_waiting: int = 1000
    """Calls of one plugin that wait in `recv`; one more is answered 503."""
    plugin_timeout: float = 30.0
    """How long one call of a plugin may work, waiting in ctx methods not counted."""
    plugin_threads: int = 32
    """Threads of a plugin that does not say how many it wants."""
    max_events: int = 1000
    """Events of the games that wait for one plugin; of more the oldest are dropped, and counted."""
    cell_size: int = MIB
    """One text in a plugin's database."""
    database_size: int = 64 * MIB
    """All texts and names in one plugin's database."""

    def __post_init__(self) -> None:
        for each in fields(self):
            value = getattr(self, each.name)
            if value < 0 or (value == 0 and each.name not in _MAY_BE_ZERO):
                raise ValueError(f"{each.name} of NekoConnect is more than 0")

    @property
    def cells(self) -> CellLimits:
        """Those of a plugin's database."""
        return CellLimits(cell_size=self.cell_size, database_size=self.database_size)
