"""Invitations to gatherings. They open no door that is closed: they only tell of one."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal
from nekonex.domain.matchmaking.rules.validation import check_length
from nekonex.domain.matchmaking.services.gatherings import GatheringService

__all__ = ["Invitation", "Invitations"]


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody's invitation of a guest to a gathering."""

    gid: int
    host: int
    """Who invites."""
    guest: int
    message: str


class Invitations:
    """The invitations that were neither answered nor cancelled, and whose gathering exists.

    They live in memory, one for each guest of a gathering, and end with the gathering or with
    the connection of who was invited or invited. Methods raise MatchmakingError, and then
    nothing has changed.
    """

    def __init__(self, gatherings: GatheringService) -> None:
        self._gatherings = gatherings
        self._by_gathering: dict[int, dict[int, Invitation]] = {}
        self._by_player: dict[int, set[Invitation]] = {}

    async def invite(self, pid: int, gid: int, guests: Sequence[int], message: str) -> None:
        """Invite players to a gathering that one takes part in or owns.

        Raises MatchmakingError: UNKNOWN_GATHERING, NOT_ALLOWED, INVALID, TOO_MANY.
        """
        check_length("message", message)
        gathering = await self._gatherings.get(gid)
        if gathering.owner != pid and gathering.participant(pid) is None:
            raise MatchmakingError(Refusal.NOT_ALLOWED, "only participants may invite")
        invited = self._by_gathering.get(gid, {})
        if len(invited.keys() | set(guests)) > self._gatherings.limits.max_invitations:
            raise MatchmakingError(Refusal.TOO_MANY, f"{len(guests)} more invitations")
        for guest in dict.fromkeys(guests):
            self._remove(self._by_gathering.get(gid, {}).get(guest))
            self._add(Invitation(gid, pid, guest, message))

    def check_invited(self, guest: int, gid: int) -> None:
        """Refuse who was not invited. Raises MatchmakingError: NOT_ALLOWED."""
        if guest not in self._by_gathering.get(gid, {}):
            raise MatchmakingError(Refusal.NOT_ALLOWED, "there is no such invitation")

    def answer(self, guest: int, gid: int) -> None:
        """Take note that a guest accepted or declined. Raises MatchmakingError: NOT_ALLOWED."""
        self.check_invited(guest, gid)
        self._remove(self._by_gathering[gid][guest])

    def cancel(self, pid: int, gid: int, guests: Iterable[int]) -> None:
        """Take back invitations that a player made; others stay."""
        for guest in guests:
            invitation = self._by_gathering.get(gid, {}).get(guest)
            if invitation is not None and invitation.host == pid:
                self._remove(invitation)

    def sent(self, pid: int, gid: int) -> list[Invitation]:
        """Return the invitations to a gathering that a player made."""
        return [each for each in self._by_gathering.get(gid, {}).values() if each.host == pid]

    def received(self, guest: int) -> list[Invitation]:
        """Return the invitations that a player has received, by gathering."""
        received = [each for each in self._by_player.get(guest, ()) if each.guest == guest]
        return sorted(received, key=lambda invitation: invitation.gid)

    def gathering_closed(self, gid: int) -> None:
        """Drop the invitations to a gathering that is gone."""
        for invitation in list(self._by_gathering.get(gid, {}).values()):
            self._remove(invitation)

    def player_gone(self, pid: int) -> None:
        """Drop the invitations that a player made or received."""
        for invitation in list(self._by_player.get(pid, ())):
            self._remove(invitation)

    def _add(self, invitation: Invitation) -> None:
        self._by_gathering.setdefault(invitation.gid, {})[invitation.guest] = invitation
        for pid in (invitation.host, invitation.guest):
            self._by_player.setdefault(pid, set()).add(invitation)

    def _remove(self, invitation: Invitation | None) -> None:
        if invitation is None:
            return
        invited = self._by_gathering[invitation.gid]
        del invited[invitation.guest]
        if not invited:
            del self._by_gathering[invitation.gid]
        for pid in {invitation.host, invitation.guest}:
            known = self._by_player[pid]
            known.discard(invitation)
            if not known:
                del self._by_player[pid]
