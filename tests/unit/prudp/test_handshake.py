"""SYN and CONNECT: what is answered, what is kept, what is refused and why."""

from __future__ import annotations

from typing import Any

import pytest

from nekonex.prudp.constants import (
    CONNECT,
    DATA,
    FLAG_ACK,
    FLAG_HAS_SIZE,
    FLAG_NEED_ACK,
    FLAG_RELIABLE,
    SYN,
)
from nekonex.prudp.events import Closed, Message, Opened
from nekonex.prudp.limits import CloseReason, DropReason
from nekonex.prudp.packet import Handshake
from nekonex.prudp.server import negotiated_minor_version
from tests.support.console import Console, login_payload
from tests.support.link import EPOCH, Pair
from tests.support.transport import SERVER_KEY, credentials, transport

NOW = EPOCH + 1000
RELIABLE = FLAG_RELIABLE | FLAG_NEED_ACK | FLAG_HAS_SIZE
versions = pytest.mark.parametrize("version", [0, 1])


def pair_of(version: int = 2, **options: Any) -> Pair:
    changes = options.pop("changes", {})
    return Pair(settings=transport(version=version, **changes), **options)


# -- SYN ----------------------------------------------------------------------


@versions
def test_a_syn_is_answered_and_nothing_of_it_is_kept(version: int) -> None:
    pair = pair_of()
    for port in range(3000):
        console = Console(pair, version=version, address=("203.0.113.1", port + 1))
        console.syn()
        assert not console.events
    endpoint = pair.server_endpoint
    assert len(endpoint) == 0
    assert endpoint.next_timer is None
    assert len(endpoint._rate) == len(endpoint._per_host) == 0
    assert not endpoint.drops


@versions
def test_the_issued_signature_depends_on_address_port_and_process(version: int) -> None:
    pair, other = pair_of(), pair_of(seed=1)
    signatures = set()
    for each in (pair, other):
        for address in (("203.0.113.1", 1), ("203.0.113.1", 2), ("203.0.113.2", 1)):
            console = Console(each, version=version, address=address)
            console.syn()
            assert len(console.issued) == (16 if version else 4)
            console.syn()
            signatures.add(console.issued)
    assert len(signatures) == 6


def test_a_syn_negotiates_the_lower_of_both() -> None:
    pair = pair_of(
        1, changes={"minor_version": 3, "max_substream_id": 1, "supported_functions": 0x00FF0F}
    )
    console = Console(pair)
    offer = Handshake(bytes(16), 4, 0x0F0FFF, 3)
    packet = console.read(console.exchange(console.syn_bytes(offer))[0])
    assert packet.handshake is not None
    assert packet.handshake[1:4] == (3, 0x000F0F, 1)
    packet = console.read(console.exchange(console.syn_bytes(Handshake(bytes(16), 2)))[0])
    assert packet.handshake is not None
    assert packet.handshake[1:4] == (2, 0, 0)


@pytest.mark.parametrize(("header", "expected"), [(True, 4), (False, 2)])
def test_without_structure_headers_the_minor_version_stays_below_three(
    header: bool, expected: int
) -> None:
    assert negotiated_minor_version(transport(struct_header=header)) == expected


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"signed": False}, DropReason.BAD_SIGNATURE),
        ({"offer": Handshake(b"x" * 16, 4)}, DropReason.BAD_HANDSHAKE),
        ({"session": 1}, DropReason.BAD_HANDSHAKE),
        ({"flags": FLAG_ACK}, DropReason.UNEXPECTED_TYPE),
        ({"flags": 0}, DropReason.UNEXPECTED_TYPE),
        ({"port": 2}, DropReason.UNKNOWN_PORT),
    ],
)
def test_a_syn_that_is_not_answered(changes: dict[str, Any], reason: DropReason) -> None:
    pair = pair_of()
    console = Console(pair, port=changes.get("port", 1))
    data = console.codec.encode_handshake(
        SYN,
        changes.get("flags", FLAG_NEED_ACK),
        console.source,
        console.dest,
        changes.get("session", 0),
        changes.get("offer", Handshake(bytes(16), 4)),
        b"",
        None if changes.get("signed", True) else bytes(20),
    )
    assert console.exchange(data) == []
    assert pair.server_endpoint.drops == {reason: 1}


