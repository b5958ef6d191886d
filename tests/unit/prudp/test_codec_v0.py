"""PRUDP v0 on the wire: frozen bytes of every variant, and what malformed bytes cost.

The vectors come from NintendoClients' encoder, whose live comparison is in
tests/interop/test_prudp_codecs.py.
"""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.prudp.codec_v0 import V0Codec
from nekonex.prudp.constants import (
    CONNECT,
    DATA,
    DISCONNECT,
    FLAG_ACK,
    FLAG_HAS_SIZE,
    FLAG_NEED_ACK,
    FLAG_RELIABLE,
    PING,
    SYN,
)
from nekonex.prudp.packet import Handshake, PacketError
from tests.support.transport import transport

R, N, H, A = FLAG_RELIABLE, FLAG_NEED_ACK, FLAG_HAS_SIZE, FLAG_ACK

SOURCE, DEST, SESSION = 0xAF, 0xA1, 0x2A
SESSION_KEY = bytes(range(16))
ISSUED = bytes.fromhex("a1b2c3d4")
OFFERED = bytes.fromhex("11223344")

HANDSHAKES = {
    "syn": (SYN, N, 0, bytes(4), b"", False),
    "connect": (CONNECT, R | N | H, SESSION, OFFERED, b"login", True),
}
PACKETS = {
    "data": (DATA, R | N | H, 0xFFFE, 3, b"payload"),
    "empty data": (DATA, R | N | H, 2, 0, b""),
    "ack": (DATA, A, 0x102, 3, b""),
    "disconnect": (DISCONNECT, R | N, 9, 0, b""),
    "ping": (PING, N, 4, 0, b""),
}

# (signature version, flags version, checksum version) -> packet -> bytes
VECTORS = {
    (0, 0, 0): {
        "syn": "afa1200000000000000000000000c1a12000",
        "connect": "afa1712aa1b2c3d401001122334405006c6f67696e7008b38a",
        "data": "afa1722ad0e1871bfeff0307007061796c6f6164fb62c12a",
        "empty data": "afa1722ac326b38d020000000086c825b8",
        "ack": "afa10a2a9b62a2160201035e05b040",
        "disconnect": "afa1332aef4bb7d80900b9edea02",
        "ping": "afa1242aa1b2c3d404006654e8fe",
    },
    (0, 0, 1): {
        "syn": "afa120000000000000000000000082",
        "connect": "afa1712aa1b2c3d401001122334405006c6f67696eb4",
        "data": "afa1722ad0e1871bfeff0307007061796c6f616448",
        "empty data": "afa1722ac326b38d02000000002b",
        "ack": "afa10a2a9b62a21602010353",
        "disconnect": "afa1332aef4bb7d8090092",
        "ping": "afa1242aa1b2c3d40400a0",
    },
    (0, 1, 0): {
        "syn": "afa140000000000000000000000000c1a14000",
        "connect": "afa1e1002aa1b2c3d401001122334405006c6f67696e4a524842",
        "data": "afa1e2002ad0e1871bfeff0307007061796c6f6164eadca34f",
        "empty data": "afa1e2002ac326b38d0200000000786709b4",
        "ack": "afa112002a9b62a216020103013f76a5",
        "disconnect": "afa163002aef4bb7d80900c39aafb7",
        "ping": "afa144002aa1b2c3d40400bf47f7c3",
    },
    (0, 1, 1): {
        "syn": "afa140000000000000000000000000a2",
        "connect": "afa1e1002aa1b2c3d401001122334405006c6f67696e24",
        "data": "afa1e2002ad0e1871bfeff0307007061796c6f6164b8",
        "empty data": "afa1e2002ac326b38d02000000009c",
        "ack": "afa112002a9b62a2160201035a",
        "disconnect": "afa163002aef4bb7d80900c2",
        "ping": "afa144002aa1b2c3d40400bf",
    },
    (1, 0, 0): {
        "syn": "afa1200000000000000000000000c1a12000",
        "connect": "afa1712aa1b2c3d401001122334405006c6f67696e7008b38a",
        "data": "afa1722abae12aeffeff0307007061796c6f6164e56264fe",
        "empty data": "afa1722a7856341202000000003bf8a63c",
        "ack": "afa10a2a785634120201033bf9413c",
        "disconnect": "afa1332aa1b2c3d409006b54f7fe",
        "ping": "afa1242aa1b2c3d404006654e8fe",
    },
    (1, 0, 1): {
        "syn": "afa120000000000000000000000082",
        "connect": "afa1712aa1b2c3d401001122334405006c6f67696eb4",
        "data": "afa1722abae12aeffeff0307007061796c6f6164a9",
        "empty data": "afa1722a78563412020000000015",
        "ack": "afa10a2a78563412020103b1",
        "disconnect": "afa1332aa1b2c3d40900b4",
        "ping": "afa1242aa1b2c3d40400a0",
    },
    (1, 1, 0): {
        "syn": "afa140000000000000000000000000c1a14000",
        "connect": "afa1e1002aa1b2c3d401001122334405006c6f67696e4a524842",
        "data": "afa1e2002abae12aeffeff0307007061796c6f6164bec7a3f2",
        "empty data": "afa1e2002a785634120200000000fd1b3935",
        "ack": "afa112002a78563412020103fd1b6a37",
        "disconnect": "afa163002aa1b2c3d40900bf4c16c4",
        "ping": "afa144002aa1b2c3d40400bf47f7c3",
    },
    (1, 1, 1): {
        "syn": "afa140000000000000000000000000a2",
        "connect": "afa1e1002aa1b2c3d401001122334405006c6f67696e24",
        "data": "afa1e2002abae12aeffeff0307007061796c6f61641a",
        "empty data": "afa1e2002a78563412020000000086",
        "ack": "afa112002a78563412020103b9",
        "disconnect": "afa163002aa1b2c3d40900e4",
        "ping": "afa144002aa1b2c3d40400bf",
    },
}
VARIANTS = [(variant, name) for variant, packets in VECTORS.items() for name in packets]


