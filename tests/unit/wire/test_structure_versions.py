"""The common structures at every NEX version that changes one, line by line.

`LINES` repeats what is known of the field's appearance independently of the declarations;
the golden bytes further down fix the order of the fields.
"""

from __future__ import annotations

import functools
import re
from typing import Any

import pytest

from nekonex.nex import structures as s
from nekonex.settings import Version
from nekonex.values import DateTime, StationURL
from nekonex.wire import Structure, Variant, WireContext, WireError

VERSIONS: list[Version] = [
    (1, 1, 0), (2, 4, 3), (3, 0, 1), (3, 3, 0), (3, 4, 0), (3, 5, 4), (3, 6, 1), (3, 7, 1),
    (3, 8, 3), (3, 10, 1), (4, 4, 0),
]  # fmt: skip

JOIN = functools.partial(s.JoinMatchmakeSessionParam, 1, [], 0, 0, 0)
AUTO = functools.partial(s.AutoMatchmakeParam, s.MatchmakeSession(), [], 0, 0, "", 1, [], [])
RANK = functools.partial(s.RankingRankData, 1, 2, 3, 4, 5, [], 6, b"")
UPDATE = functools.partial(s.DataStorePrepareUpdateParam, 1, 2)
POST = functools.partial(s.DataStorePreparePostParam, 1, "n", 2)
PARAM = s.MatchmakeParam({"a": Variant(6, 1)})

LINES: list[tuple[Any, str, Any, Version, str | None]] = [
    (s.AuthenticationInfo, "token_type", 2, (3, 0, 0), None),
    (s.AuthenticationInfo, "server_version", 9, (3, 0, 0), None),
    (s.RVConnectionData, "server_time", DateTime(5), (3, 5, 0), None),
    (functools.partial(s.NotificationEvent, 1, 2), "param3", 7, (3, 4, 0), "matchmaking"),
    (functools.partial(s.NotificationEvent, 1, 2), "map", {"a": Variant(6, 1)}, (4, 0, 0), None),
    (s.MatchmakeSession, "session_key", b"key", (3, 0, 0), "matchmaking"),
    (s.MatchmakeSession, "progress_score", 7, (3, 4, 0), "matchmaking"),
    (s.MatchmakeSession, "option", 7, (3, 5, 0), "matchmaking"),
    (s.MatchmakeSession, "param", PARAM, (3, 6, 0), "matchmaking"),
    (s.MatchmakeSession, "started_time", DateTime(5), (3, 6, 0), "matchmaking"),
    (s.MatchmakeSession, "user_password", "pass", (3, 7, 0), "matchmaking"),
    (s.MatchmakeSession, "refer_gid", 7, (3, 8, 0), "matchmaking"),
    (s.MatchmakeSession, "user_password_enabled", True, (3, 8, 0), "matchmaking"),
    (s.MatchmakeSession, "system_password_enabled", True, (3, 8, 0), "matchmaking"),
    (s.MatchmakeSession, "codeword", "word", (4, 0, 0), "matchmaking"),
    (s.MatchmakeSessionSearchCriteria, "min_participants", "2", (2, 0, 0), "matchmaking"),
    (s.MatchmakeSessionSearchCriteria, "max_participants", "8", (2, 0, 0), "matchmaking"),
    (s.MatchmakeSessionSearchCriteria, "selection_method", 2, (3, 0, 0), "matchmaking"),
    (s.MatchmakeSessionSearchCriteria, "vacant_participants", 3, (3, 4, 0), "matchmaking"),
    (s.MatchmakeSessionSearchCriteria, "param", PARAM, (3, 6, 0), "matchmaking"),
    (s.MatchmakeSessionSearchCriteria, "exclude_user_password", True, (3, 7, 0), "matchmaking"),
    (s.MatchmakeSessionSearchCriteria, "exclude_system_password", True, (3, 7, 0), "matchmaking"),
    (s.MatchmakeSessionSearchCriteria, "refer_gid", 7, (3, 8, 0), "matchmaking"),
    (s.MatchmakeSessionSearchCriteria, "codeword", "word", (4, 0, 0), "matchmaking"),
    (s.MatchmakeSessionSearchCriteria, "range", s.ResultRange(5, 6), (4, 0, 0), "matchmaking"),
    (JOIN, "block_list", s.MatchmakeBlockListParam(3), (4, 0, 0), "matchmaking"),
    (s.UpdateMatchmakeSessionParam, "codeword", "word", (4, 0, 0), "matchmaking"),
    (AUTO, "block_list", s.MatchmakeBlockListParam(3), (4, 0, 0), "matchmaking"),
    (RANK, "update_time", DateTime(5), (3, 6, 0), "ranking"),
    (UPDATE, "update_password", 7, (3, 0, 0), "datastore"),
    (UPDATE, "extra_data", ["WUP"], (3, 5, 0), "datastore"),
    (s.DataStorePrepareGetParam, "extra_data", ["WUP"], (3, 5, 0), "datastore"),
    (POST, "extra_data", ["WUP"], (3, 5, 0), "datastore"),
    (s.DataStoreReqGetInfo, "data_id", 7, (3, 5, 0), "datastore"),
]


