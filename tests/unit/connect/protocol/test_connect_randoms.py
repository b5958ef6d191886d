"""Which randoms of the server a client may answer, and what a server remembers of clients."""

from __future__ import annotations

import hmac

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.connect.protocol import Password, RandomSource
from nekonex.connect.protocol.auth import IssuedRandoms
from nekonex.connect.protocol.guards import FailedLogins, FrameRate, ReplayGuard

PASSWORD = Password("secret")


def issued(*, seconds: float = 30.0, latest: int = 64, most: int = 4096) -> IssuedRandoms:
    return IssuedRandoms(PASSWORD, seconds=seconds, latest=latest, most=most)


def random(number: int) -> bytes:
    return b"r%d" % number


def accepts(randoms: IssuedRandoms, number: int, now: float) -> bool:
    return randoms.accept(PASSWORD.hash(random(number)), now)


def test_randoms_have_sixteen_characters_and_differ() -> None:
    source = RandomSource()
    drawn = [source.draw().decode() for _ in range(1000)]
    assert len(set(drawn)) == 1000
    assert {len(each) for each in drawn} == {16}
    assert all(char.isalnum() or char in "#?!&$" for each in drawn for char in each)
    assert len(set("".join(drawn))) == 26 + 26 + 10 + 5


def test_randoms_are_made_of_the_source_s_bytes_only() -> None:
    first, second = RandomSource(lambda n: b"\x05" * n), RandomSource(lambda n: b"\x06" * n)
    assert len({first.draw(), first.draw(), second.draw()}) == 2


def test_a_hash_is_good_for_as_long_as_it_says() -> None:
    randoms = issued(latest=1)
    randoms.issue(random(0), 100.0)
    randoms.issue(random(1), 101.0)
    randoms.issue(random(2), 102.0)
    assert accepts(randoms, 1, 131.0)
    assert not accepts(randoms, 0, 131.0)
    assert accepts(randoms, 1, 999.0), "it was accepted last"
    assert accepts(randoms, 2, 999.0), "it is the latest"
    assert not accepts(randoms, 1, 999.0)


def test_the_latest_are_good_for_ever() -> None:
    randoms = issued()
    for number in range(100):
        randoms.issue(random(number), 0.0)
    assert not accepts(randoms, 100 - 65, 31.0)
    assert accepts(randoms, 100 - 64, 31.0)
    assert accepts(randoms, 99, 1e9)


def test_a_refused_hash_does_not_take_the_place_of_the_accepted_one() -> None:
    randoms = issued(latest=1)
    for number in range(3):
        randoms.issue(random(number), 0.0)
    assert accepts(randoms, 0, 0.0)
    assert not randoms.accept(b"", 40.0)
    assert not randoms.accept(PASSWORD.server_hash(random(2)), 40.0)
    assert not accepts(randoms, 1, 40.0)
    assert accepts(randoms, 0, 40.0)


def test_no_more_are_kept_than_allowed() -> None:
    randoms = issued()
    for number in range(6000):
        randoms.issue(random(number), 0.0)
        assert len(randoms) <= 4096
    assert not accepts(randoms, 6000 - 4097, 0.0)
    assert accepts(randoms, 6000 - 4096, 0.0)


@given(
    st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
    | st.sampled_from(["x" * size for size in (44, 45, 46, 63, 64, 65, 128)]),
    st.binary(max_size=200),
)
@settings(max_examples=60)
def test_hashes_are_those_of_the_standard_library(password: str, message: bytes) -> None:
    ours, key = Password(password), password.encode()
    for _ in range(2):
        assert ours.hash(message) == hmac.digest(key, message, "sha256").hex().encode()
        key_of_servers = b"nekoconnect-server\0" + key
        theirs = hmac.digest(key_of_servers, message, "sha256").hex().encode()
        assert ours.server_hash(message) == theirs


@given(
    st.lists(
        st.tuples(st.sampled_from(["issue", "accept", "wait"]), st.integers(0, 40)), max_size=60
    )
)
@settings(max_examples=60)
def test_it_does_what_the_page_says(steps: list[tuple[str, int]]) -> None:
    seconds, latest, most = 10.0, 3, 8
    randoms = issued(seconds=seconds, latest=latest, most=most)
    times: list[float] = []
    now, last = 0.0, -1
    for step, number in steps:
        if step == "wait":
            now += number / 4
        elif step == "issue":
            randoms.issue(random(len(times)), now)
            times.append(now)
        else:
            place = len(times) - number
            fresh = 0 <= number < len(times) and times[number] >= now - seconds
            good = number < len(times) and (place <= latest or (place <= most and fresh))
            assert accepts(randoms, number, now) is (good or number == last)
            if good or number == last:
                last = number
        assert len(randoms) <= most


def test_a_first_frame_is_accepted_once_within_ten_minutes() -> None:
    guard = ReplayGuard(most=65_536, seconds=600.0)
    assert guard.accept("a", 0.0)
    assert guard.accept("b", 1.0)
    assert not guard.accept("a", 599.9)
    assert guard.accept("a", 600.0)
    assert not guard.accept("b", 600.0)
    assert not guard.accept("a", 1199.0)


def test_only_so_many_first_frames_are_remembered() -> None:
    guard = ReplayGuard(most=100, seconds=600.0)
    for number in range(150):
        assert guard.accept(str(number), 0.0)
        assert len(guard) <= 100
    assert not guard.accept("149", 0.0)
    assert not guard.accept("50", 0.0)
    assert guard.accept("49", 0.0)
    assert guard.accept("x", 601.0)
    assert len(guard) == 1


def test_failed_logins_count_for_a_minute_and_by_address() -> None:
    failures = FailedLogins(most=10, seconds=60.0, addresses=100)
    for number in range(10):
        assert not failures.exceeded("a", float(number))
        failures.note("a", float(number))
    assert failures.exceeded("a", 59.9)
    assert not failures.exceeded("b", 59.9)
    assert not failures.exceeded("a", 60.0), "the first counts no more"
    failures.note("a", 60.0)
    assert failures.exceeded("a", 60.9)
    assert not failures.exceeded("a", 200.0)
    assert len(failures) == 0


def test_only_so_many_addresses_are_watched_and_the_busy_ones_stay() -> None:
    failures = FailedLogins(most=8, seconds=60.0, addresses=3)
    failures.note("busy", 0.0)
    for number in range(10):
        failures.note(f"other {number}", 0.0)
        failures.note("busy", 0.0)
        assert len(failures) <= 3
    assert failures.exceeded("busy", 0.0)


def test_a_rate_allows_a_burst_and_then_so_many_a_second() -> None:
    rate = FrameRate(5, 0.0)
    assert [rate.take(0.0) for _ in range(7)] == [True] * 5 + [False] * 2
    assert [rate.take(0.2), rate.take(0.2)] == [True, False]
    assert [rate.take(100.0) for _ in range(6)] == [True] * 5 + [False]


@pytest.mark.parametrize("wrong", [b"", b"0" * 64, b"\xff" * 64, b"0" * 65])
def test_what_is_no_hash_is_not_accepted(wrong: bytes) -> None:
    randoms = issued()
    randoms.issue(random(0), 0.0)
    assert not randoms.accept(wrong, 0.0)
    assert not PASSWORD.verify(random(0), wrong)
    assert not PASSWORD.verify_server(random(0), wrong)
