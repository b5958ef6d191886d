"""NAT traversal on the wire."""

from __future__ import annotations

import struct

import pytest

from nekonex.nex.nat_traversal import NATTraversal, RelaySignatureKey
from nekonex.rmc.contexts import context_of
from nekonex.settings import default
from nekonex.values import DateTime
from nekonex.wire import WireContext, WireError

OLD = WireContext("2.4.1")
NEW = WireContext("3.5.4")
NEWEST = WireContext("4.4.0", pid_size=8)
CONTEXTS = [OLD, NEW, NEWEST]

PLAIN = struct.pack("<I?", 9, True)
DETAIL = struct.pack("<I?i", 9, False, -5)
RTT = struct.pack("<I", 33)


@pytest.mark.parametrize("context", CONTEXTS)
def test_all_methods_are_there(context: WireContext) -> None:
    assert sorted(NATTraversal.codecs(context)) == [1, 2, 3, 4, 5, 6, 7]
    assert NATTraversal.PROTOCOL_ID == 3


@pytest.mark.parametrize("context", CONTEXTS)
def test_a_result_without_a_round_trip_time(context: WireContext) -> None:
    codecs = NATTraversal.codecs(context)
    assert codecs[4].decode_arguments(PLAIN) == (9, True, 0)
    assert codecs[7].decode_arguments(DETAIL) == (9, False, -5, 0)


@pytest.mark.parametrize("context", [NEW, NEWEST])
def test_a_result_with_one(context: WireContext) -> None:
    codecs = NATTraversal.codecs(context)
    assert codecs[4].decode_arguments(PLAIN + RTT) == (9, True, 33)
    assert codecs[7].decode_arguments(DETAIL + RTT) == (9, False, -5, 33)
    assert codecs[4].encode_arguments((9, True, 33)) == PLAIN + RTT
    assert codecs[7].encode_arguments((9, False, -5, 33)) == DETAIL + RTT


def test_before_nex_3_it_does_not_exist() -> None:
    codecs = NATTraversal.codecs(OLD)
    assert codecs[4].decode_arguments(PLAIN + RTT) == (9, True, 0)
    assert codecs[7].decode_arguments(DETAIL + RTT) == (9, False, -5, 0)
    assert codecs[4].encode_arguments((9, True, 33)) == PLAIN
    assert codecs[7].encode_arguments((9, False, -5, 33)) == DETAIL


def test_a_version_of_its_own() -> None:
    settings = default()
    settings.configure("6f599f81", "3.5.4", client_version=1)
    settings["nex.versions"] = {"nat_traversal": "2.0.0"}
    codecs = NATTraversal.codecs(context_of(settings))
    assert codecs[4].encode_arguments((9, True, 33)) == PLAIN


@pytest.mark.parametrize("context", CONTEXTS)
@pytest.mark.parametrize(
    ("number", "body"),
    [(4, PLAIN[:-1]), (4, b""), (7, DETAIL[:-1]), (7, PLAIN), (5, bytes(8)), (1, b""), (3, b"")],
)
def test_what_is_too_short(context: WireContext, number: int, body: bytes) -> None:
    with pytest.raises(WireError):
        NATTraversal.codecs(context)[number].decode_arguments(body)


@pytest.mark.parametrize("number", [4, 7])
def test_half_a_round_trip_time_is_malformed(number: int) -> None:
    body = PLAIN if number == 4 else DETAIL
    with pytest.raises(WireError):
        NATTraversal.codecs(NEW)[number].decode_arguments(body + RTT[:3])


def test_the_relay_key() -> None:
    key = RelaySignatureKey(-1, DateTime.make(2012, 11, 18), "1.2.3.4", 60000, 1, 7)
    codec = NATTraversal.codecs(NEW)[6]
    body = codec.encode_reply(key)
    assert len(body) == 4 + 8 + 2 + 8 + 2 + 4 + 4
    assert codec.decode_reply(body) == key
