"""A matchmaking without a network, and what must always be true of any matchmaking.

`World` has consoles that write down what they are told. `problems` looks for what contradicts
itself; it takes any running `Matchmaking`, so tests over a network use it as well.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, cast

import pytest

from nekonex.domain import Notification, PlayerRegistry
from nekonex.domain.matchmaking import (
    Community,
    Company,
    Credentials,
    Gathering,
    GatheringFlag,
    LiveStore,
    MatchmakeSession,
    Matchmaking,
    MatchmakingError,
    MatchmakingHooks,
    MatchmakingLimits,
    Refusal,
    SessionQuery,
    TitleRules,
    UnreachablePairs,
)
from nekonex.domain.matchmaking.notices import Event
from nekonex.domain.matchmaking.relations.friends import GetFriendPids
from nekonex.events import Event as BusEvent
from nekonex.events import EventBus
from nekonex.storage.memory_gatherings import MemoryCommunityStore, MemoryLiveStore
from nekonex.storage.memory_preferences import MemoryPreferenceStore

__all__ = [
    "NOTIFY_ALL",
    "STAYS",
    "Clock",
    "Console",
    "View",
    "World",
    "problems",
    "refused",
    "session",
]

GAME = "test"
STAYS = GatheringFlag.PERSISTENT | GatheringFlag.MAY_BE_EMPTY
NOTIFY_ALL = GatheringFlag.NOTIFY_ALL | GatheringFlag.NOTIFY_ALL_REPRODUCIBLY


def session(**fields: Any) -> MatchmakeSession:
    """Return the template of a session for up to 12 players."""
    return MatchmakeSession(**{"max_participants": 12, **fields})


async def refused(call: Awaitable[object]) -> Refusal:
    """Return why a call is refused; one that is not fails the test."""
    with pytest.raises(MatchmakingError) as caught:
        await call
    return caught.value.refusal


class Clock:
    """A clock that a test sets."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@dataclass
class View:
    """What one console knows of its gatherings, from nothing but what it was told.

    That it left is what only its own call tells it: `left`.
    """

    pid: int
    members: dict[int, set[int]] = field(default_factory=dict)
    owners: dict[int, int] = field(default_factory=dict)

    def hear(self, told: Notification) -> None:
        """Take note of a notification."""
        gid, who = told.param1, told.param2
        if told.kind == Event.JOINED:
            if who == self.pid:
                # It may have left and come back in a single call.
                self.left(gid)
            self.members.setdefault(gid, set()).add(who)
        elif told.kind in {Event.CANCELLED, Event.DISCONNECTED, Event.ENDED}:
            self.members.setdefault(gid, set()).discard(who)
        elif told.kind == Event.OWNER_CHANGED:
            self.owners[gid] = who
        elif told.kind == Event.UNREGISTERED:
            self.left(gid)

    def left(self, gid: int) -> None:
        """Forget a gathering that the console has left."""
        self.members.pop(gid, None)
        self.owners.pop(gid, None)


class Console:
    """A player that writes down what it is told."""

    def __init__(self, pid: int, connection_id: int) -> None:
        self._pid = pid
        self._connection_id = connection_id
        self.told: list[Notification] = []
        self.view = View(pid)

    @property
    def pid(self) -> int:
        return self._pid

    @property
    def connection_id(self) -> int:
        return self._connection_id

    @property
    def address(self) -> tuple[str, int]:
        return "192.0.2.1", 50000

    def close(self, reason: str) -> None:
        raise AssertionError("nobody is thrown out here")

    def notify(self, event: Notification) -> None:
        self.told.append(event)
        self.view.hear(event)

    def kinds(self) -> list[int]:
        """Return the types of what it was told, and forget it."""
        kinds = [each.kind for each in self.told]
        self.told.clear()
        return kinds


