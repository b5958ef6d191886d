"""A secure server and the match making servers in memory, and consoles that note what they hear."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from random import Random
from typing import Any

from nekonex.domain.matchmaking import Gathering, MatchmakeSession, Participant
from nekonex.domain.matchmaking.service import Matchmaking
from nekonex.nex import SecureConnection
from nekonex.nex.matchmaking import MatchMaking, MatchMakingExt
from nekonex.nex.matchmaking.ext_server import MatchMakingExtServer
from nekonex.nex.matchmaking.server import MatchMakingServer
from nekonex.nex.notification import Notifications
from nekonex.nex.structures import NotificationEvent
from nekonex.rmc import Session, Stub
from nekonex.settings import Settings
from nekonex.storage.memory_gatherings import MemoryCommunityStore, MemoryLiveStore
from nekonex.storage.memory_preferences import MemoryPreferenceStore
from nekonex.values import StationURL
from tests.support.nexlab import Clock, Lab, lab
from tests.support.pipe import PipeServer

__all__ = ["Inbox", "MatchConsole", "MatchLab", "match_lab"]


class Inbox(Notifications):
    """What a console serves: it notes its notifications."""

    def __init__(self) -> None:
        self.events: list[NotificationEvent] = []

    async def process_notification_event(self, client: Session, event: NotificationEvent) -> None:
        self.events.append(event)


@dataclass
class MatchConsole:
    """A connected console."""

    pid: int
    session: Session
    own: Session
    """The server's end."""
    mm: Stub
    ext: Stub
    inbox: Inbox

    @property
    def cid(self) -> int:
        return self.own.id

    async def heard(self) -> list[tuple[Any, ...]]:
        """Return what the console was told since the last time: type, source, parameters, text."""
        for _ in range(5):
            await asyncio.sleep(0)
        events, self.inbox.events = self.inbox.events, []
        return [(e.type, e.pid, e.param1, e.param2, e.param3, e.text) for e in events]


class MatchLab:
    """The parts of a game that tests look at; ``clock.now`` is the time."""

    def __init__(self, made: Lab, names: Any, options: dict[str, Any]) -> None:
        self.made = made
        self.secure = made.secure_server
        self.clock: Clock = made.clock
        self.live = MemoryLiveStore(Random(1))
        self.communities = MemoryCommunityStore()
        self.preferences = MemoryPreferenceStore()
        self.matchmaking = Matchmaking(
            **{
                "players": made.game.players,
                "live": self.live,
                "communities": self.communities,
                "preferences": self.preferences,
                "events": made.game.bus,
                "clock": made.clock,
                "monotonic": made.clock,
                **options,
            }
        )
        shared: dict[str, Any] = {
            "matchmaking": self.matchmaking,
            "secure": self.secure,
            "names": names,
        }
        self.server = MatchMakingServer(made.settings, **shared)
        self.ext = MatchMakingExtServer(made.settings, **shared)
        self.pipe = PipeServer([self.secure, self.server, self.ext], made.secure.context)

    @contextlib.asynccontextmanager
    async def console(
        self,
        pid: int,
        *,
        urls: Iterable[StationURL] | None = None,
        register: bool = True,
        address: tuple[str, int] = ("192.0.2.1", 50001),
        minor_version: int = 4,
    ) -> AsyncIterator[MatchConsole]:
        """Connect a console; its local address ends with its principal id."""
        inbox = Inbox()
        async with self.pipe.client(
            pid=pid, address=address, servers=[inbox], minor_version=minor_version
        ) as session:
            own = self.pipe.session_of(session)
            if register:
                local = StationURL("prudp", address=f"192.168.0.{pid % 256}", port=50000)
                found = [local] if urls is None else list(urls)
                reply = await SecureConnection.client(session).register(found)
                assert reply.connection_id == own.id
            yield MatchConsole(
                pid,
                session,
                own,
                MatchMaking.client(session),
                MatchMakingExt.client(session),
                inbox,
            )

    async def make(
        self, owner: MatchConsole | int, *others: MatchConsole, **fields: Any
    ) -> Gathering:
        """Store a session with its owner, who is host, and others; ``fields`` are the session's."""
        first = owner if isinstance(owner, int) else owner.pid
        consoles = [each for each in (owner, *others) if isinstance(each, MatchConsole)]
        participants = tuple(Participant(each.pid, each.cid) for each in consoles)
        template: dict[str, Any] = {
            "owner": first,
            "host": first,
            "max_participants": 12,
            "participants": participants,
            **fields,
        }
        return await self.live.create(MatchmakeSession(**template))

    async def get(self, gid: int) -> Gathering:
        """Return a gathering as it is now."""
        return await self.matchmaking.gatherings.get(gid)

    async def all(self) -> list[Gathering]:
        """Return everything that is stored, to compare."""
        return [
            *await self.live.page(0, 1000),
            *await self.matchmaking.gatherings.get_many(range(1, 20)),
        ]


@contextlib.asynccontextmanager
async def match_lab(
    settings: Settings | None = None, *, names: Any = None, **options: Any
) -> AsyncIterator[MatchLab]:
    """Make the servers; *options* are keyword arguments of the `Matchmaking`."""
    async with lab(settings) as made:
        built = MatchLab(made, names, options)
        try:
            yield built
        finally:
            built.pipe.close()
