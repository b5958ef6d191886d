"""Hostile datagrams: nothing raises, nothing grows, and nobody is sent more than they sent."""

from __future__ import annotations

import functools
import random
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.prudp.base import Address, State
from nekonex.prudp.connection import Connection
from nekonex.prudp.constants import FLAG_MULTI_ACK
from nekonex.prudp.events import Closed, Opened
from nekonex.prudp.limits import DropReason
from nekonex.prudp.server import ServerEndpoint
from tests.support.console import Console, login_payload
from tests.support.fuzz import CONSOLES, fuzz, populated_pair, recorded_packets
from tests.support.link import EPOCH, Pair
from tests.support.transport import SERVER_KEY, credentials, transport

DATAGRAMS = 150_000
STRANGER: Address = ("198.51.100.99", 9)


@functools.cache
def packets() -> list[bytes]:
    return recorded_packets(seed=77)


def snapshot(endpoint: ServerEndpoint) -> dict[str, Any]:
    """Return all that may grow in an endpoint."""
    connections = list(endpoint._connections.values())
    return {
        "connections": len(endpoint),
        "timers": len(endpoint._timers),
        "addresses": dict(endpoint._per_host),
        "rates": (len(endpoint._rate), len(endpoint._legacy_rate)),
        "replays": [len(gate._replays) for gate in endpoint._ports.values()],
        "states": [connection.state for connection in connections],
        "numbers": [
            (side.next, len(getattr(side, "waiting", None) or ()))
            for connection in connections
            for side in (*connection.receivers, *connection.senders)
            if side is not None
        ],
    }


def feed(endpoint: ServerEndpoint, data: bytes, address: Address) -> None:
    """Feed a datagram; each of its packets is answered or counted, and gives no amplification."""
    before = sum(endpoint.drops.values())
    endpoint.receive_datagram(data, address, 1000.0)
    answered = endpoint.take_output()
    assert sum(endpoint.drops.values()) > before or answered
    assert sum(len(answer) for answer, _ in answered) <= len(data)
    assert not endpoint.take_events()


def test_malformed_datagrams_change_nothing() -> None:
    pair, _ = populated_pair(seed=1)
    endpoint = pair.server_endpoint
    before = snapshot(endpoint)
    addresses = (*CONSOLES, STRANGER)
    for index, data in enumerate(fuzz(2024, DATAGRAMS, packets())):
        feed(endpoint, data, addresses[index % 3])
    assert snapshot(endpoint) == before
    assert sum(endpoint.drops.values()) > DATAGRAMS * 0.95
    assert {
        DropReason.MALFORMED,
        DropReason.BAD_SIGNATURE,
        DropReason.UNKNOWN_CONNECTION,
        DropReason.UNKNOWN_PORT,
        DropReason.UNEXPECTED_TYPE,
        DropReason.BAD_HANDSHAKE,
    } <= set(endpoint.drops)


@settings(max_examples=300)
@given(data=st.data(), who=st.sampled_from((*CONSOLES, STRANGER)))
def test_any_datagram_changes_nothing(data: st.DataObject, who: Address) -> None:
    pair, _ = shared_pair()
    endpoint = pair.server_endpoint
    before = snapshot(endpoint)
    packet = bytearray(data.draw(st.sampled_from([b"", *packets()]), label="packet"))
    for _ in range(data.draw(st.integers(0, 3)) if packet else 0):
        packet[data.draw(st.integers(0, len(packet) - 1))] = data.draw(st.integers(0, 255))
    prefix = data.draw(st.binary(max_size=40) | st.sampled_from(packets()))
    feed(endpoint, prefix + packet[: data.draw(st.integers(0, len(packet)))], who)
    assert snapshot(endpoint) == before


@functools.cache
def shared_pair() -> tuple[Pair, list[Console]]:
    return populated_pair(seed=1)


def test_an_empty_datagram_is_counted() -> None:
    endpoint = Pair().server_endpoint
    endpoint.receive_datagram(b"", STRANGER, 0.0)
    assert endpoint.drops == {DropReason.MALFORMED: 1}


