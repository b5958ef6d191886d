from __future__ import annotations

import pytest

from nekonex.domain import Report, ReportService
from nekonex.domain.reports import REPORT_SIZE_LIMIT
from nekonex.events import Event, EventBus, ReportReceived
from nekonex.storage.memory import MemoryReportStore


def service(quota: int = 32) -> ReportService:
    return ReportService(MemoryReportStore(), clock=lambda: 5.0, quota=quota)


async def test_a_report_is_kept_as_it_came() -> None:
    reports = service()
    assert await reports.submit(1234, 7, b"\0\xff", game="mk8")
    assert [one async for one in reports.reports()] == [
        Report(1234, 7, b"\0\xff", 5.0, "mk8", number=1)
    ]
    assert await reports.count() == await reports.count(1234) == 1
    assert await reports.count(1) == 0


async def test_a_report_of_64_kib_is_kept_and_a_larger_one_dropped(
    caplog: pytest.LogCaptureFixture,
) -> None:
    reports = service()
    assert await reports.submit(1234, 7, bytes(REPORT_SIZE_LIMIT))
    assert not await reports.submit(1234, 7, bytes(REPORT_SIZE_LIMIT + 1))
    assert await reports.count() == 1
    assert "65537 bytes" in caplog.text


async def test_above_the_quota_the_oldest_of_the_same_player_goes() -> None:
    reports = service(quota=3)
    await reports.submit(5555, 0, b"other")
    for number in range(5):
        await reports.submit(1234, number, b"")
    assert [one.report_id async for one in reports.reports(1234)] == [2, 3, 4]
    assert await reports.count(5555) == 1


async def test_all_reports_come_in_order_however_many() -> None:
    reports = service(quota=1000)
    for number in range(100):
        await reports.submit(1000 + number % 3, number, b"")
    assert [one.report_id async for one in reports.reports()] == list(range(100))
    assert [one.report_id async for one in reports.reports(1001)] == list(range(1, 100, 3))


async def test_what_a_player_left_can_be_removed() -> None:
    reports = service()
    for pid in (1, 2, 1):
        await reports.submit(pid, 0, b"")
    assert await reports.forget(1) == 2
    assert await reports.forget(1) == 0
    assert await reports.count() == 1


async def test_the_event_bus_hears_of_reports() -> None:
    bus = EventBus()
    seen: list[Event] = []
    bus.subscribe(Event, seen.append)
    reports = ReportService(MemoryReportStore(), events=bus, size_limit=2)
    await reports.submit(1234, 7, b"12", game="mk8")
    await reports.submit(1234, 8, b"123")
    assert seen == [
        ReportReceived("mk8", 1234, 7, 2, stored=True),
        ReportReceived("", 1234, 8, 3, stored=False),
    ]


def test_a_quota_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        service(quota=0)
