from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.kerberos import KerberosError, decrypt, encrypt

keys = st.one_of(st.binary(min_size=16, max_size=16), st.binary(min_size=32, max_size=32))


def test_golden_bytes() -> None:
    assert encrypt(bytes(range(16)), b"neko").hex() == "87f92b968e7392abb25ffa9fd89e368aed10a7de"
    assert encrypt(bytes(range(32)), b"").hex() == "4f5c72675d9d0a90b810152b8b22d462"


@given(keys, st.binary(max_size=300))
def test_what_was_sealed_opens(key: bytes, data: bytes) -> None:
    assert decrypt(key, encrypt(key, data)) == data


@given(keys, st.binary(max_size=40), st.data())
def test_any_changed_bit_is_noticed(key: bytes, data: bytes, draw: st.DataObject) -> None:
    sealed = bytearray(encrypt(key, data))
    bit = draw.draw(st.integers(0, 8 * len(sealed) - 1))
    sealed[bit // 8] ^= 1 << bit % 8
    with pytest.raises(KerberosError, match="does not fit"):
        decrypt(key, bytes(sealed))


def test_another_key_does_not_open() -> None:
    with pytest.raises(KerberosError):
        decrypt(bytes(16), encrypt(bytes(15) + b"\1", b"secret"))


@pytest.mark.parametrize("size", [0, 1, 15])
def test_too_few_bytes(size: int) -> None:
    with pytest.raises(KerberosError, match="too few"):
        decrypt(bytes(16), bytes(size))


@pytest.mark.parametrize("size", [0, 8, 17, 24, 64])
def test_wrong_key_sizes_are_a_mistake_of_the_caller(size: int) -> None:
    with pytest.raises(ValueError, match="16 or 32") as encrypting:
        encrypt(bytes(size), b"data")
    with pytest.raises(ValueError, match="16 or 32") as decrypting:
        decrypt(bytes(size), bytes(20))
    assert not isinstance(encrypting.value, KerberosError)
    assert not isinstance(decrypting.value, KerberosError)