def codec_of(variant: tuple[int, int, int]) -> V0Codec:
    signature, flags, checksum = variant
    return V0Codec(
        transport(
            v0_signature_version=signature,
            v0_flags_version=flags,
            v0_checksum_version=checksum,
        )
    )


def write(codec: V0Codec, name: str) -> bytes:
    if name in HANDSHAKES:
        kind, flags, session, offered, payload, signed = HANDSHAKES[name]
        secret = codec.secret(b"", ISSUED) if signed else None
        return codec.encode_handshake(
            kind, flags, SOURCE, DEST, session, Handshake(offered), payload, secret
        )
    kind, flags, sequence, fragment, payload = PACKETS[name]
    secret = codec.secret(SESSION_KEY, ISSUED)
    return codec.encode(kind, flags, SOURCE, DEST, SESSION, 0, sequence, fragment, payload, secret)


@pytest.mark.parametrize(("variant", "name"), VARIANTS)
def test_every_packet_has_its_bytes(variant: tuple[int, int, int], name: str) -> None:
    assert write(codec_of(variant), name).hex() == VECTORS[variant][name]


@pytest.mark.parametrize(("variant", "name"), VARIANTS)
def test_every_packet_is_read_back(variant: tuple[int, int, int], name: str) -> None:
    codec = codec_of(variant)
    data = bytes.fromhex(VECTORS[variant][name])
    packet, end = codec.decode(data, 0)
    assert end == len(data)
    assert (packet.source, packet.dest, packet.substream_id) == (SOURCE, DEST, 0)
    if name in HANDSHAKES:
        kind, flags, session, offered, payload, signed = HANDSHAKES[name]
        assert packet.handshake == Handshake(offered)
        assert packet.sequence_id == (kind == CONNECT)
        assert codec.verify_syn(packet) is (kind == SYN)
        assert codec.verify(packet, codec.secret(b"", ISSUED)) is signed
    else:
        kind, flags, sequence, fragment, payload = PACKETS[name]
        session = SESSION
        assert packet.handshake is None
        assert (packet.sequence_id, packet.fragment_id) == (sequence, fragment)
        assert codec.verify(packet, codec.secret(SESSION_KEY, ISSUED))
    assert (packet.type, packet.flags, packet.session_id, packet.payload) == (
        kind, flags, session, payload,
    )  # fmt: skip


