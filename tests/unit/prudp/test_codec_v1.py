"""PRUDP v1 on the wire: frozen bytes, options in any order, several packets in a datagram.

The vectors come from NintendoClients' encoder, whose live comparison is in
tests/interop/test_prudp_codecs.py.
"""

from __future__ import annotations

import hmac
import itertools
import struct
from hashlib import md5

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.prudp.codec_v1 import V1Codec
from nekonex.prudp.constants import (
    CONNECT,
    DATA,
    DISCONNECT,
    FLAG_ACK,
    FLAG_HAS_SIZE,
    FLAG_MULTI_ACK,
    FLAG_NEED_ACK,
    FLAG_RELIABLE,
    PING,
    SYN,
)
from nekonex.prudp.packet import Handshake, PacketError
from tests.support.transport import ACCESS_KEY, transport

R, N, H, A, M = FLAG_RELIABLE, FLAG_NEED_ACK, FLAG_HAS_SIZE, FLAG_ACK, FLAG_MULTI_ACK

SOURCE, DEST, SESSION = 0xAF, 0xA1, 0x2A
SESSION_KEY = bytes(range(16))
ISSUED = bytes(range(0xA0, 0xB0))
OFFERED = bytes(range(16))

HANDSHAKES = {
    "syn": (SYN, N, 0, Handshake(bytes(16), 4, 0x010203, 1, 1), b""),
    "connect": (CONNECT, R | N | H, SESSION, Handshake(OFFERED, 4, 0x010203, 1, 0x1234), b"login"),
}
PACKETS = {
    "data": (DATA, R | N | H, 1, 0xFFFE, 3, b"payload"),
    "empty data": (DATA, R | N | H, 0, 2, 0, b""),
    "ack": (DATA, A, 1, 0x102, 3, b""),
    "aggregate": (DATA, M, 1, 0, 0, bytes.fromhex("000105000700")),
    "disconnect": (DISCONNECT, R | N, 0, 9, 0, b""),
    "ping": (PING, N, 0, 4, 0, b""),
}
VECTORS = {
    "syn": "ead0011b0000afa140000000000068381dd851ea0223465edce0c9d16c2b00040403020101"
    "1000000000000000000000000000000000040101",
    "connect": "ead0011f0500afa1e1002a0001003462581d6d00ffbfefcbd6c7d516d3fb0004040302"
    "010110000102030405060708090a0b0c0d0e0f030234120401016c6f67696e",
    "data": "ead001030700afa1e2002a01feffec2b74e022b4737d1da5a5d62f9673dc0201037061796c6f6164",
    "empty data": "ead001030000afa1e2002a00020001e2bd515caaf99c9e2a147fc8d450a0020100",
    "ack": "ead001030000afa112002a010201bc5e31b8a015b98c6f0dfacdcc0f6f71020103",
    "aggregate": "ead001030600afa102202a0100004bb2491516258464ca2abe06b7982d0f020100000105000700",
    "disconnect": "ead001000000afa163002a00090047ae649827aef350f6f0748d698fdb5c",
    "ping": "ead001000000afa144002a0004001a67244d2d695f508b3917d530b02527",
}


@pytest.fixture
def codec() -> V1Codec:
    return V1Codec(transport())


def write(codec: V1Codec, name: str) -> bytes:
    if name in HANDSHAKES:
        kind, flags, session, handshake, payload = HANDSHAKES[name]
        secret = codec.secret(b"", ISSUED) if kind == CONNECT else None
        return codec.encode_handshake(
            kind, flags, SOURCE, DEST, session, handshake, payload, secret
        )
    kind, flags, substream, sequence, fragment, payload = PACKETS[name]
    secret = codec.secret(SESSION_KEY, ISSUED)
    return codec.encode(
        kind, flags, SOURCE, DEST, SESSION, substream, sequence, fragment, payload, secret
    )


def assemble(kind: int, options: bytes, payload: bytes = b"", mixed: bytes = ISSUED) -> bytes:
    """Write a packet with any options, signed from the description of the protocol."""
    head = struct.pack("<BBHBBH", SOURCE, DEST, kind | (R | N) << 4, SESSION, 0, 1)
    key_sum = struct.pack("<I", sum(ACCESS_KEY.encode()))
    mac = hmac.new(md5(ACCESS_KEY.encode()).digest(), digestmod="md5")
    for part in (head, key_sum, mixed, options, payload):
        mac.update(part)
    prefix = struct.pack("<2sBBH", b"\xea\xd0", 1, len(options), len(payload))
    return prefix + head + mac.digest() + options + payload


CONNECT_OPTIONS = (
    bytes.fromhex("000404030201"),
    b"\x01\x10" + OFFERED,
    bytes.fromhex("03023412"),
    bytes.fromhex("040101"),
)


@pytest.mark.parametrize("name", VECTORS)
def test_every_packet_has_its_bytes(codec: V1Codec, name: str) -> None:
    assert write(codec, name).hex() == VECTORS[name]


@pytest.mark.parametrize("name", VECTORS)
def test_every_packet_is_read_back(codec: V1Codec, name: str) -> None:
    data = bytes.fromhex(VECTORS[name])
    packet, end = codec.decode(data, 0)
    assert end == len(data)
    assert (packet.source, packet.dest) == (SOURCE, DEST)
    if name in HANDSHAKES:
        kind, flags, session, handshake, payload = HANDSHAKES[name]
        assert packet.handshake == handshake
        assert packet.sequence_id == (kind == CONNECT)
        assert codec.verify_syn(packet) is (kind == SYN)
        assert codec.verify(packet, codec.secret(b"", ISSUED)) is (kind == CONNECT)
    else:
        kind, flags, substream, sequence, fragment, payload = PACKETS[name]
        session = SESSION
        assert packet.handshake is None
        assert (packet.substream_id, packet.sequence_id, packet.fragment_id) == (
            substream, sequence, fragment,
        )  # fmt: skip
        assert codec.verify(packet, codec.secret(SESSION_KEY, ISSUED))
    assert (packet.type, packet.flags, packet.session_id, packet.payload) == (
        kind, flags, session, payload,
    )  # fmt: skip


