"""NintendoClients' consoles post, update, read and delete objects: over UDP, and files over HTTP.

What is known of objects is in SQLite, their files are on the disk.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from random import Random
from typing import Any

import pytest
from nintendo.nex import common, datastore, streams

from nekonex.domain.datastore.limits import DataStoreLimits
from nekonex.games.mario_kart_8 import MarioKart8DataStoreServer
from nekonex.settings import Settings
from tests.support.console_files import download, upload
from tests.support.nexlab import lab_settings
from tests.support.objectlab import ObjectLab, served_store
from tests.support.their_objects import (
    LateChangeMetaParam,
    LateSearchParam,
    as_dict,
    change_param,
    make,
    permission,
    post_file,
    post_param,
    search_param,
    slot_target,
    store_client,
    store_clients,
    update_param,
)
from tests.support.their_rooms import refused_there

SUCCESS = 0x00690001
INVALID = "DataStore::InvalidArgument"
NOT_FOUND = "DataStore::NotFound"
DENIED = "DataStore::PermissionDenied"
NOT_ALLOWED = "DataStore::OperationNotAllowed"
WRONG_PASSWORD = "DataStore::InvalidPassword"

EVERYTHING = 0xF
DAY = 86_400


def settings_of(version: str) -> Settings:
    return lab_settings(version, nex__pid_size=8 if version >= "4" else 4)


LATE = settings_of("4.0.0")


def content(size: int, seed: int = 0) -> bytes:
    return Random(seed).randbytes(size)


def completed(data_id: int, *, success: bool = True) -> Any:
    return make("CompletePostParam", data_id=data_id, success=success)


def got(data_id: int = 0, **fields: Any) -> Any:
    return make("PrepareGetParam", data_id=data_id, **fields)


def meta(data_id: int = 0, options: int = EVERYTHING, **fields: Any) -> Any:
    return make("GetMetaParam", data_id=data_id, result_option=options, **fields)


def deleted(data_id: int, password: int = 0) -> Any:
    return make("DeleteParam", data_id=data_id, update_password=password)


async def fetched(client: Any, data_id: int = 0, **fields: Any) -> bytes:
    """Download an object."""
    info = await client.prepare_get_object(got(data_id, **fields))
    status, body = await download(info)
    assert (status, len(body)) == (200, info.size)
    return body


def parts(reply: Any) -> tuple[list[Any], list[Any]]:
    """Return both values of a reply."""
    infos, results = vars(reply).values()
    return infos, results


async def files_of(lab: ObjectLab) -> list[int]:
    """Return how large the files are that there are."""
    return [each.size async for each in lab.files.keys("")]


def names(calls: Any) -> list[str]:
    """Return what results of a list are called."""
    return ["" if each.code() == SUCCESS else each.name() for each in calls]


# -- posting ------------------------------------------------------------------------------


@pytest.mark.parametrize("durable", [False, True], ids=["memory", "sqlite"])
@pytest.mark.parametrize("version", ["3.5.4", "4.0.0"])
async def test_an_object_is_posted_and_read_by_another(
    tmp_path: Path, version: str, durable: bool
) -> None:
    ghost = content(50_000)
    async with (
        served_store(tmp_path, settings_of(version), durable=durable) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        param = post_param(
            len(ghost),
            tags=["time trial", "150cc"],
            delete_permission=permission(2, 1001),
            extra_data=["WUP", "4", "EUR", "71", "DE", ""],
        )
        info = await a.prepare_post_object(param)
        assert info.data_id >= 1_000_000
        assert info.root_ca_cert == b""
        assert "key" in [each.key for each in info.form]
        for before in (b.get_meta(meta(info.data_id)), b.prepare_get_object(got(info.data_id))):
            assert await refused_there(before) == NOT_FOUND
        assert await upload(info, ghost) in {200, 204}
        assert await refused_there(b.get_meta(meta(info.data_id))) == NOT_FOUND
        await a.complete_post_object(completed(info.data_id))

        found = await b.get_meta(meta(info.data_id))
        now = common.DateTime.fromtimestamp(int(lab.clock.now))
        assert as_dict(found) == {
            "data_id": info.data_id,
            "owner_id": 1000,
            "size": 50_000,
            "name": "a ghost",
            "data_type": 7,
            "meta_binary": b"meta",
            "permission": {"permission": 0, "recipients": []},
            "delete_permission": {"permission": 2, "recipients": [1001]},
            "create_time": now.value(),
            "update_time": now.value(),
            "period": 30,
            "status": 0,
            "referred_count": 0,
            "refer_data_id": 0,
            "flag": 0x40,
            "referred_time": now.value(),
            "expire_time": common.DateTime.fromtimestamp(int(lab.clock.now) + 30 * DAY).value(),
            "tags": ["time trial", "150cc"],
            "ratings": [],
        }
        where = await b.prepare_get_object(got(info.data_id))
        assert (where.size, where.data_id) == (50_000, info.data_id)
        assert await download(where) == (200, ghost)
        assert (await b.get_meta(meta(info.data_id))).referred_count == 1
        assert await fetched(a, info.data_id) == ghost
        again = a.complete_post_object(completed(info.data_id))
        assert await refused_there(again) == NOT_ALLOWED


async def test_a_failed_or_unfinished_upload_is_as_if_it_had_never_been(tmp_path: Path) -> None:
    async with (
        served_store(tmp_path, durable=True) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        refused = await a.prepare_post_object(post_param(1000))
        other = b.complete_post_object(completed(refused.data_id))
        assert await refused_there(other) == DENIED
        assert await upload(refused, content(999)) >= 400
        assert await upload(refused, content(1001)) >= 400
        missing = a.complete_post_object(completed(refused.data_id))
        assert await refused_there(missing) == NOT_FOUND
        failed = await a.prepare_post_object(post_param(1000))
        assert await upload(failed, content(1000)) < 300
        await a.complete_post_object(completed(failed.data_id, success=False))
        for info in (refused, failed):
            gone = a.complete_post_object(completed(info.data_id))
            assert await refused_there(gone) == NOT_FOUND
            assert await refused_there(a.get_meta(meta(info.data_id))) == NOT_FOUND
        assert await files_of(lab) == []
        late = await a.prepare_post_object(post_param(1000))
        lab.clock.now += 3 * 3600 + 1
        assert await upload(late, content(1000)) >= 400
        assert await refused_there(a.complete_post_object(completed(late.data_id))) == NOT_FOUND
        assert await refused_there(a.complete_post_object(completed(4711))) == NOT_FOUND
        assert (await a.search_object(search_param(search_target=14))).result == []


async def test_what_nobody_completes_is_there_once_its_content_is(tmp_path: Path) -> None:
    async with (
        served_store(tmp_path) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        info = await a.prepare_post_object(post_param(100, flag=0))
        assert await refused_there(b.get_meta(meta(info.data_id))) == NOT_FOUND
        assert await upload(info, content(100)) < 300
        assert await fetched(b, info.data_id) == content(100)
        await a.complete_post_object(completed(info.data_id))


async def test_several_posts_are_completed_at_once(tmp_path: Path) -> None:
    async with (
        served_store(tmp_path, durable=True) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        infos = [await a.prepare_post_object(post_param(100 + number)) for number in range(3)]
        statuses = [await upload(info, content(info_size(info, infos))) for info in infos]
        assert max(statuses) < 300
        await a.complete_post_objects([info.data_id for info in infos])
        for info in infos:
            assert await fetched(b, info.data_id) == content(info_size(info, infos))


def info_size(info: Any, infos: list[Any]) -> int:
    return 100 + infos.index(info)


BAD_POSTS: list[dict[str, Any]] = [
    {"name": "x" * 65},
    {"data_type": 65535},
    {"meta_binary": b"x" * 1025},
    {"period": 0},
    {"period": 366},
    {"tags": ["a", "a"]},
    {"tags": ["x" * 25]},
    {"tags": [str(number) for number in range(17)]},
    {"permission": permission(5)},
    {"permission": permission(2, *range(1, 102))},
    {"flag": 0x20},
    {"extra_data": [""] * 5},
    {"size": 16 * 1024 * 1024 + 1},
    {"persistence_init_param": make("PersistenceInitParam", persistence_id=16)},
]


@pytest.mark.parametrize("version", ["3.5.4", "4.0.0"])
async def test_bad_posts_are_refused_by_name(tmp_path: Path, version: str) -> None:
    async with (
        served_store(tmp_path, settings_of(version)) as lab,
        store_client(lab, 1000) as a,
    ):
        for fields in BAD_POSTS:
            call = a.prepare_post_object(post_param(**{"size": 100, **fields}))
            assert await refused_there(call) == INVALID, fields
        refers = a.prepare_post_object(post_param(100, refer_data_id=4711))
        assert await refused_there(refers) == NOT_FOUND
        assert await lab.store.count() == 0


async def test_who_stores_too_much_is_told_so(tmp_path: Path) -> None:
    limits = DataStoreLimits(max_objects=2)
    async with (
        served_store(tmp_path, durable=True, limits=limits) as lab,
        store_client(lab, 1000) as a,
    ):
        await post_file(a, content(10))
        await a.prepare_post_object(post_param(10))
        call = a.prepare_post_object(post_param(10))
        assert await refused_there(call) == "DataStore::OverCapacity"


# -- updating, deleting -------------------------------------------------------------------


@pytest.mark.parametrize("version", ["3.5.4", "4.0.0"])
async def test_new_content_takes_the_place_of_the_old_when_it_is_there(
    tmp_path: Path, version: str
) -> None:
    old, new = content(3000, 1), content(5000, 2)
    async with (
        served_store(tmp_path, settings_of(version), durable=True) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        data_id = await post_file(a, old)
        before = await b.prepare_get_object(got(data_id))
        lab.clock.now += 60
        info = await a.prepare_update_object(update_param(data_id, len(new)))
        assert info.version == 2
        assert await fetched(b, data_id) == old
        assert await upload(info, new) < 300
        assert await fetched(b, data_id) == old

        def updated(version: int, *, success: bool = True) -> Any:
            return make("CompleteUpdateParam", data_id=data_id, version=version, success=success)

        assert await refused_there(a.complete_update_object(updated(3))) == NOT_ALLOWED
        assert await refused_there(b.complete_update_object(updated(2))) == DENIED
        await a.complete_update_object(updated(2))
        assert await fetched(b, data_id) == new
        assert await download(before) == (200, new)
        found = await b.get_meta(meta(data_id))
        assert found.size == 5000
        assert found.update_time.value() - found.create_time.value() == 1 << 6

        info = await a.prepare_update_object(update_param(data_id, 10))
        assert await upload(info, content(10)) < 300
        await a.complete_update_object(updated(info.version, success=False))
        assert await fetched(b, data_id) == new
        info = await a.prepare_update_object(update_param(data_id, 10))
        assert await refused_there(a.complete_update_object(updated(info.version))) == NOT_FOUND
        assert await fetched(b, data_id) == new
        assert await files_of(lab) == [5000]
        [specific] = await b.get_specific_meta(make("GetSpecificMetaParam", data_ids=[data_id]))
        assert (specific.version, specific.size) == (2, 5000)


async def test_objects_are_deleted_by_those_who_may(tmp_path: Path) -> None:
    async with (
        served_store(tmp_path, durable=True) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        ids = [await post_file(a, content(10 + number)) for number in range(5)]
        password = (await a.get_password_info(ids[1])).update_password
        assert await refused_there(b.delete_object(deleted(ids[0]))) == DENIED
        assert await refused_there(b.delete_object(deleted(ids[1], 1))) == WRONG_PASSWORD
        await a.delete_object(deleted(ids[0]))
        await b.delete_object(deleted(ids[1], password))
        some = [deleted(ids[2]), deleted(4711), deleted(ids[0])]
        assert await refused_there(a.delete_objects(some, True)) == NOT_FOUND
        assert await fetched(b, ids[2]) == content(12)
        assert names(await a.delete_objects(some, False)) == ["", NOT_FOUND, NOT_FOUND]
        await a.delete_objects([deleted(ids[3]), deleted(ids[4])], True)
        for data_id in ids:
            assert await refused_there(b.prepare_get_object(got(data_id))) == NOT_FOUND
        assert await files_of(lab) == []


async def test_objects_expire(tmp_path: Path) -> None:
    async with (
        served_store(tmp_path) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        data_id = await post_file(a, content(10), period=1)
        kept = await post_file(a, content(10), period=1, flag=0x42)
        lab.clock.now += DAY - 1
        await b.touch_object(make("TouchObjectParam", data_id=kept, lock_id=0, access_password=0))
        assert await fetched(b, data_id) == content(10)
        lab.clock.now += 1
        assert await refused_there(b.get_meta(meta(data_id))) == NOT_FOUND
        assert await fetched(b, kept) == content(10)
        assert [each.data_id for each in (await b.search_object(search_param())).result] == [kept]


# -- who may ------------------------------------------------------------------------------


async def test_permissions_and_passwords(tmp_path: Path) -> None:
    friends = {1000: [1001], 1001: [1000]}
    async with (
        served_store(tmp_path, durable=True, friends=friends) as lab,
        store_clients(lab, range(1000, 1004)) as [a, b, c, d],
    ):
        allowed = {
            permission(0): [a, b, c, d],
            permission(1): [a, b],
            permission(2, 1002): [a, c],
            permission(3): [a],
            permission(4, 1001, 1002): [a, b],
        }
        for level, those in allowed.items():
            data_id = await post_file(a, content(20), permission=level)
            passwords = await a.get_password_info(data_id)
            assert passwords.data_id == data_id
            for each in (a, b, c, d):
                if each in those:
                    assert await fetched(each, data_id) == content(20)
                    await each.get_meta(meta(data_id))
                    continue
                assert await refused_there(each.prepare_get_object(got(data_id))) == DENIED
                assert await refused_there(each.get_meta(meta(data_id))) == DENIED
                wrong = each.prepare_get_object(got(data_id, access_password=5))
                assert await refused_there(wrong) == WRONG_PASSWORD
                known = passwords.access_password
                assert await fetched(each, data_id, access_password=known) == content(20)
        assert await refused_there(b.get_password_info(data_id)) == NOT_ALLOWED
        infos, results = parts(await a.get_password_infos([4711, data_id]))
        assert names(results) == [NOT_FOUND, ""]
        assert as_dict(infos[1]) == as_dict(passwords)
        assert as_dict(infos[0]) == {"data_id": 0, "access_password": 0, "update_password": 0}


# -- persistence slots --------------------------------------------------------------------


async def test_persistence_slots(tmp_path: Path) -> None:
    def slot(number: int, *, delete: bool = True) -> Any:
        fields = {"persistence_id": number, "delete_last_object": delete}
        return make("PersistenceInitParam", **fields)

    async with (
        served_store(tmp_path, durable=True) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        first = await post_file(a, content(10, 1), persistence_init_param=slot(0))
        found = await b.get_meta(meta(persistence_target=slot_target(1000, 0)))
        assert found.data_id == first
        assert found.expire_time.value() == common.DateTime.make(9999, 12, 31).value()
        assert await fetched(b, persistence_target=slot_target(1000, 0)) == content(10, 1)
        info = await a.prepare_post_object(post_param(11, persistence_init_param=slot(0)))
        assert (await b.get_persistence_info(1000, 0)).data_id == first
        assert await upload(info, content(11, 2)) < 300
        await a.complete_post_object(completed(info.data_id))
        assert as_dict(await b.get_persistence_info(1000, 0)) == {
            "owner_id": 1000,
            "slot_id": 0,
            "data_id": info.data_id,
        }
        assert await refused_there(b.get_meta(meta(first))) == NOT_FOUND
        kept = await post_file(a, content(12, 3), persistence_init_param=slot(0, delete=False))
        assert (await b.get_meta(meta(info.data_id))).data_id == info.data_id
        infos, results = parts(await b.get_persistence_infos(1000, [0, 15]))
        assert [each.data_id for each in infos] == [kept, 0]
        assert names(results) == ["", NOT_FOUND]
        await a.perpetuate_object(15, info.data_id, True)
        assert (await b.get_persistence_info(1000, 15)).data_id == info.data_id
        await a.unperpetuate_object(15, False)
        assert await refused_there(b.get_persistence_info(1000, 15)) == NOT_FOUND
        assert await fetched(b, info.data_id) == content(11, 2)
        assert await refused_there(a.unperpetuate_object(15, False)) == NOT_FOUND
        assert await refused_there(a.perpetuate_object(16, kept, True)) == INVALID
        assert await refused_there(b.perpetuate_object(1, kept, True)) == NOT_ALLOWED
        await a.unperpetuate_object(0, True)
        assert await refused_there(b.get_meta(meta(kept))) == NOT_FOUND


# -- reading many, changing ---------------------------------------------------------------


async def test_many_at_once_and_what_cannot_be_given(tmp_path: Path) -> None:
    async with (
        served_store(tmp_path, durable=True) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        one = await post_file(a, content(10), tags=["x"])
        two = await post_file(a, content(11), permission=permission(3))
        ids = [two, one, 4711, one]
        infos, results = parts(await b.get_metas(ids, meta(options=1)))
        assert names(results) == [DENIED, "", NOT_FOUND, ""]
        assert [each.data_id for each in infos] == [0, one, 0, one]
        assert [each.tags for each in infos] == [[], ["x"], [], ["x"]]
        assert {each.meta_binary for each in infos} == {b""}
        assert as_dict(infos[2]) == {
            **dict.fromkeys(as_dict(infos[2]), 0),
            "name": "",
            "meta_binary": b"",
            "permission": as_dict(permission(0)),
            "delete_permission": as_dict(permission(0)),
            "tags": [],
            "ratings": [],
        }
        params = [meta(one, 4), meta(4711), meta(two), meta(), meta(one, 1)]
        infos, results = parts(await b.get_metas_multiple_param(params))
        assert names(results) == ["", NOT_FOUND, DENIED, INVALID, ""]
        assert [(each.meta_binary, each.tags) for each in infos[::4]] == [
            (b"meta", []),
            (b"", ["x"]),
        ]
        specific = await b.get_specific_meta(make("GetSpecificMetaParam", data_ids=ids))
        assert {each.data_id for each in specific} == {one}
        infos, results = parts(await b.get_object_infos(ids))
        assert names(results) == [DENIED, "", NOT_FOUND, ""]
        assert await download(infos[1]) == (200, content(10))
        assert (infos[0].url, infos[0].data_id) == ("", 0)
        assert await refused_there(b.get_object_infos([one] * 101)) == INVALID


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("3.5.4", {}),
        ("3.5.4", {"kind": LateChangeMetaParam}),
        ("4.0.0", {}),
    ],
    ids=["3.5.4", "3.5.4 revision 1", "4.0.0"],
)
async def test_what_is_known_of_objects_changes(
    tmp_path: Path, version: str, kind: dict[str, Any]
) -> None:
    async with (
        served_store(tmp_path, settings_of(version), durable=True) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        data_id = await post_file(a, content(10))
        await a.change_meta(
            change_param(
                data_id,
                0x1BF,
                name="new",
                permission=permission(2, 1001),
                delete_permission=permission(0),
                period=90,
                meta_binary=b"newer",
                tags=["t"],
                data_type=9,
                referred_count=77,
                **kind,
            )
        )
        found = await b.get_meta(meta(data_id))
        assert (found.name, found.period, found.meta_binary) == ("new", 90, b"newer")
        assert (found.tags, found.data_type, found.referred_count) == (["t"], 9, 77)
        assert as_dict(found.permission) == {"permission": 2, "recipients": [1001]}
        await b.change_meta(change_param(data_id, 1, name="theirs", **kind))
        compare = {"comparison_flag": 1, "name": "new"}
        stale = a.change_meta(change_param(data_id, 1, name="mine", compare=compare, **kind))
        assert await refused_there(stale) == "DataStore::ValueNotEqual"
        too_long = change_param(data_id, 0x10, meta_binary=b"x" * 1025, **kind)
        changes = [too_long, change_param(data_id, 8, period=5, **kind)]
        two = [data_id, data_id]
        assert await refused_there(a.change_metas(two, changes, True)) == INVALID
        assert names(await a.change_metas(two, changes, False)) == [INVALID, ""]
        found = await b.get_meta(meta(data_id))
        assert (found.name, found.period, found.meta_binary) == ("theirs", 5, b"newer")


# -- objects without a file ---------------------------------------------------------------


async def test_objects_without_a_file(tmp_path: Path) -> None:
    async with (
        served_store(tmp_path, LATE, durable=True) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        data_id = await a.post_meta_binary(post_param(meta_binary=b"all there is"))
        found = await b.get_meta(meta(data_id))
        assert (found.size, found.meta_binary) == (0, b"all there is")
        assert found.flag & 0x20
        assert await refused_there(b.prepare_get_object(got(data_id))) == NOT_ALLOWED
        both = await b.prepare_get_object_or_meta_binary(got(data_id))
        assert (both.get_info.url, both.additional_meta.meta_binary) == ("", b"all there is")
        assert (both.additional_meta.owner_id, both.additional_meta.version) == (1000, 1)
        with_file = await post_file(a, content(10))
        both = await b.prepare_get_object_or_meta_binary(got(with_file))
        assert await download(both.get_info) == (200, content(10))
        assert await refused_there(a.post_meta_binary(post_param(1))) == INVALID
        await a.post_meta_binary_with_data_id(4711, post_param(meta_binary=b"chosen"))
        assert (await b.get_meta(meta(4711))).meta_binary == b"chosen"
        taken = b.post_meta_binary_with_data_id(4711, post_param())
        assert await refused_there(taken) == NOT_ALLOWED
        system = b.post_meta_binary_with_data_id(900_000, post_param())
        assert await refused_there(system) == NOT_ALLOWED
        post = a.post_meta_binaries_with_data_id
        some = [post_param(), post_param(period=0), post_param()]
        assert await refused_there(post([1, 2, 4711], some, True)) == INVALID
        assert await refused_there(b.get_meta(meta(1))) == NOT_FOUND
        assert names(await post([1, 2, 4711], some, False)) == ["", INVALID, NOT_ALLOWED]
        assert (await b.get_meta(meta(1))).data_id == 1


# -- the first version of the methods -----------------------------------------------------


async def test_the_first_methods(tmp_path: Path) -> None:
    old = {"tags": ["t"], "rating_init_param": [], "permission": permission(0)}
    async with (
        served_store(tmp_path, durable=True) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        param = make("PreparePostParamV1", size=10, name="old", flag=0x40, period=30, **old)
        info = await a.prepare_post_object_v1(param)
        assert await upload(info, content(10)) < 300
        done = make("CompletePostParamV1", data_id=info.data_id, success=True)
        await a.complete_post_object_v1(done)
        where = await b.prepare_get_object_v1(make("PrepareGetParamV1", data_id=info.data_id))
        assert await download(where) == (200, content(10))
        ids = make("GetSpecificMetaParamV1", data_ids=[info.data_id, 4711])
        [specific] = await b.get_specific_meta_v1(ids)
        assert as_dict(specific) == {
            "data_id": info.data_id,
            "owner_id": 1000,
            "size": 10,
            "data_type": 0,
            "version": 1,
        }
        fields = {"name": "newer", "period": 0, "meta_binary": b"", "tags": []}
        change = make(
            "ChangeMetaParamV1",
            data_id=info.data_id,
            modifies_flag=0x381,
            update_password=0,
            **fields,
        )
        await a.change_meta_v1(change)
        assert (await b.get_meta(meta(info.data_id))).name == "newer"
        assert await refused_there(b.change_meta_v1(change)) == DENIED
        assert names(await b.change_metas_v1([info.data_id], [change], False)) == [DENIED]
        param.name = "x" * 65
        assert await refused_there(a.prepare_post_object_v1(param)) == INVALID


# -- Mario Kart 8 -------------------------------------------------------------------------


async def test_mario_kart_8(tmp_path: Path) -> None:
    """It asks for files by 43, and its searches have three fields more than others of 3.5."""
    async with (
        served_store(
            tmp_path, settings_of("3.5.4"), durable=True, server=MarioKart8DataStoreServer
        ) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        ghosts = [await post_file(a, content(10 + each), data_type=each) for each in range(3)]
        late = search_param(
            kind=LateSearchParam, data_types=[0, 2], total_count_enabled=False, result_order=1
        )
        found = await b.search_object(late)
        assert [each.data_id for each in found.result] == [ghosts[2], ghosts[0]]
        assert (found.total_count, found.total_count_type) == (0, 3)
        infos, results = await object_infos(b, [ghosts[1], 4711])
        assert names(results) == ["", NOT_FOUND]
        assert await download(infos[0]) == (200, content(11))
        for call in (
            b.get_object_infos(ghosts),
            b.post_meta_binary_with_data_id(1, post_param()),
            b.post_meta_binaries_with_data_id([1], [post_param()], False),
            b.rate_objects_with_posting([], [], [], False, False),
        ):
            assert await refused_there(call) == "Core::NotImplemented"


async def object_infos(client: Any, data_ids: list[int]) -> tuple[list[Any], list[Any]]:
    """Call `get_object_infos` by the number that it has in Mario Kart 8."""
    request = streams.StreamOut(client.settings)
    request.list(data_ids, request.u64)
    reply = await client.client.request(115, 43, request.get())
    answer = streams.StreamIn(reply, client.settings)
    return answer.list(datastore.DataStoreReqGetInfo), answer.list(answer.result)


# -- many at once -------------------------------------------------------------------------


async def test_consoles_post_at_the_same_time(tmp_path: Path) -> None:
    async with (
        served_store(tmp_path, durable=True) as lab,
        store_clients(lab, range(1000, 1004)) as clients,
    ):
        contents = [content(20_000, seed) for seed in range(4)]
        posted = await asyncio.gather(
            *[post_file(each, body) for each, body in zip(clients, contents, strict=True)]
        )
        assert len(set(posted)) == 4
        for data_id, body in zip(posted, contents, strict=True):
            assert await fetched(clients[0], data_id) == body