# -- CONNECT ------------------------------------------------------------------


@versions
def test_the_authentication_server_takes_everybody(version: int) -> None:
    pair = pair_of()
    console = Console(pair, version=version)
    packet = console.connect()
    assert packet.flags == FLAG_ACK | FLAG_HAS_SIZE
    assert (packet.sequence_id, packet.payload) == (1, b"")
    assert packet.handshake is not None
    assert not any(packet.handshake.connection_signature)
    assert console.codec.verify(packet, console.codec.secret(b"", console.offered))
    (opened,) = console.events
    assert isinstance(opened, Opened)
    assert opened.replaces is None
    connection = opened.connection
    assert connection.open
    assert connection.id > 0
    assert (connection.pid, connection.cid) == (None, None)
    assert connection.remote_address == console.address
    assert (connection.local_port, connection.remote_port) == (1, 15)
    assert connection.minor_version == (4 if version else 0)


@versions
@pytest.mark.parametrize("check", [41, 0xFFFFFFFF])
def test_the_secure_server_answers_the_check_value_plus_one(version: int, check: int) -> None:
    pair = pair_of(key=SERVER_KEY)
    console = Console(pair, version=version)
    console.syn()
    payload = login_payload(credentials(NOW, pid=99, cid=12), check)
    (answer,) = console.exchange(console.connect_bytes(payload))
    expected = (4).to_bytes(4, "little") + ((check + 1) & 0xFFFFFFFF).to_bytes(4, "little")
    assert console.read(answer).payload == expected
    (connection,) = [event.connection for event in console.events]
    assert (connection.pid, connection.cid) == (99, 12)


@pytest.mark.parametrize(("ticket_version", "size"), [(0, 32), (1, 32), (0, 16), (1, 16)])
def test_both_ticket_versions_and_key_sizes_are_read(ticket_version: int, size: int) -> None:
    pair = pair_of(
        key=SERVER_KEY, changes={"ticket_version": ticket_version, "session_key_size": size}
    )
    console = Console(pair)
    ticket = credentials(NOW, session_key=bytes(range(size)), ticket_version=ticket_version)
    console.connect(ticket)
    assert len(pair.server_endpoint) == 1


def test_an_eight_byte_pid_comes_through() -> None:
    pair = pair_of(1, key=SERVER_KEY, changes={"pid_size": 8})
    ticket = credentials(pair.network.wall_clock(), pid=1 << 40, pid_size=8)
    _, server = pair.connect(credentials=ticket)
    assert server.pid == 1 << 40


@versions
def test_a_repeated_connect_gets_the_same_answer_and_no_second_opened(version: int) -> None:
    pair = pair_of(key=SERVER_KEY)
    console = Console(pair, version=version)
    console.syn()
    data = console.connect_bytes(login_payload(credentials(NOW)))
    first = console.exchange(data)
    console.session_key = bytes(range(32))
    assert [packet.type for packet in console.send(2, b"some data")] == [DATA]
    assert console.exchange(data) == first
    assert [type(event) for event in console.events] == [Opened, Message]
    assert [packet.type for packet in console.send(3, b"more data")] == [DATA]
    assert not pair.server_endpoint.drops


