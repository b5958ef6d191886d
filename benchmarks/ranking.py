"""Uploads and rankings at the service level, on a database on disk, without a network.

    python -m benchmarks.ranking [--quick]

One category with 10,000 and with 1,000,000 scores (1,000 and 100,000 with --quick), half of them
with common data of 212 bytes, as Mario Kart 8 has it. The players who ask are drawn from 300 who
play, so that what is shown to them is known after a while; "anybody" is drawn from all players,
and what is shown is read from the database each time.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from statistics import median, quantiles
from tempfile import TemporaryDirectory

from nekonex.domain.ranking import (
    Board,
    GroupFilter,
    RankingMode,
    Rankings,
    RankQuery,
    ScoreUpload,
    UpdateMode,
)
from nekonex.storage.sqlite import Database
from nekonex.storage.sqlite.database import connect
from nekonex.storage.sqlite.scores import SqliteScoreStore

SIZES = (10_000, 1_000_000)
QUICK_SIZES = (1_000, 100_000)
GAME = "benchmark"
CATEGORY = 1
FRIENDS = 300
PLAYING = 300
COMMON_DATA = bytes(212)

BOARD = Board(CATEGORY)
PAGE = RankQuery(BOARD, count=100)
IN_GROUP = RankQuery(Board(CATEGORY, GroupFilter(0, 7)), count=100)


class Everybody:
    """So many friends of each player, far from each other."""

    def __init__(self, players: int) -> None:
        self._players = players

    async def friends_of(self, pid: int) -> Collection[int]:
        return [(pid + number * 7919) % self._players + 1 for number in range(FRIENDS)]


def rows(size: int, random: Random) -> Iterator[tuple[object, ...]]:
    now = int(time.time() * 1_000_000)
    for pid in range(1, size + 1):
        score = int(random.gauss(100_000, 20_000)) & 0xFFFFFFFF
        updated = now - random.randrange(10**13)
        groups = random.randrange(256) | random.randrange(4) << 8
        yield GAME, CATEGORY, pid, 0, score, updated, groups, random.getrandbits(62)


def fill(path: Path, size: int) -> None:
    """Put scores into a database, which uploads would take minutes for."""
    connection = connect(path)
    connection.execute("PRAGMA synchronous = OFF")
    with connection:
        connection.execute("BEGIN")
        connection.execute("INSERT INTO ranking_categories VALUES (?, ?, 0)", (GAME, CATEGORY))
        connection.executemany(
            "INSERT INTO scores VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows(size, Random(1))
        )
        connection.executemany(
            "INSERT INTO ranking_common_data VALUES (?, ?, 0, ?)",
            ((GAME, pid, COMMON_DATA) for pid in range(1, size + 1, 2)),
        )
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()


def resident() -> int:
    """Return the bytes of memory that the process takes."""
    with Path("/proc/self/statm").open() as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


@asynccontextmanager
async def opened(path: Path, size: int) -> AsyncIterator[Rankings]:
    """Open the rankings of a database, and print what that takes."""
    database = await Database.open(path)
    try:
        rankings = Rankings(SqliteScoreStore(database, GAME), friends=Everybody(size))
        gc.collect()
        before, start = resident(), time.perf_counter()
        await rankings.start()
        took = time.perf_counter() - start
        # As the server does, once all games are loaded.
        gc.collect()
        gc.freeze()
        used = resident() - before
        print(f"  {size:9,} scores loaded in {took:5.2f} s, {used / size:5.0f} bytes a score")
        yield rankings
    finally:
        await database.close()
        gc.unfreeze()


Call = Callable[[int], Awaitable[object]]


def calls(rankings: Rankings, random: Random) -> dict[str, Call]:
    """Return what is measured; each is called with the player who asks."""

    async def upload(pid: int) -> None:
        new = ScoreUpload(
            category=CATEGORY,
            score=int(random.gauss(100_000, 20_000)) & 0xFFFFFFFF,
            descending=False,
            update=UpdateMode.ALWAYS,
        )
        await rankings.upload(pid, new)

    def asking(mode: RankingMode, query: RankQuery) -> Call:
        return lambda pid: rankings.ranking(pid, mode, query)

    return {
        "upload": upload,
        "own rank": asking(RankingMode.OWN, RankQuery(BOARD, count=1)),
        "top 100": asking(RankingMode.RANGE, PAGE),
        "100 around a player": asking(RankingMode.NEAR, PAGE),
        f"{FRIENDS} friends": asking(RankingMode.FRIENDS_RANGE, PAGE),
        "100 around anybody": asking(RankingMode.NEAR, PAGE),
        f"{FRIENDS} friends of anybody": asking(RankingMode.FRIENDS_RANGE, PAGE),
        "top 100 of a group": asking(RankingMode.RANGE, IN_GROUP),
        "statistics": lambda _: rankings.statistics(BOARD),
    }


async def measure(call: Call, pids: Collection[int]) -> list[float]:
    """Return the seconds that each call takes."""
    times = []
    for pid in pids:
        start = time.perf_counter()
        await call(pid)
        times.append(time.perf_counter() - start)
    return times


async def lag(doing: Awaitable[object]) -> tuple[float, float]:
    """Return how long something takes, and the longest time that others wait meanwhile."""
    worst, start = 0.0, time.perf_counter()
    task = asyncio.ensure_future(doing)
    last = start
    while not task.done():
        await asyncio.sleep(0)
        now = time.perf_counter()
        worst, last = max(worst, now - last), now
    await task
    return time.perf_counter() - start, worst


async def crowd(rankings: Rankings, size: int, random: Random) -> float:
    """Return how many scores a second are stored when 100 players upload at a time."""
    upload = calls(rankings, random)["upload"]
    start = time.perf_counter()
    for _ in range(20):
        await asyncio.gather(*[upload(random.randint(1, size)) for _ in range(100)])
    return 2000 / (time.perf_counter() - start)


async def run(size: int, rounds: int) -> dict[str, list[float]]:
    """Measure one size."""
    random = Random(2)
    with TemporaryDirectory() as directory:
        path = Path(directory) / "nekonex.db"
        fill(path, size)
        async with opened(path, size) as rankings:
            took, worst = await lag(rankings.ranking(1, RankingMode.RANGE, IN_GROUP))
            print(
                f"  {size:9,} scores: the first filter by group takes {took:.2f} s,"
                f" others wait {worst * 1000:.1f} ms at most"
            )
            times = {}
            playing = [random.randint(1, size) for _ in range(PLAYING)]
            for name, call in calls(rankings, random).items():
                anybody = "anybody" in name or name == "upload"
                pids = range(1, size + 1) if anybody else playing
                times[name] = await measure(call, random.choices(pids, k=rounds))
            rate = await crowd(rankings, size, random)
            print(f"  {size:9,} scores: {rate:,.0f} uploads a second by 100 players at a time")
    return times


async def compare(*, sizes: tuple[int, int] = SIZES, rounds: int = 2000) -> None:
    """Measure both sizes and print them side by side."""
    print("Rankings in SQLite")
    small, large = [await run(size, rounds) for size in sizes]
    print(f"  {'milliseconds among':24}{sizes[0]:>10,} scores{sizes[1]:>25,} scores")
    print(f"  {'':24}{'median':>9}{'99 %':>8}{'median':>16}{'99 %':>8}{'most':>8}{'ratio':>9}")
    for name, times in large.items():
        others = small[name]
        print(
            f"  {name:24}{median(others) * 1000:9.3f}{quantiles(others, n=100)[98] * 1000:8.3f}"
            f"{median(times) * 1000:16.3f}{quantiles(times, n=100)[98] * 1000:8.3f}"
            f"{max(times) * 1000:8.2f}{median(times) / median(others):9.2f}"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer scores and rounds")
    quick: bool = parser.parse_args().quick
    sizes = QUICK_SIZES if quick else SIZES
    asyncio.run(compare(sizes=sizes, rounds=200 if quick else 2000))


if __name__ == "__main__":
    main()
