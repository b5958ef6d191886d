"""The client role: answers it takes, answers it does not, and many connections at once."""

from __future__ import annotations

from typing import Any

import pytest

from nekonex.prudp.base import Address, State
from nekonex.prudp.client import ClientConnection, ClientEndpoint
from nekonex.prudp.constants import CONNECT, DATA, DISCONNECT, FLAG_ACK, FLAG_HAS_SIZE, PING, SYN
from nekonex.prudp.host import AnyCodec
from nekonex.prudp.limits import CloseReason, DropReason
from nekonex.prudp.packet import Handshake, Packet
from tests.support.fuzz import fuzz, recorded_packets
from tests.support.link import SERVER, Node, Pair, Weather
from tests.support.transport import SERVER_KEY, credentials, transport

versions = pytest.mark.parametrize("version", [0, 1])


class FakeServer:
    """Answers one client as the test says."""

    def __init__(self, version: int = 1, **changes: Any) -> None:
        self.pair = Pair(settings=transport(version=version, **changes))
        self.node: Node = self.pair.client()
        assert isinstance(self.node.endpoint, ClientEndpoint)
        self.endpoint: ClientEndpoint = self.node.endpoint
        self.codec: AnyCodec = self.endpoint.v1 if version else self.endpoint.v0
        self.connection: ClientConnection = self.pair.start(self.node)
        self.issued = bytes(range(self.codec.signature_size))
        self.requests: list[Packet] = []
        self.take()

    def take(self) -> None:
        for data, _ in self.endpoint.take_output():
            self.requests.append(self.codec.decode(data, 0)[0])

    def answer(
        self, kind: int, handshake: Handshake | None = None, *, secret: bytes | None, **changes: Any
    ) -> None:
        request = self.requests[-1]
        size = self.codec.signature_size
        data = self.codec.encode_handshake(
            kind,
            changes.get("flags", FLAG_ACK | (FLAG_HAS_SIZE if kind == CONNECT else 0)),
            request.dest,
            request.source,
            changes.get("session_id", 0),
            handshake or Handshake(self.issued if kind == SYN else bytes(size)),
            changes.get("payload", b""),
            secret,
        )
        self.inject(data)

    def inject(self, data: bytes) -> None:
        self.endpoint.receive_datagram(data, SERVER, self.pair.network.now)
        self.take()

    def answer_connect(self, **changes: Any) -> None:
        request = self.requests[-1]
        assert request.handshake is not None
        signature = changes.pop("signature", request.handshake.connection_signature)
        self.answer(CONNECT, secret=self.codec.secret(b"", signature), **changes)


@versions
def test_a_handshake_by_the_book(version: int) -> None:
    server = FakeServer(version)
    (syn,) = server.requests
    assert (syn.type, syn.session_id, syn.sequence_id) == (SYN, 0, 0)
    server.answer(SYN, secret=None)
    connect = server.requests[-1]
    assert (connect.type, connect.sequence_id) == (CONNECT, 1)
    assert server.codec.verify(connect, server.codec.secret(b"", server.issued))
    server.answer_connect(session_id=9)
    assert server.connection.open
    server.connection.send(b"first")
    server.take()
    assert (server.requests[-1].type, server.requests[-1].sequence_id) == (DATA, 2)


def test_a_second_syn_answer_does_not_restart_the_handshake() -> None:
    server = FakeServer()
    server.answer(SYN, secret=None)
    server.answer(SYN, Handshake(b"forged signature"), secret=None)
    assert len(server.requests) == 2
    assert server.endpoint.drops == {DropReason.UNEXPECTED_TYPE: 1}


def test_answers_after_the_handshake_change_nothing() -> None:
    server = FakeServer()
    server.answer(SYN, secret=None)
    server.answer_connect(session_id=9)
    server.answer_connect(session_id=8)
    assert server.connection.remote_session_id == 9
    assert server.endpoint.drops == {DropReason.DUPLICATE: 1}


def test_a_connect_answer_before_the_syn_answer_is_unexpected() -> None:
    server = FakeServer()
    server.answer(CONNECT, secret=b"")
    assert server.endpoint.drops == {DropReason.UNEXPECTED_TYPE: 1}


@pytest.mark.parametrize(
    ("handshake", "secret", "flags", "reason"),
    [
        (Handshake(bytes(16), 5), None, FLAG_ACK, DropReason.BAD_HANDSHAKE),
        (Handshake(bytes(16), 4, 1), None, FLAG_ACK, DropReason.BAD_HANDSHAKE),
        (Handshake(bytes(16), 4, 0, 1), None, FLAG_ACK, DropReason.BAD_HANDSHAKE),
        (Handshake(bytes(16)), b"other key", FLAG_ACK, DropReason.BAD_SIGNATURE),
        (Handshake(bytes(16)), None, 0, DropReason.UNEXPECTED_TYPE),
    ],
)
def test_a_syn_answer_that_is_not_taken(
    handshake: Handshake, secret: bytes | None, flags: int, reason: DropReason
) -> None:
    server = FakeServer()
    server.answer(SYN, handshake, secret=secret, flags=flags)
    assert server.connection.state is State.CONNECTING
    assert len(server.requests) == 1
    assert server.endpoint.drops == {reason: 1}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"signature": b"x" * 16}, DropReason.BAD_SIGNATURE),
        ({"payload": b"unexpected"}, DropReason.BAD_HANDSHAKE),
        ({"flags": 0}, DropReason.UNEXPECTED_TYPE),
    ],
)
def test_a_connect_answer_that_is_not_taken(changes: dict[str, Any], reason: DropReason) -> None:
    server = FakeServer()
    server.answer(SYN, secret=None)
    server.answer_connect(**changes)
    assert server.connection.state is State.CONNECTING
    assert server.endpoint.drops == {reason: 1}


