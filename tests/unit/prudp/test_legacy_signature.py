"""Quirk L1: consoles whose v1 CONNECT is signed with an empty connection signature."""

from __future__ import annotations

from typing import Any

import pytest

from nekonex.prudp.connection import Connection
from nekonex.prudp.constants import CONNECT, DATA, FLAG_NEED_ACK, PING
from nekonex.prudp.events import Closed, Opened
from nekonex.prudp.limits import CloseReason, DropReason, Limits
from nekonex.prudp.packet import Packet
from tests.support.console import Console, login_payload
from tests.support.link import EPOCH, Pair
from tests.support.transport import SERVER_KEY, credentials, transport

NOW = EPOCH + 1000


def pair_of(*, legacy: bool | None = True, **options: Any) -> Pair:
    changes = options.pop("changes", {})
    return Pair(settings=transport(version=2, legacy_signature=legacy, **changes), **options)


def legacy_connect(console: Console, payload: bytes = b"") -> list[Packet]:
    data = console.connect_bytes(payload, signed_with=b"")
    return [console.read(answer) for answer in console.exchange(data)]


def opened(console: Console) -> Connection:
    event = console.events[-1]
    assert isinstance(event, Opened)
    return event.connection


@pytest.mark.parametrize(
    ("legacy", "version", "accepted"),
    [
        (True, (3, 9, 0), True),
        (False, (3, 0, 0), False),
        (None, (3, 4, 99), True),
        (None, (1, 1, 0), True),
        (None, (3, 5, 0), False),
        (None, (3, 10, 0), False),
        (None, (0, 0, 0), False),
    ],
)
def test_it_is_accepted_where_the_setting_or_the_version_says_so(
    legacy: bool | None, version: tuple[int, int, int], accepted: bool
) -> None:
    pair = pair_of(legacy=legacy, changes={"nex_version": version})
    console = Console(pair)
    console.syn()
    assert bool(legacy_connect(console)) is accepted
    expected = {} if accepted else {DropReason.BAD_SIGNATURE: 1}
    assert pair.server_endpoint.drops == expected


def test_an_ordinary_connect_is_accepted_as_ever() -> None:
    pair = pair_of()
    console = Console(pair)
    console.connect()
    assert opened(console).credit is None
    assert opened(console).legacy_secrets == ()


def test_v0_has_no_legacy_signature() -> None:
    pair = pair_of()
    console = Console(pair, version=0)
    console.syn()
    assert legacy_connect(console) == []
    assert pair.server_endpoint.drops == {DropReason.BAD_SIGNATURE: 1}


def test_the_answer_is_signed_with_what_the_server_issued_itself() -> None:
    console = Console(pair_of())
    console.syn()
    (answer,) = legacy_connect(console)
    assert console.codec.verify(answer, console.codec.secret(b"", console.issued))
    assert not console.codec.verify(answer, console.codec.secret(b"", console.offered))


@pytest.mark.parametrize("choice", ["issued", "offered", "empty"])
def test_the_signature_of_the_first_data_is_remembered(choice: str) -> None:
    pair = pair_of(key=SERVER_KEY)
    console = Console(pair)
    console.syn()
    ticket = credentials(NOW)
    assert legacy_connect(console, login_payload(ticket))
    console.session_key = ticket.session_key
    connection = opened(console)
    candidates = {"issued": console.issued, "offered": console.offered, "empty": b""}
    for signature in candidates.values():
        # A ping settles nothing.
        data = console.packet_bytes(PING, 1, flags=FLAG_NEED_ACK, signed_with=signature)
        assert console.exchange(data)
    assert connection.credit is not None
    data = console.packet_bytes(DATA, 2, b"hello", signed_with=candidates.pop(choice))
    (answer,) = console.exchange(data)
    packet = console.read(answer)
    assert console.codec.verify(packet, console.codec.secret(ticket.session_key, console.issued))
    assert connection.credit is None
    for signature in (*candidates.values(), b"nonsense"):
        data = console.packet_bytes(DATA, 3, b"hello", signed_with=signature)
        assert console.exchange(data) == []
    assert pair.server_endpoint.drops == {DropReason.BAD_SIGNATURE: 3}


def test_nothing_but_these_three_signatures_verifies() -> None:
    pair = pair_of()
    console = Console(pair)
    console.syn()
    legacy_connect(console)
    for signature in (bytes(16), b"x" * 16):
        assert console.exchange(console.packet_bytes(DATA, 2, signed_with=signature)) == []
    assert pair.server_endpoint.drops == {DropReason.BAD_SIGNATURE: 2}