@versions
def test_a_restarted_console_replaces_its_old_connection(version: int) -> None:
    pair = pair_of(key=SERVER_KEY)
    console = Console(pair, version=version)
    console.connect(credentials(NOW, pid=5))
    (first,) = console.events
    again = Console(pair, version=version)
    again.session_id = 0x66
    again.connect(credentials(NOW, pid=6, session_key=bytes(32)))
    closed, opened = again.events
    assert isinstance(first, Opened)
    assert closed == Closed(first.connection, CloseReason.REPLACED)
    assert isinstance(opened, Opened)
    assert opened.replaces is first.connection
    assert opened.connection.pid == 6
    assert not first.connection.open
    assert len(pair.server_endpoint) == 1
    # The old connection's session is over: its packets are not the new one's.
    assert console.send(2) == []
    assert again.send(2)
    pair.network.run(60)
    assert pair.server.closed() == [CloseReason.TIMEOUT]
    assert pair.server_endpoint._per_host == {}


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"issued": NOW - 121}, DropReason.TICKET_EXPIRED),
        ({"issued": NOW + 122}, DropReason.TICKET_EXPIRED),
        ({"key": bytes(16)}, DropReason.BAD_TICKET),
        ({"claimed_pid": 4}, DropReason.WRONG_PID),
        ({"session_key": bytes(16)}, DropReason.BAD_TICKET),
        ({"ticket_version": 0}, DropReason.BAD_TICKET),
        ({"pid_size": 8}, DropReason.BAD_TICKET),
    ],
)
@versions
def test_a_ticket_that_is_refused(version: int, change: dict[str, Any], reason: DropReason) -> None:
    pair = pair_of(key=SERVER_KEY)
    console = Console(pair, version=version)
    console.syn()
    ticket = credentials(**{"issued": NOW, **change})
    assert console.exchange(console.connect_bytes(login_payload(ticket))) == []
    assert pair.server_endpoint.drops == {reason: 1}
    assert not console.events
    assert len(pair.server_endpoint) == 0


@pytest.mark.parametrize("age", [-119, 0, 119])
def test_a_ticket_is_good_for_two_minutes(age: float) -> None:
    pair = pair_of(key=SERVER_KEY)
    Console(pair).connect(credentials(NOW - age))
    assert len(pair.server_endpoint) == 1


def test_a_ticket_is_good_once() -> None:
    pair = pair_of(key=SERVER_KEY)
    ticket = credentials(NOW)
    Console(pair).connect(ticket)
    thief = Console(pair, address=("203.0.113.66", 1))
    thief.syn()
    assert thief.exchange(thief.connect_bytes(login_payload(ticket))) == []
    assert pair.server_endpoint.drops == {DropReason.TICKET_REPLAYED: 1}


GOOD = login_payload(credentials(NOW))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\0\0\0",
        bytes(4),
        bytes(8),
        GOOD[:-1],
        GOOD + b"\0",
        b"\xff\xff\xff\xff" + GOOD[4:],
        b"\xff" + GOOD[1:],
        GOOD[:4] + bytes((GOOD[4] ^ 1,)) + GOOD[5:],
        GOOD[:-1] + bytes((GOOD[-1] ^ 1,)),
        login_payload(credentials(NOW), extra=b"\0"),
        login_payload(credentials(NOW, session_key=bytes(range(16)))),
    ],
)
def test_a_connect_payload_that_is_no_login(payload: bytes) -> None:
    pair = pair_of(key=SERVER_KEY)
    console = Console(pair)
    console.syn()
    assert console.exchange(console.connect_bytes(payload)) == []
    assert pair.server_endpoint.drops == {DropReason.BAD_TICKET: 1}
    assert len(pair.server_endpoint) == 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"minor_version": 5}, DropReason.BAD_HANDSHAKE),
        ({"max_substream_id": 1}, DropReason.BAD_HANDSHAKE),
        ({"supported_functions": 2}, DropReason.BAD_HANDSHAKE),
    ],
)
def test_a_connect_above_what_was_negotiated(change: dict[str, Any], reason: DropReason) -> None:
    pair = pair_of()
    console = Console(pair)
    console.syn()
    assert console.exchange(console.connect_bytes(offer=console.offer._replace(**change))) == []
    assert pair.server_endpoint.drops == {reason: 1}