class World:
    """A matchmaking over stores in memory, with a clock and randomness of its own."""

    def __init__(
        self,
        *,
        seed: int = 0,
        hooks: MatchmakingHooks | None = None,
        rules: TitleRules | None = None,
        limits: MatchmakingLimits | None = None,
        friends: GetFriendPids | Mapping[int, Iterable[int]] | None = None,
        live: Callable[[MemoryLiveStore], Any] = lambda store: store,
        communities: Callable[[MemoryCommunityStore], Any] = lambda store: store,
        preferences: Callable[[MemoryPreferenceStore], Any] = lambda store: store,
    ) -> None:
        self.clock = Clock()
        self.random = Random(seed)
        self.events = EventBus()
        self.published: list[BusEvent] = []
        self.events.subscribe(BusEvent, self.published.append)
        self.players = PlayerRegistry(GAME, self.events)
        self.live = MemoryLiveStore(Random(seed))
        self.communities = MemoryCommunityStore()
        self.preferences = MemoryPreferenceStore()
        self.unreachable = UnreachablePairs(clock=self.clock)
        self._connections = 0
        self.matchmaking = Matchmaking(
            players=self.players,
            live=cast("LiveStore", live(self.live)),
            communities=communities(self.communities),
            preferences=preferences(self.preferences),
            get_friend_pids=_friends(friends),
            hooks=hooks,
            rules=rules,
            limits=limits,
            unreachable=self.unreachable,
            events=self.events,
            clock=self.clock,
            monotonic=self.clock,
            token_bytes=self.random.randbytes,
        )
        self.service = self.matchmaking.gatherings
        self.matchmaker = self.matchmaking.matchmaker

    def connect(self, pid: int) -> Console:
        """Log a console in."""
        self._connections += 1
        console = Console(pid, self._connections)
        self.players.register(console)
        return console

    def consoles(self, number: int, first: int = 1) -> list[Console]:
        """Log consoles in, with principal ids that count up."""
        return [self.connect(pid) for pid in range(first, first + number)]

    async def vanish(self, console: Console) -> None:
        """End the connection of a console without a goodbye."""
        self.players.unregister(console.connection_id)
        await self.matchmaking.player_gone(console.pid, console.connection_id)

    async def create(
        self, console: Console, template: MatchmakeSession | None = None, **company: Any
    ) -> MatchmakeSession:
        """Let a console make a session."""
        return await self.matchmaker.create(console, template or session(), Company(**company))

    async def join(
        self,
        console: Console,
        gid: int,
        shown: Credentials | None = None,
        *,
        already_in: bool = False,
        **company: Any,
    ) -> MatchmakeSession:
        """Let a console join a session."""
        return await self.matchmaker.join(
            console, gid, Company(**company), shown or Credentials(), already_in=already_in
        )

    async def auto(
        self,
        console: Console,
        template: MatchmakeSession | None = None,
        *,
        queries: list[SessionQuery] | None = None,
        gids: Collection[int] | None = None,
        **company: Any,
    ) -> MatchmakeSession:
        """Let a console auto-matchmake."""
        return await self.matchmaker.auto_matchmake(
            console, template or session(), Company(**company), queries=queries, gids=gids
        )

    async def browse(
        self, console: Console, *queries: SessionQuery, offset: int = 0, limit: int = 100
    ) -> list[MatchmakeSession]:
        """Let a console browse; without queries it gets to see all that it may."""
        return await self.matchmaker.browse(console, queries or (SessionQuery(),), offset, limit)

    async def get(self, gid: int) -> Gathering:
        """Return a gathering."""
        return await self.service.get(gid)

    async def all(self) -> list[Gathering]:
        """Return all gatherings that live in memory."""
        return await _all_of(self.live)

    async def snapshot(self) -> tuple[list[Gathering], list[Community]]:
        """Return all that is stored, to compare."""
        return await self.all(), list(self.communities._gatherings.values())

    async def consistent(self, **about: Any) -> None:
        """Fail if anything contradicts itself."""
        found = await problems(self.matchmaking, **about)
        assert not found, "\n".join(found)


def _friends(friends: Any) -> GetFriendPids | None:
    if not isinstance(friends, Mapping):
        return cast("GetFriendPids | None", friends)

    async def ask(pid: int) -> Iterable[int]:
        return cast("Iterable[int]", friends.get(pid, ()))

    return ask


# -- what must always be true ----------------------------------------------------------


async def problems(
    matchmaking: Matchmaking,
    *,
    views: Iterable[View] = (),
    unheard: Collection[int] = (),
    exempt: Collection[int] = (),
) -> list[str]:
    """Return everything that contradicts itself, for when no call is under way.

    ``views`` are what consoles know; gatherings in ``unheard`` are not compared with them, for
    those were not always told of. Gatherings in ``exempt`` may have an owner or host who does not
    take part.
    """
    gatherings = await _all_of(matchmaking.gatherings.live)
    found = []
    for gathering in gatherings:
        found += [
            f"{type(gathering).__name__} {gathering.gid}: {problem}"
            for problem in _problems_of(gathering, matchmaking, gathering.gid in exempt)
        ]
    found += await _problems_of_lookups(matchmaking.gatherings.live, gatherings)
    by_gid = {gathering.gid: gathering for gathering in gatherings}
    for view in views:
        found += _problems_of_view(view, by_gid, unheard)
    return found


