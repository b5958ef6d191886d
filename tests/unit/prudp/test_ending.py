"""The ways a connection ends. Each makes exactly one Closed and leaves nothing behind."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.prudp.base import Address
from nekonex.prudp.connection import Connection, ConnectionClosedError
from nekonex.prudp.constants import (
    DATA,
    DISCONNECT,
    FLAG_ACK,
    FLAG_HAS_SIZE,
    FLAG_NEED_ACK,
    FLAG_RELIABLE,
)
from nekonex.prudp.events import Closed
from nekonex.prudp.limits import CloseReason, DropReason, Limits
from tests.support.console import Console
from tests.support.link import SERVER, Pair, Weather
from tests.support.transport import preset_numbers, transport

versions = pytest.mark.parametrize("version", [0, 1])


def kind_of(pair: Pair, data: bytes) -> tuple[int, int]:
    codec = pair.server_endpoint.v0 if pair.settings.version == 0 else pair.server_endpoint.v1
    packet, _ = codec.decode(data, 0)
    return packet.type, packet.flags


def assert_nothing_is_left(pair: Pair) -> None:
    pair.network.run(60)
    for node in pair.network.nodes.values():
        assert len(node.endpoint) == 0
        assert node.endpoint.next_timer is None
    assert pair.server_endpoint._per_host == {}


@versions
def test_a_goodbye_is_acknowledged_three_times(version: int) -> None:
    pair = Pair(settings=transport(version=version))
    node = pair.client()
    client, server = pair.connect(node)
    client.disconnect()
    assert not client.open
    pair.network.run(0.1)
    acks = [data for _, data, _ in pair.server.sent if kind_of(pair, data) == (DISCONNECT, 1)]
    assert len(acks) == 3
    assert node.closed() == [CloseReason.LOCAL]
    assert pair.server.closed() == [CloseReason.PEER]
    assert not server.open
    assert_nothing_is_left(pair)
    assert (node.closed(), pair.server.closed()) == ([CloseReason.LOCAL], [CloseReason.PEER])


@versions
def test_a_goodbye_whose_acknowledgements_are_lost_is_answered_again(version: int) -> None:
    pair = Pair(settings=transport(version=version))
    node = pair.client()
    client, _ = pair.connect(node)
    start = pair.network.now
    pair.network.filter = lambda data, target: target == SERVER or pair.network.now > start + 1.5
    client.disconnect()
    pair.network.run_until(lambda: len(node.endpoint) == 0)
    assert pair.network.now - start == pytest.approx(2.02)
    assert len(pair.server_endpoint) == 1
    pair.network.run(0.1)
    assert pair.server.closed() == [CloseReason.PEER]
    assert_nothing_is_left(pair)


def test_a_lingering_connection_answers_goodbyes_only() -> None:
    pair = Pair()
    console = Console(pair)
    console.connect()
    assert len(console.disconnect(2)) == 3
    assert len(console.disconnect(2)) == 3
    assert console.send(3, b"after the end") == []
    assert console.ping(9) == []
    assert [event for event in console.events if isinstance(event, Closed)] == [console.events[-1]]
    assert pair.server_endpoint.drops == {DropReason.NOT_ACCEPTING: 2}
    pair.network.run(2.9)
    assert len(pair.server_endpoint) == 1
    pair.network.run(0.2)
    assert len(pair.server_endpoint) == 0


def test_a_connect_repeated_after_the_goodbye_opens_nothing() -> None:
    pair = Pair()
    console = Console(pair)
    console.connect()
    console.disconnect(2)
    assert console.exchange(console.connect_bytes()) == []
    assert pair.server_endpoint.drops == {DropReason.NOT_ACCEPTING: 1}


def test_a_console_that_comes_back_at_once_finds_room() -> None:
    pair = Pair()
    console = Console(pair)
    console.connect()
    console.disconnect(2)
    console.session_id += 1
    console.connect()
    assert len(pair.server_endpoint) == 1
    assert sum(isinstance(event, Closed) for event in console.events) == 1


@versions
def test_what_was_sent_before_a_goodbye_arrives_before_it(version: int) -> None:
    pair = Pair(
        seed=5,
        weather=Weather(loss=0.2, delay=(0.0, 0.3)),
        settings=transport(version=version, resend_limit=30),
        limits=Limits(window=4),
    )
    client, server = pair.connect()
    preset_numbers(client, server, 65534)
    sent = [b"last words %d" % index for index in range(40)]
    for data in sent:
        client.send(data)
    client.disconnect()
    with pytest.raises(ConnectionClosedError):
        client.send(b"too late")
    pair.network.run_until(lambda: bool(pair.server.closed()))
    assert pair.server.messages() == sent
    assert pair.server.closed() == [CloseReason.PEER]
    assert_nothing_is_left(pair)


def test_a_goodbye_that_overtakes_data_waits_for_it() -> None:
    pair = Pair()
    console = Console(pair)
    console.connect()
    connection = pair.server_endpoint.all_of(0xA1)[0]
    connection.receiver(0).next = 65535
    assert console.disconnect(1) == []
    assert connection.open
    assert [packet.sequence_id for packet in console.send(0, b"b")] == [0]
    answers = console.send(65535, b"a")
    assert [(packet.type, packet.sequence_id) for packet in answers] == [
        (DATA, 65535),
        (DISCONNECT, 1),
        (DISCONNECT, 1),
        (DISCONNECT, 1),
    ]
    assert [type(event).__name__ for event in console.events] == [
        "Opened", "Message", "Message", "Closed",
    ]  # fmt: skip


def test_a_goodbye_that_the_network_doubles_still_waits_for_data() -> None:
    """Two copies of one packet are not two goodbyes."""
    pair = Pair()
    console = Console(pair)
    console.connect()
    assert console.disconnect(3) == []
    assert console.disconnect(3) == []
    assert console.send(2, b"here it is")
    assert [type(event).__name__ for event in console.events] == ["Opened", "Message", "Closed"]


def test_a_goodbye_that_is_repeated_is_taken_whatever_is_missing() -> None:
    pair = Pair()
    console = Console(pair)
    console.connect()
    assert console.disconnect(3) == []
    pair.network.now += 1.0
    assert len(console.disconnect(3)) == 3
    assert isinstance(console.events[-1], Closed)


@versions
def test_closing_by_force_says_goodbye_three_times_and_waits_for_nothing(version: int) -> None:
    pair = Pair(settings=transport(version=version))
    node = pair.client()
    client, server = pair.connect(node)
    known = len(pair.server.sent)
    server.send(b"unanswered")
    server.close()
    assert not server.open
    pair.network.run(0.1)
    goodbyes = [data for _, data, _ in pair.server.sent[known:]][1:]
    assert [kind_of(pair, data) for data in goodbyes] == [(DISCONNECT, 0)] * 3
    assert pair.server.closed() == [CloseReason.LOCAL]
    assert node.closed() == [CloseReason.PEER]
    assert len(pair.server_endpoint) == 0
    assert not client.open
    assert_nothing_is_left(pair)
    assert node.closed() == [CloseReason.PEER]


def test_both_may_say_goodbye_at_once() -> None:
    for seed in range(20):
        pair = Pair(seed=seed)
        node = pair.client()
        client, server = pair.connect(node)
        pair.network.weather = Weather(loss=0.4, duplication=0.3, delay=(0.0, 0.5))
        client.disconnect()
        server.disconnect()
        pair.network.run(30)
        assert node.closed() == [CloseReason.LOCAL]
        assert pair.server.closed() == [CloseReason.LOCAL]
        assert_nothing_is_left(pair)


ENDINGS: dict[str, Callable[[Connection], None]] = {
    "disconnect": Connection.disconnect,
    "close": Connection.close,
    "replace": Connection.replace,
}


@pytest.mark.parametrize("first", ENDINGS)
@pytest.mark.parametrize("second", ENDINGS)
@pytest.mark.parametrize("pause", [0.0, 0.1])
def test_ending_twice_is_ending_once(first: str, second: str, pause: float) -> None:
    pair = Pair()
    _, server = pair.connect()
    ENDINGS[first](server)
    pair.network.run(pause)
    ENDINGS[second](server)
    pair.network.run(20)
    assert len(pair.server.closed()) == 1
    with pytest.raises(ConnectionClosedError):
        server.send(b"x")
    with pytest.raises(ConnectionClosedError):
        server.send_unreliable(b"x")
    assert_nothing_is_left(pair)


def test_a_goodbye_to_nobody_ends_after_its_resends() -> None:
    pair = Pair()
    _, server = pair.connect()
    pair.network.filter = lambda data, target: False
    server.disconnect()
    assert pair.server.closed() == []
    pair.network.run(2.9)
    assert len(pair.server_endpoint) == 1
    pair.network.run(0.2)
    assert pair.server.closed() == [CloseReason.LOCAL]
    assert len(pair.server_endpoint) == 0


def test_a_client_may_give_up_its_handshake() -> None:
    pair = Pair()
    node = pair.client()
    connection = pair.start(node)
    connection.close()
    pair.network.run(10)
    assert node.closed() == [CloseReason.REFUSED]
    assert node.opened() == []
    assert pair.server.opened() == []
    assert len(node.endpoint) == 0


def test_an_unreliable_goodbye_on_its_way_out_of_order_is_final() -> None:
    pair = Pair()
    console = Console(pair)
    console.connect()
    for _ in range(3):
        assert console.exchange(console.packet_bytes(DISCONNECT, 0, flags=0)) == []
    assert [type(event).__name__ for event in console.events] == ["Opened", "Closed"]


def test_while_saying_goodbye_a_connection_still_takes_acknowledgements() -> None:
    pair = Pair(limits=Limits(window=1))
    node = pair.client()
    _, server = pair.connect(node)
    for index in range(5):
        server.send(b"%d" % index)
    server.disconnect()
    pair.network.run(1)
    assert node.messages() == [b"0", b"1", b"2", b"3", b"4"]
    assert node.closed() == [CloseReason.PEER]


@pytest.mark.parametrize("kind", [DATA, 4])
def test_an_acknowledgement_of_something_else_does_not_end_a_goodbye(kind: int) -> None:
    pair = Pair()
    console = Console(pair)
    console.connect()
    connection = pair.server_endpoint.all_of(0xA1)[0]
    connection.disconnect()
    ((data, _),) = pair.server_endpoint.take_output()
    goodbye = console.read(data)
    assert goodbye.flags == FLAG_RELIABLE | FLAG_NEED_ACK
    console.acknowledge(goodbye, kind=kind)
    assert len(pair.server_endpoint) == 1
    console.acknowledge(goodbye)
    assert len(pair.server_endpoint) == 0


def test_data_of_a_closed_connection_is_nobodys() -> None:
    pair = Pair()
    address: Address = ("203.0.113.9", 9)
    console = Console(pair, address=address)
    console.connect()
    pair.server_endpoint.all_of(0xA1)[0].close()
    pair.server_endpoint.take_output()
    assert console.send(2, b"x") == []
    assert console.exchange(console.packet_bytes(DATA, 2, flags=FLAG_ACK | FLAG_HAS_SIZE)) == []
    assert pair.server_endpoint.drops == {DropReason.UNKNOWN_CONNECTION: 2}


@pytest.mark.parametrize("version", [0, 1])
def test_a_peer_that_goes_on_talking_does_not_cut_a_goodbye_short(version: int) -> None:
    """What it sends is acknowledged, though nobody reads it: or it gives up before the end."""
    pair = Pair(
        seed=2,
        weather=Weather(loss=0.1, delay=(0.4, 0.5)),
        settings=transport(version=version, resend_limit=10),
        limits=Limits(window=1),
    )
    node = pair.client()
    client, server = pair.connect(node)
    sent = [b"last words %d" % index for index in range(30)]
    for data in sent:
        client.send(data)
    client.disconnect()
    server.send(b"unheard")
    server.send(b"unheard too")
    pair.network.run_until(lambda: bool(pair.server.closed()))
    assert pair.server.messages() == sent
    assert pair.server.closed() == [CloseReason.PEER]
    assert node.messages() == []
    assert_nothing_is_left(pair)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32), window=st.sampled_from((2, 64)), wait=st.sampled_from((0, 1, 9)))
def test_everything_arrives_before_a_goodbye_in_any_weather(
    seed: int, window: int, wait: float
) -> None:
    rng = random.Random(seed)
    pair = Pair(
        seed=seed,
        settings=transport(resend_limit=40, fragment_size=100, version=rng.randrange(2)),
        limits=Limits(window=window),
    )
    node = pair.client()
    client, server = pair.connect(node)
    pair.network.run(0.5)
    preset_numbers(client, server, 65530)
    preset_numbers(server, client, 65520)
    pair.network.weather = Weather(0.2, 0.3, (0.0, rng.choice((0.01, 0.2, 1.5))))
    sent = [rng.randbytes(rng.randrange(400)) for _ in range(20)]
    for data in sent:
        client.send(data)
        server.send(data)
    pair.network.run(wait)
    client.disconnect()
    pair.network.run(400)
    assert pair.server.messages() == sent
    assert node.messages() == sent[: len(node.messages())]
    assert (node.closed(), pair.server.closed()) == ([CloseReason.LOCAL], [CloseReason.PEER])
    assert_nothing_is_left(pair)


def test_a_goodbye_waits_for_the_data_of_every_substream() -> None:
    pair = Pair(
        seed=11,
        weather=Weather(loss=0.3, delay=(0.0, 0.3)),
        settings=transport(max_substream_id=1, resend_limit=30),
        limits=Limits(window=4),
    )
    client, _ = pair.connect()
    sent = [b"last words %d" % index for index in range(30)]
    for data in sent:
        client.send(data, 1)
    client.disconnect()
    pair.network.run_until(lambda: bool(pair.server.closed()))
    assert pair.server.messages(1) == sent
    assert_nothing_is_left(pair)
