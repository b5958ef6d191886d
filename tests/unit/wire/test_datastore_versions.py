"""The structures of the data store at every NEX version that changes one, line by line."""

from __future__ import annotations

from typing import Any

import pytest

from nekonex.nex import structures as s
from nekonex.settings import Version
from nekonex.wire import Structure, WireContext, WireError
from nekonex.wire.structure import zero_structure

VERSIONS: list[Version] = [
    (1, 1, 0), (2, 4, 3), (3, 0, 1), (3, 3, 0), (3, 4, 0), (3, 5, 4), (3, 6, 1), (3, 7, 1),
    (3, 8, 3), (3, 10, 1), (4, 4, 0),
]  # fmt: skip

WIDENED: list[tuple[type[Structure], str, int]] = [
    (s.DataStorePrepareUpdateParam, "data_id", 32),
    (s.DataStoreCompleteUpdateParam, "data_id", 32),
    (s.DataStoreCompleteUpdateParam, "version", 16),
    (s.DataStoreReqUpdateInfo, "version", 16),
]


def ident(value: Any) -> str | None:
    return value if isinstance(value, str) else getattr(value, "__name__", None)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("cls", "field", "bits"), WIDENED, ids=ident)
def test_updates_have_twice_the_bits_from_nex_3_on(
    cls: type[Structure], field: str, bits: int, version: Version
) -> None:
    value = zero_structure(cls)
    setattr(value, field, 1 << bits)
    codec = WireContext(version).codec(cls)
    if version >= (3, 0):
        assert codec.decode(codec.encode(value)) == value
    else:
        with pytest.raises(WireError, match=f"{cls.__name__}.{field}: .* does not fit a u{bits}"):
            codec.encode(value)


def test_the_version_of_the_data_store_decides_about_widths() -> None:
    new = s.DataStoreCompleteUpdateParam(1, 2, True)
    for main, own, size in (("2.4", "3.0", 13), ("3.4", "2.4", 7)):
        context = WireContext(main, versions={"datastore": own})
        assert len(context.codec(s.DataStoreCompleteUpdateParam).encode(new)) == size


SEARCH = s.DataStoreSearchParam(use_cache=True, total_count_enabled=False, data_types=[7])
TAIL = bytes.fromhex("01 00 01000000 0700")
"""A cache is used, nothing is counted, one data type."""


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("header", [False, True])
def test_searches_have_what_their_revision_or_nex_4_says(version: Version, *, header: bool) -> None:
    codec = WireContext(version, struct_header=header).codec(s.DataStoreSearchParam)
    data = codec.encode(SEARCH)
    there = header or version >= (4, 0)
    assert codec.decode(data) == (SEARCH if there else s.DataStoreSearchParam())
    assert data.endswith(TAIL) == there
    if header:
        assert data[0] == (0 if version >= (4, 0) else 3)


SEARCHES: list[tuple[int, str, dict[str, Any]]] = [
    (0, "", {}),
    (1, "01", {"use_cache": True}),
    (2, "01 01000000 0700", {"use_cache": True, "data_types": [7]}),
    (3, TAIL.hex(), {"use_cache": True, "total_count_enabled": False, "data_types": [7]}),
]


@pytest.mark.parametrize(("revision", "tail", "fields"), SEARCHES)
@pytest.mark.parametrize("version", [v for v in VERSIONS if (3, 5) <= v < (4, 0)])
def test_searches_of_every_revision(
    revision: int, tail: str, fields: dict[str, Any], version: Version
) -> None:
    codec = WireContext(version).codec(s.DataStoreSearchParam)
    body = codec.encode(SEARCH)[5 : -len(TAIL)] + bytes.fromhex(tail)
    data = bytes([revision]) + len(body).to_bytes(4, "little") + body
    assert codec.decode(data) == s.DataStoreSearchParam(**fields)


def test_what_nintendoclients_writes_unannounced_is_passed_over() -> None:
    codec = WireContext("3.5.4").codec(s.DataStoreSearchParam)
    data = bytearray(codec.encode(SEARCH))
    data[0] = 0
    assert codec.decode(data) == s.DataStoreSearchParam()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("header", [False, True])
def test_a_change_names_a_slot_by_revision_alone(version: Version, *, header: bool) -> None:
    codec = WireContext(version, struct_header=header).codec(s.DataStoreChangeMetaParam)
    target = s.DataStorePersistenceTarget(1000, 3)
    change = s.DataStoreChangeMetaParam(1, 0, persistence_target=target)
    data = bytearray(codec.encode(change))
    nothing = s.DataStorePersistenceTarget()
    assert codec.decode(data).persistence_target == (target if header else nothing)
    if header:
        assert data[0] == 1
        data[0] = 0
        assert codec.decode(data).persistence_target == nothing