async def _all_of(live: LiveStore) -> list[Gathering]:
    found: list[Gathering] = []
    while page := await live.page(found[-1].gid if found else 0, 100):
        found += page
    return found


def _problems_of(gathering: Gathering, matchmaking: Matchmaking, exempt: bool) -> Iterable[str]:
    yield from _problems_of_places(gathering)
    if not exempt:
        yield from _problems_of_heads(gathering)
    if not gathering.has(GatheringFlag.PERSISTENT):
        players = matchmaking.players
        for participant in gathering.participants:
            player = players.get(participant.connection_id)
            if player is None or player.pid != participant.pid:
                yield f"PID {participant.pid} is a ghost"
        if not gathering.has(STAYS) and players.newest(gathering.owner) is None:
            yield f"its owner, PID {gathering.owner}, is offline"


def _problems_of_places(gathering: Gathering) -> Iterable[str]:
    taken = sum(participant.count for participant in gathering.participants)
    if gathering.max_participants and taken > gathering.max_participants:
        yield f"{taken} places are taken of {gathering.max_participants}"
    if taken != gathering.places_taken:
        yield f"{taken} places are taken, but it says {gathering.places_taken}"
    if any(participant.count < 1 for participant in gathering.participants):
        yield "somebody takes no place"
    if len(set(gathering.pids)) != len(gathering.pids):
        yield f"somebody is in it twice: {gathering.pids}"


def _problems_of_heads(gathering: Gathering) -> Iterable[str]:
    heads = {"host": gathering.host}
    if not gathering.has(STAYS):
        heads["owner"] = gathering.owner
        if not gathering.participants:
            yield "nobody takes part"
    elif not gathering.host:
        return
    for what, pid in heads.items():
        if pid not in gathering.pids:
            yield f"its {what}, PID {pid}, does not take part"


async def _problems_of_lookups(live: LiveStore, gatherings: list[Gathering]) -> Iterable[str]:
    found: list[str] = []

    def compare(what: str, got: Iterable[Gathering], expected: Iterable[Gathering]) -> None:
        want = sorted(each.gid for each in expected)
        have = sorted(each.gid for each in got)
        if want != have:
            found.append(f"{what} are {have}, not {want}")

    if await live.count() != len(gatherings):
        found.append(f"there are {len(gatherings)} gatherings, but {await live.count()} counted")
    for pid in {pid for each in gatherings for pid in (*each.pids, each.owner)}:
        owned = [each for each in gatherings if each.owner == pid]
        compare(f"what PID {pid} owns", await live.of_owner(pid, 0, 10_000), owned)
        joined = [each for each in gatherings if pid in each.pids]
        compare(f"what PID {pid} takes part in", await live.of_participant(pid), joined)
    sessions = [each for each in gatherings if isinstance(each, MatchmakeSession)]
    queries = [SessionQuery(), *[SessionQuery(places=places) for places in (1, 2, 3, 5)]]
    queries.append(SessionQuery(places=1, open_only=True, hosted_only=True))
    for query in queries:
        matching = [each for each in sessions if query.matches(each)]
        got = await live.search(query, lambda _: True, offset=0, limit=100_000)
        compare(f"sessions with {query.places} free places", got, matching)
        if any(each not in gatherings for each in got):
            found.append("a search returned what is not stored")
        if await live.count_sessions(query) != len(matching):
            found.append(f"{await live.count_sessions(query)} counted, not {len(matching)}")
    return found


def _problems_of_view(
    view: View, gatherings: Mapping[int, Gathering], unheard: Collection[int]
) -> Iterable[str]:
    pid = view.pid
    for gid, gathering in gatherings.items():
        if gid in unheard or not gathering.has(NOTIFY_ALL) or pid not in gathering.pids:
            continue
        known = view.members.get(gid, set())
        # Only 0x800 tells who came before; all are told of who comes with or after them.
        reproducibly = gathering.has(GatheringFlag.NOTIFY_ALL_REPRODUCIBLY)
        since = 0 if reproducibly else gathering.pids.index(pid)
        missing = set(gathering.pids[since:]) - known
        if missing:
            yield f"PID {pid} does not know that {missing} are in {gid}"
        if known - set(gathering.pids):
            yield f"PID {pid} believes that {known - set(gathering.pids)} are in {gid}"
        owner = view.owners.get(gid, gathering.owner)
        if owner != gathering.owner:
            yield f"PID {pid} believes that {owner} owns {gid}, not {gathering.owner}"
    for gid, members in view.members.items():
        now = gatherings.get(gid)
        if pid in members and gid not in unheard and (now is None or pid not in now.pids):
            yield f"PID {pid} believes that it is in {gid}"