@pytest.mark.parametrize("name", VECTORS)
def test_every_cut_is_malformed_and_every_changed_byte_noticed(codec: V1Codec, name: str) -> None:
    data = bytes.fromhex(VECTORS[name])
    secret = codec.secret(b"" if name in HANDSHAKES else SESSION_KEY, ISSUED)
    for end in range(len(data)):
        with pytest.raises(PacketError):
            codec.decode(data[:end], 0)
    for index in range(len(data)):
        changed = bytearray(data)
        changed[index] ^= 1
        try:
            packet, _ = codec.decode(bytes(changed), 0)
        except PacketError:
            continue
        assert not (codec.verify_syn(packet) if name == "syn" else codec.verify(packet, secret))


@pytest.mark.parametrize("order", list(itertools.permutations(range(4))))
def test_options_are_verified_in_the_order_received(codec: V1Codec, order: tuple[int, ...]) -> None:
    data = assemble(CONNECT, b"".join(CONNECT_OPTIONS[index] for index in order), b"login")
    packet, _ = codec.decode(data, 0)
    assert packet.handshake == HANDSHAKES["connect"][3]
    assert packet.payload == b"login"
    assert codec.verify(packet, codec.secret(b"", ISSUED))


@pytest.mark.parametrize("extra", ["5500", "80020102", "ff03010203"])
@pytest.mark.parametrize("kind", [CONNECT, DATA, PING])
def test_unknown_options_are_ignored_and_signed(codec: V1Codec, kind: int, extra: str) -> None:
    known = {CONNECT: b"".join(CONNECT_OPTIONS), DATA: bytes.fromhex("020105"), PING: b""}[kind]
    for options in (bytes.fromhex(extra) + known, known + bytes.fromhex(extra)):
        packet, _ = codec.decode(assemble(kind, options, b"body"), 0)
        assert codec.verify(packet, codec.secret(b"", ISSUED))
        assert packet.payload == b"body"
        assert packet.fragment_id == (5 if kind == DATA else 0)


def test_the_first_unreliable_number_may_be_left_out(codec: V1Codec) -> None:
    options = b"".join(CONNECT_OPTIONS[index] for index in (0, 1, 3))
    packet, _ = codec.decode(assemble(CONNECT, options), 0)
    assert packet.handshake is not None
    assert packet.handshake.initial_unreliable_id == 1


@pytest.mark.parametrize(
    ("kind", "options", "why"),
    [
        (DATA, b"", "missing"),
        (DATA, b"\x02\x01", "wrong size"),
        (DATA, b"\x02\x02\x00\x00", "wrong size"),
        (DATA, b"\x02\x01\x00\x02\x01\x00", "twice"),
        (DATA, b"\x02\x01\x00\x55", "truncated option"),
        (DATA, b"\x02\x01\x00\x55\x01", "wrong size"),
        (SYN, b"".join(CONNECT_OPTIONS[1:]), "missing"),
        (SYN, CONNECT_OPTIONS[0] + CONNECT_OPTIONS[1], "missing"),
        (CONNECT, CONNECT_OPTIONS[0] + CONNECT_OPTIONS[3], "missing"),
        (CONNECT, b"\x01\x04" + bytes(4), "wrong size"),
        (PING, b"\x02\x02\x00\x00", "wrong size"),
    ],
)
def test_options_that_cannot_be_right(codec: V1Codec, kind: int, options: bytes, why: str) -> None:
    data = assemble(kind, options)
    with pytest.raises(PacketError, match=why):
        codec.decode(data, 0)
    assert codec.skip(data, 0) == len(data)


@pytest.mark.parametrize("prefix", ["eae001", "ebd001", "ead002", "ead000"])
def test_another_magic_number_or_version_is_malformed(codec: V1Codec, prefix: str) -> None:
    data = bytes.fromhex(prefix) + write(codec, "data")[3:]
    with pytest.raises(PacketError, match="magic"):
        codec.decode(data, 0)
    assert codec.skip(data, 0) >= len(data)


def test_several_packets_share_a_datagram(codec: V1Codec) -> None:
    data = b"".join(write(codec, name) for name in VECTORS)
    pos, kinds = 0, []
    while pos < len(data):
        packet, pos = codec.decode(data, pos)
        kinds.append(packet.type)
    assert kinds == [SYN, CONNECT, DATA, DATA, DATA, DATA, DISCONNECT, PING]


def test_a_malformed_packet_costs_only_itself(codec: V1Codec) -> None:
    bad = assemble(DATA, b"\x02\x02\x00\x00", b"some payload")
    good = write(codec, "data")
    data = good + bad + good
    _, pos = codec.decode(data, 0)
    with pytest.raises(PacketError):
        codec.decode(data, pos)
    packet, end = codec.decode(data, codec.skip(data, pos))
    assert (packet.payload, end) == (b"payload", len(data))


@given(data=st.binary(max_size=64), magic=st.booleans(), pos=st.integers(0, 8))
def test_any_bytes_are_a_packet_or_an_error(data: bytes, magic: bool, pos: int) -> None:
    codec = V1Codec(transport())
    if magic:
        data = data[:pos] + b"\xea\xd0\x01" + data[pos + 3 :]
    try:
        _, end = codec.decode(data, pos)
    except PacketError:
        assert codec.skip(data, pos) > pos or pos >= len(data)
    else:
        assert pos < end <= len(data)