WITHOUT_HEADER: list[tuple[Structure, dict[Version, str]]] = [
    (
        s.DataStorePrepareUpdateParam(1, 2, 3, ["e"]),
        {
            (2, 4, 3): "01000000 02000000",
            (3, 0, 1): "0100000000000000 02000000 0300000000000000",
            (3, 4, 0): "0100000000000000 02000000 0300000000000000",
            (3, 5, 4): "0100000000000000 02000000 0300000000000000 01000000 0200 6500",
        },
    ),
    (
        s.DataStoreCompleteUpdateParam(1, 2, True),
        {(2, 4, 3): "01000000 0200 01", (3, 0, 1): "0100000000000000 02000000 01"},
    ),
    (
        s.DataStoreReqUpdateInfo(1, "u", [], [s.DataStoreKeyValue("k", "v")], b"c"),
        {
            (2, 4, 3): "0100 0200 7500 00000000 01000000 0200 6b00 0200 7600 01000000 63",
            (3, 0, 1): "01000000 0200 7500 00000000 01000000 0200 6b00 0200 7600 01000000 63",
        },
    ),
    (
        s.DataStorePrepareGetParam(
            1, 2, s.DataStorePersistenceTarget(3, 4), access_password=5, extra_data=["e"]
        ),
        {
            (3, 4, 0): "0100000000000000 02000000 03000000 0400 0500000000000000",
            (3, 5, 4): "0100000000000000 02000000 03000000 0400 0500000000000000 01000000 02006500",
        },
    ),
    (
        s.DataStoreReqGetInfo("u", [], 1, b"c", 2),
        {
            (3, 4, 0): "0200 7500 00000000 01000000 01000000 63",
            (3, 5, 4): "0200 7500 00000000 01000000 01000000 63 0200000000000000",
        },
    ),
    (
        s.DataStorePreparePostParam(
            1, "n", 2, b"m", flag=3, period=4, refer_data_id=5, tags=["t"], extra_data=["e"]
        ),
        {
            version: "01000000 02006e00 0200 0100 6d 0300000000 0300000000 03000000 0400 05000000"
            " 01000000 02007400 00000000 ffff 01" + tail
            for version, tail in {(3, 4, 0): "", (3, 5, 4): " 01000000 02006500"}.items()
        },
    ),
    (
        s.DataStoreSpecificMetaInfoV1(1, 2, 3, 4, 5),
        dict.fromkeys(VERSIONS, "01000000 02000000 03000000 0400 0500"),
    ),
    (
        s.DataStoreNotificationV1(1, 2),
        dict.fromkeys(VERSIONS, "0100000000000000 02000000"),
    ),
]

CASES = [
    (value, version, golden)
    for value, by_version in WITHOUT_HEADER
    for version, golden in by_version.items()
]


@pytest.mark.parametrize(("value", "version", "golden"), CASES)
def test_golden_bytes_without_headers(value: Structure, version: Version, golden: str) -> None:
    codec = WireContext(version, struct_header=False).codec(type(value))
    assert codec.encode(value) == bytes.fromhex(golden)
    assert codec.encode(codec.decode(bytes.fromhex(golden))) == bytes.fromhex(golden)


@pytest.mark.parametrize("version", VERSIONS)
def test_flags_have_32_bits_in_every_version(version: Version) -> None:
    flag = 1 << 31
    for value in (
        s.DataStoreMetaInfo(flag=flag),
        s.DataStorePreparePostParam(1, "", 1, flag=flag),
        s.DataStorePreparePostParamV1(1, "", flag=flag),
        s.DataStoreChangeMetaParam(1, flag),
        s.DataStoreChangeMetaParamV1(1, flag),
        s.DataStoreChangeMetaCompareParam(flag),
    ):
        codec = WireContext(version).codec(type(value))
        assert codec.decode(codec.encode(value)) == value


def test_what_stands_for_an_object_that_could_not_be_given_is_zeros() -> None:
    bare = WireContext("3.4")
    for value in (
        s.DataStoreMetaInfo(),
        s.DataStoreRatingInfo(),
        s.DataStorePersistenceInfo(),
        s.DataStorePasswordInfo(),
    ):
        data = bare.codec(type(value)).encode(value).replace(b"\x01\0\0", b"\0\0\0")
        assert not any(data), value  # The length of an empty string counts its NUL.


def test_a_search_without_conditions() -> None:
    never = (671_076_024_059).to_bytes(8, "little")  # 9999-12-31 23:59:59
    assert WireContext("3.4").codec(s.DataStoreSearchParam).encode(s.DataStoreSearchParam()) == (
        bytes.fromhex("01 00000000 00 00000000 ffff")
        + never * 4
        + bytes.fromhex("00000000 00000000 00 00 00000000 0a000000 00 00000000")
    )