@settings(max_examples=200)
@given(seed=st.integers(0, 2**32), version=st.integers(0, 1), legacy=st.booleans())
def test_an_unproven_address_is_never_sent_more_than_it_sent(
    seed: int, version: int, legacy: bool
) -> None:
    """Whatever a fresh address sends, in whatever order, as long as it has seen no SYN answer."""
    rng = random.Random(seed)
    pair = Pair(seed=1, settings=transport(version=2, legacy_signature=legacy), key=SERVER_KEY)
    pair.server_endpoint.bind(2)
    console = Console(pair, version=version, port=rng.choice((1, 2)), address=STRANGER)
    ticket = credentials(EPOCH + 1000, session_key=bytes(32))
    console.session_key = rng.choice((b"", bytes(32)))
    received = sent = 0
    for _ in range(12):
        data = b"".join(
            some_packet(rng, console, login_payload(ticket)) for _ in range(rng.choice((1, 1, 2)))
        )
        if rng.random() < 0.2:
            data = data[: rng.randrange(len(data))] + rng.randbytes(rng.randrange(8))
        received += len(data)
        sent += sum(map(len, console.exchange(data)))
        for event in console.events:
            if isinstance(event, Opened) and event.connection.open:
                event.connection.send(b"welcome" * rng.randrange(60))
        pair.network.now += rng.choice((0.0, 0.5, 6.0))
        pair.server_endpoint.handle_timer(pair.network.now)
        sent += sum(len(each) for each, _ in pair.server_endpoint.take_output())
        proven = any(c.credit is None for c in pair.server_endpoint._connections.values())
        assert proven or sent <= received


def some_packet(rng: random.Random, console: Console, login: bytes) -> bytes:
    way = rng.randrange(5)
    if way == 0:
        return console.syn_bytes()
    if way == 1:
        return console.connect_bytes(rng.choice((b"", login)), signed_with=b"")
    if way == 2:
        return console.connect_bytes(rng.randbytes(rng.randrange(90)))
    return console.packet_bytes(
        rng.choice((3, 4)), rng.randrange(4), flags=rng.choice((0, 4, 6)), signed_with=b""
    )


@pytest.mark.parametrize("version", [0, 1])
@pytest.mark.parametrize("compression", [0, 1])
def test_a_hostile_peer_with_a_good_ticket_stays_within_bounds(
    version: int, compression: int
) -> None:
    """Its packets are signed, and say anything at all."""
    rng = random.Random(version * 2 + compression)
    pair = Pair(
        settings=transport(version=2, max_substream_id=1, compression=compression), key=SERVER_KEY
    )
    endpoint = pair.server_endpoint
    outcome: Counter[str] = Counter()
    for attempt in range(20):
        console = Console(pair, version=version, address=("203.0.113.1", attempt + 1))
        console.offer = console.offer._replace(max_substream_id=version)
        key = bytes((attempt,)) * 32
        console.connect(credentials(EPOCH + pair.network.now, session_key=key))
        (opened,) = console.events
        assert isinstance(opened, Opened)
        for _ in range(500):
            act(rng, console, opened.connection)
            check_bounds(endpoint, opened.connection)
        closed = [
            event
            for event in console.events
            if isinstance(event, Closed) and event.connection is opened.connection
        ]
        assert len(closed) == (not opened.connection.open)
        outcome[closed[0].reason.name if closed else "open"] += 1
        pair.network.now += 1
        endpoint.handle_timer(pair.network.now)
    for _ in range(100):
        pair.network.now += 1
        endpoint.handle_timer(pair.network.now)
    assert len(endpoint) == 0
    assert endpoint.next_timer is None
    assert len(outcome) > 1


def act(rng: random.Random, console: Console, connection: Connection) -> None:
    if rng.random() < 0.05 and connection.open:
        rng.choice((connection.pause_reading, connection.resume_reading))()
        connection.send(rng.randbytes(rng.randrange(3000)))
    receivers = connection.receivers
    base = receivers[0].next if receivers and receivers[0] is not None else 0
    kind = rng.choice((2, 2, 2, 2, 2, 4, 5, 15, 3 if rng.random() < 0.05 else 4))
    console.exchange(
        console.packet_bytes(
            kind,
            (base + rng.choice((0, 0, 1, -1, 5, 63, 64, 40000))) & 0xFFFF,
            rng.randbytes(rng.choice((0, 1, 8, 50))),
            flags=rng.choice((0, 1, 4, 6, 14, 14, 14, FLAG_MULTI_ACK, 0xFFF)),
            substream=rng.choice((0, 0, 1, 2)) if console.codec.version else 0,
            fragment=rng.choice((0, 0, 1, 255)) if kind == 2 else 0,
        )
    )
    pair = console.pair
    pair.network.now += rng.choice((0.0, 0.01, 0.2))
    pair.server_endpoint.handle_timer(pair.network.now)
    console.events += pair.server_endpoint.take_events()
    pair.server_endpoint.take_output()


def check_bounds(endpoint: ServerEndpoint, connection: Connection) -> None:
    limits = endpoint.limits
    assert len(endpoint) <= 20
    assert len(endpoint._timers) < 400
    assert connection.state is not State.CONNECTING
    assert len(connection.receivers) <= 2
    for receiver in connection.receivers:
        if receiver is not None:
            assert len(receiver.waiting or ()) < limits.window
            assert len(receiver.parts or b"") <= limits.max_message_size
    for sender in connection.senders:
        if sender is not None:
            assert len(sender.unacknowledged) <= limits.window
