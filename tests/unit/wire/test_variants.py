"""Variants keep the type that they came with."""

from __future__ import annotations

import pytest

from nekonex.values import DateTime
from nekonex.wire import Variant, WireContext, WireError
from nekonex.wire.variant import VariantValue

CODEC = WireContext().codec(Variant)


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (None, 0),
        (-1, 1),
        (0, 1),
        (2**63 - 1, 1),
        (2**63, 6),
        (1.5, 2),
        (True, 3),
        ("text", 4),
        (DateTime(1), 5),
    ],
)
def test_type_chosen_by_value(value: VariantValue, kind: int) -> None:
    variant = Variant.of(value)
    assert variant == Variant(kind, value)
    assert CODEC.decode(CODEC.encode(variant)) == variant


def test_values_that_no_variant_holds() -> None:
    with pytest.raises(TypeError, match="cannot hold"):
        Variant.of(b"bytes")  # type: ignore[arg-type]


@pytest.mark.parametrize("data", ["01 0500000000000000", "06 0500000000000000"])
def test_signed_and_unsigned_stay_apart(data: str) -> None:
    raw = bytes.fromhex(data)
    assert CODEC.decode(raw).value == 5
    assert CODEC.encode(CODEC.decode(raw)) == raw


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("", "ends inside"),
        ("07", "no variant type 7"),
        ("ff", "no variant type 255"),
        ("01 00", "ends inside"),
        ("03", "ends inside"),
        ("04 0500 61", "ends inside"),
        ("04 0200 6162", "does not end with a NUL"),
        ("04 0200 ff00", "not valid UTF-8"),
    ],
)
def test_malformed(data: str, reason: str) -> None:
    with pytest.raises(WireError, match=reason):
        CODEC.decode(bytes.fromhex(data))


def test_the_empty_string_in_both_forms() -> None:
    assert CODEC.decode(bytes.fromhex("04 0000")) == Variant(4)
    assert CODEC.decode(bytes.fromhex("04 0100 00")) == Variant(4, "")


@pytest.mark.parametrize("data", ["040000", "0302", "03ff", "04010000", "0301", "0300"])
def test_odd_bytes_go_back_unchanged_too(data: str) -> None:
    assert CODEC.encode(CODEC.decode(bytes.fromhex(data))).hex() == data
