"""NintendoClients' consoles read and change objects, if they may: over UDP, and files over HTTP."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from nintendo.nex import common, datastore, streams

from nekonex.games.mario_kart_8 import MarioKart8DataStoreServer
from tests.support.console_files import download, upload
from tests.support.objectlab import served_store
from tests.support.their_objects import (
    DENIED,
    INVALID,
    LATE,
    NOT_ALLOWED,
    NOT_FOUND,
    WRONG_PASSWORD,
    LateChangeMetaParam,
    LateSearchParam,
    as_dict,
    change_param,
    completed,
    content,
    fetched,
    got,
    make,
    meta,
    names,
    parts,
    permission,
    post_file,
    post_param,
    search_param,
    settings_of,
    slot_target,
    store_clients,
)
from tests.support.their_rooms import refused_there

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