@versions
@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"signed_with": b""}, DropReason.BAD_SIGNATURE),
        ({"signed_with": b"wrong"}, DropReason.BAD_SIGNATURE),
        ({"flags": RELIABLE | FLAG_ACK}, DropReason.UNEXPECTED_TYPE),
        ({"flags": FLAG_RELIABLE | FLAG_HAS_SIZE}, DropReason.UNEXPECTED_TYPE),
    ],
)
def test_a_connect_that_proves_nothing(
    version: int, change: dict[str, Any], reason: DropReason
) -> None:
    pair = pair_of()
    console = Console(pair, version=version)
    console.syn()
    assert console.exchange(console.connect_bytes(**change)) == []
    assert pair.server_endpoint.drops == {reason: 1}


@pytest.mark.parametrize("offset", [5, 6])
@pytest.mark.parametrize("kind", [SYN, CONNECT])
def test_a_handshake_has_one_number_and_one_substream(kind: int, offset: int) -> None:
    pair = pair_of()
    console = Console(pair)
    console.syn()
    data = console.syn_bytes() if kind == SYN else console.connect_bytes()
    head = bytearray(data[6:14])
    head[offset] = 2
    secret = console.codec.secret(b"", b"" if kind == SYN else console.issued)
    signature = pair.server_endpoint.v1._digest(bytes(head) + secret + data[30:])
    assert console.exchange(data[:6] + head + signature + data[30:]) == []
    assert pair.server_endpoint.drops == {DropReason.BAD_HANDSHAKE: 1}


@versions
def test_a_signature_issued_to_another_port_of_the_address_proves_nothing(version: int) -> None:
    pair = pair_of()
    console = Console(pair, version=version)
    console.syn()
    console.address = (console.address[0], console.address[1] + 1)
    assert console.exchange(console.connect_bytes()) == []
    assert pair.server_endpoint.drops == {DropReason.BAD_SIGNATURE: 1}


def test_one_datagram_may_carry_a_whole_handshake_and_more() -> None:
    pair = pair_of()
    console = Console(pair)
    console.syn()
    data = (
        console.syn_bytes()
        + b"".join((console.connect_bytes(), console.packet_bytes(DATA, 2, b"\0")))
        + b"rubbish"
    )
    kinds = [console.read(answer).type for answer in console.exchange(data)]
    assert kinds == [SYN, CONNECT, DATA]
    assert pair.server_endpoint.drops == {DropReason.MALFORMED: 1}


@pytest.mark.parametrize(("version", "other"), [(0, 1), (1, 0)])
def test_a_server_of_one_version_does_not_speak_the_other(version: int, other: int) -> None:
    pair = pair_of(version)
    console = Console(pair, version=other)
    assert console.exchange(console.syn_bytes()) == []
    assert sum(pair.server_endpoint.drops.values()) == 1


def test_virtual_ports_are_bound_once_and_within_their_nibble() -> None:
    endpoint = pair_of().server_endpoint
    with pytest.raises(ValueError, match="bound already"):
        endpoint.bind(1)
    for port in (-1, 16):
        with pytest.raises(ValueError, match="not between"):
            endpoint.bind(port)
    endpoint.unbind(1)
    endpoint.bind(1)


@versions
def test_one_datagram_gets_one_answer_to_its_syns(version: int) -> None:
    pair = pair_of()
    console = Console(pair, version=version)
    first = console.syn_bytes()
    if version == 0:
        # Only a packet that says its size can be followed by another.
        first = pair.server_endpoint.v0.encode_handshake(
            SYN, FLAG_NEED_ACK | FLAG_HAS_SIZE, console.source, console.dest, 0,
            console.offer._replace(connection_signature=bytes(4)), b"", None,
        )  # fmt: skip
    assert len(console.exchange(first * 40)) == 1
    assert pair.server_endpoint.drops == {DropReason.AMPLIFICATION: 39}
