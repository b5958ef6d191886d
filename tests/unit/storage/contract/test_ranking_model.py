"""Rankings over every adapter against a naive model: a list that is sorted for each question."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.domain.ranking import (
    ALL_TIME,
    AttributeChange,
    AttributeFlag,
    Board,
    GroupFilter,
    Period,
    RankCalculation,
    RankingError,
    RankingMode,
    RankingRules,
    Rankings,
    RankQuery,
    Refusal,
    Score,
    ScoreKey,
    ScoreStore,
    ScoreUpload,
    Statistics,
    UpdateMode,
)
from nekonex.domain.ranking.ports import CategorySummary
from nekonex.storage.ranking import MemoryScoreStore
from tests.support.score_stores import ADAPTERS, FriendsOf, Time, refusal

PIDS = [1, 2, 3, 4, 2**64 - 1]
CATEGORIES = [1, 2, 2**32 - 1]
UNIQUE_IDS = [0, 1, 2**64 - 1]
FRIENDS = {1: [2, 3], 2: [1, 2, 3, 4, 9], 3: [], 4: [2**64 - 1]}
RULES = RankingRules(windows={0: Period.DAY, 1: 5000.0}, categories={2: False})
START = 1_700_000_000.0
DAY = 86_400


@dataclass
class Model:
    """What rankings must do."""

    scores: dict[ScoreKey, Score] = field(default_factory=dict)
    orders: dict[int, bool] = field(default_factory=dict)
    common_data: dict[tuple[int, int], bytes] = field(default_factory=dict)
    known: set[int] = field(default_factory=set)
    """The categories to which something was uploaded."""
    now: float = START

    def upload(self, pid: int, upload: ScoreUpload, unique_id: int) -> None:
        self.known.add(upload.category)
        if upload.category != 2:
            descending = self.orders.setdefault(upload.category, upload.descending)
            if upload.descending != descending:
                raise RankingError(Refusal.INVALID)
        key = ScoreKey(upload.category, pid, unique_id)
        old = self.scores.get(key)
        if (
            old is None
            or upload.update == UpdateMode.ALWAYS
            or self.key(upload.category, upload.score) < self.key(upload.category, old.score)
        ):
            self.scores[key] = Score(
                *key, upload.score, upload.groups, upload.param, int(self.now * 1_000_000)
            )

    def remove(self, keys: Sequence[ScoreKey]) -> None:
        for key in keys:
            if self.scores.pop(key, None) is None:
                raise RankingError(Refusal.NOT_FOUND)
        if not keys:
            raise RankingError(Refusal.NOT_FOUND)

    def change(self, keys: Sequence[ScoreKey], change: AttributeChange) -> None:
        if not keys or any(key not in self.scores for key in keys):
            raise RankingError(Refusal.NOT_FOUND)
        for key in keys:
            old = self.scores[key]
            first, second = old.groups
            self.scores[key] = old._replace(
                groups=(
                    change.groups[0] if change.flags & 1 else first,
                    change.groups[1] if change.flags & 2 else second,
                ),
                param=change.param if change.flags & 16 else old.param,
            )

    def categories(self) -> list[CategorySummary]:
        counts = Counter(key.category for key in self.scores)
        return [
            CategorySummary(number, self.orders.get(number, False), counts[number])
            for number in sorted(self.known)
        ]

    def keys_of(self, pid: int, unique_id: int) -> list[ScoreKey]:
        return [key for key in self.scores if key[1:] == (pid, unique_id)]

    def key(self, category: int, score: int) -> int:
        return -score if self.orders.get(category, False) else score

    def board(self, board: Board) -> list[Score]:
        since = {0: self.now // DAY * DAY, 1: self.now - 5000}.get(board.time_scope, 0)
        found = [
            score
            for score in self.scores.values()
            if score.category == board.category
            and (board.group is None or score.groups[board.group.index] == board.group.value)
            and score.updated >= int(since * 1_000_000)
        ]
        return sorted(
            found,
            key=lambda one: (
                self.key(one.category, one.score),
                one.updated,
                one.pid,
                one.unique_id,
            ),
        )

    def ranked(
        self, board: Board, calculation: RankCalculation, pids: Sequence[int] | None = None
    ) -> list[tuple[int, Score]]:
        scores = [one for one in self.board(board) if pids is None or one.pid in pids]
        numbers = [one.score for one in scores]
        if calculation is RankCalculation.ORDINAL:
            return list(enumerate(scores, 1))
        return [(numbers.index(one.score) + 1, one) for one in scores]

    def ranking(
        self, caller: int, mode: RankingMode, query: RankQuery, unique_id: int, pid: int
    ) -> tuple[list[tuple[int, Score]], int]:
        friends = None
        if mode in {RankingMode.FRIENDS_NEAR, RankingMode.FRIENDS_RANGE}:
            friends = [caller, *FRIENDS.get(caller, [])]
        entries = self.ranked(query.board, query.calculation, friends)
        target = pid or caller
        own = [
            place
            for place, (_, one) in enumerate(entries)
            if one.pid == target and (unique_id in {0, one.unique_id})
        ]
        if mode == RankingMode.OWN:
            return [entries[place] for place in own][: query.count], len(entries)
        if mode in {RankingMode.RANGE, RankingMode.FRIENDS_RANGE}:
            return entries[query.offset :][: query.count], len(entries)
        if not own:
            return [], len(entries)
        exact = [place for place in own if entries[place][1].unique_id == unique_id]
        first = max(0, (exact or own)[0] - query.count // 2)
        return entries[first:][: query.count], len(entries)


_pids = st.sampled_from(PIDS)
_unique_ids = st.sampled_from(UNIQUE_IDS)
_categories = st.sampled_from(CATEGORIES)
_groups = st.tuples(st.sampled_from([0, 7, 255]), st.integers(0, 1))
_params = st.integers(0, 2**64 - 1)
_changes = st.builds(AttributeChange, st.integers(0, 31).map(AttributeFlag), _groups, _params)
_uploads = st.builds(
    ScoreUpload,
    category=_categories,
    score=st.sampled_from([0, 1, 2, 3, 2**32 - 1]),
    # One order mostly, or few uploads would be taken.
    descending=st.sampled_from([False, False, False, True]),
    update=st.sampled_from(UpdateMode),
    groups=_groups,
    param=_params,
)
_boards = st.builds(
    Board,
    _categories,
    st.none() | st.builds(GroupFilter, st.integers(0, 1), st.sampled_from([0, 1, 7, 255])),
    st.integers(0, ALL_TIME),
)
_queries = st.builds(
    RankQuery,
    _boards,
    st.sampled_from(RankCalculation),
    st.sampled_from([0, 0, 1, 3]),
    st.sampled_from([0, 1, 2, 3, 4, 255]),
)
_steps = st.one_of(
    st.tuples(st.just("upload"), _pids, _uploads, _unique_ids),
    st.tuples(st.just("upload"), _pids, _uploads, st.just(0)),
    st.tuples(st.just("delete"), _pids, _categories, _unique_ids),
    st.tuples(st.just("delete all"), _pids, _unique_ids),
    st.tuples(st.just("change"), _pids, _categories, _changes, _unique_ids),
    st.tuples(st.just("change all"), _pids, _changes, _unique_ids),
    st.tuples(st.just("forget"), _pids),
    st.tuples(st.just("data"), _pids, _unique_ids, st.none() | st.binary(max_size=3)),
    st.tuples(st.just("wait"), st.sampled_from([0.0, 0.000001, 1.5, 2500.0, 90_000.0])),
    st.tuples(
        st.just("ranking"),
        _pids,
        st.sampled_from(RankingMode),
        _queries,
        _unique_ids,
        st.sampled_from([0, *PIDS]),
    ),
    st.tuples(st.just("lists"), _queries, st.lists(_pids, max_size=4), _unique_ids),
    st.tuples(st.just("numbers"), _boards, st.integers(0, 5)),
)


def expected(change: Callable[[], None]) -> Refusal | None:
    try:
        change()
    except RankingError as error:
        return error.refusal
    return None


class Comparison:
    """Rankings and the model of them, which are told and asked the same."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.time = Time(model.now)

    async def start(self, store: ScoreStore) -> None:
        self.rankings = Rankings(store, friends=FriendsOf(FRIENDS), rules=RULES, clock=self.time)
        await self.rankings.start()

    async def step(self, name: str, *args: Any) -> None:
        await getattr(self, name.replace(" ", "_"))(*args)

    async def upload(self, pid: int, upload: ScoreUpload, unique_id: int) -> None:
        refused = expected(lambda: self.model.upload(pid, upload, unique_id))
        assert await refusal(self.rankings.upload(pid, upload, unique_id)) is refused

    async def delete(self, pid: int, category: int, unique_id: int) -> None:
        refused = expected(lambda: self.model.remove([ScoreKey(category, pid, unique_id)]))
        assert await refusal(self.rankings.delete(pid, category, unique_id)) is refused

    async def delete_all(self, pid: int, unique_id: int) -> None:
        keys = self.model.keys_of(pid, unique_id)
        refused = expected(lambda: self.model.remove(keys))
        assert await refusal(self.rankings.delete_all(pid, unique_id)) is refused

    async def change(
        self, pid: int, category: int, change: AttributeChange, unique_id: int
    ) -> None:
        keys = [ScoreKey(category, pid, unique_id)]
        refused = expected(lambda: self.model.change(keys, change))
        changing = self.rankings.change_attributes(pid, category, change, unique_id)
        assert await refusal(changing) is refused

    async def change_all(self, pid: int, change: AttributeChange, unique_id: int) -> None:
        keys = self.model.keys_of(pid, unique_id)
        refused = expected(lambda: self.model.change(keys, change))
        changing = self.rankings.change_all_attributes(pid, change, unique_id)
        assert await refusal(changing) is refused

    async def forget(self, pid: int) -> None:
        keys = [key for key in self.model.scores if key.pid == pid]
        for key in keys:
            del self.model.scores[key]
        for unique_id in UNIQUE_IDS:
            self.model.common_data.pop((pid, unique_id), None)
        assert await self.rankings.forget(pid) == len(keys)

    async def data(self, pid: int, unique_id: int, data: bytes | None) -> None:
        if data is None:
            self.model.common_data.pop((pid, unique_id), None)
            await self.rankings.delete_common_data(pid, unique_id)
        else:
            self.model.common_data[pid, unique_id] = data
            await self.rankings.put_common_data(pid, data, unique_id)

    async def wait(self, seconds: float) -> None:
        self.time.now += seconds
        self.model.now = self.time.now

    async def ranking(
        self, caller: int, mode: RankingMode, query: RankQuery, unique_id: int, pid: int
    ) -> None:
        found = self.model.ranking(caller, mode, query, unique_id, pid)
        await self._same(found, self.rankings.ranking(caller, mode, query, unique_id, pid))

    async def lists(self, query: RankQuery, pids: list[int], unique_id: int) -> None:
        everything = self.model.ranked(query.board, query.calculation)
        found = [
            (rank, one)
            for rank, one in everything
            if one.pid in pids and unique_id in {0, one.unique_id}
        ]
        by_pids = self.rankings.by_pids(pids, 0, query, unique_id)
        await self._same((found, len(everything)), by_pids)
        found = [(rank, one) for rank, one in everything if one.unique_id and one.unique_id in pids]
        by_unique_ids = self.rankings.by_unique_ids(pids, 0, query)
        await self._same((found, len(everything)), by_unique_ids)

    async def numbers(self, board: Board, score: int) -> None:
        scores = self.model.board(board)
        better = [
            one
            for one in scores
            if self.model.key(board.category, one.score) < self.model.key(board.category, score)
        ]
        assert await self.rankings.approximate_order(board, score) == 1 + len(better)
        numbers = [one.score for one in scores]
        if numbers:
            found = Statistics(len(numbers), sum(numbers), min(numbers), max(numbers))
            assert await self.rankings.statistics(board) == found
        else:
            assert await refusal(self.rankings.statistics(board)) is Refusal.NOT_FOUND

    async def _same(self, found: tuple[list[tuple[int, Score]], int], asking: Any) -> None:
        entries, total = found
        if not entries:
            assert await refusal(asking) is Refusal.NOT_FOUND
            return
        page = await asking
        assert [(one.rank, one.score) for one in page.entries] == entries
        assert page.total == total
        for one in page.entries:
            data = self.model.common_data.get((one.score.pid, one.score.unique_id), b"")
            assert one.common_data == data

    async def fill(self, random: Random) -> None:
        """Upload scores of everybody, at different times, with many ties."""
        descending = random.random() < 0.5
        for _ in range(60):
            upload = ScoreUpload(
                category=random.choice(CATEGORIES[:2]),
                score=random.randrange(5),
                descending=descending,
                update=random.choice(list(UpdateMode)),
                groups=(random.choice([0, 7, 255]), random.randrange(2)),
                param=random.getrandbits(64),
            )
            await self.upload(random.choice(PIDS), upload, random.choice([0, *UNIQUE_IDS]))
            await self.wait(random.choice([0.0, 0.0, 0.000001, 1500.0]))

    async def check(self) -> None:
        """Ask for everything."""
        assert await self.rankings.categories() == self.model.categories()
        for category in CATEGORIES:
            for group in (None, GroupFilter(0, 7), GroupFilter(1, 1)):
                for scope in (0, 1, ALL_TIME):
                    board = Board(category, group, scope)
                    for score in range(6):
                        await self.numbers(board, score)
                    for calculation in RankCalculation:
                        await self.lists(RankQuery(board, calculation), [0, *PIDS], 0)
                        await self.lists(RankQuery(board, calculation), PIDS, 1)
                        for mode in RankingMode:
                            for pid, unique_id, count in ((2, 0, 3), (3, 0, 4), (4, 1, 255)):
                                query = RankQuery(board, calculation, 1, count)
                                await self.ranking(2, mode, query, unique_id, pid)


