"""Rankings of NintendoClients' consoles that are connected to our servers.

NintendoClients reads update times from NEX 4 on only; where ours are of 3.6 it is told so.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass
from typing import Any

import pytest
from nintendo.nex import common, ranking, ranking_mk8

from nekonex.domain.ranking import RankingRules, Rankings
from nekonex.games.mario_kart_8 import MarioKart8RankingServer
from nekonex.nex.ranking import RankingServer
from nekonex.storage.ranking import MemoryScoreStore
from tests.support.login import Game, serve_game
from tests.support.nexlab import lab_settings
from tests.support.nintendo import console as connect

ALL, NEAR, FRIENDS, FRIENDS_NEAR, OWN = range(5)
KART = 12
PLAYERS = {1000: "zero", 1001: "one", 1002: "two", 1003: "three"}


@dataclass(frozen=True)
class Version:
    """A NEX version, and what is special about it."""

    nex: str
    ranking: str = ""
    transport: int = 1
    has_times: bool = False

    @property
    def settings(self) -> Any:
        versions = {"ranking": self.ranking} if self.ranking else {}
        changes = {"prudp__version": self.transport, "nex__versions": versions}
        return lab_settings(self.nex, **changes)


VERSIONS = [
    Version("3.5.4"),
    Version("3.3.0", transport=0),
    Version("3.4.0", ranking="3.6.0", transport=0, has_times=True),
    Version("3.8.3", has_times=True),
    Version("4.4.0", has_times=True),
]
EVERYWHERE = pytest.mark.parametrize("version", VERSIONS, ids=lambda each: each.nex)


class Later:
    """A connection whose rankings NintendoClients takes to be of NEX 4."""

    def __init__(self, session: Any) -> None:
        self.settings = session.settings.copy()
        self.settings["nex.version"] = 40000
        self.request = session.request


@dataclass
class Served:
    game: Game
    version: Version


@contextlib.asynccontextmanager
async def serving(
    version: Version, server: type[RankingServer] = RankingServer, **options: Any
) -> AsyncIterator[Served]:
    settings = version.settings
    assert settings.struct_header is (version.transport == 1)
    service = Rankings(MemoryScoreStore(), **options)
    await service.start()
    servers = [server(settings, ranking=service)]
    async with serve_game(settings, players=PLAYERS, more=servers) as game:
        yield Served(game, version)


@contextlib.asynccontextmanager
async def console(served: Served, pid: int, client: Any = ranking.RankingClient) -> Any:
    async with connect(served.game, str(pid), PLAYERS[pid]) as session:
        yield client(Later(session) if served.version.has_times else session)


def upload(score: int, category: int = KART, **fields: Any) -> Any:
    made = ranking.RankingScoreData()
    given = {"order": 0, "update_mode": 0, "groups": [0, 0], "param": 0, **fields}
    for name, value in {"category": category, "score": score, **given}.items():
        setattr(made, name, value)
    return made


def order(**fields: Any) -> Any:
    made = ranking.RankingOrderParam()
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def change(flags: int, groups: list[int], param: int) -> Any:
    made = ranking.RankingChangeAttributesParam()
    made.flags, made.groups, made.param = flags, groups, param
    return made


def rows(result: Any) -> list[tuple[int, int, int]]:
    return [(row.rank, row.pid, row.score) for row in result.data]


async def enter(served: Served, scores: Iterable[tuple[int, int]], **fields: Any) -> None:
    for pid, score in scores:
        async with console(served, pid) as one:
            await one.upload_score(upload(score, **fields), 0)


SCORES = [(1001, 200), (1002, 100), (1003, 200)]


@EVERYWHERE
async def test_a_row_has_everything(version: Version) -> None:
    async with serving(version) as served, console(served, 1000) as one:
        await one.upload_common_data(b"\0me\xff", 7)
        await one.upload_score(upload(41, groups=[1, 255], param=2**64 - 1), 7)
        result = await one.get_ranking(ALL, KART, order(), 0, 0)
        [row] = result.data
        assert (row.pid, row.unique_id, row.rank, row.category) == (1000, 7, 1, KART)
        assert (row.score, row.groups, row.param) == (41, [1, 255], 2**64 - 1)
        assert row.common_data == b"\0me\xff"
        if version.has_times:
            assert row.update_time.year() >= 2024
        assert (result.total, result.since_time.value()) == (1, 0x1F40420000)


@EVERYWHERE
async def test_who_is_where(version: Version) -> None:
    async with serving(version) as served:
        await enter(served, SCORES)
        async with console(served, 1000) as one:
            await one.upload_score(upload(300), 0)
            result = await one.get_ranking(ALL, KART, order(), 0, 0)
            assert rows(result) == [
                (1, 1002, 100),
                (2, 1001, 200),
                (2, 1003, 200),
                (4, 1000, 300),
            ]
            result = await one.get_ranking(ALL, KART, order(order_calc=1, offset=1, count=2), 0, 0)
            assert (rows(result), result.total) == ([(2, 1001, 200), (3, 1003, 200)], 4)
            result = await one.get_ranking(NEAR, KART, order(count=2), 0, 1001)
            assert rows(result) == [(1, 1002, 100), (2, 1001, 200)]
            result = await one.get_ranking(OWN, KART, order(), 0, 0)
            assert (rows(result), result.total) == ([(4, 1000, 300)], 4)
            result = await one.get_ranking_by_pid_list([1003, 5, 1002], ALL, KART, order(), 0)
            assert rows(result) == [(1, 1002, 100), (2, 1003, 200)]
            assert await one.get_approx_order(KART, order(), 250, 0, 0) == 4
            stats = await one.get_stats(KART, order(), ranking.RankingStatFlags.ALL)
            assert stats.stats == [4.0, 800.0, 100.0, 300.0, 200.0]
            stats = await one.get_stats(KART, order(), 4)
            assert stats.stats == [0.0, 0.0, 100.0, 0.0, 0.0]


@EVERYWHERE
async def test_friends(version: Version) -> None:
    class Friends:
        async def friends_of(self, pid: int) -> set[int]:
            return {1000: {1003, 1001}}.get(pid, set())

    async with serving(version, friends=Friends()) as served:
        await enter(served, SCORES)
        async with console(served, 1000) as one:
            await one.upload_score(upload(200), 0)
            result = await one.get_ranking(FRIENDS, KART, order(order_calc=1), 0, 0)
            assert rows(result) == [(1, 1001, 200), (2, 1003, 200), (3, 1000, 200)]
            result = await one.get_ranking(FRIENDS_NEAR, KART, order(order_calc=1, count=1), 0, 0)
            assert (rows(result), result.total) == ([(3, 1000, 200)], 3)


@EVERYWHERE
async def test_attributes_and_groups(version: Version) -> None:
    async with serving(version) as served:
        await enter(served, SCORES, groups=[1, 0])
        async with console(served, 1000) as one:
            await one.upload_score(upload(150, groups=[2, 9]), 5)
            await one.change_attributes(KART, change(0x11, [1, 1], 77), 5)
            grouped = order(group_index=0, group_num=1)
            result = await one.get_ranking(ALL, KART, grouped, 0, 0)
            assert rows(result)[1] == (2, 1000, 150)
            assert (result.data[1].groups, result.data[1].param) == ([1, 9], 77)
            await one.change_all_attributes(change(2, [0, 8], 0), 5)
            result = await one.get_ranking(ALL, KART, order(group_index=1, group_num=8), 0, 0)
            assert (rows(result), result.total) == ([(1, 1000, 150)], 1)
            result = await one.get_ranking_by_unique_id_list([5], ALL, KART, order(), 0)
            assert rows(result) == [(2, 1000, 150)]


@EVERYWHERE
async def test_deleting(version: Version) -> None:
    async with serving(version) as served, console(served, 1000) as one:
        for category in (1, 2, 3):
            await one.upload_score(upload(5, category), 0)
        await one.upload_common_data(b"me", 0)
        assert await one.get_common_data(0) == b"me"
        await one.delete_common_data(0)
        await one.delete_score(1, 0)
        await one.delete_all_scores(0)
        for call in (
            one.get_common_data(0),
            one.delete_score(1, 0),
            one.get_ranking(ALL, 2, order(), 0, 0),
            one.get_stats(2, order(), 31),
        ):
            with pytest.raises(common.RMCError, match="Ranking::NotFound"):
                await call


@EVERYWHERE
async def test_cached_rankings(version: Version) -> None:
    async with serving(version) as served:
        await enter(served, SCORES)
        async with console(served, 1000) as one:
            top = await one.get_cached_topx_ranking(KART, order(count=2))
            assert rows(top) == [(1, 1002, 100), (2, 1001, 200)]
            assert (top.total, top.max_length) == (3, 10)
            seconds = top.expired_time.timestamp() - top.created_time.timestamp()
            assert seconds == 300
            await one.upload_score(upload(50), 0)
            both = await one.get_cached_topx_rankings([KART, 9], [order(count=2), order()])
            assert [rows(each) for each in both] == [rows(top), []]
            with pytest.raises(common.RMCError, match="Ranking::InvalidArgument"):
                await one.get_cached_topx_rankings([KART], [])


@EVERYWHERE
async def test_refusals(version: Version) -> None:
    rules = RankingRules(common_data_size=4)
    async with serving(version, rules=rules) as served, console(served, 1000) as one:
        with pytest.raises(common.RMCError, match="Ranking::InvalidDataSize"):
            await one.upload_common_data(b"large", 0)
        await one.upload_common_data(b"good", 0)
        await one.upload_score(upload(5), 0)
        for call in (
            one.upload_score(upload(5, order=1), 0),
            one.get_ranking(9, KART, order(), 0, 0),
            one.get_ranking(ALL, KART, order(time_scope=9), 0, 0),
        ):
            with pytest.raises(common.RMCError, match="Ranking::InvalidArgument"):
                await call


async def test_the_ranking_of_mario_kart_8() -> None:
    """Its own methods 14 to 16 are answered as missing, not as cached rankings."""
    rules = RankingRules(descending=False, common_data_size=0xD4)
    async with (
        serving(Version("3.5.4"), MarioKart8RankingServer, rules=rules) as served,
        console(served, 1000, ranking_mk8.RankingClientMK8) as one,
    ):
        await one.upload_common_data(bytes(0xD4), 0)
        await one.upload_score(upload(61_000, order=0), 0)
        result = await one.get_ranking(OWN, KART, order(), 0, 0)
        assert rows(result) == [(1, 1000, 61_000)]
        for number in (14, 15, 16):
            with pytest.raises(common.RMCError, match="Core::NotImplemented"):
                await one.client.request(one.PROTOCOL_ID, number, bytes(8))
