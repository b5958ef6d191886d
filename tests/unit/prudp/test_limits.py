"""Every named bound of the transport, reached and asserted by its reason."""

from __future__ import annotations

import tracemalloc
import zlib
from typing import Any

import pytest

from nekonex.prudp.connection import Connection, ConnectionClosedError
from nekonex.prudp.constants import DATA
from nekonex.prudp.crypto import compress, decompress, rc4, unreliable_cipher
from nekonex.prudp.events import Closed, Message
from nekonex.prudp.gate import RateLimiter, is_loopback
from nekonex.prudp.limits import CloseReason, DropReason, Limits
from tests.support.console import Console, login_payload
from tests.support.link import EPOCH, Pair
from tests.support.transport import SERVER_KEY, credentials, transport

NOW = EPOCH + 1000


def try_to_connect(console: Console) -> bool:
    console.syn()
    return bool(console.exchange(console.connect_bytes()))


def connection_of(pair: Pair) -> Connection:
    return pair.server_endpoint.all_of(0xA1)[0]


# -- connections and handshakes -----------------------------------------------


def test_connections_in_all() -> None:
    pair = Pair(limits=Limits(max_connections=3))
    consoles = [Console(pair, address=(f"203.0.113.{n}", 1)) for n in range(4)]
    assert [try_to_connect(console) for console in consoles] == [True, True, True, False]
    assert pair.server_endpoint.drops == {DropReason.TOO_MANY_CONNECTIONS: 1}
    # Who is in may come back, and who leaves makes room.
    consoles[0].session_id += 1
    assert try_to_connect(consoles[0])
    connection_of(pair).close()
    pair.server_endpoint.take_output()
    assert try_to_connect(consoles[3])


def test_connections_of_one_address() -> None:
    pair = Pair(limits=Limits(max_connections_per_address=2))
    results = [try_to_connect(Console(pair, address=("203.0.113.1", n + 1))) for n in range(3)]
    assert results == [True, True, False]
    assert try_to_connect(Console(pair, address=("203.0.113.2", 1)))
    assert pair.server_endpoint.drops == {DropReason.TOO_MANY_FROM_ADDRESS: 1}


def test_handshakes_a_second_of_one_address() -> None:
    pair = Pair(limits=Limits(handshakes_per_second=5))
    one = [try_to_connect(Console(pair, address=("203.0.113.1", n + 1))) for n in range(7)]
    assert one == [True] * 5 + [False] * 2
    assert try_to_connect(Console(pair, address=("203.0.113.2", 1)))
    assert pair.server_endpoint.drops == {DropReason.HANDSHAKE_RATE: 2}
    pair.network.now += 0.5
    assert try_to_connect(Console(pair, address=("203.0.113.1", 100)))
    assert try_to_connect(Console(pair, address=("203.0.113.1", 101)))
    assert not try_to_connect(Console(pair, address=("203.0.113.1", 102)))


def test_garbage_never_stands_in_the_way_of_its_address() -> None:
    pair = Pair(limits=Limits(handshakes_per_second=2), key=SERVER_KEY)
    forger = Console(pair, address=("203.0.113.1", 1))
    forger.issued = b"not what was issued"
    for _ in range(200):
        assert forger.exchange(forger.connect_bytes()) == []
        assert forger.exchange(b"rubbish") == []
    console = Console(pair, address=("203.0.113.1", 2))
    console.connect(credentials(NOW))
    assert len(pair.server_endpoint) == 1
    assert pair.server_endpoint.drops == {
        DropReason.BAD_SIGNATURE: 200,
        DropReason.MALFORMED: 200,
    }


def test_tickets_that_are_refused_count_against_their_sender() -> None:
    pair = Pair(limits=Limits(handshakes_per_second=2), key=SERVER_KEY)
    console = Console(pair)
    console.syn()
    for _ in range(5):
        console.exchange(console.connect_bytes(b"no ticket"))
    assert pair.server_endpoint.drops == {DropReason.BAD_TICKET: 2, DropReason.HANDSHAKE_RATE: 3}


@pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"])
@pytest.mark.parametrize("limited", [False, True])
def test_loopback_is_exempt_unless_set(host: str, limited: bool) -> None:
    limits = Limits(handshakes_per_second=3, max_connections_per_address=2, limit_loopback=limited)
    pair = Pair(limits=limits)
    results = [try_to_connect(Console(pair, address=(host, n + 1))) for n in range(5)]
    assert results == ([True, True, False, False, False] if limited else [True] * 5)
    assert len(pair.server_endpoint._rate) == limited


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1", "::ffff:192.0.2.1", "", "example"])
def test_other_addresses_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)


def test_the_rate_limiter_forgets_the_address_seen_longest_ago() -> None:
    limiter = RateLimiter(1, 3)
    for host in "abc":
        assert limiter.allow(host, 0.0)
    assert not limiter.allow("a", 0.0)
    assert limiter.allow("d", 0.0)
    assert len(limiter) == 3
    assert not limiter.allow("a", 0.0)
    assert limiter.allow("b", 0.0)
    assert len(limiter) == 3


def test_a_rate_is_kept_over_time() -> None:
    limiter = RateLimiter(100, 10)
    allowed = sum(limiter.allow("a", step / 1000) for step in range(10_000))
    assert 1095 <= allowed <= 1105


# -- what a connection may hold -----------------------------------------------


def test_a_message_over_the_limit_ends_the_connection() -> None:
    pair = Pair(limits=Limits(max_message_size=1000), settings=transport(fragment_size=300))
    node = pair.client()
    client, _ = pair.connect(node)
    client.send(b"x" * 1000)
    client.send(b"y" * 1001)
    client.send(b"z")
    pair.network.run(1)
    assert pair.server.messages() == [b"x" * 1000]
    assert pair.server.closed() == [CloseReason.MESSAGE_TOO_LARGE]
    assert node.closed() == [CloseReason.PEER]


def test_the_size_limit_holds_for_one_packet_too() -> None:
    pair = Pair(limits=Limits(max_message_size=10))
    client, _ = pair.connect()
    client.send(b"x" * 10)
    client.send(b"x" * 11)
    pair.network.run(1)
    assert pair.server.messages() == [b"x" * 10]
    assert pair.server.closed() == [CloseReason.MESSAGE_TOO_LARGE]


@pytest.mark.parametrize("size", [0, 1, 2])
def test_fragments_without_end_take_no_more_memory_than_the_limit_says(size: int) -> None:
    """A message that never ends costs at most a few times its bytes, however small its parts."""
    pair = Pair(limits=Limits(max_message_size=19_000))
    console = Console(pair)
    console.connect()
    connection = connection_of(pair)
    number = 2
    tracemalloc.start()
    try:
        for _ in range(9_500):
            console.send(number, b"ab"[:size], fragment=1)
            number = (number + 1) & 0xFFFF
        used, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert connection.open
    assert used < 60_000


