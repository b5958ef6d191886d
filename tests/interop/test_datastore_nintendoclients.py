"""NintendoClients' consoles post, update and delete objects: over UDP, and files over HTTP.

What is known of objects is in SQLite, their files are on the disk.
"""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from nintendo.nex import common

from nekonex.domain.datastore.limits import DataStoreLimits
from tests.support.console_files import download, upload
from tests.support.objectlab import served_store
from tests.support.their_objects import (
    DAY,
    DENIED,
    INVALID,
    NOT_ALLOWED,
    NOT_FOUND,
    WRONG_PASSWORD,
    as_dict,
    completed,
    content,
    deleted,
    fetched,
    files_of,
    got,
    make,
    meta,
    names,
    permission,
    post_file,
    post_param,
    search_param,
    settings_of,
    store_client,
    store_clients,
    update_param,
)
from tests.support.their_rooms import refused_there

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