@pytest.mark.parametrize("name", ADAPTERS)
@settings(max_examples=6)
@given(seed=st.integers(0, 2**32 - 1), steps=st.lists(_steps, max_size=60))
async def test_rankings_are_those_of_the_model(
    name: str, seed: int, steps: list[tuple[Any, ...]]
) -> None:
    comparison = Comparison(Model())
    with TemporaryDirectory() as directory:
        async with ADAPTERS[name](Path(directory)) as store:
            await comparison.start(store)
            await comparison.fill(Random(seed))
            # What is built before the changes must be right after them.
            await comparison.check()
            for step in steps:
                await comparison.step(*step)
            await comparison.check()
        if name == "sqlite":
            async with ADAPTERS[name](Path(directory)) as store:
                await comparison.start(store)
                await comparison.check()


@pytest.mark.parametrize("seed", range(3))
async def test_thousands_of_changes(seed: int) -> None:
    random = Random(seed)
    comparison = Comparison(Model())
    await comparison.start(MemoryScoreStore(max_windows=3))
    for _ in range(5):
        for _ in range(4):
            await comparison.fill(random)
        change = AttributeChange(AttributeFlag(random.randrange(32)), (7, random.randrange(2)))
        await comparison.change_all(random.choice(PIDS), change, 0)
        await comparison.delete_all(random.choice(PIDS), 1)
        await comparison.forget(random.choice(PIDS))
        await comparison.check()