@pytest.mark.parametrize(("variant", "name"), VARIANTS)
def test_every_cut_and_every_changed_byte_is_noticed(
    variant: tuple[int, int, int], name: str
) -> None:
    codec = codec_of(variant)
    data = bytes.fromhex(VECTORS[variant][name])
    for end in range(len(data)):
        with pytest.raises(PacketError):
            codec.decode(data[:end], 0)
    for index in range(len(data)):
        changed = bytearray(data)
        changed[index] ^= 0x10
        with pytest.raises(PacketError):
            codec.decode(bytes(changed), 0)


def test_an_empty_friends_payload_is_signed_with_a_constant() -> None:
    codec = codec_of((1, 1, 1))
    packet, _ = codec.decode(write(codec, "empty data"), 0)
    assert packet.signature == bytes.fromhex("78563412")


def test_friends_data_is_signed_over_the_payload_alone() -> None:
    codec = codec_of((1, 1, 1))
    secret = codec.secret(SESSION_KEY, ISSUED)
    one = codec.encode(DATA, R | N | H, SOURCE, DEST, 1, 0, 1, 0, b"same", secret)
    other = codec.encode(DATA, R | N | H, SOURCE, DEST, 1, 0, 9, 4, b"same", codec.secret(b"", b""))
    assert codec.decode(one, 0)[0].signature == codec.decode(other, 0)[0].signature


@pytest.mark.parametrize("name", ["data", "disconnect"])
def test_other_signatures_cover_key_number_fragment_and_payload(name: str) -> None:
    codec = codec_of((0, 1, 1))
    packet, _ = codec.decode(write(codec, name), 0)
    assert codec.verify(packet, codec.secret(SESSION_KEY, ISSUED))
    assert not codec.verify(packet, codec.secret(bytes(16), ISSUED))
    for number, fragment in ((packet.sequence_id ^ 1, 3), (packet.sequence_id, 2)):
        head = number.to_bytes(2, "little") + bytes((fragment,))
        assert not codec.verify(packet._replace(head=head), codec.secret(SESSION_KEY, ISSUED))
    assert not codec.verify(packet._replace(payload=b"PAYLOAD"), codec.secret(SESSION_KEY, ISSUED))


def test_several_packets_with_sizes_share_a_datagram() -> None:
    codec = codec_of((0, 1, 1))
    names = ("data", "empty data", "connect", "data")
    data = b"".join(write(codec, name) for name in names)
    pos, kinds = 0, []
    while pos < len(data):
        packet, pos = codec.decode(data, pos)
        kinds.append(packet.type)
    assert kinds == [DATA, DATA, CONNECT, DATA]


def test_a_packet_without_a_size_takes_the_rest() -> None:
    codec = codec_of((0, 1, 1))
    secret = codec.secret(SESSION_KEY, ISSUED)
    data = codec.encode(DATA, R | N, SOURCE, DEST, 1, 0, 1, 0, b"rest", secret)
    packet, end = codec.decode(data, 0)
    assert (packet.payload, end) == (b"rest", len(data))


def test_there_is_no_second_substream() -> None:
    codec = codec_of((0, 1, 1))
    with pytest.raises(ValueError, match="one substream"):
        codec.encode(DATA, R | N, SOURCE, DEST, 1, 1, 1, 0, b"", codec.secret(b"", ISSUED))


@pytest.mark.parametrize("variant", VECTORS)
@given(data=st.binary(max_size=40), pos=st.integers(0, 8))
def test_any_bytes_are_a_packet_or_an_error(
    variant: tuple[int, int, int], data: bytes, pos: int
) -> None:
    codec = codec_of(variant)
    try:
        _, end = codec.decode(data, pos)
    except PacketError:
        assert codec.skip(data, pos) >= len(data)
    else:
        assert pos < end <= len(data)