def test_a_server_without_the_session_key_cannot_answer_the_check() -> None:
    pair = Pair(key=SERVER_KEY)
    node = pair.client()
    ticket = credentials(pair.network.wall_clock(), key=bytes(16))
    pair.start(node, ticket)
    pair.network.run(10)
    assert node.closed() == [CloseReason.REFUSED]
    assert pair.server_endpoint.drops[DropReason.BAD_TICKET] == 3


@versions
def test_while_it_connects_nothing_else_is_taken(version: int) -> None:
    """Also not what is signed with nothing, as before the answer to SYN."""
    server = FakeServer(version)
    syn = server.requests[0]
    for kind in (DATA, DISCONNECT, PING):
        for flags in (0, 1, 4, 6, 14):
            server.inject(
                server.codec.encode(kind, flags, syn.dest, syn.source, 0, 0, 1, 0, b"", b"")
            )
    assert server.connection.state is State.CONNECTING
    assert server.endpoint.take_events() == []
    assert len(server.requests) == 1


def test_garbage_does_not_disturb_a_client() -> None:
    pair = Pair(settings=transport(version=2))
    node = pair.client()
    client, server = pair.connect(node)
    waiting = pair.start(node)
    node.endpoint.take_output()
    for data in fuzz(5, 10_000, recorded_packets(77)):
        node.endpoint.receive_datagram(data, SERVER, pair.network.now)
        assert not node.endpoint.take_output()
    assert waiting.state is State.CONNECTING
    server.send(b"still there")
    pair.network.run(0.5)
    assert node.messages() == [b"still there"]
    assert client.open


def test_a_client_of_both_versions_speaks_the_later_one() -> None:
    pair = Pair(settings=transport(version=2))
    client, server = pair.connect()
    assert client.codec.version == server.codec.version == 1


def test_data_that_overtakes_the_connect_answer_is_sent_again() -> None:
    pair = Pair(seed=8, weather=Weather(delay=(0.0, 0.3)))
    for _ in range(20):
        node = pair.client()
        _, server = pair.connect(node)
        server.send(b"early")
        pair.network.run(3)
        assert node.messages() == [b"early"]


# -- many -----------------------------------------------------------------------


def test_sixteen_connections_share_a_socket() -> None:
    pair = Pair(key=SERVER_KEY)
    node = pair.client()
    pairs = []
    for index in range(16):
        key = bytes((index,)) * 32
        ticket = credentials(pair.network.wall_clock(), pid=index, session_key=key)
        pairs.append(pair.connect(node, ticket))
    with pytest.raises(ValueError, match="in use"):
        pair.start(node)
    assert {client.local_port for client, _ in pairs} == set(range(16))
    assert pairs[0][0].local_port == 15
    for client, server in pairs:
        assert client.pid == server.pid == server.remote_port ^ 15
        client.send(b"from %d" % client.local_port)
        server.send(b"to %d" % client.local_port)
    pair.network.run(1)
    assert sorted(pair.server.messages()) == sorted(b"from %d" % n for n in range(16))
    assert sorted(node.messages()) == sorted(b"to %d" % n for n in range(16))
    for client, _ in pairs:
        client.disconnect()
    pair.network.run(10)
    assert len(node.endpoint) == len(pair.server_endpoint) == 0
    pair.connect(node, credentials(pair.network.wall_clock(), session_key=b"9" * 32))


def test_sixteen_virtual_ports_share_a_server_socket() -> None:
    pair = Pair()
    for port in range(16):
        if port != 1:
            pair.server_endpoint.bind(port, SERVER_KEY if port % 2 else None)
    node = pair.client()
    for port in range(16):
        ticket = credentials(pair.network.wall_clock(), session_key=bytes((port,)) * 32)
        client, server = pair.connect(node, ticket if port % 2 and port != 1 else None, port=port)
        assert (client.remote_port, server.local_port) == (port, port)
        assert (server.pid is None) == (port % 2 == 0 or port == 1)
        assert pair.server_endpoint.all_of(0xA0 | port) == [server]
    assert len(list(pair.server_endpoint.connections())) == 16


def test_endpoints_of_a_process_do_not_know_each_other() -> None:
    pairs = [Pair(seed=seed) for seed in range(3)]
    ids = set()
    for pair in pairs:
        address: Address = ("198.51.100.5", 5)
        client, server = pair.connect(pair.client(address))
        client.send(b"hello")
        pair.network.run(1)
        ids |= {client.id, server.id}
        assert pair.server.messages() == [b"hello"]
        assert len(pair.server_endpoint) == 1
    assert len(ids) == 6
    assert 0 not in ids


def test_one_client_socket_talks_to_two_servers() -> None:
    pair, other = Pair(), Pair(seed=1)
    elsewhere: Address = ("192.0.2.2", 60000)
    second = pair.network.add(other.server_endpoint, elsewhere)
    other.server_endpoint.clock = pair.network.clock
    node = pair.client()
    pair.connect(node)
    assert isinstance(node.endpoint, ClientEndpoint)
    connection = node.endpoint.connect(elsewhere, pair.network.now)
    pair.network.run_until(lambda: connection.open)
    assert connection.local_port == 15
    connection.send(b"hello")
    pair.network.run(1)
    assert second.messages() == [b"hello"]
    assert pair.server.messages() == []
