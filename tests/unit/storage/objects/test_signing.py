"""Forms and URLs that say what they allow."""

from __future__ import annotations

import base64
import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.domain.datastore.files import TransferError, TransferRefusal, valid_key
from nekonex.storage.objects.signing import Grant, Signer

NOW = 1_800_000_000.0
SECRET = bytes(range(32))
SIGNER = Signer(SECRET)
KEYS = st.text(min_size=1, max_size=40).filter(valid_key)


def refused(
    why: TransferRefusal, fields: dict[str, str], *, game: str = "kart", now: float = NOW
) -> bool:
    with pytest.raises(TransferError) as caught:
        SIGNER.check_upload(game, fields, now)
    return caught.value.refusal is why


def query(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, strict_parsing=True))


@given(KEYS, st.integers(0, 2**40), st.floats(1, 10**6))
def test_a_form_allows_what_it_says(key: str, size: int, lifetime: float) -> None:
    fields = dict(SIGNER.upload_fields("kart", key, size, NOW + lifetime))
    assert list(fields) == ["key", "policy", "x-nekonex-signature"]
    assert SIGNER.check_upload("kart", fields, NOW + lifetime) == Grant(key, size)
    assert refused(TransferRefusal.EXPIRED, fields, now=NOW + lifetime + 1.01)


def test_the_policy_is_in_the_manner_of_s3() -> None:
    fields = dict(SIGNER.upload_fields("kart", "ghosts/ü.bin", 10, NOW))
    assert json.loads(base64.b64decode(fields["policy"])) == {
        "expiration": "2027-01-15T08:00:00Z",
        "conditions": [
            {"bucket": "kart"},
            {"key": "ghosts/ü.bin"},
            ["content-length-range", 10, 10],
        ],
    }


def test_another_game_or_key_is_refused() -> None:
    fields = dict(SIGNER.upload_fields("kart", "a", 1, NOW))
    assert refused(TransferRefusal.DENIED, fields, game="ink")
    assert refused(TransferRefusal.DENIED, {**fields, "key": "b"})
    without_key = {name: value for name, value in fields.items() if name != "key"}
    assert refused(TransferRefusal.DENIED, without_key)
    assert refused(TransferRefusal.DENIED, {})


@given(st.sampled_from(["policy", "x-nekonex-signature"]), st.data())
def test_a_form_that_was_changed_is_refused(name: str, data: st.DataObject) -> None:
    fields = dict(SIGNER.upload_fields("kart", "a", 1, NOW))
    text = fields[name]
    place = data.draw(st.integers(0, len(text) - 1))
    other = data.draw(st.characters().filter(lambda each: each != text[place]))
    fields[name] = text[:place] + other + text[place + 1 :]
    assert refused(TransferRefusal.DENIED, fields)


def test_signatures_are_of_one_secret_and_one_purpose() -> None:
    fields = dict(Signer(SECRET[::-1]).upload_fields("kart", "a", 1, NOW))
    assert refused(TransferRefusal.DENIED, fields)
    signature = query(SIGNER.download_query("kart", "a", NOW))["signature"]
    own = dict(SIGNER.upload_fields("kart", "a", 1, NOW))
    assert refused(TransferRefusal.DENIED, {**own, "x-nekonex-signature": signature})


@given(KEYS, st.floats(1, 10**9))
def test_a_url_allows_what_it_says(key: str, lifetime: float) -> None:
    found = query(SIGNER.download_query("kart", key, NOW + lifetime))
    SIGNER.check_download("kart", key, found, NOW + lifetime)
    with pytest.raises(TransferError) as caught:
        SIGNER.check_download("kart", key, found, NOW + lifetime + 1.01)
    assert caught.value.refusal is TransferRefusal.EXPIRED


@pytest.mark.parametrize(
    "change",
    [
        {"game": "ink"},
        {"key": "b"},
        {"expires": "1800000001"},
        {"expires": "1800000000 "},
        {"expires": ""},
        {"signature": ""},
        {"signature": "ü\ud800"},
        {"key": "a\n1800000000"},
    ],
)
def test_a_url_that_was_changed_is_refused(change: dict[str, str]) -> None:
    asked = {"game": "kart", "key": "a", **query(SIGNER.download_query("kart", "a", NOW)), **change}
    with pytest.raises(TransferError) as caught:
        SIGNER.check_download(asked["game"], asked["key"], asked, NOW)
    assert caught.value.refusal is TransferRefusal.DENIED


def test_for_ever_is_a_time_too() -> None:
    fields = dict(SIGNER.upload_fields("kart", "a", 1, float("inf")))
    assert SIGNER.check_upload("kart", fields, NOW) == Grant("a", 1)


def test_nonsense_is_refused_when_it_is_made() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Signer(b"short")
    with pytest.raises(ValueError, match="0 bytes or more"):
        SIGNER.upload_fields("kart", "a", -1, NOW)
    with pytest.raises(ValueError, match="cannot be the key"):
        SIGNER.upload_fields("kart", "../a", 1, NOW)
    with pytest.raises(ValueError, match="cannot be the key"):
        SIGNER.download_query("kart", "", NOW)
