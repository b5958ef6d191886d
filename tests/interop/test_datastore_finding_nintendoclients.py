"""NintendoClients' consoles rate objects, look for them, and hear of new ones, over UDP."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from nintendo.nex import common

from tests.support.console_files import download
from tests.support.objectlab import served_store
from tests.support.their_objects import (
    DENIED,
    INVALID,
    LATE,
    NOT_ALLOWED,
    NOT_FOUND,
    WRONG_PASSWORD,
    as_dict,
    make,
    names,
    permission,
    post_file,
    post_param,
    rate_param,
    rating_init,
    search_param,
    settings_of,
    store_client,
    store_clients,
    target,
)
from tests.support.their_rooms import refused_there

RANDOM = 0xFFFFFFFF
NOTHING = {"total_value": 0, "count": 0, "initial_value": 0}


VERSIONS = pytest.mark.parametrize("version", ["3.5.4", "4.0.0"])


def rated(total: int, count: int, initial: int = 0) -> dict[str, int]:
    return {"total_value": total, "count": count, "initial_value": initial}


# -- ratings ------------------------------------------------------------------------------


@VERSIONS
async def test_players_rate_objects(tmp_path: Path, version: str) -> None:
    slots = [
        rating_init(0, initial_value=100),
        rating_init(3, flag=4, internal_flag=6, range_min=-2, range_max=5),
    ]
    async with (
        served_store(tmp_path, settings_of(version), durable=True) as lab,
        store_clients(lab, [1000, 1001, 1002]) as [a, b, c],
    ):
        data_id = await post_file(a, b"ghost", rating_init_param=slots)
        assert as_dict(await b.rate_object(target(data_id), rate_param(5), True)) == rated(
            105, 1, 100
        )
        assert as_dict(await c.rate_object(target(data_id), rate_param(-7), False)) == NOTHING
        assert as_dict(await a.get_rating(target(data_id), 0)) == rated(98, 2, 100)
        third = target(data_id, 3)
        assert as_dict(await b.rate_object(third, rate_param(5), True)) == rated(5, 1)
        assert as_dict(await b.rate_object(third, rate_param(-2), True)) == rated(-2, 1)
        for value in (-3, 6):
            assert await refused_there(b.rate_object(third, rate_param(value), True)) == INVALID
        for slot in (1, 15, 16, 127, -1, -128):
            call = b.rate_object(target(data_id, slot), rate_param(1), True)
            assert await refused_there(call) == NOT_FOUND
        reply = await a.get_ratings([data_id, 4711], 0)
        assert names(reply.results) == ["", NOT_FOUND]
        assert as_dict(reply.ratings[0]) == [
            {"slot": 0, "info": rated(98, 2, 100)},
            {"slot": 3, "info": rated(-2, 1)},
        ]
        assert reply.ratings[1] == []
        call = b.get_rating_with_log(third, 0)
        assert await refused_there(call) == NOT_ALLOWED
        assert await refused_there(b.reset_rating(third, 0)) == DENIED
        await a.reset_rating(third, 0)
        assert as_dict(await b.get_rating(third, 0)) == NOTHING
        assert names(await b.reset_ratings([data_id, 4711], False)) == [DENIED, NOT_FOUND]
        assert await refused_there(a.reset_ratings([data_id, 4711], True)) == NOT_FOUND
        assert as_dict(await b.get_rating(target(data_id), 0)) == rated(98, 2, 100)
        assert names(await a.reset_ratings([data_id], True)) == [""]
        assert as_dict(await b.get_rating(target(data_id), 0)) == rated(100, 0, 100)


async def test_locks_and_who_rated(tmp_path: Path) -> None:
    hourly = rating_init(0, lock_type=1, period_duration=3600, flag=0x10)
    async with (
        served_store(tmp_path, durable=True) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        data_id = await post_file(a, b"ghost", rating_init_param=[hourly])
        slot = target(data_id)
        reply = await b.get_rating_with_log(slot, 0)
        assert (reply.log.is_rated, reply.log.rating_value) == (False, -1)
        await b.rate_object(slot, rate_param(3), True)
        reply = await b.get_rating_with_log(slot, 0)
        until = common.DateTime.fromtimestamp(int(lab.clock.now) + 3600)
        assert as_dict(reply.rating) == rated(3, 1)
        assert as_dict(reply.log) == {
            "is_rated": True,
            "pid": 1001,
            "rating_value": 3,
            "lock_expiration_time": until.value(),
        }
        assert await refused_there(b.rate_object(slot, rate_param(3), True)) == NOT_ALLOWED
        assert await refused_there(a.rate_object(slot, rate_param(3), True)) == NOT_ALLOWED
        lab.clock.now += 3600
        assert as_dict(await b.rate_object(slot, rate_param(1), True)) == rated(4, 2)


async def test_ratings_of_several_objects(tmp_path: Path) -> None:
    init = [rating_init(0, internal_flag=4, range_max=9)]
    async with (
        served_store(tmp_path, LATE, durable=True) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        one = await a.post_meta_binary(post_param(rating_init_param=init))
        two = await a.post_meta_binary(post_param(rating_init_param=init))
        targets = [target(one), target(two), target(4711)]
        call = b.rate_objects(targets, [rate_param(5)], True, True)
        assert await refused_there(call) == NOT_FOUND
        reply = await b.rate_objects(targets, [rate_param(5)], False, True)
        assert names(reply.results) == ["", "", NOT_FOUND]
        assert as_dict(reply.infos) == [rated(5, 1), rated(5, 1), NOTHING]
        values = [rate_param(1), rate_param(10), rate_param(1)]
        reply = await b.rate_objects(targets, values, False, False)
        assert names(reply.results) == ["", INVALID, NOT_FOUND]
        assert as_dict(reply.infos) == [NOTHING] * 3
        assert await refused_there(b.rate_objects(targets, values[:2], False, True)) == INVALID
        call = b.rate_objects([target(one)] * 17, [rate_param(1)], False, True)
        assert await refused_there(call) == INVALID
        assert as_dict(await b.get_rating(target(one), 0)) == rated(6, 2)
        assert as_dict(await b.get_rating(target(two), 0)) == rated(5, 1)


async def test_ratings_together_with_posts(tmp_path: Path) -> None:
    init = [rating_init(0, internal_flag=4, range_max=9)]
    async with (
        served_store(tmp_path, LATE, durable=True) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        data_id = await a.post_meta_binary(post_param(rating_init_param=init, data_type=1))
        slot, comment = target(data_id), post_param(name="nice", refer_data_id=data_id)
        reply = await b.rate_object_with_posting(slot, rate_param(5), comment, True)
        assert as_dict(reply) == rated(5, 1)
        call = b.rate_object_with_posting(slot, rate_param(10), comment, True)
        assert await refused_there(call) == INVALID
        bad = post_param(period=0)
        assert (
            await refused_there(b.rate_object_with_posting(slot, rate_param(1), bad, True))
            == INVALID
        )
        found = await a.search_object(search_param(refer_data_id=data_id))
        assert [each.name for each in found.result] == ["nice"]
        assert as_dict(await a.get_rating(slot, 0)) == rated(5, 1)
        values = [rate_param(1), rate_param(10)]
        both = ([slot, slot], values, [comment, comment])
        assert await refused_there(b.rate_objects_with_posting(*both, True, True)) == INVALID
        reply = await b.rate_objects_with_posting(*both, False, True)
        assert names(reply.results) == ["", INVALID]
        assert as_dict(reply.ratings) == [rated(6, 2), NOTHING]
        found = await a.search_object(search_param(refer_data_id=data_id))
        assert found.total_count == 2


async def test_permissions_hold_for_ratings_too(tmp_path: Path) -> None:
    async with (
        served_store(tmp_path) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        data_id = await post_file(
            a, b"ghost", permission=permission(3), rating_init_param=[rating_init(0)]
        )
        slot = target(data_id)
        password = (await a.get_password_info(data_id)).access_password
        assert await refused_there(b.rate_object(slot, rate_param(1), True)) == DENIED
        assert await refused_there(b.get_rating(slot, 0)) == DENIED
        assert await refused_there(b.get_rating(slot, 7)) == WRONG_PASSWORD
        assert names((await b.get_ratings([data_id], 0)).results) == [DENIED]
        rating = await b.rate_object(slot, rate_param(1, password), True)
        assert as_dict(rating) == as_dict(await b.get_rating(slot, password)) == rated(1, 1)


async def test_consoles_rate_at_the_same_time(tmp_path: Path) -> None:
    async with (
        served_store(tmp_path, durable=True) as lab,
        store_clients(lab, range(1000, 1004)) as clients,
    ):
        data_id = await post_file(clients[0], b"ghost", rating_init_param=[rating_init(0)])
        calls = [
            each.rate_object(target(data_id), rate_param(1), True)
            for each in clients
            for _ in range(25)
        ]
        totals = [reply.total_value for reply in await asyncio.gather(*calls)]
        assert sorted(totals) == list(range(1, 101))


# -- searching ----------------------------------------------------------------------------


async def test_every_field_of_a_search(tmp_path: Path) -> None:
    friends = {1000: [1001], 1001: [1000]}
    async with (
        served_store(tmp_path, LATE, durable=True, friends=friends) as lab,
        store_clients(lab, [1000, 1001, 1002]) as [a, b, c],
    ):
        start = int(lab.clock.now)
        ids = []
        for number in range(6):
            lab.clock.now = start + 100 * number
            fields: dict[str, Any] = {
                "name": f"n{number % 3}",
                "data_type": number // 2,
                "tags": ["all", f"t{number}"],
                "rating_init_param": [rating_init(0)],
            }
            owner = [a, b, c][number % 3]
            ids.append(await post_file(owner, b"x" * (100 - number), **fields))

        def moment(number: int) -> Any:
            return common.DateTime.fromtimestamp(start + 100 * number)

        async def found(client: Any = a, **fields: Any) -> list[int]:
            reply = await client.search_object(search_param(**fields))
            light = await client.search_object_light(search_param(**fields))
            for each in (reply, light):
                assert each.total_count_type == 0
                assert "offset" in fields or each.total_count == len(each.result)
            if fields.get("offset") != RANDOM:
                assert as_dict(light) == as_dict(reply)
            return [ids.index(each.data_id) for each in reply.result]

        everything = list(range(6))
        assert await found() == everything
        assert await found(search_target=0) == everything
        assert await found(owner_ids=[1000, 1002]) == [0, 2, 3, 5]
        assert await found(owner_ids=[1000], owner_type=2) == [1, 2, 4, 5]
        assert await found(owner_type=1) == [1, 4]
        assert await found(data_type=1) == [2, 3]
        assert await found(data_types=[0, 2], data_type=1) == [0, 1, 4, 5]
        assert await found(created_after=moment(2), created_before=moment(4)) == [2, 3, 4]
        assert await found(updated_after=moment(5)) == [5]
        assert await found(updated_before=moment(0)) == [0]
        assert await found(tags=["all", "t3"]) == [3]
        assert await found(tags=["t1", "t3"]) == []
        assert await found(search_target=10) == [0, 3]
        assert await found(search_target=11) == [2, 5]
        for column in (0, 5, 6):
            order = await found(result_order_column=column, result_order=1)
            assert order == everything[::-1]
        assert await found(result_order_column=1) == everything[::-1]
        assert await found(result_order_column=2) == [0, 3, 1, 4, 2, 5]
        assert await found(result_order_column=2, result_order=1) == [2, 5, 1, 4, 0, 3]
        assert await found(result_order_column=3, result_order=1) == [4, 5, 2, 3, 0, 1]
        assert await found(offset=4) == [4, 5]
        assert await found(offset=1, size=2) == [1, 2]
        assert sorted(await found(offset=RANDOM)) == everything
        for client in (b, c):
            await client.rate_object(target(ids[4]), rate_param(3), True)
        await b.rate_object(target(ids[1]), rate_param(5), True)
        assert await found(result_order_column=64, result_order=1) == [4, 1, 0, 2, 3, 5]
        assert await found(result_order_column=96, result_order=1) == [1, 4, 0, 2, 3, 5]
        assert await found(minimal_rating_frequency=2) == [4]
        where = await c.prepare_get_object(make("PrepareGetParam", data_id=ids[3]))
        assert await download(where) == (200, b"x" * 97)
        assert await found(result_order_column=4, result_order=1) == [3, 0, 1, 2, 4, 5]


async def test_how_much_there_is(tmp_path: Path) -> None:
    async with (
        served_store(tmp_path, LATE, durable=True) as lab,
        store_client(lab, 1000) as a,
    ):
        for _ in range(5):
            await a.post_meta_binary(post_param(tags=["t"], rating_init_param=[rating_init(0)]))
        reply = await a.search_object(search_param(size=0))
        assert (reply.total_count, reply.total_count_type, reply.result) == (5, 0, [])
        reply = await a.search_object(search_param(size=2, total_count_enabled=False))
        assert (reply.total_count, reply.total_count_type, len(reply.result)) == (0, 3, 2)
        reply = await a.search_object(search_param(data_type=99))
        assert (reply.total_count, reply.total_count_type, reply.result) == (0, 0, [])
        [bare] = (await a.search_object(search_param(size=1))).result
        assert (bare.meta_binary, bare.tags, bare.ratings) == (b"", [], [])
        [full] = (await a.search_object(search_param(size=1, result_option=7))).result
        assert (full.meta_binary, full.tags, len(full.ratings)) == (b"meta", ["t"], 1)
        for bad in (
            {"size": 101},
            {"search_target": 15},
            {"owner_type": 3},
            {"data_types": list(range(11))},
            {"result_order_column": 7},
            {"created_after": common.DateTime(1)},
        ):
            call = a.search_object(search_param(**bad))
            assert await refused_there(call) == INVALID, bad


# -- notifications ------------------------------------------------------------------------


@VERSIONS
async def test_recipients_hear_of_new_objects(tmp_path: Path, version: str) -> None:
    async with (
        served_store(tmp_path, settings_of(version), durable=True) as lab,
        store_clients(lab, [1000, 1001]) as [a, b],
    ):
        asked = make("GetNotificationUrlParam", previous_url="")
        info = await b.get_notification_url(asked)

        async def looked() -> tuple[int, bytes]:
            whole = make("ReqGetInfo", url=info.url + info.key + info.query, headers=[])
            return await download(whole)

        async def heard(last: int, limit: int = 100) -> tuple[list[int], bool]:
            fields = {"last_notification_id": last, "limit": limit}
            param = make("GetNewArrivedNotificationsParam", **fields)
            reply = await b.get_new_arrived_notifications(param)
            numbers.extend(each.notification_id for each in reply.result)
            return [each.data_id for each in reply.result], reply.has_next

        numbers: list[int] = []
        assert await heard(0) == ([], False)
        fields = {"flag": 0x48, "permission": permission(2, 1001)}
        ids = [await post_file(a, b"for you", **fields) for _ in range(3)]
        await post_file(a, b"for all", flag=0x48)
        status, body = await looked()
        assert status == 200
        number, pid, moment = body.decode().split(",")
        assert (pid, moment) == ("1001", str(int(lab.clock.now)))
        assert await heard(0, 2) == (ids[:2], True)
        fields = {"last_notification_id": 0, "limit": 100}
        first = make("GetNewArrivedNotificationsParam", **fields)
        reply = await b.get_new_arrived_notifications_v1(first)
        assert [each.data_id for each in reply.result] == ids
        assert await heard(numbers[1]) == (ids[2:], False)
        assert numbers[-1] == int(number)
        assert await heard(0) == (ids[2:], False)
        assert await heard(numbers[-1]) == ([], False)
        call = b.get_new_arrived_notifications(
            make("GetNewArrivedNotificationsParam", last_notification_id=0, limit=101)
        )
        assert await refused_there(call) == INVALID
