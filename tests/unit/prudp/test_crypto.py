"""Ciphers and MACs against published vectors and the standard library."""

from __future__ import annotations

import hmac

from hypothesis import given
from hypothesis import strategies as st

from nekonex.prudp.crypto import rc4, substream_key, unreliable_cipher
from nekonex.prudp.mac import HmacMd5


def test_rc4_has_the_key_stream_of_rfc_6229() -> None:
    crypt = rc4(bytes.fromhex("0102030405"))
    stream = "b2396305f03dc027ccc3524a0a1118a86982944f18fc82d589c403a47a0d0919"
    # One stream over all calls.
    assert (crypt(bytes(5)) + crypt(bytes(27))).hex() == stream


@given(key=st.binary(max_size=100), data=st.lists(st.binary(max_size=100), max_size=3))
def test_the_prepared_mac_is_hmac_md5(key: bytes, data: list[bytes]) -> None:
    mac = HmacMd5(key)
    for each in data:
        assert mac.digest(each) == hmac.digest(key, each, "md5")


def test_each_substream_has_a_key_of_its_own() -> None:
    keys = [substream_key(bytes(range(32)), substream) for substream in range(4)]
    assert keys[0] == bytes(range(32))
    # 16 bytes of 17 - i, added to i: all 17; the second half stays.
    assert keys[1] == bytes([17] * 16) + bytes(range(16, 32))
    assert keys[2] == bytes(17 + 17 - i for i in range(16)) + bytes(range(16, 32))
    assert len(set(keys)) == 4
    assert {substream_key(b"", substream) for substream in range(4)} == {b"CD&ML"}


def test_each_unreliable_packet_has_a_key_of_its_own() -> None:
    def stream(key: bytes, number: int, session: int) -> bytes:
        return unreliable_cipher(key, number, session)(bytes(16))

    session_key = bytes(range(32))
    streams = {
        stream(session_key, 1, 1),
        stream(session_key, 2, 1),
        stream(session_key, 0x101, 1),
        stream(session_key, 1, 2),
        stream(bytes(32), 1, 1),
        stream(b"", 1, 1),
    }
    assert len(streams) == 6
    assert stream(session_key, 0xFFFF, 0xFF) == stream(session_key, 0xFFFF, 0xFF)