def make(factory: Any, field: str, value: Any) -> Structure:
    if factory is s.UpdateMatchmakeSessionParam:
        factory = functools.partial(factory, 1, 2)
    made: Structure = factory(**{field: value})
    return made


def ident(value: Any) -> str | None:
    if isinstance(value, str):
        return value
    return getattr(getattr(value, "func", value), "__name__", None)


@pytest.mark.parametrize("header", [None, False, True])
@pytest.mark.parametrize(("factory", "field", "value", "since", "key"), LINES, ids=ident)
def test_a_field_appears_with_its_version(
    factory: Any, field: str, value: Any, since: Version, key: str | None, *, header: bool | None
) -> None:
    filled = make(factory, field, value)
    for version in VERSIONS:
        codec = WireContext(version, struct_header=header).codec(type(filled))
        seen = getattr(codec.decode(codec.encode(filled)), field) == value
        assert seen == (version >= since), version


@pytest.mark.parametrize(("factory", "field", "value", "since", "key"), LINES, ids=ident)
def test_the_version_of_its_protocol_decides(
    factory: Any, field: str, value: Any, since: Version, key: str | None
) -> None:
    filled = make(factory, field, value)
    before, after = max(v for v in VERSIONS if v < since), since
    for main, own, expected in ((before, after, key is not None), (after, before, key is None)):
        versions = {} if key is None else {key: own}
        context = WireContext(main, versions=versions, struct_header=False)
        codec = context.codec(type(filled))
        seen = getattr(codec.decode(codec.encode(filled)), field) == value
        assert seen == expected


