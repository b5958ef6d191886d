"""What the servers of the three match making protocols have in common.

They share one `nekonex.domain.matchmaking.service.Matchmaking`, and belong behind the secure
connection server in the list of servants: when they log a client out, it must be offline already.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Final, Protocol

from nekonex import rmc
from nekonex.domain import GUEST_PID, Player, call_user
from nekonex.domain.matchmaking import Gathering, Participant
from nekonex.domain.matchmaking.service import Matchmaking
from nekonex.nex.matchmaking.errors import error_of
from nekonex.nex.matchmaking.translate import participant_to_wire
from nekonex.nex.secure import SecureConnectionServer
from nekonex.nex.structures import ParticipantDetails, ResultRange, register_gatherings
from nekonex.rmc import BoundMethod, Session
from nekonex.values import RMCError, StationURL
from nekonex.wire import WireContext

__all__ = [
    "ANY_OFFSET",
    "ConnectedStations",
    "MatchmakingServant",
    "ParticipantNames",
    "StationSource",
]

ANY_OFFSET: Final = 0xFFFFFFFF
"""The offset of a range whose caller does not mind which results it gets."""


ParticipantNames = Callable[[int], Awaitable[str | None] | str | None]
"""``names(pid)``, plain or a coroutine function: what a player is called; None: unknown."""


class StationSource(Protocol):
    """What knows how consoles are reached."""

    def urls_of(self, pid: int, connection_id: int = 0) -> list[StationURL]:
        """Return a player's station URLs, the public one last; none if it is offline.

        ``connection_id`` says which of the player's connections is meant, if that is known.
        """


class ConnectedStations:
    """`StationSource`: the URLs that consoles registered at the secure server, if there is one."""

    def __init__(self, secure: SecureConnectionServer | None) -> None:
        self._secure = secure

    def urls_of(self, pid: int, connection_id: int = 0) -> list[StationURL]:
        """Return a player's station URLs, the public one last; none if it is offline.

        When the connection is over, the newest of the player counts, but not for guests, who
        all have the same principal id.
        """
        if self._secure is None:
            return []
        player = self._secure.player(connection_id)
        if player is None and pid != GUEST_PID:
            player = self._secure.newest_player(pid)
        return [] if player is None or player.pid != pid else player.stations.urls


class MatchmakingServant(rmc.Protocol):
    """Base of the three servers, before the class of the protocol.

    What the rules refuse is raised as it is, a MatchmakingError, and answered with its code.
    ``stations`` may be replaced by another source.
    """

    def __init__(
        self, matchmaking: Matchmaking, secure: SecureConnectionServer | None = None
    ) -> None:
        self.matchmaking = matchmaking
        self.stations: StationSource = ConnectedStations(secure)

    def bind(self, context: WireContext) -> dict[int, BoundMethod]:
        """Return the methods; makes gatherings in data holders known to the server."""
        register_gatherings(context.holders)
        return super().bind(context)

    def player_of(self, client: Session) -> Player:
        """Return a client as a player.

        Raises RMCError("RendezVous::NotAuthenticated") for one that did not register.
        """
        player = self.matchmaking.players.get(client.id)
        if player is None:
            raise RMCError("RendezVous::NotAuthenticated")
        return player

    async def joined(self, client: Session, gid: int) -> Gathering:
        """Return a gathering that the caller takes part in; others are refused."""
        player = self.player_of(client)
        return await self.matchmaking.gatherings.participating(gid, player.pid)

    def result_range(self, wanted: ResultRange, *, at_most: int | None = None) -> tuple[int, int]:
        """Return the offset and the limit that a range means.

        `ANY_OFFSET` is the beginning, and beyond ``max_offset`` there is nothing. The size is
        clipped to ``max_results``, because consoles ask for more than they expect; but where the
        protocol has a bound of its own, ``at_most``, RMCError("Core::InvalidArgument") is raised
        for a larger one.
        """
        limits = self.matchmaking.limits
        if at_most is not None and wanted.size > at_most:
            raise RMCError("Core::InvalidArgument")
        offset = 0 if wanted.offset == ANY_OFFSET else wanted.offset
        if offset > limits.max_offset:
            return limits.max_offset, 0
        return offset, min(wanted.size, limits.max_results)

    def host_urls(self, gathering: Gathering) -> list[StationURL]:
        """Return how the host of a gathering is reached; nothing if it is offline.

        To be told to participants, and to those who might join at once.
        """
        host = gathering.participant(gathering.host) or Participant(gathering.host)
        return self.participant_urls(host)

    def participant_urls(self, participant: Participant) -> list[StationURL]:
        """Return how a participant is reached, with what it said about this gathering alone.

        Nothing if it is offline.
        """
        urls = self.stations.urls_of(participant.pid, participant.connection_id)
        if not urls:
            return []
        known = {str(url) for url in urls}
        more = [StationURL.parse(url) for url in participant.local_urls if url not in known]
        return [*urls, *more]

    def participants_urls(self, gathering: Gathering) -> list[StationURL]:
        """Return how those participants are reached who are connected: ``max_results`` URLs."""
        urls = [url for each in gathering.participants for url in self.participant_urls(each)]
        return urls[: self.matchmaking.limits.max_results]

    def public_host_url(self, gathering: Gathering) -> StationURL | None:
        """Return the host's public URL; None if it is offline."""
        host = gathering.participant(gathering.host) or Participant(gathering.host)
        urls = self.stations.urls_of(host.pid, host.connection_id)
        return urls[-1] if urls else None

    async def participant_details(
        self, participants: Iterable[Participant], names: ParticipantNames | None
    ) -> list[ParticipantDetails]:
        """Return participants with what they are called; ``names`` see `ParticipantNames`."""
        details = []
        for participant in participants:
            pid = participant.pid
            name = None if names is None else await call_user(names, pid)
            details.append(participant_to_wire(participant, str(pid) if name is None else name))
        return details

    def check_list(self, values: Iterable[int]) -> list[int]:
        """Return the principal ids or gids of a request, each once, in their order.

        Raises RMCError("Core::InvalidArgument") for more than ``max_pids``.
        """
        values = list(values)
        if len(values) > self.matchmaking.limits.max_pids:
            raise RMCError("Core::InvalidArgument")
        return list(dict.fromkeys(values))

    def error_of(self, error: Exception) -> Exception:
        """Return what a caller is answered: for a refusal of the domain, its code."""
        return error_of(error)

    async def logout(self, client: Session) -> None:
        """Take a client out of its gatherings; harmless if it never registered.

        The first of the servers that share the matchmaking does it for all.
        """
        if client.pid is None or self.matchmaking in client.state:
            return
        await self.matchmaking.player_gone(client.pid, client.id)
        client.state[self.matchmaking] = True
