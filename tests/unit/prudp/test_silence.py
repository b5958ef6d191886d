"""Peers that say nothing: pinged, heard again, or found dead."""

from __future__ import annotations

import pytest

from nekonex.prudp.constants import DATA, FLAG_NEED_ACK, FLAG_RELIABLE, PING
from nekonex.prudp.limits import CloseReason
from tests.support.console import Console
from tests.support.link import Node, Pair, Weather
from tests.support.transport import preset_numbers, transport


def pings(pair: Pair, node: Node) -> list[float]:
    """Return when a node sent a PING that wants an answer."""
    found = []
    for at, data, _ in node.sent:
        packet, _ = pair.server_endpoint.v1.decode(data, 0)
        if packet.type == PING and packet.flags & FLAG_NEED_ACK:
            assert not packet.flags & FLAG_RELIABLE
            found.append(at)
    return found


def test_silent_peers_ping_each_other_and_stay() -> None:
    pair = Pair()
    node = pair.client()
    client, server = pair.connect(node)
    start = pair.network.now
    pair.network.run(60)
    assert client.open
    assert server.open
    assert 8 <= len(pings(pair, pair.server)) + len(pings(pair, node)) <= 30
    assert min(pings(pair, pair.server) + pings(pair, node)) >= start + 4.9
    assert server.sender(0).next == 1
    assert client.sender(0).next == 2
    client.send(b"still here")
    pair.network.run(1)
    assert pair.server.messages() == [b"still here"]


def test_a_talking_peer_is_not_pinged() -> None:
    pair = Pair()
    client, _ = pair.connect()
    for _ in range(30):
        client.send(b"talk")
        pair.network.run(1)
    assert pings(pair, pair.server) == []


def test_a_dead_peer_is_found_and_closed_once() -> None:
    pair = Pair()
    _, server = pair.connect()
    start = pair.network.now
    pair.network.filter = lambda data, target: False
    pair.network.run(7.9)
    assert server.open
    assert [round(at - start, 1) for at in pings(pair, pair.server)] == [5.0, 6.0, 7.0]
    pair.network.run(0.2)
    assert pair.server.closed() == [CloseReason.TIMEOUT]
    pair.network.run(100)
    assert pair.server.closed() == [CloseReason.TIMEOUT]
    assert len(pair.server_endpoint) == 0


def test_a_title_that_loads_for_long_is_waited_for() -> None:
    pair = Pair(settings=transport(silence_timeout=30.0))
    _, server = pair.connect()
    pair.network.filter = lambda data, target: False
    pair.network.run(29.9)
    assert server.open
    pair.network.run(2)
    assert pair.server.closed() == [CloseReason.TIMEOUT]


@pytest.mark.parametrize(
    ("ping_timeout", "resend_timeout", "resend_limit"),
    [(0.2, 1.0, 2), (5.0, 1.0, 2), (5.0, 5.0, 0), (3.0, 5.0, 0), (1.0, 1.0, 0), (1.0, 10.0, 1)],
)
def test_an_idle_peer_that_answers_is_never_given_up(
    ping_timeout: float, resend_timeout: float, resend_limit: int
) -> None:
    pair = Pair(
        settings=transport(
            ping_timeout=ping_timeout, resend_timeout=resend_timeout, resend_limit=resend_limit
        )
    )
    client, server = pair.connect()
    pair.network.run(200)
    assert client.open
    assert server.open


def test_pings_that_were_answered_do_not_count_after_a_stall() -> None:
    pair = Pair()
    client, server = pair.connect()
    dark = pair.network.now
    pair.network.filter = lambda data, target: pair.network.now > dark + 6.9
    pair.network.run(7.5)
    assert server.open
    assert len(pings(pair, pair.server)) == 3
    pair.network.stall(60)
    pair.network.run(20)
    assert server.open
    assert client.open


def test_a_silent_peer_that_loses_most_answers_is_kept() -> None:
    pair = Pair(seed=3, weather=Weather(delay=(0.01, 0.05)))
    client, server = pair.connect()
    pair.network.weather = Weather(loss=0.2, delay=(0.01, 0.05))
    pair.network.run(100)
    assert client.open
    assert server.open


def test_ping_numbers_wrap_and_touch_no_substream() -> None:
    pair = Pair(settings=transport(ping_timeout=0.5))
    client, server = pair.connect()
    client.ping_number = server.ping_number = 65534
    pair.network.run(10)
    assert client.ping_number < 100
    client.send(b"hello")
    pair.network.run(1)
    assert pair.server.messages() == [b"hello"]


def test_pings_are_answered_while_nothing_is_read() -> None:
    pair = Pair()
    console = Console(pair)
    console.connect()
    connection = pair.server_endpoint.all_of(0xA1)[0]
    connection.pause_reading()
    (answer,) = console.ping(77)
    assert (answer.type, answer.sequence_id) == (PING, 77)
    assert console.send(2, b"not now") == []


def test_a_reliable_ping_takes_its_place_in_the_order() -> None:
    """NintendoClients sends its pings so."""
    pair = Pair()
    console = Console(pair)
    console.connect()
    connection = pair.server_endpoint.all_of(0xA1)[0]
    connection.receiver(0).next = 65535
    assert console.send(0, b"second")
    assert console.events[1:] == []
    (answer,) = console.ping(65535, flags=FLAG_RELIABLE | FLAG_NEED_ACK)
    assert (answer.type, answer.sequence_id) == (PING, 65535)
    assert len(console.events) == 2
    assert console.send(1, b"third")
    assert len(console.events) == 3
    assert DATA not in {packet.type for packet in console.ping(65535, flags=6)}


def test_presetting_numbers_is_no_trick_of_the_tests() -> None:
    """The helper that the wrap tests use leaves a working connection."""
    pair = Pair()
    client, server = pair.connect()
    preset_numbers(client, server, 65535)
    client.send(b"a")
    client.send(b"b")
    pair.network.run(1)
    assert pair.server.messages() == [b"a", b"b"]
    assert client.sender(0).next == 1


def test_timers_do_not_pile_up() -> None:
    pair = Pair(weather=Weather(delay=(0.001, 0.05)))
    client, server = pair.connect()
    for _ in range(1000):
        client.send(b"request")
        server.send(b"reply")
        pair.network.run(0.03)
        assert len(pair.server_endpoint._timers) < 40


def test_a_title_that_may_be_silent_is_not_given_up_for_its_data_either() -> None:
    settings = transport(resend_timeout=1.0, resend_limit=2, silence_timeout=20.0)
    pair = Pair(settings=settings)
    _, server = pair.connect()
    pair.network.run(1)
    pair.network.filter = lambda data, target: False
    server.send(b"while it loads")
    pair.network.run(18)
    assert server.open
    pair.network.run(10)
    assert pair.server.closed() == [CloseReason.TIMEOUT]
