"""What consoles are answered about rankings; how scores are ranked is tested below the wire."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

import pytest

from nekonex.domain.ranking import Period, RankingHooks, RankingRules, Rankings, ScoreUpload
from nekonex.nex.ranking import EarlyRankingServer, Ranking, RankingServer
from nekonex.nex.structures import (
    RankingChangeAttributesParam,
    RankingOrderParam,
    RankingResult,
    RankingScoreData,
)
from nekonex.rmc import Stub
from nekonex.storage.ranking import MemoryScoreStore
from nekonex.values import DateTime, RMCError
from nekonex.wire import WireContext
from tests.support.behind import Behind, behind, refused
from tests.support.nexlab import NOW, Lab, lab_settings

ALL, NEAR, FRIENDS, FRIENDS_NEAR, OWN = range(5)
CATEGORY = 5


class Friends:
    def __init__(self, *pids: int) -> None:
        self.pids = pids

    async def friends_of(self, pid: int) -> Sequence[int]:
        return self.pids


@contextlib.asynccontextmanager
async def rankings(
    version: str = "3.8.3", server: type[RankingServer] = RankingServer, **options: Any
) -> AsyncIterator[Behind]:
    def make(made: Lab) -> list[RankingServer]:
        service = Rankings(MemoryScoreStore(), **{"clock": made.clock, **options})
        return [server(made.settings, ranking=service, players=made.game.players)]

    async with behind(make, lab_settings(version)) as served:
        yield served


@contextlib.asynccontextmanager
async def console(served: Behind, pid: int) -> AsyncIterator[Stub]:
    async with served.console(pid) as session:
        yield Ranking.client(session)


async def enter(
    served: Behind, scores: dict[int, int], category: int = CATEGORY, **fields: Any
) -> None:
    """Upload a score for each player, a second apart."""
    for pid, score in scores.items():
        served.clock.now += 1
        async with console(served, pid) as one:
            await one.upload_score(data(score, category, **fields), 0)


def data(score: int, category: int = CATEGORY, **fields: Any) -> RankingScoreData:
    given = {"order": 1, "update_mode": 0, "groups": [0, 0], "param": 0, **fields}
    return RankingScoreData(category, score, **given)


def order(**fields: Any) -> RankingOrderParam:
    return RankingOrderParam(**fields)


def rows(result: RankingResult) -> list[tuple[int, int, int]]:
    """Return rank, principal id and score of each."""
    return [(row.rank, row.pid, row.score) for row in result.data]


SCORES = {1001: 30, 1002: 50, 1003: 30, 1004: 10}


async def test_a_row_has_everything() -> None:
    async with rankings() as served, console(served, 1000) as one:
        await one.upload_common_data(b"me", 2**64 - 1)
        upload = data(7, groups=[1, 2, 3], param=2**64 - 1)
        await one.upload_score(upload, 2**64 - 1)
        result = await one.get_ranking(ALL, CATEGORY, order(), 0, 0)
        [row] = result.data
        assert (row.pid, row.unique_id, row.rank) == (1000, 2**64 - 1, 1)
        assert (row.category, row.score) == (CATEGORY, 7)
        assert (row.groups, row.param, row.common_data) == ([1, 2], 2**64 - 1, b"me")
        assert row.update_time == DateTime.from_timestamp(NOW)
        assert (result.total, result.since_time) == (1, DateTime.make(2000))


async def test_ranks_of_both_kinds_and_parts() -> None:
    async with rankings() as served, console(served, 1000) as one:
        await enter(served, SCORES)
        standard = await one.get_ranking(ALL, CATEGORY, order(), 0, 0)
        assert rows(standard) == [(1, 1002, 50), (2, 1001, 30), (2, 1003, 30), (4, 1004, 10)]
        ordinal = await one.get_ranking(ALL, CATEGORY, order(order_calc=1), 0, 0)
        assert rows(ordinal) == [(1, 1002, 50), (2, 1001, 30), (3, 1003, 30), (4, 1004, 10)]
        part = await one.get_ranking(ALL, CATEGORY, order(offset=1, count=2), 0, 0)
        assert (rows(part), part.total) == ([(2, 1001, 30), (2, 1003, 30)], 4)


async def test_modes() -> None:
    async with rankings(friends=Friends(1004)) as served:
        await enter(served, SCORES)
        async with console(served, 1003) as one:
            near = await one.get_ranking(NEAR, CATEGORY, order(count=2), 0, 0)
            assert (rows(near), near.total) == ([(2, 1001, 30), (2, 1003, 30)], 4)
            of_other = await one.get_ranking(NEAR, CATEGORY, order(count=2), 0, 1004)
            assert rows(of_other) == [(2, 1003, 30), (4, 1004, 10)]
            friends = await one.get_ranking(FRIENDS, CATEGORY, order(), 0, 0)
            assert (rows(friends), friends.total) == ([(1, 1003, 30), (2, 1004, 10)], 2)
            near = await one.get_ranking(FRIENDS_NEAR, CATEGORY, order(count=1), 0, 1004)
            assert rows(near) == [(2, 1004, 10)]
            own = await one.get_ranking(OWN, CATEGORY, order(), 0, 0)
            assert (rows(own), own.total) == ([(2, 1003, 30)], 4)
            other = await one.get_ranking(OWN, CATEGORY, order(), 0, 1002)
            assert rows(other) == [(1, 1002, 50)]


async def test_groups_and_times() -> None:
    rules = RankingRules(windows={0: Period.DAY, 1: 10.0})
    async with rankings(rules=rules) as served, console(served, 1000) as one:
        await enter(served, {1001: 30}, groups=[1, 0])
        await enter(served, {1002: 20}, groups=[1, 7])
        served.clock.now += 10
        await enter(served, {1003: 10}, groups=[2, 7])
        first = await one.get_ranking(ALL, CATEGORY, order(group_index=0, group_num=1), 0, 0)
        assert (rows(first), first.total) == ([(1, 1001, 30), (2, 1002, 20)], 2)
        second = await one.get_ranking(ALL, CATEGORY, order(group_index=1, group_num=7), 0, 0)
        assert rows(second) == [(1, 1002, 20), (2, 1003, 10)]
        recent = await one.get_ranking(ALL, CATEGORY, order(time_scope=1), 0, 0)
        assert rows(recent) == [(1, 1003, 10)]
        assert recent.since_time == DateTime.from_timestamp(served.clock.now - 10)
        today = await one.get_ranking(ALL, CATEGORY, order(time_scope=0), 0, 0)
        assert today.since_time == DateTime.from_timestamp(NOW - NOW % 86_400)
        assert today.total == 3


async def test_lists_of_players_and_of_unique_ids() -> None:
    async with rankings() as served, console(served, 1000) as one:
        await enter(served, SCORES)
        async with console(served, 1005) as other:
            await other.upload_score(data(40), 77)
        found = await one.get_ranking_by_pid_list([1004, 9, 1002], ALL, CATEGORY, order(), 0)
        assert (rows(found), found.total) == ([(1, 1002, 50), (5, 1004, 10)], 5)
        found = await one.get_ranking_by_unique_id_list([3, 77], ALL, CATEGORY, order(), 0)
        assert rows(found) == [(2, 1005, 40)]


async def test_statistics_and_orders() -> None:
    async with rankings() as served, console(served, 1000) as one:
        await enter(served, SCORES)
        assert (await one.get_stats(CATEGORY, order(), 31)).stats == [4, 120, 10, 50, 30]
        assert (await one.get_stats(CATEGORY, order(), 0x12)).stats == [0, 120, 0, 0, 30]
        assert (await one.get_stats(CATEGORY, order(), 2**32 - 1)).stats == [4, 120, 10, 50, 30]
        orders = [
            await one.get_approx_order(CATEGORY, order(), score, 0, 0) for score in (60, 30, 0)
        ]
        assert orders == [1, 2, 5]


async def test_attributes() -> None:
    async with rankings() as served, console(served, 1000) as one:
        for category in (1, 2):
            await one.upload_score(data(5, category, groups=[1, 2], param=3), 9)
        await one.change_attributes(1, RankingChangeAttributesParam(0x01, [8, 8], 8), 9)
        await one.change_all_attributes(RankingChangeAttributesParam(0x10, [], 7), 9)
        for category, groups in ((1, [8, 2]), (2, [1, 2])):
            [row] = (await one.get_ranking(OWN, category, order(), 9, 0)).data
            assert (row.groups, row.param) == (groups, 7)


async def test_what_is_deleted_is_gone() -> None:
    async with rankings() as served, console(served, 1000) as one:
        for category in (1, 2, 3):
            await one.upload_score(data(5, category), 0)
        await one.upload_common_data(b"me", 0)
        assert await one.get_common_data(0) == b"me"
        await one.delete_common_data(0)
        await one.delete_common_data(0)
        assert await refused(one.get_common_data(0)) == "Ranking::NotFound"
        await one.delete_score(1, 0)
        assert await refused(one.delete_score(1, 0)) == "Ranking::NotFound"
        assert await refused(one.delete_score(9, 0)) == "Ranking::NotFound"
        assert await refused(one.get_ranking(OWN, 1, order(), 0, 0)) == "Ranking::NotFound"
        await one.delete_all_scores(0)
        assert await refused(one.delete_all_scores(0)) == "Ranking::NotFound"
        assert await refused(one.get_ranking(ALL, 3, order(), 0, 0)) == "Ranking::NotFound"


async def test_cached_rankings() -> None:
    async with rankings() as served, console(served, 1000) as one:
        await enter(served, SCORES)
        made = served.clock.now
        top = await one.get_cached_topx_ranking(CATEGORY, order(offset=3, count=255))
        assert rows(top) == [(1, 1002, 50), (2, 1001, 30), (2, 1003, 30), (4, 1004, 10)]
        assert (top.created_time, top.expired_time, top.max_length) == (
            DateTime.from_timestamp(made),
            DateTime.from_timestamp(made + 300),
            10,
        )
        await enter(served, {1009: 90})
        again = await one.get_cached_topx_ranking(CATEGORY, order(count=255))
        assert again == top
        both = await one.get_cached_topx_rankings([CATEGORY, 9], [order(count=255), order()])
        assert [rows(each) for each in both] == [rows(top), []]
        served.clock.now += 300
        later = await one.get_cached_topx_ranking(CATEGORY, order(count=1))
        assert rows(later) == [(1, 1009, 90)]
        assert await refused(one.get_cached_topx_ranking(9, order())) == "Ranking::NotFound"
        call = one.get_cached_topx_rankings([CATEGORY], [order(), order()])
        assert await refused(call) == "Ranking::InvalidArgument"


@pytest.mark.parametrize(
    ("fields", "mode"),
    [
        ({"order_calc": 2}, ALL),
        ({"group_index": 2}, ALL),
        ({"time_scope": 3}, ALL),
        ({}, 5),
        ({}, 255),
    ],
)
async def test_questions_that_mean_nothing(fields: dict[str, int], mode: int) -> None:
    async with rankings() as served, console(served, 1000) as one:
        await one.upload_score(data(5), 0)
        calls = [
            one.get_ranking(mode, CATEGORY, order(**fields), 0, 0),
            one.get_ranking_by_pid_list([1000], mode, CATEGORY, order(**fields), 0),
            one.get_ranking_by_unique_id_list([0], mode, CATEGORY, order(**fields), 0),
        ]
        for call in calls:
            assert await refused(call) == "Ranking::InvalidArgument"


async def test_an_offset_means_something_in_ranges_only() -> None:
    async with rankings() as served, console(served, 1000) as one:
        await one.upload_score(data(5), 0)
        far = order(offset=2**32 - 1)
        for mode in (ALL, FRIENDS):
            call = one.get_ranking(mode, CATEGORY, far, 0, 0)
            assert await refused(call) == "Ranking::InvalidArgument"
        for mode in (NEAR, FRIENDS_NEAR, OWN):
            assert (await one.get_ranking(mode, CATEGORY, far, 0, 0)).total == 1
        assert (await one.get_cached_topx_ranking(CATEGORY, far)).total == 1


async def test_lists_that_are_too_long() -> None:
    async with rankings() as served, console(served, 1000) as one:
        for call in (
            one.get_ranking_by_pid_list([*range(101)], ALL, CATEGORY, order(), 0),
            one.get_ranking_by_unique_id_list([*range(101)], ALL, CATEGORY, order(), 0),
            one.get_cached_topx_rankings([*range(101)], [order()] * 101),
        ):
            assert await refused(call) == "Ranking::InvalidArgument"


async def test_nothing_counts_as_not_found() -> None:
    async with rankings() as served, console(served, 1000) as one:
        await enter(served, {1001: 3})
        for call in (
            one.get_ranking(ALL, CATEGORY, order(count=0), 0, 0),
            one.get_ranking(ALL, CATEGORY, order(offset=1), 0, 0),
            one.get_ranking(OWN, CATEGORY, order(), 0, 0),
            one.get_ranking(NEAR, CATEGORY, order(), 0, 0),
            one.get_ranking(FRIENDS, CATEGORY, order(), 0, 0),
            one.get_ranking_by_pid_list([1000], ALL, CATEGORY, order(), 0),
            one.get_ranking_by_pid_list([], ALL, CATEGORY, order(), 0),
            one.get_ranking_by_unique_id_list([7], ALL, CATEGORY, order(), 0),
            one.get_stats(9, order(), 31),
            one.change_attributes(CATEGORY, RankingChangeAttributesParam(1, [], 0), 0),
            one.change_all_attributes(RankingChangeAttributesParam(1, [], 0), 0),
        ):
            assert await refused(call) == "Ranking::NotFound"
        assert await one.get_approx_order(9, order(), 5, 0, 0) == 1


class Strict(RankingHooks):
    async def validate_score(self, pid: int, upload: ScoreUpload, unique_id: int) -> bool:
        return upload.score < 100

    async def common_data(self, pid: int, unique_id: int, data: bytes) -> bytes:
        if data == b"bad":
            raise RMCError("Ranking::PermissionDenied")
        return data.upper()


async def test_a_game_may_refuse_scores_and_data() -> None:
    rules = RankingRules(max_common_data=4)
    async with rankings(hooks=Strict(), rules=rules) as served, console(served, 1000) as one:
        assert await refused(one.upload_score(data(100), 0)) == "Ranking::InvalidScore"
        assert await refused(one.upload_common_data(b"bad", 0)) == "Ranking::PermissionDenied"
        assert await refused(one.upload_common_data(b"large", 0)) == "Ranking::InvalidDataSize"
        await one.upload_common_data(b"good", 0)
        assert await one.get_common_data(0) == b"GOOD"


async def test_uploads_that_contradict() -> None:
    async with rankings() as served, console(served, 1000) as one:
        await one.upload_score(data(5, order=0), 0)
        assert await refused(one.upload_score(data(4, order=1), 0)) == "Ranking::InvalidArgument"
        assert await refused(one.upload_score(data(4, order=2), 0)) == "Ranking::InvalidArgument"
        call = one.upload_score(data(4, order=0, update_mode=2), 0)
        assert await refused(call) == "Ranking::InvalidArgument"
        await one.upload_score(data(6, order=0), 0)  # worse: passed over without a word
        assert rows(await one.get_ranking(OWN, CATEGORY, order(), 0, 0)) == [(1, 1000, 5)]
        await one.upload_score(data(6, order=0, update_mode=1), 0)
        assert rows(await one.get_ranking(OWN, CATEGORY, order(), 0, 0)) == [(1, 1000, 6)]


CALLS: list[tuple[str, list[Any]]] = [
    ("upload_score", [data(1), 0]),
    ("delete_score", [1, 0]),
    ("delete_all_scores", [0]),
    ("upload_common_data", [b"", 0]),
    ("delete_common_data", [0]),
    ("get_common_data", [0]),
    ("change_attributes", [1, RankingChangeAttributesParam(0, [], 0), 0]),
    ("change_all_attributes", [RankingChangeAttributesParam(0, [], 0), 0]),
    ("get_ranking", [0, 1, order(), 0, 0]),
    ("get_approx_order", [1, order(), 0, 0, 0]),
    ("get_stats", [1, order(), 0]),
    ("get_ranking_by_pid_list", [[], 0, 1, order(), 0]),
    ("get_ranking_by_unique_id_list", [[], 0, 1, order(), 0]),
    ("get_cached_topx_ranking", [1, order()]),
    ("get_cached_topx_rankings", [[], []]),
]


async def test_who_did_not_register_is_served_nothing() -> None:
    assert {name for name, _ in CALLS} == {each.name for each in Ranking.definitions()}
    async with rankings() as served, served.console(1000, register=False) as session:
        stub = Ranking.client(session)
        for name, arguments in CALLS:
            call = getattr(stub, name)(*arguments)
            assert await refused(call) == "RendezVous::NotAuthenticated", name


def test_no_method_has_another_format_than_the_protocol() -> None:
    protocol = {each.name: each.signature for each in Ranking.definitions()}
    for definition in RankingServer.definitions():
        if definition.owner is RankingServer:
            signature = protocol.pop(definition.name)
            assert definition.signature.parameters == signature.parameters, definition.name
            assert definition.signature.parts == signature.parts, definition.name
    assert not protocol


async def test_titles_before_cached_rankings_have_something_else_there() -> None:
    assert set(EarlyRankingServer.codecs(WireContext("3.5.4"))) == {*range(1, 14)}
    async with rankings("3.5.4", EarlyRankingServer) as served, console(served, 1000) as one:
        await one.upload_score(data(5), 0)
        assert rows(await one.get_ranking(ALL, CATEGORY, order(), 0, 0)) == [(1, 1000, 5)]
        assert await refused(one.get_cached_topx_ranking(CATEGORY, order())) == (
            "Core::NotImplemented"
        )
