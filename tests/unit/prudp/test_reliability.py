"""When a packet is sent again, and when its receiver is given up; in virtual time."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.prudp.base import Address
from nekonex.prudp.constants import DATA, FLAG_ACK
from nekonex.prudp.limits import CloseReason
from nekonex.prudp.rtt import MINIMUM_TIMEOUT, RoundTrip
from nekonex.prudp.substream import NEVER, Sent
from tests.support.link import SERVER, Pair, Weather
from tests.support.transport import transport


def mute(pair: Pair) -> None:
    """From now on nothing arrives anywhere."""
    pair.network.filter = lambda data, target: False


def times_sent(pair: Pair, start: float, kind: int = DATA) -> list[float]:
    """Return when the server sent a packet of that kind, acknowledgements aside, from *start*."""
    found = []
    for at, data, _ in pair.server.sent:
        packet, _ = pair.server_endpoint.v1.decode(data, 0)
        if packet.type == kind and not packet.flags & FLAG_ACK and at >= start:
            found.append(round(at - start, 6))
    return found


def test_without_a_round_trip_the_schedule_is_the_setting() -> None:
    pair = Pair(settings=transport(resend_timeout=1.5, resend_limit=3))
    _, server = pair.connect()
    start = pair.network.now
    mute(pair)
    server.send(b"lost")
    pair.network.run(20)
    assert times_sent(pair, start) == [0.0, 1.5, 3.0, 4.5]
    assert pair.server.closed() == [CloseReason.TIMEOUT]


def test_it_gives_up_exactly_after_the_last_resend_timeout() -> None:
    pair = Pair(settings=transport(resend_timeout=1.5, resend_limit=3, ping_timeout=60))
    _, server = pair.connect()
    mute(pair)
    server.send(b"lost")
    pair.network.run(5.999)
    assert server.open
    pair.network.run(0.002)
    assert not server.open
    assert len(pair.server_endpoint) == 0


def test_with_a_limit_of_zero_one_send_must_do() -> None:
    pair = Pair(settings=transport(resend_timeout=5.0, resend_limit=0, ping_timeout=60))
    _, server = pair.connect()
    start = pair.network.now
    mute(pair)
    server.send(b"lost")
    pair.network.run(4.9)
    assert server.open
    pair.network.run(0.2)
    assert pair.server.closed() == [CloseReason.TIMEOUT]
    assert times_sent(pair, start) == [0.0]


def test_a_short_round_trip_makes_resends_faster_and_none_slower() -> None:
    pair = Pair(weather=Weather(delay=(0.02, 0.03)))
    _, server = pair.connect()
    for _ in range(10):
        server.send(b"measured")
        pair.network.run(0.1)
    start = pair.network.now
    mute(pair)
    server.send(b"lost")
    pair.network.run(10)
    times = times_sent(pair, start)
    assert times[:3] == pytest.approx([0.0, MINIMUM_TIMEOUT, MINIMUM_TIMEOUT * 3])
    assert {0.0, 1.0, 2.0} <= set(times)
    assert len(times) > 3
    assert max(times) < 3.0
    closing = times_sent(pair, start, kind=3)
    assert closing == [3.0, 3.0, 3.0]


def test_a_long_round_trip_makes_nothing_slower() -> None:
    pair = Pair(weather=Weather(delay=(0.9, 0.9)), settings=transport(resend_limit=10))
    _, server = pair.connect()
    start = pair.network.now
    server.send(b"slow")
    pair.network.run(1.7)
    assert times_sent(pair, start) == [0.0, 1.0]
    pair.network.run(5)
    assert len(times_sent(pair, start)) == 2


def test_after_a_stall_the_peer_still_gets_its_regular_sends() -> None:
    pair = Pair()
    client, server = pair.connect()
    mute(pair)
    start = pair.network.now
    server.send(b"lost")
    pair.network.run(0.5)
    pair.network.stall(1000)
    pair.network.run(1.9)
    assert server.open
    assert len(times_sent(pair, start)) == 3
    pair.network.run(0.2)
    assert pair.server.closed() == [CloseReason.TIMEOUT]
    assert client.open


def test_after_a_stall_an_acknowledgement_saves_the_connection() -> None:
    pair = Pair()
    _, server = pair.connect()
    server.send(b"arrives")
    pair.network.run(0.0)
    pair.network.stall(1000)
    pair.network.run(2)
    assert server.open


def test_faster_resends_do_not_use_up_the_limit() -> None:
    """A line that loses everything for 2.9 s costs no connection."""
    pair = Pair(weather=Weather(delay=(0.001, 0.002)))
    node = pair.client()
    _, server = pair.connect(node)
    for _ in range(10):
        server.send(b"measured")
        pair.network.run(0.01)
    start = pair.network.now
    pair.network.filter = lambda data, target: pair.network.now > start + 1.9
    server.send(b"late")
    pair.network.run(5)
    assert node.messages()[-1] == b"late"
    assert server.open


def test_a_line_that_becomes_slow_is_not_flooded() -> None:
    """Every console of a busy machine gets slow at once: sending all twice would keep it so."""
    pair = Pair(weather=Weather(delay=(0.001, 0.001)))
    _, server = pair.connect()
    for _ in range(20):
        server.send(b"fast")
        pair.network.run(0.1)
    pair.network.weather = Weather(delay=(0.25, 0.3))
    for _ in range(3):
        server.send(b"slow")
        pair.network.run(1.0)
    start = pair.network.now
    for _ in range(20):
        server.send(b"slow")
        pair.network.run(1.0)
    assert len(times_sent(pair, start)) == 20


def test_no_sample_is_taken_of_a_packet_that_was_sent_twice() -> None:
    pair = Pair()
    _, server = pair.connect()
    start = pair.network.now
    pair.network.filter = lambda data, target: pair.network.now > start + 0.5
    server.send(b"lost once")
    pair.network.run(3)
    assert server.rtt is None


def test_resends_back_off_until_something_arrives_at_once() -> None:
    rtt = RoundTrip()
    rtt.sample(0.01)
    rtt.back_off(10.0, 1.0)
    assert rtt.timeout(1.0) == 2 * MINIMUM_TIMEOUT
    rtt.back_off(10.1, 1.0)
    assert rtt.timeout(1.0) == 2 * MINIMUM_TIMEOUT
    for at in (11.0, 12.0, 13.0, 14.0):
        rtt.back_off(at, 1.0)
    assert rtt.timeout(1.0) == 1.0
    rtt.sample(0.01)
    assert rtt.timeout(1.0) == MINIMUM_TIMEOUT


@pytest.mark.parametrize("seed", range(6))
def test_a_lossy_line_keeps_its_fast_resends(seed: int) -> None:
    """A tenth of all packets lost each way; waiting a second for each would take far longer."""
    pair = Pair(
        seed=seed,
        weather=Weather(loss=0.1, delay=(0.01, 0.02)),
        settings=transport(resend_limit=5),
    )
    node = pair.client()
    _, server = pair.connect(node)
    start = pair.network.now
    for _ in range(40):
        server.send(bytes(2600))
        pair.network.run(0.25)
    pair.network.run_until(lambda: len(node.messages()) == 40)
    assert pair.network.now - start < 15
    assert server.open


@settings(max_examples=200)
@given(
    samples=st.lists(st.floats(0, 10), max_size=10),
    ceiling=st.floats(0.01, 10),
)
def test_the_estimate_never_exceeds_the_setting(samples: list[float], ceiling: float) -> None:
    rtt = RoundTrip()
    for sample in samples:
        rtt.sample(sample)
    assert 0 < rtt.timeout(ceiling) <= ceiling


@settings(max_examples=200)
@given(
    timeout=st.floats(0.05, 10),
    limit=st.integers(0, 10),
    fast=st.floats(0.01, 20),
    waits=st.lists(st.floats(0, 30), min_size=1, max_size=60),
)
def test_a_packet_is_given_up_for_good_reasons_only(
    timeout: float, limit: int, fast: float, waits: list[float]
) -> None:
    now = 100.0
    sent = Sent(DATA, b"", now, timeout, fast)
    sends = 1
    for wait in waits:
        now = max(now + wait, sent.due_at())
        assert sent.due_at() <= sent.regular_at < NEVER
        if not sent.resend(now, timeout, limit):
            assert now >= 100.0 + timeout * (limit + 1) - 1e-6
            assert sends >= limit + 1
            return
        sends += 1
        assert sent.due_at() > now
        assert sent.regular_at <= now + timeout


def test_a_dead_peer_with_data_under_way_is_closed_once() -> None:
    pair = Pair()
    _, server = pair.connect()
    mute(pair)
    for index in range(100):
        server.send(b"%d" % index, 0)
    pair.network.run(100)
    assert pair.server.closed() == [CloseReason.TIMEOUT]
    assert len(pair.server_endpoint) == 0
    assert pair.server_endpoint.next_timer is None
    assert pair.server_endpoint._per_host == {}


def test_the_server_does_not_answer_a_client_that_gives_up() -> None:
    pair = Pair()
    node = pair.client()
    pair.network.filter = lambda data, target: target != SERVER
    connection = pair.start(node)
    pair.network.run(2.9)
    assert node.closed() == []
    pair.network.run(0.2)
    assert node.closed() == [CloseReason.REFUSED]
    assert len(node.sent) == 3
    assert len(node.endpoint) == 0
    assert not connection.open


@pytest.mark.parametrize("step", [1, 2, 3, 4])
def test_a_handshake_survives_the_loss_of_any_packet(step: int) -> None:
    pair = Pair()
    node = pair.client()
    count = 0

    def lose_one(data: bytes, target: Address) -> bool:
        nonlocal count
        count += 1
        return count != step

    pair.network.filter = lose_one
    client, server = pair.connect(node)
    client.send(b"hello")
    pair.network.run(0.1)
    assert pair.server.messages() == [b"hello"]
    assert pair.server.opened() == [server]
    assert len(node.opened()) == 1
