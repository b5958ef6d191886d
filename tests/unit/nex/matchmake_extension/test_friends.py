"""What friends tell each other, whom one would rather not meet, and reports."""

from __future__ import annotations

import asyncio
import logging

import pytest

from nekonex.domain import Notification
from nekonex.nex.structures import NotificationEvent
from tests.support.nexlab import lab_settings
from tests.support.roomlab import piped, refused

INVALID = "Core::InvalidArgument"
FRIENDS = {1000: [1001, 1002], 1001: [1000], 1002: [1000, 1001]}


def event(pid: int, kind: int, param1: int, param2: int, text: str) -> NotificationEvent:
    return NotificationEvent(pid=pid, type=kind, param1=param1, param2=param2, text=text, param3=0)


async def test_friends_are_told_and_can_ask() -> None:
    async with piped(friends=FRIENDS) as rooms, rooms.consoles(4) as (a, b, c, d):
        update = a.extension.update_notification_data
        await update(101, 5, 2**32 - 1, "playing")
        await update(108, 1, 2, "x" * 256)
        await update(101, 6, 7, "still playing")
        await rooms.settled()
        assert b.take() == [
            Notification(101000, 1000, 5, 2**32 - 1, 0, "playing"),
            Notification(108000, 1000, 1, 2, 0, "x" * 256),
            Notification(101000, 1000, 6, 7, 0, "still playing"),
        ]
        assert c.kinds() == [101000, 108000, 101000]
        assert d.take() == a.take() == []
        ask = b.extension.get_friend_notification_data
        assert await ask(101) == [event(1000, 101000, 6, 7, "still playing")]
        assert await ask(102) == []
        every = b.extension.get_friend_notification_data_list
        found = await every([108, 101, 105, 101])
        assert [each.type for each in found] == [108000, 101000]
        assert await every([]) == []
        # Who is whose friend is for the one to say who asks.
        assert await d.extension.get_friend_notification_data(101) == []
        assert await a.extension.get_friend_notification_data(101) == []


async def test_who_is_gone_says_nothing_any_more() -> None:
    async with piped(friends=FRIENDS) as rooms, rooms.consoles(3) as (a, b, c):
        await a.extension.update_notification_data(101, 5, 6, "playing")
        await rooms.settled()
        b.take()
        await a.vanish()
        await rooms.settled()
        assert b.take() == [Notification(111000, 1000)]
        assert await b.extension.get_friend_notification_data(101) == []
        # There is nothing to say of who never said anything.
        await c.vanish()
        await rooms.settled()
        assert b.take() == []


@pytest.mark.parametrize("kind", [0, 1, 100, 109, 2**31 - 1])
async def test_other_types_are_refused(kind: int) -> None:
    async with piped(friends=FRIENDS) as rooms, rooms.consoles(2) as (a, b):
        await a.extension.update_notification_data(101, 0, 0, "")
        await rooms.settled()
        b.take()
        for call in (
            a.extension.update_notification_data(kind, 1, 2, ""),
            b.extension.get_friend_notification_data(kind),
            b.extension.get_friend_notification_data_list([101, kind]),
        ):
            assert await refused(call) == INVALID
        await rooms.settled()
        assert b.take() == []


async def test_bounds() -> None:
    async with piped(friends=FRIENDS) as rooms, rooms.consoles(2) as (a, b):
        for call in (
            a.extension.update_notification_data(101, 1, 2, "x" * 257),
            b.extension.get_friend_notification_data(-1),
            b.extension.get_friend_notification_data_list([101] * 301),
        ):
            assert await refused(call) == INVALID
        await rooms.settled()
        assert b.take() == []


async def test_wide_parameters_of_nex_4() -> None:
    async with (
        piped(lab_settings("4.0.1"), friends=FRIENDS) as rooms,
        rooms.consoles(2) as (a, b),
    ):
        await a.extension.update_notification_data_wide(103, 2**64 - 1, 5, "far")
        await rooms.settled()
        assert b.take() == [Notification(103000, 1000, 2**64 - 1, 5, 0, "far")]
        assert await b.extension.get_friend_notification_data(103) == [
            event(1000, 103000, 2**64 - 1, 5, "far")
        ]


async def test_without_a_source_of_friends_nobody_has_any() -> None:
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        await a.extension.update_notification_data(101, 1, 2, "")
        await rooms.settled()
        assert b.take() == []
        assert await b.extension.get_friend_notification_data(101) == []


async def test_a_source_of_friends_that_fails_harms_nobody() -> None:
    async def ask(pid: int) -> list[int]:
        await asyncio.sleep(0)
        raise OSError("no friends today")

    async with piped() as rooms, rooms.consoles(2) as (a, b):
        rooms.matchmaking.extend(get_friend_pids=ask)
        await a.extension.update_notification_data(101, 1, 2, "")
        assert await b.extension.get_friend_notification_data(101) == []


# -- block lists ----------------------------------------------------------------------------


async def test_the_block_list() -> None:
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        stub = a.extension
        assert await stub.get_my_block_list() == []
        await stub.add_to_block_list([5, 6, 5, 2**32 - 1, 0])
        assert await stub.get_my_block_list() == [5, 6, 2**32 - 1, 0]
        await stub.remove_from_block_list([6, 7])
        await stub.add_to_block_list([6])
        assert await stub.get_my_block_list() == [5, 2**32 - 1, 0, 6]
        assert await b.extension.get_my_block_list() == []
        await stub.clear_my_block_list()
        assert await stub.get_my_block_list() == []


async def test_a_block_list_is_full_at_some_time() -> None:
    async with piped() as rooms, rooms.console(1000) as one:
        stub = one.extension
        await stub.add_to_block_list(list(range(1, 100)))
        assert await refused(stub.add_to_block_list([100, 101])) == INVALID
        await stub.add_to_block_list([100, 1])
        for call in (
            stub.add_to_block_list([101]),
            stub.add_to_block_list([1] * 301),
            stub.remove_from_block_list([1] * 301),
        ):
            assert await refused(call) == INVALID
        assert await stub.get_my_block_list() == list(range(1, 101))


async def test_a_block_list_is_still_there_at_the_next_login() -> None:
    async with piped() as rooms:
        async with rooms.console(1000) as one:
            await one.extension.add_to_block_list([5])
        async with rooms.console(1000) as one:
            assert await one.extension.get_my_block_list() == [5]


# -- the rest ------------------------------------------------------------------------------


async def test_reports_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    async with piped() as rooms, rooms.console(1000) as one:
        with caplog.at_level(logging.INFO, "nekonex.matchmaking"):
            await one.extension.report_violation(1001, "somebody", 2**32 - 1)
        [record] = caplog.records
        assert record.message == "player reported"
        assert (record.pid, record.reporter) == (1001, 1000)  # type: ignore[attr-defined]
        assert record.code == 2**32 - 1  # type: ignore[attr-defined]
        violation = await one.extension.is_violation_user()
        assert (violation.flag, violation.score) == (False, 0)


async def test_nobody_speaks_in_the_servers_name() -> None:
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        call = a.extension.debug_notify_event(1001, 3, 1, 0, 0, "hello")
        assert await refused(call) == "Core::AccessDenied"
        await rooms.settled()
        assert b.take() == []