WITHOUT_HEADER: list[tuple[Structure, dict[Version, str]]] = [
    (
        s.AuthenticationInfo("t", 3, 1, 5),
        {(1, 1, 0): "0200 7400 03000000", (3, 0, 1): "0200 7400 03000000 01 05000000"},
    ),
    (
        s.MatchmakeSession(
            id=1,
            owner=2,
            host=3,
            min_participants=4,
            max_participants=5,
            participation_policy=6,
            policy_argument=7,
            flags=8,
            state=9,
            description="d",
            game_mode=10,
            attribs=[11],
            open_participation=True,
            matchmake_system=12,
            application_data=b"\xaa",
            num_participants=13,
            progress_score=14,
            session_key=b"\xbb",
            option=15,
        ),
        {
            version: "01000000 02000000 03000000 0400 0500 06000000 07000000 08000000 09000000"
            " 0200 6400 0a000000 01000000 0b000000 01 0c000000 01000000 aa 0d000000" + tail
            for version, tail in {
                (2, 4, 3): "",
                (3, 0, 1): " 01000000 bb",
                (3, 3, 0): " 01000000 bb",
                (3, 4, 0): " 0e 01000000 bb",
                (3, 5, 4): " 0e 01000000 bb 0f000000",
            }.items()
        },
    ),
    (
        s.MatchmakeSessionSearchCriteria(["a"], "b", "c", "d", "e", True, False, True, 5, 6),
        {
            (1, 1, 0): "01000000 0200 6100 0200 6200 0200 6500 010001",
            (2, 4, 3): "01000000 0200 6100 0200 6200 0200 6300 0200 6400 0200 6500 010001",
            (3, 0, 1): "01000000 0200 6100 0200 6200 0200 6300 0200 6400 0200 6500 010001 05000000",
            (3, 4, 0): "01000000 0200 6100 0200 6200 0200 6300 0200 6400 0200 6500 010001"
            " 05000000 0600",
        },
    ),
    (
        s.NotificationEvent(1, 2, 3, 4, "t", 5, {"a": Variant(0)}),
        {
            (3, 3, 0): "01000000 02000000 03000000 04000000 0200 7400",
            (3, 4, 0): "01000000 02000000 03000000 04000000 0200 7400 05000000",
            (3, 10, 1): "01000000 02000000 03000000 04000000 0200 7400 05000000",
            (4, 4, 0): "01000000 02000000 0300000000000000 0400000000000000 0200 7400"
            " 0500000000000000 01000000 0200 6100 00",
        },
    ),
    (
        s.RankingRankData(1, 2, 3, 4, 5, [6], 7, b"\x08", DateTime(9)),
        {
            version: "01000000 0200000000000000 03000000 04000000 05000000 01000000 06"
            " 0700000000000000 01000000 08" + (" 0900000000000000" if version >= (3, 6) else "")
            for version in VERSIONS
        },
    ),
    (
        s.RVConnectionData(StationURL("prudps"), [1], StationURL(), DateTime(7)),
        {
            version: "0900 7072756470733a2f00 01000000 01 0800 70727564703a2f00"
            + (" 0700000000000000" if version >= (3, 5) else "")
            for version in VERSIONS
        },
    ),
]

CASES = [
    (value, version, golden)
    for value, by_version in WITHOUT_HEADER
    for version, golden in by_version.items()
]


@pytest.mark.parametrize(("value", "version", "golden"), CASES, ids=ident)
def test_golden_bytes_without_headers(value: Structure, version: Version, golden: str) -> None:
    codec = WireContext(version, struct_header=False).codec(type(value))
    assert codec.encode(value) == bytes.fromhex(golden)
    assert codec.encode(codec.decode(bytes.fromhex(golden))) == bytes.fromhex(golden)


@pytest.mark.parametrize("cls", [s.MatchmakeSession, s.MatchmakeSessionSearchCriteria])
def test_the_revision_rises_to_3_and_falls_to_0(cls: type[Structure]) -> None:
    expected = dict.fromkeys(VERSIONS, 0)
    expected |= {(3, 6, 1): 1, (3, 7, 1): 2, (3, 8, 3): 3, (3, 10, 1): 3}
    for version, revision in expected.items():
        data = WireContext(version, struct_header=True).codec(cls).encode(cls())
        last = 0
        if cls is s.MatchmakeSession:
            last = 5 + int.from_bytes(data[1:5], "little")
        assert data[0] == (revision if last == 0 else 0)
        assert data[last] == revision, version


@pytest.mark.parametrize(
    ("value", "since", "until"),
    [
        (s.RVConnectionData(), (3, 5, 0), (9, 0, 0)),
        (s.NotificationEvent(1, 2), (4, 0, 0), (9, 0, 0)),
        (RANK(), (3, 6, 0), (4, 0, 0)),
        (JOIN(), (0, 0, 0), (4, 0, 0)),
        (s.Gathering(), (9, 0, 0), (9, 0, 0)),
    ],
    ids=ident,
)
def test_revision_1(value: Structure, since: Version, until: Version) -> None:
    for version in VERSIONS:
        data = WireContext(version, struct_header=True).codec(type(value)).encode(value)
        assert data[0] == (since <= version < until), version


def test_join_param_has_extra_participants_by_revision_before_4_0() -> None:
    codec = WireContext("3.8.3").codec(s.JoinMatchmakeSessionParam)
    value = JOIN(extra_participants=3)
    data = bytearray(codec.encode(value))
    assert data[0] == 1
    assert codec.decode(data).extra_participants == 3
    data[0] = 0
    assert codec.decode(data).extra_participants == 0
    newest = WireContext("4.4.0").codec(s.JoinMatchmakeSessionParam)
    assert newest.encode(value)[0] == 0
    assert newest.decode(newest.encode(value)).extra_participants == 3


