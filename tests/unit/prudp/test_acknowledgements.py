"""What acknowledges what: single and aggregate acknowledgements, and a reader that pauses."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.prudp.connection import Connection
from nekonex.prudp.constants import DATA, DISCONNECT, FLAG_ACK, FLAG_MULTI_ACK, PING
from nekonex.prudp.events import Message
from nekonex.prudp.limits import DropReason, Limits
from nekonex.prudp.packet import Packet
from tests.support.console import Console
from tests.support.link import Pair, Weather
from tests.support.transport import preset_numbers, transport

versions = pytest.mark.parametrize("version", [0, 1])


def console_of(
    *, first: int = 1, count: int = 0, substream: int = 0, version: int = 1
) -> tuple[Console, Connection, list[Packet]]:
    """Return a connected console, and the packets that the server sent it from number *first*."""
    pair = Pair(settings=transport(version=version, max_substream_id=1 if version else 0))
    console = Console(pair, version=version)
    console.offer = console.offer._replace(max_substream_id=1 if version else 0)
    console.connect()
    connection = pair.server_endpoint.all_of(0xA1)[0]
    connection.sender(substream).next = first
    for index in range(count):
        connection.send(b"%d" % index, substream)
    packets = [console.read(data) for data, _ in pair.server_endpoint.take_output()]
    return console, connection, packets


def unacknowledged(connection: Connection, substream: int = 0) -> list[int]:
    return list(connection.sender(substream).unacknowledged)


# -- single -------------------------------------------------------------------


@versions
def test_each_acknowledgement_is_for_one_packet(version: int) -> None:
    console, connection, packets = console_of(first=65534, count=4, version=version)
    console.acknowledge(packets[1])
    assert unacknowledged(connection) == [65534, 0, 1]
    console.acknowledge(packets[1])
    console.acknowledge(packets[3])
    assert unacknowledged(connection) == [65534, 0]


@pytest.mark.parametrize("kind", [PING, DISCONNECT])
def test_an_acknowledgement_of_another_type_is_not_for_data(kind: int) -> None:
    console, connection, packets = console_of(count=1)
    console.acknowledge(packets[0], kind=kind)
    assert unacknowledged(connection) == [1]


def test_an_acknowledgement_of_another_substream_is_not_for_this_one() -> None:
    console, connection, packets = console_of(count=1)
    console.acknowledge(packets[0]._replace(substream_id=1))
    assert unacknowledged(connection) == [1]


@versions
def test_an_acknowledgement_says_what_it_is_for(version: int) -> None:
    console, _, _ = console_of(version=version)
    (answer,) = console.send(2, b"x", fragment=7)
    assert (answer.type, answer.flags) == (DATA, FLAG_ACK)
    assert (answer.sequence_id, answer.fragment_id, answer.payload) == (2, 7, b"")
    assert console.send(2, b"x", fragment=7) == [answer]
    assert console.send(1, b"x") != []


def test_a_packet_beyond_the_window_is_neither_kept_nor_acknowledged() -> None:
    console, connection, _ = console_of()
    connection.receiver(0).next = 65535
    window = connection.host.limits.window
    beyond = (65535 + window) & 0xFFFF
    assert console.send(beyond, b"x") == []
    assert console.send((beyond - 1) & 0xFFFF, b"x")
    assert console.endpoint.drops == {DropReason.OUT_OF_WINDOW: 1}


def test_the_session_id_of_another_connection_acknowledges_nothing() -> None:
    console, connection, packets = console_of(count=1)
    console.session_id ^= 1
    console.acknowledge(packets[0])
    assert unacknowledged(connection) == [1]
    assert console.endpoint.drops == {DropReason.BAD_SESSION_ID: 1}


# -- aggregate ----------------------------------------------------------------


def aggregate(
    console: Console, payload: bytes, *, number: int = 0, substream: int = 0, kind: int = DATA
) -> None:
    assert (
        console.exchange(
            console.packet_bytes(kind, number, payload, flags=FLAG_MULTI_ACK, substream=substream)
        )
        == []
    )


def new_format(substream: int, base: int, *extra: int) -> bytes:
    return struct.pack(f"<BBH{len(extra)}H", substream, len(extra), base, *extra)


@given(
    first=st.integers(65500, 65535),
    upto=st.integers(-3, 12),
    extra=st.sets(st.integers(0, 12)),
    old=st.booleans(),
    substream=st.integers(0, 1),
)
@settings(max_examples=150)
def test_an_aggregate_acknowledges_up_to_its_base_and_its_extras(
    first: int, upto: int, extra: set[int], old: bool, substream: int
) -> None:
    if old:
        substream = 0
    console, connection, _ = console_of(first=first, count=10, substream=substream)
    base = (first + upto) & 0xFFFF
    extras = [(first + each) & 0xFFFF for each in extra]
    if old:
        aggregate(console, struct.pack(f"<{len(extras)}H", *extras), number=base)
    else:
        aggregate(console, new_format(substream, base, *extras), substream=1)
    left = [index for index in range(10) if index > upto and index not in extra]
    assert unacknowledged(connection, substream) == [(first + index) & 0xFFFF for index in left]


def test_an_aggregate_acknowledges_data_only() -> None:
    console, connection, _ = console_of(count=1)
    connection.disconnect()
    console.endpoint.take_output()
    aggregate(console, new_format(0, 2), substream=1)
    assert unacknowledged(connection) == [2]
    assert len(console.endpoint) == 1


def test_an_aggregate_lets_what_waits_be_sent() -> None:
    pair = Pair(limits=Limits(window=2))
    console = Console(pair)
    console.connect()
    connection = pair.server_endpoint.all_of(0xA1)[0]
    connection.sender(0).next = 65535
    for index in range(5):
        connection.send(b"%d" % index)
    assert len(pair.server_endpoint.take_output()) == 2
    data = console.packet_bytes(DATA, 0, new_format(0, 0), flags=FLAG_MULTI_ACK, substream=1)
    assert [console.read(each).sequence_id for each in console.exchange(data)] == [1, 2]


@pytest.mark.parametrize(
    ("payload", "substream", "kind"),
    [
        (b"\0", 0, DATA),
        (b"", 1, DATA),
        (b"\0\0", 1, DATA),
        (b"\0\1\5\0", 1, DATA),
        (b"\0\0\5\0\1\0", 1, DATA),
        (b"\0\0\5\0", 2, DATA),
        (b"\0\0\5\0", 1, PING),
    ],
)
def test_an_aggregate_that_cannot_be_right(payload: bytes, substream: int, kind: int) -> None:
    console, connection, _ = console_of(count=3)
    aggregate(console, payload, number=9, substream=substream, kind=kind)
    assert unacknowledged(connection) == [1, 2, 3]
    assert console.endpoint.drops == {DropReason.BAD_AGGREGATE_ACK: 1}


@pytest.mark.parametrize("substream", [1, 2, 255])
def test_an_aggregate_for_a_substream_without_packets_changes_nothing(substream: int) -> None:
    console, connection, _ = console_of(count=3)
    aggregate(console, new_format(substream, 9), substream=1)
    assert unacknowledged(connection) == [1, 2, 3]
    assert len(connection.senders) == 1


def test_an_aggregate_of_an_old_base_acknowledges_nothing() -> None:
    console, connection, _ = console_of(first=65530, count=8)
    for base in (65529, 65000, 40000):
        aggregate(console, new_format(0, base), substream=1)
    assert len(unacknowledged(connection)) == 8


# -- pausing ------------------------------------------------------------------


def messages(console: Console) -> list[bytes]:
    return [event.data for event in console.events if isinstance(event, Message)]


def test_a_paused_connection_acknowledges_no_new_data_and_loses_nothing() -> None:
    console, connection, _ = console_of()
    connection.receiver(0).next = 65534
    assert console.send(65535, b"early")
    connection.pause_reading()
    assert console.send(65534, b"next") == []
    assert console.send(0, b"later") == []
    # Acknowledged before: acknowledged again.
    assert len(console.send(65535, b"early")) == 1
    assert len(console.send(65533, b"old")) == 1
    assert messages(console) == []
    assert console.endpoint.drops[DropReason.RECEIVER_FULL] == 2
    connection.resume_reading()
    assert len(console.send(65534, b"next")) == 1
    assert len(messages(console)) == 2
    assert console.send(0, b"later")
    assert len(messages(console)) == 3


def test_a_paused_connection_takes_acknowledgements_and_goodbyes() -> None:
    console, connection, packets = console_of(count=2)
    connection.pause_reading()
    console.acknowledge(packets[0])
    assert unacknowledged(connection) == [2]
    assert len(console.disconnect(2)) == 3
    assert not connection.open


@settings(max_examples=25)
@given(seed=st.integers(0, 2**32))
def test_pausing_at_random_loses_and_doubles_nothing(seed: int) -> None:
    pair = Pair(seed=seed, settings=transport(resend_limit=100, fragment_size=50))
    client, server = pair.connect()
    preset_numbers(client, server, 65530)
    pair.network.weather = Weather(loss=0.1, duplication=0.2, delay=(0.0, 0.2))
    sent = [b"%d " % index * 30 for index in range(30)]
    for data in sent:
        client.send(data)
    while len(pair.server.messages()) < len(sent):
        server.pause_reading()
        pair.network.run(pair.network.random.uniform(0, 2))
        server.resume_reading()
        pair.network.run(pair.network.random.uniform(0, 0.3))
    pair.network.run(2)
    assert pair.server.messages() == sent
