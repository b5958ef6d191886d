"""Making tickets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from nekonex.domain import Identity
from nekonex.kerberos import ClientTicket, ServerTicket
from nekonex.settings import TransportSettings
from nekonex.values import DateTime

__all__ = ["TicketHolder", "TicketIssuer"]

_RANDOM_SIZE = 16
SOURCE_KEY_SIZE = 16
"""Bytes of a key that is made for one login; user keys have as many."""


@dataclass(frozen=True, slots=True)
class TicketHolder:
    """Who gets tickets, and the key that they are sealed with.

    ``told_key`` says that the key was made for this login and told to the console.
    """

    pid: int
    key: bytes = field(repr=False)
    told_key: bool = False

    @property
    def source_key(self) -> str:
        """The key as it is told to the console; empty where the console derives it."""
        return self.key.hex() if self.told_key else ""


class TicketIssuer:
    """Issues tickets, each with a fresh session key."""

    def __init__(
        self,
        settings: TransportSettings,
        *,
        clock: Callable[[], float],
        random: Callable[[int], bytes],
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._random = random

    def holder(self, identity: Identity, *, tell_key: bool) -> TicketHolder:
        """Return who logged in; with ``tell_key`` a fresh key is used instead of the user's."""
        if tell_key:
            return TicketHolder(identity.pid, self._random(SOURCE_KEY_SIZE), told_key=True)
        return TicketHolder(identity.pid, identity.key)

    def issue(self, holder: TicketHolder, target: Identity) -> bytes:
        """Return a sealed ticket with which the holder can prove itself to the target."""
        settings = self._settings
        session_key = self._random(settings.session_key_size)
        issued = DateTime.from_timestamp(self._clock())
        internal = ServerTicket(issued, holder.pid, session_key).seal(
            target.key,
            ticket_version=settings.ticket_version,
            pid_size=settings.pid_size,
            random16=self._random(_RANDOM_SIZE) if settings.ticket_version else b"",
        )
        return ClientTicket(session_key, target.pid, internal).seal(holder.key, settings.pid_size)