def test_an_address_that_proved_nothing_gets_no_more_bytes_than_it_sent() -> None:
    pair = pair_of(key=SERVER_KEY)
    console = Console(pair)
    console.syn()
    ticket = credentials(NOW)
    data = console.connect_bytes(login_payload(ticket), signed_with=b"")
    received, sent = len(data), sum(map(len, console.exchange(data)))
    console.session_key = ticket.session_key
    connection = opened(console)
    for _ in range(20):
        connection.send(b"x" * 400)
        sent += sum(len(answer) for answer, _ in pair.server_endpoint.take_output())
        pair.network.now += 1.0
        pair.server_endpoint.handle_timer(pair.network.now)
        sent += sum(len(answer) for answer, _ in pair.server_endpoint.take_output())
        assert sent <= received
        ping = console.packet_bytes(PING, 1, flags=FLAG_NEED_ACK, signed_with=b"")
        received += len(ping)
        sent += sum(map(len, console.exchange(ping)))
        assert sent <= received
        if not connection.open:
            break
    assert sent > 0
    assert pair.server_endpoint.drops[DropReason.AMPLIFICATION] > 0


def test_what_the_cap_held_back_is_sent_once_data_verified() -> None:
    pair = pair_of()
    console = Console(pair)
    console.syn()
    legacy_connect(console)
    connection = opened(console)
    connection.send(b"x" * 400)
    assert pair.server_endpoint.take_output() == []
    console.send(2, b"request")
    pair.network.now += 1.0
    pair.server_endpoint.handle_timer(pair.network.now)
    assert len(pair.server_endpoint.take_output()) == 1


def test_a_shorter_connect_is_not_answered_with_a_longer_one() -> None:
    """Its first unreliable number, which is optional, is four bytes of the answer."""
    pair = pair_of()
    console = Console(pair)
    console.syn()
    full = console.connect_bytes(signed_with=b"")
    options = full[30:]
    cut = options[:24] + options[28:]
    head = full[6:14]
    signature = pair.server_endpoint.v1._digest(head + console.codec.secret(b"", b"") + cut)
    short = full[:3] + bytes((len(cut),)) + full[4:6] + head + signature + cut
    answers = console.exchange(short)
    assert sum(map(len, answers)) <= len(short)
    assert pair.server_endpoint.drops == {DropReason.AMPLIFICATION: 1}
    assert len(pair.server_endpoint) == 0


@pytest.mark.parametrize(("pid", "replaced"), [(5, True), (6, False)])
def test_only_the_same_player_is_replaced(pid: int, replaced: bool) -> None:
    pair = pair_of(key=SERVER_KEY)
    first = Console(pair)
    first.connect(credentials(NOW, pid=5))
    second = Console(pair)
    second.syn()
    payload = login_payload(credentials(NOW, pid=pid, session_key=bytes(32)))
    assert bool(legacy_connect(second, payload)) is replaced
    if replaced:
        assert [type(event) for event in second.events] == [Closed, Opened]
        assert pair.server_endpoint.drops == {}
    else:
        assert second.events == []
        assert pair.server_endpoint.drops == {DropReason.UNPROVEN_REPLACEMENT: 1}
        # The ticket is not used up: it opens the door when the other one has left.
        connection = opened(first)
        connection.close(CloseReason.LOCAL)
        pair.server_endpoint.take_output()
        assert legacy_connect(second, payload)


def test_without_tickets_nobody_is_replaced() -> None:
    pair = pair_of()
    first = Console(pair)
    first.connect()
    second = Console(pair)
    second.session_id ^= 1
    second.syn()
    assert legacy_connect(second) == []
    assert pair.server_endpoint.drops == {DropReason.UNPROVEN_REPLACEMENT: 1}
    assert opened(first).open
    second.connect()
    assert not opened(first).open


def test_forged_connects_do_not_use_up_the_rate_of_proven_ones() -> None:
    pair = pair_of(limits=Limits(handshakes_per_second=2))
    for port in range(1, 6):
        forger = Console(pair, address=("203.0.113.1", port))
        forger.syn()
        legacy_connect(forger)
    assert pair.server_endpoint.drops == {DropReason.HANDSHAKE_RATE: 3}
    Console(pair, address=("203.0.113.1", 100)).connect()
    assert len(pair.server_endpoint) == 3


def test_a_repeated_legacy_connect_is_answered_the_same() -> None:
    pair = pair_of()
    console = Console(pair)
    console.syn()
    first = legacy_connect(console)
    assert first[0].type == CONNECT
    assert legacy_connect(console) == first
    assert len(console.events) == 1


def test_our_client_speaks_it_too() -> None:
    pair = Pair(settings=transport(legacy_signature=True), key=SERVER_KEY)
    node = pair.client()
    client, server = pair.connect(node, credentials(pair.network.wall_clock()))
    assert server.credit is not None
    client.send(b"request" * 500)
    pair.network.run_until(lambda: bool(pair.server.messages()))
    server.send(b"reply" * 500)
    pair.network.run_until(lambda: bool(node.messages()))
    client.disconnect()
    pair.network.run(10)
    assert pair.server.closed() == [CloseReason.PEER]
    assert len(pair.server_endpoint) == len(node.endpoint) == 0
