"""Telling players of objects that are for them."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from nekonex.domain.datastore.callers import Caller
from nekonex.domain.datastore.files import Download
from nekonex.domain.datastore.limits import DataStoreLimits
from nekonex.domain.datastore.model import Flag, Level, Permission
from nekonex.domain.datastore.ports import Change
from nekonex.domain.datastore.refusals import Refusal
from nekonex.domain.datastore.services.notifications import notification_key
from nekonex.values import ServiceUnavailable
from tests.support.datastore import DAY, Shop, refused
from tests.support.object_stores import ADAPTERS

OWNER, FRIEND, OTHER = 10, 20, 30

EVERY_ADAPTER = pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=ADAPTERS.keys())


async def send(shop: Shop, *recipients: int, owner: int = OWNER, **fields: Any) -> int:
    """Post an object for these players, who are to be notified."""
    access = Permission(Level.SPECIFIED, recipients)
    flags = Flag.NOTIFY_ON_POST | Flag.NOTIFY_ON_UPDATE
    return await shop.post_meta(owner, **{"access": access, "flags": flags, **fields})


async def look(shop: Shop, *pids: int) -> None:
    """Let players ask where to look for notifications."""
    for pid in pids:
        await shop.data.notifications.url(Caller(pid), "")


async def arrived(shop: Shop, pid: int, last_id: int = 0, limit: int = 10) -> list[int]:
    """Return the data ids of what arrived."""
    found, _ = await shop.data.notifications.arrived(Caller(pid), last_id, limit)
    return [each.data_id for each in found]


async def file_of(shop: Shop, pid: int) -> tuple[int, ...] | None:
    """Return the numbers in a player's file."""
    content = await shop.files.read(notification_key(pid), 1000)
    return None if content is None else tuple(map(int, content.decode().split(",")))


async def test_who_is_meant_finds_out() -> None:
    shop = Shop()
    await look(shop, FRIEND, OWNER)
    shop.clock.now += 5
    data_id = await send(shop, FRIEND, OTHER, OWNER)
    found, more = await shop.data.notifications.arrived(Caller(FRIEND), 0, 10)
    assert [each.data_id for each in found] == [data_id]
    assert not more
    assert await arrived(shop, OTHER) == [data_id]
    assert await arrived(shop, OWNER) == []
    assert await file_of(shop, FRIEND) == (found[0].number, FRIEND, shop.now)
    assert await file_of(shop, OWNER) == (0, OWNER, shop.now - 5)
    assert notification_key(FRIEND) == "notifications/00000000000000000020.bin"


@pytest.mark.parametrize(
    ("access", "flags", "notified"),
    [
        (Permission(Level.SPECIFIED, (FRIEND, OTHER)), Flag.NOTIFY_ON_POST, [FRIEND, OTHER]),
        (Permission(Level.SPECIFIED_FRIENDS, (FRIEND, OTHER)), Flag.NOTIFY_ON_POST, [FRIEND]),
        (Permission(Level.SPECIFIED, (FRIEND, OTHER)), Flag.NOTIFY_ON_UPDATE, []),
        (Permission(Level.PUBLIC, (FRIEND,)), Flag.NOTIFY_ON_POST, []),
        (Permission(Level.FRIENDS, (FRIEND,)), Flag.NOTIFY_ON_POST, []),
        (Permission(Level.PRIVATE, (FRIEND,)), Flag.NOTIFY_ON_POST, []),
    ],
)
async def test_who_is_meant(access: Permission, flags: int, notified: list[int]) -> None:
    shop = Shop(friends={OWNER: [FRIEND], FRIEND: [OWNER]})
    await send(shop, access=access, flags=flags)
    told = [pid for pid in (FRIEND, OTHER) if await arrived(shop, pid)]
    assert told == notified