def test_a_zip_bomb_is_not_unpacked() -> None:
    pair = Pair(settings=transport(compression=1), limits=Limits(max_message_size=5000))
    console = Console(pair)
    console.connect()
    bomb = zlib.compress(bytes(1 << 20))
    plain = bytes((((1 << 20) // len(bomb) + 1) & 0xFF,)) + bomb
    console.send(2, rc4(b"CD&ML")(plain))
    (_, closed) = console.events
    assert isinstance(closed, Closed)
    assert closed.reason is CloseReason.BAD_PAYLOAD


@pytest.mark.parametrize(
    "payload", [b"\1", b"\1rubbish", b"\2" + zlib.compress(b"x"), b"\1" + zlib.compress(b"x")[:-1]]
)
def test_a_payload_that_does_not_unpack_ends_the_connection(payload: bytes) -> None:
    pair = Pair(settings=transport(compression=1))
    console = Console(pair)
    console.connect()
    console.send(2, rc4(b"CD&ML")(payload))
    assert isinstance(console.events[-1], Closed)
    assert console.events[-1].reason is CloseReason.BAD_PAYLOAD


def test_an_unreliable_payload_that_does_not_unpack_is_dropped() -> None:
    pair = Pair(settings=transport(compression=1))
    console = Console(pair)
    console.connect()
    crypt = unreliable_cipher(b"", 1, console.session_id)
    console.exchange(console.packet_bytes(DATA, 1, crypt(b"\1rubbish"), flags=8))
    assert pair.server_endpoint.drops[DropReason.BAD_PAYLOAD] == 1
    assert connection_of(pair).open


def test_compression_stores_what_does_not_shrink_and_checks_what_it_unpacks() -> None:
    for data in (b"x", b"short", bytes(5000), bytes(1 << 20), bytes(range(256)) * 4):
        packed = compress(data)
        assert len(packed) <= len(data) + 1
        assert decompress(packed, len(data)) == data
    with pytest.raises(ValueError, match="too large"):
        decompress(compress(bytes(5000)), 4999)
    packed = compress(bytes(5000))
    with pytest.raises(ValueError, match="ratio"):
        decompress(bytes((packed[0] + 1,)) + packed[1:], 5000)
    with pytest.raises(ValueError, match="other bytes"):
        decompress(packed + b"more", 5000)


@pytest.mark.parametrize("size", [1000, 0])
def test_a_peer_that_takes_nothing_is_given_up(size: int) -> None:
    pair = Pair(limits=Limits(max_queued_bytes=200_000))
    _, server = pair.connect()
    pair.network.filter = lambda data, target: False
    for _ in range(20_000):
        try:
            server.send(bytes(size))
        except ConnectionClosedError:
            break
    else:
        pytest.fail("the queue has no end")
    pair.network.run(0)
    assert pair.server.closed() == [CloseReason.SEND_QUEUE_FULL]
    with pytest.raises(ConnectionClosedError):
        server.send(b"x")


def test_the_queue_counts_only_what_waits() -> None:
    pair = Pair(limits=Limits(max_queued_bytes=5000))
    node = pair.client()
    _, server = pair.connect(node)
    for _ in range(100):
        server.send(b"x" * 4000)
        pair.network.run(0.1)
    assert len(node.messages()) == 100
    assert server.queued_bytes == 0


def test_wrong_uses_are_value_errors() -> None:
    pair = Pair()
    _, server = pair.connect()
    for substream in (-1, 1):
        with pytest.raises(ValueError, match="substream"):
            server.send(b"x", substream)
    with pytest.raises(ValueError, match="one packet"):
        server.send_unreliable(bytes(1301))


def test_a_server_key_that_seals_no_ticket_is_refused_at_once() -> None:
    endpoint = Pair(settings=transport(ticket_version=0)).server_endpoint
    with pytest.raises(ValueError, match="key"):
        endpoint.bind(2, b"short")


def test_tickets_are_remembered_up_to_a_limit() -> None:
    pair = Pair(limits=Limits(replay_entries=2), key=SERVER_KEY)
    for number in range(4):
        console = Console(pair, address=("203.0.113.1", number + 1))
        console.connect(credentials(NOW, session_key=bytes((number,)) * 32))
    console = Console(pair, address=("203.0.113.1", 9))
    console.syn()
    payload = login_payload(credentials(NOW, session_key=b"\3" * 32))
    assert console.exchange(console.connect_bytes(payload)) == []
    assert pair.server_endpoint.drops == {DropReason.TICKET_REPLAYED: 1}


def test_fragments_with_any_ids_end_with_zero() -> None:
    pair = Pair()
    console = Console(pair)
    console.connect()
    crypt = rc4(b"CD&ML")
    for number, (fragment, part) in enumerate([(1, b"a"), (255, b"b"), (1, b"c"), (0, b"d")]):
        console.send(2 + number, crypt(part), fragment=fragment)
    assert isinstance(console.events[-1], Message)
    assert console.events[-1].data == b"abcd"


@pytest.mark.parametrize(
    "wrong", [{"window": 0}, {"window": 0x8000}, {"max_message_size": 0}, {"max_connections": -1}]
)
def test_limits_that_would_stop_everything_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        Limits(**wrong)


@pytest.mark.parametrize(("size", "kept"), [(1300, True), (1364, True), (1365, False)])
def test_no_more_than_a_fragment_is_kept_out_of_order(size: int, kept: bool) -> None:
    pair = Pair()
    console = Console(pair)
    console.connect()
    assert bool(console.send(3, bytes(size))) is kept
    console.send(2, b"x")
    assert len(console.send(3, bytes(size))) == 1
    assert sum(isinstance(event, Message) for event in console.events) == 2
