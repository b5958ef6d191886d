from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nekonex.domain import Notification, PlayerRegistry
from nekonex.events import Event, EventBus, PlayerLoggedIn, PlayerLoggedOut

ADDRESS = ("192.0.2.1", 50000)


@dataclass(eq=False)
class FakePlayer:
    pid: int
    connection_id: int
    address: tuple[str, int] = ADDRESS
    closed: list[str] = field(default_factory=list)

    def close(self, reason: str) -> None:
        self.closed.append(reason)

    def notify(self, event: Notification) -> None:
        raise NotImplementedError


def registry() -> tuple[PlayerRegistry, list[Event]]:
    bus = EventBus()
    seen: list[Event] = []
    bus.subscribe(Event, seen.append)
    return PlayerRegistry("mk8", bus), seen


def test_players_are_found_by_connection_and_by_pid() -> None:
    players, seen = registry()
    player = FakePlayer(1234, 7)
    assert players.register(player)
    assert players.get(7) is players.newest(1234) is player
    assert players.get(8) is players.newest(5) is None
    assert list(players) == [player]
    assert players.count == 1
    assert players.game == "mk8"
    assert seen == [PlayerLoggedIn("mk8", 1234, 7, ADDRESS)]


def test_registering_again_is_no_second_login() -> None:
    players, seen = registry()
    player = FakePlayer(1234, 7)
    assert players.register(player)
    assert not players.register(player)
    assert players.count == len(seen) == 1


def test_the_logout_of_an_old_connection_leaves_the_newer_one() -> None:
    players, seen = registry()
    old, new = FakePlayer(1234, 1), FakePlayer(1234, 2)
    players.register(old)
    players.register(new)
    assert players.newest(1234) is new
    assert players.all_of(1234) == (old, new)
    assert players.unregister(1) is old
    assert players.newest(1234) is new
    assert players.unregister(1) is None
    assert players.unregister(2) is new
    assert players.newest(1234) is None
    assert players.all_of(1234) == ()
    assert [type(event) for event in seen] == [PlayerLoggedIn] * 2 + [PlayerLoggedOut] * 2


def test_when_the_newest_goes_an_older_one_counts_again() -> None:
    players, _ = registry()
    guests = [FakePlayer(100, number) for number in (1, 2, 3)]
    for guest in guests:
        players.register(guest)
    players.unregister(3)
    assert players.newest(100) is guests[1]


def test_players_may_leave_while_one_goes_through_them() -> None:
    players, _ = registry()
    for number in range(1, 4):
        players.register(FakePlayer(number, number))
    for player in players:
        players.unregister(player.connection_id)
    assert players.count == 0


def test_impossible_connections_are_refused() -> None:
    players, _ = registry()
    with pytest.raises(ValueError, match="never 0"):
        players.register(FakePlayer(1, 0))
    players.register(FakePlayer(1, 1))
    with pytest.raises(ValueError, match="another player"):
        players.register(FakePlayer(2, 1))


class RegistryMachine(RuleBasedStateMachine):
    """Logins and logouts in any order agree with a list of who is there."""

    def __init__(self) -> None:
        super().__init__()
        self.players, self.seen = registry()
        self.there: list[FakePlayer] = []
        self.next_connection = 1

    @rule(pid=st.integers(1, 4))
    def log_in(self, pid: int) -> None:
        player = FakePlayer(pid, self.next_connection)
        self.next_connection += 1
        assert self.players.register(player)
        self.there.append(player)

    @rule(connection=st.integers(0, 30))
    def log_out(self, connection: int) -> None:
        expected = next((one for one in self.there if one.connection_id == connection), None)
        assert self.players.unregister(connection) is expected
        if expected is not None:
            self.there.remove(expected)

    @invariant()
    def agrees(self) -> None:
        assert list(self.players) == self.there
        assert self.players.count == len(self.there)
        for pid in range(1, 5):
            own = tuple(one for one in self.there if one.pid == pid)
            assert self.players.all_of(pid) == own
            assert self.players.newest(pid) is (own[-1] if own else None)
        ins = sum(isinstance(event, PlayerLoggedIn) for event in self.seen)
        assert 2 * ins - len(self.seen) == len(self.there)


TestRegistryMachine = RegistryMachine.TestCase