async def test_an_upload_is_told_of_when_it_is_complete_and_again_when_it_is_updated() -> None:
    shop = Shop()
    await look(shop, FRIEND)
    flags = Flag.NEEDS_COMPLETION | Flag.NOTIFY_ON_POST | Flag.NOTIFY_ON_UPDATE
    access = Permission(Level.SPECIFIED, (FRIEND,))
    data_id, form = await shop.prepare(OWNER, access=access, flags=flags)
    assert await arrived(shop, FRIEND) == []
    shop.files.upload(form, b"data")
    await shop.data.posting.complete_post(Caller(OWNER), data_id, success=True)
    first = await file_of(shop, FRIEND)
    assert first is not None
    assert first[0] > 0
    assert await arrived(shop, FRIEND) == [data_id]
    await shop.update(OWNER, data_id, b"more")
    second = await file_of(shop, FRIEND)
    assert second is not None
    assert second[0] > first[0]
    assert await arrived(shop, FRIEND, first[0]) == [data_id]


@EVERY_ADAPTER
async def test_what_was_read_is_forgotten(adapter: Any, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        shop = Shop(store=store)
        ids = [await send(shop, FRIEND) for _ in range(3)]
        service, caller = shop.data.notifications, Caller(FRIEND)
        first, more = await service.arrived(caller, 0, 2)
        assert [each.data_id for each in first] == ids[:2]
        assert more
        again, _ = await service.arrived(caller, 0, 2)
        assert list(again) == list(first)
        rest, more = await service.arrived(caller, first[-1].number, 2)
        assert [each.data_id for each in rest] == ids[2:]
        assert not more
        assert await arrived(shop, FRIEND) == ids[2:]
        assert await service.arrived(caller, 2**64 - 1, 10) == ([], False)
        assert await arrived(shop, FRIEND) == []
        assert await arrived(shop, OTHER) == []


@EVERY_ADAPTER
async def test_nothing_wanted_tells_whether_there_is_something(
    adapter: Any, tmp_path: Path
) -> None:
    async with adapter.open(tmp_path) as store:
        shop = Shop(store=store)
        service = shop.data.notifications
        assert await service.arrived(Caller(FRIEND), 0, 0) == ([], False)
        await send(shop, FRIEND)
        nothing, more = await service.arrived(Caller(FRIEND), 0, 0)
        assert (list(nothing), more) == ([], True)


async def test_too_many_are_refused() -> None:
    shop = Shop()
    service = shop.data.notifications
    assert await refused(service.arrived(Caller(FRIEND), 0, 101)) is Refusal.INVALID
    await service.arrived(Caller(FRIEND), 0, 100)


async def test_a_url_in_pieces() -> None:
    shop = Shop(limits=DataStoreLimits(notification_url_seconds=7 * DAY))
    await send(shop, FRIEND)
    found = await shop.data.notifications.url(Caller(FRIEND), "")
    whole = found.url + found.key + found.query
    parts = urlsplit(whole)
    assert found.url == f"{parts.scheme}://{parts.netloc}/"
    assert found.key == parts.path[1:]
    assert found.key.endswith(notification_key(FRIEND))
    assert found.query == f"?{parts.query}"
    assert parse_qs(parts.query)
    expected = await file_of(shop, FRIEND)
    for _ in range(2):
        content = shop.files.fetch(Download(whole))
        assert tuple(map(int, content.decode().split(","))) == expected
        shop.clock.now += 7 * DAY - 1


async def test_whoever_has_no_notification_has_a_file_too() -> None:
    shop = Shop()
    found = await shop.data.notifications.url(Caller(FRIEND), "http://earlier/")
    content = shop.files.fetch(Download(found.url + found.key + found.query))
    assert content.decode() == f"0,{FRIEND},{shop.now}"


async def test_who_never_asked_where_to_look_has_no_file() -> None:
    shop = Shop()
    await send(shop, FRIEND, *range(1000, 1099))
    assert await shop.keys() == []
    await look(shop, FRIEND)
    assert await shop.keys() == [notification_key(FRIEND)]
    found, _ = await shop.data.notifications.arrived(Caller(FRIEND), 0, 1)
    assert await file_of(shop, FRIEND) == (found[0].number, FRIEND, shop.now)


async def test_asking_for_the_url_again_leaves_the_file() -> None:
    shop = Shop()
    await look(shop, FRIEND)
    await send(shop, FRIEND)
    written = await file_of(shop, FRIEND)
    shop.clock.now += 9
    await shop.data.notifications.url(Caller(FRIEND), "")
    assert await file_of(shop, FRIEND) == written
    await shop.data.notifications.arrived(Caller(FRIEND), 2**40, 10)
    await shop.data.notifications.url(Caller(FRIEND), "")
    assert await file_of(shop, FRIEND) == written


@pytest.mark.parametrize("content", [b"", b"?", b",", b"-5,20,0", b"0,20,0", b"x" * 1000])
async def test_a_file_that_is_behind_is_written_anew(content: bytes) -> None:
    shop = Shop()
    await look(shop, FRIEND)
    await send(shop, FRIEND)
    written = await file_of(shop, FRIEND)
    await shop.files.put(notification_key(FRIEND), content)
    await shop.data.notifications.url(Caller(FRIEND), "")
    assert await file_of(shop, FRIEND) == written


async def test_an_object_is_posted_even_if_nobody_can_be_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    shop = Shop()
    await look(shop, FRIEND, OTHER)

    async def broken(key: str, content: bytes) -> None:
        raise ServiceUnavailable(key)

    working, shop.files.put = shop.files.put, broken  # type: ignore[method-assign]
    data_id = await send(shop, FRIEND, OTHER)
    assert "nobody hears" in caplog.text
    assert await arrived(shop, FRIEND) == [data_id]
    shop.files.put = working  # type: ignore[method-assign]
    await shop.data.notifications.url(Caller(FRIEND), "")
    found = await file_of(shop, FRIEND)
    assert found is not None
    assert found[0] > 0


async def test_without_files_there_is_no_url_but_what_arrived() -> None:
    shop = Shop()
    shop.files = None  # type: ignore[assignment]
    shop.restart()
    data_id = await send(shop, FRIEND)
    assert await arrived(shop, FRIEND) == [data_id]
    with pytest.raises(ServiceUnavailable):
        await shop.data.notifications.url(Caller(FRIEND), "")


async def test_a_file_never_goes_back() -> None:
    shop = Shop()
    await look(shop, FRIEND)
    put, begun, go_on = shop.files.put, asyncio.Event(), asyncio.Event()

    async def slow_at_first(key: str, content: bytes) -> None:
        if not begun.is_set():
            begun.set()
            await go_on.wait()
        await put(key, content)

    shop.files.put = slow_at_first  # type: ignore[method-assign]
    first = asyncio.create_task(send(shop, FRIEND))
    await begun.wait()
    second = asyncio.create_task(send(shop, FRIEND, owner=OTHER))
    for _ in range(50):
        await asyncio.sleep(0)
    go_on.set()
    assert await arrived(shop, FRIEND) == [await first, await second]
    last = await shop.store.last_notification(FRIEND)
    assert last is not None
    assert await file_of(shop, FRIEND) == (last.number, FRIEND, shop.now)


async def test_nobody_to_notify_needs_no_files() -> None:
    shop = Shop()
    data_id = await shop.post_meta(OWNER)
    shop.files = None  # type: ignore[assignment]
    shop.restart()
    stored = await shop.stored(data_id)
    await shop.data.notifications.notify(Change(stored, stored))


async def test_nothing_is_left_to_a_player_who_is_forgotten() -> None:
    shop = Shop()
    await look(shop, FRIEND, OTHER)
    data_id = await send(shop, FRIEND, OTHER)
    own = await shop.post(FRIEND)
    assert await shop.data.forget(FRIEND) == 1
    assert await shop.store.get(own) is None
    assert await arrived(shop, FRIEND) == []
    assert await shop.keys() == [notification_key(OTHER)]
    assert await arrived(shop, OTHER) == [data_id]
    assert await shop.data.forget(FRIEND) == 0


async def test_a_player_is_forgotten_where_there_are_no_files() -> None:
    shop = Shop()
    shop.files = None  # type: ignore[assignment]
    shop.restart()
    await send(shop, FRIEND)
    await shop.post_meta(FRIEND)
    assert await shop.data.forget(FRIEND) == 1
    assert await arrived(shop, FRIEND) == []
