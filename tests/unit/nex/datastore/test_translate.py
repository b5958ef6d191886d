"""Structures as the domain's values, and back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.domain.datastore.callers import (
    ObjectDownload,
    ObjectTarget,
    Passwords,
    Posted,
    Update,
)
from nekonex.domain.datastore.drafts import Draft, MetaChange, MetaComparison
from nekonex.domain.datastore.files import UploadForm
from nekonex.domain.datastore.model import (
    NO_SLOT,
    Permission,
    Rating,
    RatingLog,
    RatingRules,
    StoredObject,
)
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.requests import GivenRating, RatingTarget, SearchRequest
from nekonex.nex import structures as wire
from nekonex.nex.datastore import from_wire, to_wire
from nekonex.nex.structures import DataStoreKeyValue as KeyValue
from nekonex.values import DateTime
from nekonex.wire import Structure, WireContext

TIME = 1_800_000_000
DATE = DateTime.make(2027, 1, 15, 8, 0, 0)
RULES = RatingRules(
    flags=4,
    internal_flags=2,
    lock_type=1,
    initial_value=-(2**40),
    minimum=-5,
    maximum=5,
    period_hour=23,
    period_duration=-17,
)
STORED = StoredObject(
    owner=1000,
    data_id=1_000_001,
    name="a ghost",
    data_type=7,
    size=8192,
    version=3,
    meta_binary=b"meta",
    access=Permission(2, (1001, 1002)),
    update=Permission(4, (1003,)),
    access_password=2**64 - 1,
    update_password=2**63,
    flags=0x40,
    period=30,
    refer_data_id=2**32 - 1,
    tags=("a", "b"),
    status=2,
    slot=5,
    key="objects/1000001.bin",
    complete=True,
    created=TIME,
    updated=TIME + 1,
    referred=TIME + 2,
    referred_count=9,
    expires=TIME + 3,
    ratings=(Rating(0, RULES, total=-7, count=2), Rating(15, RatingRules(), total=0)),
)


def round_trip(structure: Structure, version: str = "3.5.4") -> Any:
    """Return a structure as the other side reads it."""
    codec = WireContext(version).codec(type(structure))
    return codec.decode(codec.encode(structure))


# -- what consoles ask --------------------------------------------------------------------


def permission(level: int, *pids: int) -> wire.DataStorePermission:
    return wire.DataStorePermission(level, list(pids))


def rating_init(slot: int) -> wire.DataStoreRatingInitParamWithSlot:
    param = wire.DataStoreRatingInitParam(4, 2, 1, -(2**40), -5, 5, 23, -17)
    return wire.DataStoreRatingInitParamWithSlot(slot, param)


POST: dict[str, Any] = {
    "size": 8192,
    "name": "a ghost",
    "data_type": 7,
    "meta_binary": b"meta",
    "permission": permission(2, 1001),
    "delete_permission": permission(255),
    "flag": 2**32 - 1,
    "period": 65535,
    "refer_data_id": 12,
    "tags": ["a", "a"],
    "rating_init_param": [rating_init(0), rating_init(-1)],
}
DRAFT = Draft(
    size=8192,
    name="a ghost",
    data_type=7,
    meta_binary=b"meta",
    access=Permission(2, (1001,)),
    update=Permission(255),
    flags=2**32 - 1,
    period=65535,
    refer_data_id=12,
    tags=("a", "a"),
    rating_rules=((0, RULES), (-1, RULES)),
)


def test_a_post_is_taken_as_it_came() -> None:
    param = wire.DataStorePreparePostParam(
        **POST,
        persistence_init_param=wire.DataStorePersistenceInitParam(3, delete_last_object=False),
        extra_data=["WUP", "4"],
    )
    expected = replace(DRAFT, slot=3, delete_last_object=False, extra_data=("WUP", "4"))
    assert from_wire.draft_of(round_trip(param)) == expected


def test_the_first_posts_know_no_slots() -> None:
    draft = from_wire.draft_of_v1(round_trip(wire.DataStorePreparePostParamV1(**POST)))
    assert draft == DRAFT
    assert draft.slot == NO_SLOT


CHANGE: dict[str, Any] = {
    "data_id": 5,
    "modifies_flag": 2**32 - 1,
    "name": "new",
    "permission": permission(1),
    "delete_permission": permission(2, 1001),
    "period": 3,
    "meta_binary": b"new",
    "tags": ["x"],
    "update_password": 2**64 - 1,
}


def test_a_change_is_taken_as_it_came() -> None:
    compare = wire.DataStoreChangeMetaCompareParam(
        0x1FF, "old", permission(0), permission(3), 90, b"old", ["y"], 4, 5, 6
    )
    param = wire.DataStoreChangeMetaParam(
        **CHANGE, referred_count=1, data_type=2, status=3, compare_param=compare
    )
    assert from_wire.change_of(round_trip(param)) == MetaChange(
        target=ObjectTarget(5),
        flags=2**32 - 1,
        name="new",
        access=Permission(1),
        update=Permission(2, (1001,)),
        period=3,
        meta_binary=b"new",
        tags=("x",),
        password=2**64 - 1,
        referred_count=1,
        data_type=2,
        status=3,
        compare=MetaComparison(
            flags=0x1FF,
            name="old",
            access=Permission(0),
            update=Permission(3),
            period=90,
            meta_binary=b"old",
            tags=("y",),
            data_type=5,
            referred_count=4,
            status=6,
        ),
    )


def test_the_first_changes_cannot_touch_what_they_have_no_value_for() -> None:
    change = from_wire.change_of_v1(round_trip(wire.DataStoreChangeMetaParamV1(**CHANGE)))
    assert change.flags == 0x7F
    assert (change.target, change.name, change.password) == (ObjectTarget(5), "new", 2**64 - 1)
    assert change.compare == MetaComparison()


def test_targets() -> None:
    persistence = wire.DataStorePersistenceTarget(1000, 3)
    assert from_wire.target_of(5, persistence) == ObjectTarget(5, 1000, 3)
    assert from_wire.target_of(5, wire.DataStorePersistenceTarget()) == ObjectTarget(5)


@pytest.mark.parametrize(
    "date",
    [DateTime.never(), DateTime.future(), DateTime(671076024059), DateTime(2**64 - 1)],
    ids=str,
)
def test_dates_that_are_no_condition(date: DateTime) -> None:
    assert from_wire.moment_of(date) is None


def test_dates_that_are_a_condition() -> None:
    assert from_wire.moment_of(DATE) == TIME
    assert from_wire.moment_of(DateTime.make(1969, 12, 31, 23, 59, 59)) == -1


@given(st.integers(0, 2**64 - 1))
def test_any_date_is_a_time_or_refused_or_no_condition(value: int) -> None:
    try:
        moment = from_wire.moment_of(DateTime(value))
    except DataStoreError:
        with pytest.raises(ValueError, match=r"year|month|day|hour|minute|second"):
            DateTime(value).to_datetime()
    else:
        assert moment is None or DateTime.from_timestamp(moment).value == value


@pytest.mark.parametrize("value", [1, 13 << 22 | 2026 << 26, 1 << 17 | 1 << 22], ids=hex)
def test_what_is_no_date_is_refused(value: int) -> None:
    with pytest.raises(DataStoreError) as caught:
        from_wire.moment_of(DateTime(value))
    assert caught.value.refusal is Refusal.INVALID


def test_a_search_is_taken_as_it_came() -> None:
    second = DateTime.make(2027, 1, 15, 8, 0, 1)
    param = wire.DataStoreSearchParam(
        search_target=11,
        owner_ids=[1, 2],
        owner_type=2,
        destination_ids=[3],
        data_type=4,
        created_after=DATE,
        created_before=second,
        updated_after=second,
        updated_before=DATE,
        refer_data_id=5,
        tags=["t"],
        result_order_column=64,
        result_order=1,
        result_range=wire.ResultRange(6, 7),
        result_option=8,
        minimal_rating_frequency=9,
        use_cache=True,
        total_count_enabled=False,
        data_types=[10],
    )
    assert from_wire.search_of(round_trip(param, "4.0")) == SearchRequest(
        target=11,
        owners=(1, 2),
        owner_type=2,
        recipients=(3,),
        data_type=4,
        created_after=TIME,
        created_before=TIME + 1,
        updated_after=TIME + 1,
        updated_before=TIME,
        refer_data_id=5,
        tags=("t",),
        order=64,
        descending=1,
        offset=6,
        limit=7,
        minimum_ratings=9,
        count=False,
        data_types=(10,),
    )


def test_a_search_for_nothing_in_particular() -> None:
    found = from_wire.search_of(round_trip(wire.DataStoreSearchParam(), "3.4"))
    assert found == SearchRequest(limit=10)


def test_ratings_are_taken_as_they_came() -> None:
    target = from_wire.rating_target_of(round_trip(wire.DataStoreRatingTarget(5, 255)))
    assert target == RatingTarget(5, 255)
    rating = from_wire.rating_of(round_trip(wire.DataStoreRateObjectParam(-1, 2**64 - 1)))
    assert rating == GivenRating(-1, 2**64 - 1)


# -- what consoles are told ---------------------------------------------------------------


def test_all_that_is_known_of_an_object() -> None:
    meta = round_trip(to_wire.meta_to_wire(STORED, 0xF))
    rating = wire.DataStoreRatingInfo(-7, 2, -(2**40))
    assert meta == wire.DataStoreMetaInfo(
        data_id=1_000_001,
        owner_id=1000,
        size=8192,
        name="a ghost",
        data_type=7,
        meta_binary=b"meta",
        permission=permission(2, 1001, 1002),
        delete_permission=permission(4, 1003),
        create_time=DATE,
        update_time=DateTime.make(2027, 1, 15, 8, 0, 1),
        period=30,
        status=2,
        referred_count=9,
        refer_data_id=2**32 - 1,
        flag=0x40,
        referred_time=DateTime.make(2027, 1, 15, 8, 0, 2),
        expire_time=DateTime.make(2027, 1, 15, 8, 0, 3),
        tags=["a", "b"],
        ratings=[
            wire.DataStoreRatingInfoWithSlot(0, rating),
            wire.DataStoreRatingInfoWithSlot(15, wire.DataStoreRatingInfo()),
        ],
    )


@pytest.mark.parametrize("options", range(16))
def test_nobody_is_told_more_than_was_asked_for(options: int) -> None:
    meta = to_wire.meta_to_wire(STORED, options | 0xF0)
    whole = to_wire.meta_to_wire(STORED, 0xF)
    assert meta.tags == (whole.tags if options & 1 else [])
    assert meta.ratings == (whole.ratings if options & 2 else [])
    assert meta.meta_binary == (whole.meta_binary if options & 4 else b"")
    assert meta.permission == (whole.permission if options & 8 else permission(2))
    assert meta.delete_permission == (whole.delete_permission if options & 8 else permission(4))
    assert (meta.name, meta.referred_count) == (whole.name, whole.referred_count)


def test_what_is_in_a_slot_expires_on_the_last_day() -> None:
    meta = to_wire.meta_to_wire(replace(STORED, expires=None), 0)
    assert str(meta.expire_time) == "9999-12-31 00:00:00"


def test_what_has_no_room_is_cut() -> None:
    rating = Rating(0, RULES, total=2**63 - 1, count=2**40)
    grown = replace(STORED, version=2**32 + 2**16 + 7, referred_count=2**40, ratings=(rating,))
    meta = round_trip(to_wire.meta_to_wire(grown, 2))
    assert meta.referred_count == 2**32 - 1
    assert meta.ratings[0].info == wire.DataStoreRatingInfo(2**63 - 1, 2**32 - 1, -(2**40))
    assert round_trip(to_wire.specific_to_wire(grown)).version == 2**16 + 7
    assert round_trip(to_wire.specific_v1_to_wire(grown)).version == 7
    assert round_trip(to_wire.additional_meta_to_wire(grown)).version == 7
    update = Update(grown.version, UploadForm("", ()))
    assert round_trip(to_wire.update_to_wire(update, wide=True)).version == 2**16 + 7
    assert round_trip(to_wire.update_to_wire(update, wide=False), "2.4.3").version == 7


def test_how_files_are_uploaded_and_downloaded() -> None:
    form = UploadForm("http://host/objects/mk8", (("key", "a"), ("z", "b")), (("X", "y"),), b"ca")
    headers, fields = [KeyValue("X", "y")], [KeyValue("key", "a"), KeyValue("z", "b")]
    parts = ("http://host/objects/mk8", headers, fields, b"ca")
    posted = Posted(2**64 - 1, form)
    assert to_wire.post_to_wire(posted) == wire.DataStoreReqPostInfo(2**64 - 1, *parts)
    posted = Posted(2**32 - 1, form)
    assert to_wire.post_v1_to_wire(posted) == wire.DataStoreReqPostInfoV1(2**32 - 1, *parts)
    update = to_wire.update_to_wire(Update(2, form), wide=True)
    assert update == wire.DataStoreReqUpdateInfo(2, *parts)
    found = ObjectDownload(5, 8192, "http://host/a?b", (("X", "y"),), b"ca")
    expected = wire.DataStoreReqGetInfo("http://host/a?b", headers, 8192, b"ca", 5)
    assert to_wire.download_to_wire(found) == expected
    first = wire.DataStoreReqGetInfoV1("http://host/a?b", headers, 8192, b"ca")
    assert to_wire.download_v1_to_wire(found) == first


def test_how_a_player_rated() -> None:
    log = RatingLog(1001, -3, TIME - 5, TIME)
    assert to_wire.log_to_wire(1001, log) == wire.DataStoreRatingLog(True, 1001, -3, DATE)
    free = to_wire.log_to_wire(1001, replace(log, locked_until=0))
    assert free.lock_expiration_time == DateTime.never()
    nothing = wire.DataStoreRatingLog(False, 1001, -1, DateTime.never())
    assert to_wire.log_to_wire(1001, None) == nothing


def test_little_things() -> None:
    specific = wire.DataStoreSpecificMetaInfo(1_000_001, 1000, 8192, 7, 3)
    assert to_wire.specific_to_wire(STORED) == specific
    additional = wire.DataStoreReqGetAdditionalMeta(1000, 7, 3, b"meta")
    assert to_wire.additional_meta_to_wire(STORED) == additional
    slot = wire.DataStorePersistenceInfo(1000, 5, 1_000_001)
    assert to_wire.persistence_to_wire(STORED, 5) == slot
    passwords = wire.DataStorePasswordInfo(5, 2**64 - 1, 1)
    assert to_wire.passwords_to_wire(Passwords(5, 2**64 - 1, 1)) == passwords
