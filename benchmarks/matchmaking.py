"""Search, join and leave among many sessions in memory, without a network.

Searches are of the index alone; joins are of the store alone, and of the whole service with its
rules, notifications and events.

    python -m benchmarks.matchmaking [--quick]

Each kind of search runs among 5,000 and among 50,000 open sessions of the same sort: for 12
players and mostly full, in 8 game modes with 12 combinations of attributes each, and with ratings
that depend on the mode. One of 20 has a password and a codeword of its own.
"""

from __future__ import annotations

import argparse
import asyncio
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import KW_ONLY, dataclass, replace
from random import Random
from statistics import median

from nekonex.domain import Notification, PlayerRegistry
from nekonex.domain.matchmaking import (
    Company,
    Credentials,
    MatchmakeSession,
    NumberFilter,
    Outcome,
    Participant,
    Selection,
    SessionQuery,
)
from nekonex.domain.matchmaking.model import Gathering
from nekonex.domain.matchmaking.search.index import SessionIndex
from nekonex.events import EventBus
from nekonex.storage import memory_matchmaking
from nekonex.storage.memory_gatherings import MemoryLiveStore

SIZES = (5_000, 50_000)
PLACES = 12
PLAYER = Participant(pid=1, connection_id=1)


def make_session(gid: int, random: Random) -> MatchmakeSession:
    """Make a session as the players of a busy title leave them."""
    mode = random.randrange(8)
    region = random.randrange(3)
    taken = random.choices(range(1, PLACES + 1), [1] * 8 + [4, 8, 16, 24])[0]
    private = random.random() < 0.05
    rating = max(0, int(random.gauss(1000 + 400 * mode, 150)))
    rules = random.randrange(4)
    return MatchmakeSession(
        gid=gid,
        owner=gid,
        host=gid if random.random() < 0.99 else 0,
        min_participants=2,
        max_participants=PLACES,
        participants=tuple([Participant(gid * 16 + n) for n in range(taken)]),
        game_mode=mode,
        # Both 1 in attribute 0 and 3 in attribute 2 are frequent, but never together.
        attributes=(region, rating, 0 if region == 1 and rules == 3 else rules, 0, 0, 5),
        open_participation=random.random() < 0.9,
        user_password_enabled=private,
        codeword=f"room {gid}" if private else "",
        progress_score=random.randrange(101),
        session_key=bytes(32),
    )


def accept_all(session: MatchmakeSession) -> bool:
    return True


def accept_few(session: MatchmakeSession) -> bool:
    return session.gid % 20 == 0


Make = Callable[[Random, SessionQuery], SessionQuery]


@dataclass(frozen=True)
class Kind:
    """A kind of search: ``make`` adds criteria to what every search wants."""

    name: str
    make: Make
    selection: Selection
    _: KW_ONLY
    places: int = 1
    offset: int = 0
    limit: int = 1
    accept: Callable[[MatchmakeSession], bool] = accept_all

    def draw(self, random: Random) -> SessionQuery:
        """Draw a search for a session that can be joined, by a player of any rating."""
        base = SessionQuery(
            places=self.places,
            open_only=True,
            hosted_only=True,
            without_user_password=True,
            without_system_password=True,
            selection=self.selection,
            rating=random.randrange(500, 4500),
        )
        return self.make(random, base)


def no_criteria(random: Random, query: SessionQuery) -> SessionQuery:
    return query


def game_mode(random: Random, query: SessionQuery) -> SessionQuery:
    return replace(query, game_mode=NumberFilter.of(random.randrange(8)))


def all_criteria(random: Random, query: SessionQuery) -> SessionQuery:
    """Want one game mode and one number of each attribute but the rating, as consoles do."""
    wanted = [random.randrange(3), None, random.randrange(3), 0, 0, 5]
    attributes = tuple([None if n is None else NumberFilter.of(n) for n in wanted])
    return replace(game_mode(random, query), attributes=attributes)


def ranges(random: Random, query: SessionQuery) -> SessionQuery:
    """Want ranges and lists, of ratings too unless these order."""
    low = random.randrange(4)
    attributes = (
        NumberFilter.of(0, 2),
        NumberFilter(((low * 400 + 1000, low * 400 + 1500),)),
        NumberFilter(((0, 2),)),
        None,
        None,
        NumberFilter.of(5, 6, 7),
    )
    return replace(
        query,
        game_mode=NumberFilter(((low, low + 3),)),
        max_participants=NumberFilter(((4, 20),)),
        attributes=attributes,
    )


def conjunction(random: Random, query: SessionQuery) -> SessionQuery:
    """Want two things of which each is frequent, but that no session has both."""
    attributes = (NumberFilter.of(1), None, NumberFilter.of(3), None, None, None)
    return replace(query, attributes=attributes)


def codeword(random: Random, query: SessionQuery) -> SessionQuery:
    return SessionQuery(codeword=f"room {random.randrange(5000)}")


def kinds() -> list[Kind]:
    """Return all kinds of searches that are measured."""
    found = [
        Kind(name, make, selection)
        for name, make in (
            ("all criteria", all_criteria),
            ("no criteria", no_criteria),
            ("ranges and lists", ranges),
            ("nothing matches", conjunction),
        )
        for selection in Selection
    ]
    for selection in (Selection.RANDOM, Selection.NEAREST):
        found += [
            Kind("3 free places", all_criteria, selection, places=3),
            Kind("11 free places", game_mode, selection, places=11),
            Kind("1 of 20 accepted", all_criteria, selection, accept=accept_few),
            Kind("browse 10", all_criteria, selection, limit=10),
            Kind("browse 100 of a mode", game_mode, selection, limit=100),
            Kind("browse 100 of all", no_criteria, selection, limit=100),
            Kind("tenth page of all", no_criteria, selection, limit=100, offset=900),
            Kind("a codeword", codeword, selection),
        ]
    return found


