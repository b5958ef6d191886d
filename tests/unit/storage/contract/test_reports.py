from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest

from nekonex.domain import Report
from nekonex.storage import Stores

OpenStores = Callable[[], AbstractAsyncContextManager[Stores]]


def report(pid: int, report_id: int, data: bytes = b"") -> Report:
    return Report(pid, report_id, data, 1234.5, "mk8")


@pytest.mark.parametrize("pid", [1, 0xFFFFFFFF, 2**63 - 1, 2**63, 2**64 - 1])
async def test_what_was_added_comes_back(open_stores: OpenStores, pid: int) -> None:
    async with open_stores() as stores:
        sent = report(pid, 0xFFFFFFFF, bytes(range(256)) * 256)
        number = await stores.reports.add(sent, 10)
        assert number > 0
        for whose in (None, pid):
            assert list(await stores.reports.page(0, 5, whose)) == [replace(sent, number=number)]
            assert await stores.reports.count(whose) == 1
        assert await stores.reports.remove_of(pid) == 1


async def test_the_oldest_above_the_quota_goes(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        await stores.reports.add(report(1, 99), 2)
        for number in range(4):
            await stores.reports.add(report(5, number), 3)
        assert [one.report_id for one in await stores.reports.page(0, 9, 5)] == [1, 2, 3]
        await stores.reports.add(report(5, 4), 1)
        assert [one.report_id for one in await stores.reports.page(0, 9)] == [99, 4]


async def test_pages(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        for number in range(6):
            await stores.reports.add(report(number % 2, number), 10)
        first = await stores.reports.page(0, 4)
        assert [one.report_id for one in first] == [0, 1, 2, 3]
        second = await stores.reports.page(first[-1].number, 4)
        assert [one.report_id for one in second] == [4, 5]
        odd = await stores.reports.page(first[1].number, 4, 1)
        assert [one.report_id for one in odd] == [3, 5]


async def test_numbers_are_never_given_twice(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        first = await stores.reports.add(report(5, 1), 10)
        assert await stores.reports.remove_of(5) == 1
        assert await stores.reports.remove_of(5) == 0
        assert await stores.reports.add(report(5, 2), 10) > first
