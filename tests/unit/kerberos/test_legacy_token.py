from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.kerberos import (
    LegacyTokenVerifier,
    TokenError,
    TokenInfo,
    TokenText,
    TokenVerifier,
    encode_legacy_token,
)
from nekonex.kerberos.legacy_token import _SIZE
from nekonex.values import ERROR_CODES

KEY = bytes(range(32))
MK8 = 0x000500001010ED00
PID = 1234567890
INFO = TokenInfo(1, 3, PID, 1_900_000_000.0, MK8, 0)
NOW = 1_800_000_000.0

# Made with pycryptodome from the format's description.
GOLDEN = "hlzzUakYN1k4e/GKh8Sr0UeL6JEcNpEgWQ09jM8Z6Zynrqr2"
GOLDEN_HEX = "865cf351a9183759387bf18a87c4abd1478be8911c369120590d3d8ccf19e99ca7aeaaf6"


async def refused(
    token: str, *, pid: int = PID, now: float = NOW, verifier: TokenVerifier | None = None
) -> str:
    with pytest.raises(TokenError) as caught:
        await (verifier or LegacyTokenVerifier(KEY)).verify(token, pid=pid, now=now)
    assert caught.value.result_name in ERROR_CODES
    assert token not in str(caught.value) or len(token) < 4
    return caught.value.result_name


@pytest.mark.parametrize(
    "token", [GOLDEN, GOLDEN_HEX, GOLDEN_HEX.upper(), GOLDEN.replace("/", "-").replace("+", ".")]
)
async def test_golden_tokens(token: str) -> None:
    assert await LegacyTokenVerifier(KEY).verify(token, pid=PID, now=NOW) == INFO


def test_encoding_makes_the_golden_tokens() -> None:
    assert encode_legacy_token(INFO, KEY) == GOLDEN
    assert encode_legacy_token(INFO, KEY, TokenText.HEX) == GOLDEN_HEX
    console = encode_legacy_token(INFO, KEY, TokenText.CONSOLE)
    assert console == GOLDEN.replace("/", "-").replace("+", ".")


infos = st.builds(
    TokenInfo,
    st.integers(0, 255),
    st.just(3),
    st.integers(0, 2**32 - 1),
    st.integers(1_900_000_000, 4_000_000_000).map(float),
    st.integers(0, 2**64 - 1),
    st.integers(-128, 127),
)


@given(infos, st.sampled_from([16, 32]), st.sampled_from(TokenText))
def test_what_was_encoded_is_read(info: TokenInfo, key_size: int, text: TokenText) -> None:
    key = KEY[:key_size]
    token = encode_legacy_token(info, key, text)
    assert LegacyTokenVerifier(key).read(token, now=NOW) == info
    assert len(token) == (2 * _SIZE if text is TokenText.HEX else 48)


@given(st.one_of(st.text(max_size=100), st.binary(min_size=36, max_size=36).map(bytes.hex)))
def test_anything_else_fails_validation(text: str) -> None:
    with pytest.raises(TokenError) as caught:
        LegacyTokenVerifier(KEY).read(text, now=NOW)
    assert caught.value.result_name == "Authentication::ValidationFailed"


@given(st.integers(0, 8 * _SIZE - 1))
def test_any_changed_bit_fails_validation(bit: int) -> None:
    data = bytearray.fromhex(GOLDEN_HEX)
    data[bit // 8] ^= 1 << bit % 8
    with pytest.raises(TokenError) as caught:
        LegacyTokenVerifier(KEY).read(data.hex(), now=NOW)
    assert caught.value.result_name == "Authentication::ValidationFailed"


async def test_each_refusal_has_its_name() -> None:
    def token(**changes: int) -> str:
        return encode_legacy_token(replace(INFO, **changes), KEY)

    assert await refused(token(token_type=1)) == "Authentication::ValidationFailed"
    assert await refused(token(), now=INFO.expire) == "Authentication::TokenExpired"
    assert await refused(token(), pid=PID + 1) == "Authentication::PrincipalIdUnmatched"
    assert await refused(token(access_level=-1)) == "RendezVous::AccountDisabled"
    assert await refused("") == "Authentication::ValidationFailed"
    assert await refused(encode_legacy_token(INFO, bytes(32))) == (
        "Authentication::ValidationFailed"
    )


async def test_a_title_is_looked_at_only_where_titles_are_given() -> None:
    token = encode_legacy_token(replace(INFO, title_id=5), KEY)
    verifier = LegacyTokenVerifier(KEY, title_ids=[MK8])
    assert await refused(token, verifier=verifier) == "Authentication::ValidationFailed"
    assert (await verifier.verify(GOLDEN, pid=PID, now=NOW)).title_id == MK8
    assert (await LegacyTokenVerifier(KEY).verify(token, pid=PID, now=NOW)).title_id == 5


async def test_an_expired_token_is_said_to_be_expired_whatever_else_is_wrong() -> None:
    # Only then does a console fetch another one.
    token = encode_legacy_token(replace(INFO, title_id=5, access_level=-1), KEY)
    verifier = LegacyTokenVerifier(KEY, title_ids=[MK8])
    name = await refused(token, pid=1, now=INFO.expire + 1, verifier=verifier)
    assert name == "Authentication::TokenExpired"


def test_numbers_and_keys_that_do_not_fit() -> None:
    with pytest.raises(ValueError, match="does not fit"):
        encode_legacy_token(replace(INFO, pid=1 << 32), KEY)
    with pytest.raises(ValueError, match="16 or 32"):
        LegacyTokenVerifier(bytes(24))
    with pytest.raises(ValueError, match="16 or 32"):
        encode_legacy_token(INFO, b"")