def time_searches(kind: Kind, index: SessionIndex, rounds: int) -> list[float]:
    """Return how many microseconds each search took, ascending."""
    random = Random(2)
    queries = [kind.draw(random) for _ in range(rounds)]
    times = []
    for query in queries:
        start = time.perf_counter()
        index.find(query, kind.accept, offset=kind.offset, limit=kind.limit, random=random)
        times.append((time.perf_counter() - start) * 1e6)
    return sorted(times)


def filled(size: int) -> SessionIndex:
    random = Random(1)
    index = SessionIndex()
    for gid in range(1, size + 1):
        index.put(make_session(gid, random))
    return index


def search(rounds: int) -> None:
    """Print what searches cost among few and among many sessions."""
    indexes = [filled(size) for size in SIZES]
    print("Microseconds a search, median and 99th percentile")
    print(f"  {'':36}" + "".join(f"{f'among {size:,}':>18}" for size in SIZES) + "   ratio")
    for kind in kinds():
        runs = [time_searches(kind, index, rounds) for index in indexes]
        cells = [f"{median(times):9.1f}{times[int(rounds * 0.99)]:9.1f}" for times in runs]
        ratio = median(runs[1]) / median(runs[0])
        name = f"{kind.name}, {kind.selection.value}"
        print(f"  {name:36}{''.join(cells)}{ratio:8.2f}")


def join(gathering: Gathering) -> Outcome[Gathering]:
    return Outcome(replace(gathering, participants=(*gathering.participants, PLAYER)))


def leave(gathering: Gathering) -> Outcome[Gathering]:
    return Outcome(replace(gathering, participants=gathering.participants[:-1]))


async def changes(size: int, pairs: int) -> None:
    """Print how many players a second can join a session and leave it again."""
    random = Random(3)
    store = MemoryLiveStore(random)
    sessions = [make_session(0, random) for _ in range(size)]
    start = time.perf_counter()
    created = [await store.create(session) for session in sessions]
    creations = size / (time.perf_counter() - start)
    free = [gathering.gid for gathering in created if gathering.places_free]
    chosen = random.choices(free, k=pairs)
    start = time.perf_counter()
    for gid in chosen:
        await store.change(gid, join)
        await store.change(gid, leave)
    rate = pairs / (time.perf_counter() - start)
    print(
        f"  {size:7,} sessions {rate:10,.0f} joins and leaves,{creations:10,.0f} creations a second"
    )


class Console:
    """A player to whom telling something costs nothing."""

    address = ("192.0.2.1", 50000)

    def __init__(self, pid: int) -> None:
        self.pid = self.connection_id = pid

    def close(self, reason: str) -> None:
        """Do nothing."""

    def notify(self, event: Notification) -> None:
        """Do nothing."""


async def service(size: int, pairs: int) -> None:
    """Print how many players a second the service lets in and out, and matches."""
    random = Random(4)
    players = PlayerRegistry("benchmark", EventBus())
    consoles = [Console(pid) for pid in range(1, 2 * size + 1)]
    for console in consoles:
        players.register(console)
    matchmaking = memory_matchmaking(players)
    matchmaker, company = matchmaking.matchmaker, Company()
    templates = [make_session(0, random) for _ in range(size)]
    for console, template in zip(consoles, templates, strict=False):
        open_room = replace(template, open_participation=True, user_password_enabled=False)
        await matchmaker.create(console, open_room, company)
    gids = [gathering.gid for gathering in await matchmaking.gatherings.live.page(0, size)]
    guests = consoles[size:]
    chosen = list(zip(random.choices(guests, k=pairs), random.choices(gids, k=pairs), strict=True))
    start = time.perf_counter()
    for guest, gid in chosen:
        await matchmaker.join(guest, gid, company, Credentials())
        await matchmaking.gatherings.leave(guest.pid, gid)
    rate = pairs / (time.perf_counter() - start)
    wanted = random.choices(templates, k=pairs)
    start = time.perf_counter()
    for (guest, _), template in zip(chosen, wanted, strict=True):
        await matchmaker.auto_matchmake(guest, template, company)
    matched = pairs / (time.perf_counter() - start)
    print(f"  {size:7,} sessions {rate:10,.0f} joins and leaves,{matched:10,.0f} matches a second")


def memory(size: int) -> None:
    """Print what the index adds to a session."""
    random = Random(1)
    sessions = [make_session(gid, random) for gid in range(1, size + 1)]
    index = SessionIndex()
    tracemalloc.start()
    for session in sessions:
        index.put(session)
    used, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    print(f"  {size:7,} sessions {used / size:10,.0f} bytes of index a session")


def compare(*, rounds: int, pairs: int) -> None:
    """Measure everything and print it."""
    search(rounds)
    print("Changes of participants in the store in memory, with its index")
    for size in SIZES:
        asyncio.run(changes(size, pairs))
    print("The same by the service, with rules, notifications and events; AutoMatchmake")
    for size in SIZES:
        asyncio.run(service(size, pairs // 5))
    print("Memory")
    memory(SIZES[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer rounds")
    quick: bool = parser.parse_args().quick
    compare(rounds=200 if quick else 2000, pairs=2_000 if quick else 50_000)


if __name__ == "__main__":
    main()
