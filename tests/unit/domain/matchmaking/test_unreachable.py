"""Pairs of players who could not reach each other."""

from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from nekonex.domain.matchmaking.relations.unreachable import UnreachableLimits, UnreachablePairs


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def pairs(**limits: float) -> tuple[UnreachablePairs, Clock]:
    clock = Clock()
    return UnreachablePairs(UnreachableLimits(**limits), clock=clock), clock  # type: ignore[arg-type]


def test_both_are_told() -> None:
    found, _ = pairs()
    found.failed(1, 2)
    found.failed(3, 1)
    assert found.failed_with(1) == {2, 3}
    assert found.failed_with(2) == {1}
    assert found.failed_with(3) == {1}
    assert found.failed_with(4) == frozenset()


def test_nobody_costs_nothing() -> None:
    found, _ = pairs()
    found.failed(1, 2)
    assert found.failed_with(3) is found.failed_with(4)


def test_what_was_returned_does_not_change() -> None:
    found, _ = pairs()
    found.failed(1, 2)
    before = found.failed_with(1)
    assert found.failed_with(1) is before
    found.failed(1, 3)
    found.succeeded(2, 1)
    assert before == {2}
    assert found.failed_with(1) == {3}


def test_success_forgets() -> None:
    found, _ = pairs()
    found.failed(1, 2)
    found.failed(1, 3)
    found.succeeded(2, 1)
    found.succeeded(7, 8)
    assert found.failed_with(1) == {3}
    assert found.failed_with(2) == frozenset()
    assert len(found) == 1


def test_a_failure_counts_for_ten_minutes() -> None:
    found, clock = pairs()
    found.failed(1, 2)
    clock.now += 599.9
    assert found.failed_with(2) == {1}
    clock.now += 0.1
    assert found.failed_with(2) == frozenset()
    assert found.failed_with(1) == frozenset()
    assert len(found) == 0


def test_another_failure_starts_the_time_anew() -> None:
    found, clock = pairs(seconds=10)
    found.failed(1, 2)
    found.failed(1, 3)
    clock.now += 8
    found.failed(2, 1)
    clock.now += 8
    assert found.failed_with(1) == {2}


def test_the_oldest_of_a_player_is_dropped() -> None:
    found, _ = pairs(pairs_per_player=2)
    for other in (2, 3, 4):
        found.failed(1, other)
    assert found.failed_with(1) == {3, 4}
    assert found.failed_with(2) == frozenset()
    assert len(found) == 2


def test_the_oldest_of_all_is_dropped() -> None:
    found, _ = pairs(pairs=2)
    found.failed(1, 2)
    found.failed(3, 4)
    found.failed(2, 1)
    found.failed(5, 6)
    assert found.failed_with(3) == frozenset()
    assert found.failed_with(1) == {2}
    assert len(found) == 2


def test_the_defaults() -> None:
    limits = UnreachableLimits()
    assert (limits.seconds, limits.pairs_per_player, limits.pairs) == (600.0, 64, 65_536)
    found, _ = pairs()
    for other in range(1, 100):
        found.failed(0, other)
    assert found.failed_with(0) == set(range(36, 100))


def test_what_expired_is_forgotten_without_a_pause() -> None:
    found, clock = pairs()
    for pid in range(2, 60):
        found.failed(pid, 1000 + pid)
    clock.now += 600
    for _ in range(10):
        before = len(found)
        assert found.failed_with(1) == frozenset()
        assert len(found) == before - 2


def test_nobody_is_out_of_reach_of_himself() -> None:
    found, _ = pairs()
    with pytest.raises(ValueError, match="pair"):
        found.failed(1, 1)
    found.succeeded(1, 1)
    assert len(found) == 0


@pytest.mark.parametrize(
    ("name", "value"),
    [("seconds", 0), ("seconds", float("nan")), ("pairs_per_player", 0), ("pairs", -1)],
)
def test_limits_make_sense(name: str, value: float) -> None:
    with pytest.raises(ValueError, match="limits"):
        UnreachableLimits(**{name: value})  # type: ignore[arg-type]


PIDS = st.integers(1, 7)
SECONDS = 10.0
PER_PLAYER = 3
IN_ALL = 6


class Machine(RuleBasedStateMachine):
    """Beside a list of all failures, the oldest first, that is searched anew each time."""

    def __init__(self) -> None:
        super().__init__()
        self.clock = Clock()
        limits = UnreachableLimits(seconds=SECONDS, pairs_per_player=PER_PLAYER, pairs=IN_ALL)
        self.pairs = UnreachablePairs(limits, clock=self.clock)
        self.model: list[tuple[frozenset[int], float]] = []

    @rule(one=PIDS, other=PIDS)
    def fail(self, one: int, other: int) -> None:
        if one == other:
            return
        self.pairs.failed(one, other)
        self._drop(frozenset({one, other}))
        self.model.append((frozenset({one, other}), self.clock.now))
        self._expire()
        for pid in (one, other):
            mine = [pair for pair, _ in self.model if pid in pair]
            if len(mine) > PER_PLAYER:
                self._drop(mine[0])
        del self.model[:-IN_ALL]

    @rule(one=PIDS, other=PIDS)
    def succeed(self, one: int, other: int) -> None:
        self.pairs.succeeded(one, other)
        self._drop(frozenset({one, other}))

    @rule(seconds=st.floats(0, 2 * SECONDS))
    def wait(self, seconds: float) -> None:
        self.clock.now += seconds

    @precondition(lambda self: self.model)
    @rule(pid=PIDS)
    def ask(self, pid: int) -> None:
        self._compare(pid)

    @invariant()
    def bounded(self) -> None:
        self._expire()
        assert len(self.model) <= len(self.pairs) <= IN_ALL

    def teardown(self) -> None:
        for pid in range(1, 8):
            self._compare(pid)

    def _compare(self, pid: int) -> None:
        self._expire()
        expected = {other for pair, _ in self.model if pid in pair for other in pair - {pid}}
        assert self.pairs.failed_with(pid) == expected

    def _expire(self) -> None:
        self.model = [
            (pair, since) for pair, since in self.model if since + SECONDS > self.clock.now
        ]

    def _drop(self, pair: frozenset[int]) -> None:
        self.model = [each for each in self.model if each[0] != pair]


TestModel = Machine.TestCase
TestModel.settings = settings(max_examples=40, stateful_step_count=30)
