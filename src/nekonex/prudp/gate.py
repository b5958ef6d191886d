"""Who may open a connection: tickets, and how often an address may try."""

import struct
from collections import OrderedDict
from collections.abc import Callable
from functools import lru_cache
from ipaddress import ip_address
from typing import NamedTuple

from nekonex.kerberos import KerberosError, ReplayCache, ServerTicket, decrypt, is_fresh
from nekonex.kerberos.sealing import SEALING_KEY_SIZES
from nekonex.prudp.limits import DropReason, Limits
from nekonex.settings import TransportSettings

__all__ = ["Login", "RateLimiter", "RefusedError", "TicketGate", "is_loopback"]


class RefusedError(Exception):
    """A CONNECT that is not accepted; ``reason`` is what is counted."""

    def __init__(self, reason: DropReason) -> None:
        super().__init__(reason)
        self.reason = reason


class Login(NamedTuple):
    """What a good ticket says, and the payload that answers it."""

    pid: int | None
    cid: int | None
    session_key: bytes
    answer: bytes


_GUEST = Login(None, None, b"", b"")


class TicketGate:
    """Checks the payload of CONNECT for one virtual port.

    *key* is the Kerberos key of the secure server; without one (an
    authentication server) the payload is ignored and nobody is logged in.
    *wall_clock* returns seconds since 1970: tickets carry dates.

    Raises ValueError for a key of a size that tickets of version 0 are not sealed with.
    """

    def __init__(
        self,
        key: bytes | None,
        settings: TransportSettings,
        limits: Limits,
        wall_clock: Callable[[], float],
    ) -> None:
        if key is not None and settings.ticket_version == 0 and len(key) not in SEALING_KEY_SIZES:
            raise ValueError(f"a server key has 16 or 32 bytes, not {len(key)}")
        self.key = key
        self._settings = settings
        self._wall_clock = wall_clock
        self._replays = ReplayCache(limit=limits.replay_entries)

    def check(self, payload: bytes) -> Login:
        """Return who sent this CONNECT. Raises RefusedError.

        The payload is ``buffer(ticket) buffer(encrypted: pid, cid u32, check u32)``
        and nothing else; the answer is ``u32 4, u32 check + 1`` (NintendoClients'
        ``process_login_request``).
        """
        if self.key is None:
            return _GUEST
        settings = self._settings
        try:
            sealed, request = _split(payload)
            ticket = ServerTicket.open(
                sealed,
                self.key,
                ticket_version=settings.ticket_version,
                key_size=settings.session_key_size,
                pid_size=settings.pid_size,
            )
            plain = decrypt(ticket.session_key, request)
            pid, cid, check = struct.unpack("<QII" if settings.pid_size == 8 else "<III", plain)
        except (KerberosError, struct.error):
            raise RefusedError(DropReason.BAD_TICKET) from None
        if pid != ticket.source:
            raise RefusedError(DropReason.WRONG_PID)
        if not is_fresh(ticket.issued, self._wall_clock()):
            raise RefusedError(DropReason.TICKET_EXPIRED)
        return Login(pid, cid, ticket.session_key, struct.pack("<II", 4, (check + 1) & 0xFFFFFFFF))

    def use(self, login: Login) -> None:
        """Use up the ticket of a login that nothing else speaks against. Raises RefusedError."""
        if login.pid is not None and not self._replays.first_use(
            login.pid, login.session_key, self._wall_clock()
        ):
            raise RefusedError(DropReason.TICKET_REPLAYED)


def _split(payload: bytes) -> tuple[bytes, bytes]:
    (size,) = struct.unpack_from("<I", payload)
    second = 4 + size
    (rest,) = struct.unpack_from("<I", payload, second)
    if second + 4 + rest != len(payload):
        raise KerberosError("bytes missing or left over")
    return payload[4:second], payload[second + 4 :]


class RateLimiter:
    """A token bucket for each of a fixed number of addresses.

    A full bucket holds one second's worth. When a new address finds the table
    full, the one that was seen longest ago is forgotten.
    """

    def __init__(self, per_second: int, tracked: int) -> None:
        self._per_second = per_second
        self._tracked = tracked
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def __len__(self) -> int:
        """Return the number of addresses remembered."""
        return len(self._buckets)

    def allow(self, host: str, now: float) -> bool:
        """Take a token of *host*; False when there is none."""
        tokens, since = self._buckets.pop(host, (float(self._per_second), now))
        tokens = min(float(self._per_second), tokens + (now - since) * self._per_second)
        allowed = tokens >= 1
        self._buckets[host] = (tokens - 1 if allowed else tokens, now)
        if len(self._buckets) > self._tracked:
            self._buckets.popitem(last=False)
        return allowed


@lru_cache(maxsize=1024)
def is_loopback(host: str) -> bool:
    """Tell whether *host* is this machine."""
    try:
        address = ip_address(host)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None)
    return bool((mapped or address).is_loopback)
