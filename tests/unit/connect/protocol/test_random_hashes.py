"""Hashes of randoms are made when they are needed, and what is accepted does not depend on it."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from nekonex.connect.protocol.auth import IssuedRandoms, Password

SECONDS, LATEST, MOST = 30.0, 3, 8


class CountingPassword(Password):
    """A password that counts the hashes it makes."""

    __slots__ = ("made",)

    def __init__(self) -> None:
        super().__init__("a password")
        self.made = 0

    def hash(self, random: bytes) -> bytes:
        self.made += 1
        return super().hash(random)


def random(number: int) -> bytes:
    return b"random-%09d" % number


PASSWORD = Password("a password")
HASHES = {number: PASSWORD.hash(random(number)) for number in range(-1, 100)}


def test_a_burst_of_pushes_makes_no_hash_but_that_which_comes() -> None:
    password = CountingPassword()
    randoms = IssuedRandoms(password, seconds=SECONDS, latest=64, most=4096)
    for number in range(1000):
        randoms.issue(random(number), 0.0)
    assert password.made == 0
    assert randoms.accept(PASSWORD.hash(random(999)), 0.0)
    assert password.made == 1
    assert randoms.accept(PASSWORD.hash(random(990)), 0.0)
    assert password.made == 10


def test_no_hash_is_made_twice() -> None:
    password = CountingPassword()
    randoms = IssuedRandoms(password, seconds=SECONDS, latest=64, most=100)
    for number in range(1000):
        randoms.issue(random(number), 0.0)
        randoms.accept(b"wrong", 0.0)
    assert password.made == 1000
    assert not randoms.accept(b"wrong", 0.0)
    assert password.made == 1000


@given(
    st.lists(
        st.one_of(
            st.just("issue"),
            st.integers(-1, 20),
            st.floats(0.5, 40.0, allow_nan=False),
        ),
        max_size=60,
    )
)
def test_what_is_accepted_is_what_the_rules_say(steps: list[str | int | float]) -> None:
    """An integer accepts the random so many before the newest one, -1 none; a float waits."""
    randoms = IssuedRandoms(PASSWORD, seconds=SECONDS, latest=LATEST, most=MOST)
    issued: list[float] = []
    given_up, accepted, now = 0, -1, 0.0
    for step in steps:
        if step == "issue":
            randoms.issue(random(len(issued)), now)
            issued.append(now)
        elif isinstance(step, int):
            number = -1 if step == -1 else max(-1, len(issued) - 1 - step)
            while len(issued) - given_up > LATEST and (
                issued[given_up] < now - SECONDS or len(issued) - given_up > MOST
            ):
                given_up += 1
            is_good = number >= 0 and (number >= given_up or number == accepted)
            assert randoms.accept(HASHES[number], now) == is_good
            accepted = number if is_good else accepted
            assert len(randoms) <= MOST
        elif isinstance(step, float):
            now += step