@pytest.mark.parametrize("version", VERSIONS)
def test_notification_parameters_widen_at_4_0(version: Version) -> None:
    codec = WireContext(version).codec(s.NotificationEvent)
    wide = s.NotificationEvent(1, 2, 1 << 40, 1 << 41)
    if version >= (4, 0):
        assert codec.decode(codec.encode(wide)) == wide
    else:
        with pytest.raises(WireError, match=r"NotificationEvent.param1: .* does not fit a u32"):
            codec.encode(wide)


def test_the_doubtful_boundary_is_one_number() -> None:
    assert s.LATE_MATCHMAKING.version == (3, 4, 0)
    old = WireContext("3.4.0", versions={"matchmaking": "3.3.0"})
    session = old.codec(s.MatchmakeSession)
    assert session.decode(session.encode(s.MatchmakeSession(progress_score=1))) == (
        s.MatchmakeSession(progress_score=100)
    )
    event = old.codec(s.NotificationEvent)
    assert event.decode(event.encode(s.NotificationEvent(1, 2, param3=3))).param3 == 0


def test_a_3_4_title_with_the_ranking_of_3_6() -> None:
    context = WireContext("3.4.0", versions={"ranking": "3.6.0"})
    assert not context.struct_header
    codec = context.codec(s.RankingResult)
    result = s.RankingResult([RANK(update_time=DateTime(5))], 1, DateTime(0))
    assert codec.decode(codec.encode(result)) == result


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("pid_size", [4, 8])
def test_crossplay_fields_are_written_where_they_are_used(version: Version, pid_size: int) -> None:
    context = WireContext(version, pid_size=pid_size, holders=s.default_holders())
    request = context.codec(s.ValidateAndRequestTicketParam)
    plain = s.ValidateAndRequestTicketParam(1, "n", s.NullData(), False, 40400, 1)
    cross = s.ValidateAndRequestTicketParam(1, "n", s.NullData(), False, 40400, 1, 3)
    assert len(request.encode(cross)) == len(request.encode(plain)) + 4
    assert [request.decode(request.encode(value)) for value in (plain, cross)] == [plain, cross]
    reply = context.codec(s.ValidateAndRequestTicketResult)
    without = s.ValidateAndRequestTicketResult(1, b"t")
    having = s.ValidateAndRequestTicketResult(1, b"t", platform_pid=2)
    assert len(reply.encode(having)) == len(reply.encode(without)) + pid_size
    assert [reply.decode(reply.encode(value)) for value in (without, having)] == [without, having]


def test_secrets_are_not_in_the_repr() -> None:
    values = [
        s.AuthenticationInfo("hunter2"),
        s.NintendoLoginData("hunter2"),
        s.AccountExtraInfo(token="hunter2"),
        s.MatchmakeSession(session_key=b"hunter2", user_password="hunter2"),
        s.PersistentGathering(password="hunter2"),
        s.ValidateAndRequestTicketResult(1, b"hunter2", source_key="hunter2"),
        JOIN("hunter2", "hunter2"),
        s.DataStorePrepareGetParam(access_password=1337),
        s.DataStoreGetMetaParam(access_password=1337),
        s.DataStoreTouchObjectParam(1, access_password=1337),
        s.DataStoreRateObjectParam(1, 1337),
        s.DataStoreDeleteParam(1, 1337),
        UPDATE(1337),
        s.DataStoreChangeMetaParam(1, 2, update_password=1337),
        s.DataStoreChangeMetaParamV1(1, 2, update_password=1337),
        s.DataStorePasswordInfo(1, 1337, 1337),
        s.UniqueIdInfo(1, 1337),
    ]
    assert not {"hunter2", "1337"} & set(re.findall(r"\w+", repr(values)))


def test_all_that_is_declared_is_exported() -> None:
    for name in s.__all__:
        value = getattr(s, name)
        if isinstance(value, type) and issubclass(value, Structure) and value is not s.Data:
            assert value.__doc__
            WireContext("3.5.4").codec(value)
