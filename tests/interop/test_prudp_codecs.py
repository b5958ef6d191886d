"""Our packet codecs against NintendoClients': the same bytes from the same fields."""

from __future__ import annotations

import itertools
from typing import Any

import nintendo.nex.settings as oracle_settings
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nintendo.nex import prudp as oracle

from nekonex.prudp.codec_v0 import V0Codec
from nekonex.prudp.codec_v1 import V1Codec
from nekonex.prudp.constants import CONNECT, DATA, DISCONNECT, PING, SYN
from nekonex.prudp.crypto import compress, decompress, substream_key
from nekonex.prudp.host import AnyCodec
from nekonex.prudp.packet import Handshake
from nekonex.settings import Settings

KEYS = ("6f599f81", "ridfebb9", "", "0123456789abcdef")
VARIANTS = list(itertools.product((0, 1), (0, 1), (0, 1)))

bytes_of_wire = st.integers(0, 255)
numbers = st.integers(0, 0xFFFF)


@st.composite
def packets(draw: st.DrawFn, *, version: int, flag_bits: int) -> dict[str, Any]:
    kind = draw(st.sampled_from((SYN, CONNECT, DATA, DISCONNECT, PING)))
    flags = draw(st.integers(0, (1 << flag_bits) - 1))
    payload = draw(st.binary(max_size=40))
    handshake = kind in {SYN, CONNECT}
    return {
        "kind": kind,
        "flags": flags,
        "source": draw(bytes_of_wire),
        "dest": draw(bytes_of_wire),
        "session_id": draw(bytes_of_wire),
        "substream": draw(bytes_of_wire) if version and not handshake else 0,
        "sequence": int(kind == CONNECT) if handshake else draw(numbers),
        "fragment": draw(bytes_of_wire) if kind == DATA else 0,
        "payload": payload,
        "session_key": b"" if handshake else draw(st.sampled_from((b"", bytes(range(32))))),
        "issued": draw(st.binary(min_size=(4, 16)[version], max_size=(4, 16)[version])),
        "handshake": Handshake(
            draw(st.binary(min_size=(4, 16)[version], max_size=(4, 16)[version])),
            *((draw(bytes_of_wire), draw(st.integers(0, 0xFFFFFF))) if version else (0, 0)),
            *((draw(bytes_of_wire), draw(numbers)) if version else (0, 1)),
        ),
    }


def ours(codec: AnyCodec, what: dict[str, Any]) -> bytes:
    secret = codec.secret(what["session_key"], what["issued"])
    if what["kind"] in {SYN, CONNECT}:
        return codec.encode_handshake(
            what["kind"], what["flags"], what["source"], what["dest"], what["session_id"],
            what["handshake"], what["payload"], None if what["kind"] == SYN else secret,
        )  # fmt: skip
    return codec.encode(
        what["kind"], what["flags"], what["source"], what["dest"], what["session_id"],
        what["substream"], what["sequence"], what["fragment"], what["payload"], secret,
    )  # fmt: skip


def theirs(encoder: Any, version: int, what: dict[str, Any]) -> bytes:
    packet = oracle.PRUDPPacket(what["kind"], what["flags"])
    packet.version = version
    packet.source_type, packet.source_port = divmod(what["source"], 16)
    packet.dest_type, packet.dest_port = divmod(what["dest"], 16)
    packet.session_id = what["session_id"]
    packet.substream_id = what["substream"]
    packet.packet_id = what["sequence"]
    packet.fragment_id = what["fragment"]
    packet.payload = what["payload"]
    handshake = what["handshake"]
    packet.connection_signature = handshake.connection_signature
    packet.minor_version = handshake.minor_version
    packet.supported_functions = handshake.supported_functions
    packet.max_substream_id = handshake.max_substream_id
    packet.initial_unreliable_id = handshake.initial_unreliable_id
    issued = b"" if what["kind"] == SYN else what["issued"]
    packet.signature = encoder.calc_packet_signature(packet, what["session_key"], issued)
    data = encoder.encode(packet)
    assert isinstance(data, bytes)
    return data


def settings_pair(access_key: str, variant: tuple[int, int, int]) -> tuple[Settings, Any]:
    own, other = Settings(), oracle_settings.default()
    names = ("signature_version", "flags_version", "checksum_version")
    for each in (own, other):
        each["prudp.access_key"] = access_key
        for name, value in zip(names, variant, strict=True):
            each[f"prudp_v0.{name}"] = value
    return own, other


def check_decoded(codec: AnyCodec, encoder: Any, data: bytes) -> None:
    """Both read the same from the same bytes."""
    packet, end = codec.decode(data, 0)
    assert end == len(data)
    (other,) = encoder.decode(data)
    assert (packet.type, packet.flags, packet.payload) == (other.type, other.flags, other.payload)
    assert packet.source == other.source_type << 4 | other.source_port
    assert packet.dest == other.dest_type << 4 | other.dest_port
    assert packet.session_id == other.session_id
    assert packet.substream_id == other.substream_id
    assert packet.sequence_id == other.packet_id
    assert packet.fragment_id == other.fragment_id
    assert packet.signature == other.signature
    if packet.handshake is not None:
        assert packet.handshake.connection_signature == other.connection_signature
        assert packet.handshake.minor_version == other.minor_version
        assert packet.handshake.supported_functions == other.supported_functions
        assert packet.handshake.max_substream_id == other.max_substream_id


@pytest.mark.parametrize("variant", VARIANTS)
@given(data=st.data(), access_key=st.sampled_from(KEYS))
def test_v0_is_the_same(
    variant: tuple[int, int, int], data: st.DataObject, access_key: str
) -> None:
    own, other = settings_pair(access_key, variant)
    codec, encoder = V0Codec(own.transport()), oracle.PRUDPMessageV0(other)
    what = data.draw(packets(version=0, flag_bits=12 if variant[1] else 5))
    raw = ours(codec, what)
    assert raw == theirs(encoder, 0, what)
    check_decoded(codec, encoder, raw)


@given(what=packets(version=1, flag_bits=12), access_key=st.sampled_from(KEYS))
def test_v1_is_the_same(what: dict[str, Any], access_key: str) -> None:
    own, other = settings_pair(access_key, (0, 1, 1))
    codec, encoder = V1Codec(own.transport()), oracle.PRUDPMessageV1(other)
    raw = ours(codec, what)
    assert raw == theirs(encoder, 1, what)
    check_decoded(codec, encoder, raw)


@given(data=st.binary(min_size=1, max_size=100), repeat=st.integers(1, 30))
def test_each_side_decompresses_what_the_other_compressed(data: bytes, repeat: int) -> None:
    data *= repeat
    theirs_zlib = oracle.ZlibCompression()
    assert theirs_zlib.decompress(compress(data)) == data
    assert decompress(theirs_zlib.compress(data), len(data)) == data


@pytest.mark.parametrize("size", [16, 32])
@given(data=st.data())
def test_substream_keys_are_the_same(size: int, data: st.DataObject) -> None:
    session_key = data.draw(st.binary(min_size=size, max_size=size))
    encoder = oracle.PayloadEncoder(oracle_settings.default())
    key = session_key
    modify = getattr(encoder, "modify_key", None) or encoder._modify_key
    for substream in range(4):
        assert substream_key(session_key, substream) == key
        key = modify(key)
