"""What is refused or cut off is counted, by a name."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from nekonex.domain.datastore.files import TransferRefusal
from nekonex.values import ServiceUnavailable
from nekonex.web import ClosedConnection, HttpLimits, HttpStats, RefusedTransfer
from nekonex.web.stats import refused_by
from tests.support.uploads import Site, site
from tests.support.waiting import until

LIMITS = HttpLimits(limit_loopback=True)


def counted(counts: Mapping[Any, int]) -> dict[str, int]:
    """Return what was counted at all."""
    return {str(reason): count for reason, count in counts.items() if count}


def test_every_refusal_of_the_store_has_a_name() -> None:
    assert [refused_by(each).name for each in TransferRefusal] == [
        each.name for each in TransferRefusal
    ]


async def test_what_went_well(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        await at.store("a", bytes(1000))
        url = (await at.files.download("a", lifetime=60)).url
        assert (await at.request("GET", url)).status == 200
        assert (await at.request("GET", url, Range="bytes=990-")).status == 206
        assert (await at.request("HEAD", url)).status == 200
        assert at.stats == HttpStats(
            connections=4, uploads=1, received=1000, downloads=2, sent=1010
        )


async def test_refused_uploads(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        form = await at.files.upload_form("a", 3, lifetime=60)
        old = await at.files.upload_form("a", 3, lifetime=-1)
        await at.upload([("key", "a")], b"abc")
        await at.upload(old.fields, b"abc")
        await at.upload(form.fields, b"ab")
        await at.upload(form.fields, b"abcd")
        await at.request("POST", "/objects/kart", b"x", Content_Type="text/plain")
        await at.request("POST", "/objects/kart", b"", Transfer_Encoding="chunked")
        await at.request("POST", "/objects/kart", Content_Length=str(1 << 40))
        assert counted(at.stats.uploads_refused) == {
            "denied": 1,
            "expired": 1,
            "too_small": 1,
            "too_large": 2,
            "malformed": 1,
            "no_length": 1,
        }
        assert at.stats.uploads == 0
        await at.request("PUT", "/objects/kart/a", b"x")
        assert (await at.request("GET", "/elsewhere")).body == b"Not Found"
        assert at.stats.strays == 2
    async with site(tmp_path, reserve=2**60) as at:
        await at.upload(form.fields, b"abc")
        assert counted(at.stats.uploads_refused) == {"no_room": 1}


async def test_uploads_that_come_to_no_end(tmp_path: Path) -> None:
    limits = dataclasses.replace(LIMITS, upload_idle=0.05, max_uploads=1)
    async with site(tmp_path, limits=limits) as at:
        form = await at.files.upload_form("a", 9000, lifetime=60)
        _, slow = await at.begin_upload(form.fields, bytes(9000), 5000)
        await until(lambda: bool(at.unfinished()))
        assert (await at.upload(form.fields, bytes(9000))).code == "SlowDown"
        await until(lambda: at.stats.uploads_refused[RefusedTransfer.TIMEOUT] == 1)
        slow.close()
    async with site(tmp_path, limits=LIMITS) as at:
        _, gone = await at.begin_upload(form.fields, bytes(9000), 5000)
        await until(lambda: bool(at.unfinished()))
        gone.transport.abort()
        await until(lambda: at.stats.uploads_refused[RefusedTransfer.BROKEN_OFF] == 1)
        assert at.stats.received > 1000


async def test_refused_downloads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: object) -> None:
        raise ServiceUnavailable("the disk is gone")

    async with site(tmp_path) as at:
        await at.store("a", bytes(10))
        url = (await at.files.download("a", lifetime=60)).url
        await at.request("GET", url, Range="bytes=10-")
        await at.request("GET", (await at.files.download("b", lifetime=60)).url)
        await at.request("GET", (await at.files.download("a", lifetime=-1)).url)
        await at.request("GET", url.partition("?")[0])
        await at.request("GET", "/objects/kart/.a")
        monkeypatch.setattr(type(at.objects), "send", down)
        await at.request("GET", url)
        assert counted(at.stats.downloads_refused) == {
            "bad_range": 1,
            "missing": 1,
            "expired": 1,
            "denied": 1,
            "bad_path": 1,
            "unavailable": 1,
        }
        assert at.stats.downloads == 0


async def deaf_download(at: Site, size: int) -> asyncio.StreamWriter:
    """Ask for a large file, and take only the beginning of it."""
    await at.files.put("big", bytes(size))
    path = (await at.files.download("big", lifetime=60)).url.partition(str(at.port))[2]
    reader, writer = await asyncio.open_connection("127.0.0.1", at.port, limit=1000)
    writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    await reader.readuntil(b"\r\n\r\n")
    await reader.readexactly(600_000)
    return writer


async def test_downloads_that_come_to_no_end(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        writer = await deaf_download(at, 20_000_000)
        writer.transport.abort()
        await until(lambda: at.stats.downloads_refused[RefusedTransfer.BROKEN_OFF] == 1)
        assert 300_000 < at.stats.sent < 20_000_000
        assert at.stats.downloads == 0
    limits = dataclasses.replace(LIMITS, send_timeout=0.05)
    async with site(tmp_path, limits=limits) as at:
        writer = await deaf_download(at, 20_000_000)
        await until(lambda: at.stats.closed[ClosedConnection.STALLED] == 1)
        await until(lambda: at.stats.downloads_refused[RefusedTransfer.BROKEN_OFF] == 1)
        writer.close()


@pytest.mark.parametrize(
    ("name", "reason"),
    [("max_connections", "too_many"), ("max_connections_per_address", "too_many_from_address")],
)
async def test_connections_too_many(tmp_path: Path, name: str, reason: str) -> None:
    limits = HttpLimits(limit_loopback=True, **{name: 1})
    async with site(tmp_path, limits=limits) as at:
        _, first = await asyncio.open_connection("127.0.0.1", at.port)
        await until(lambda: at.stats.connections == 1)
        _, second = await asyncio.open_connection("127.0.0.1", at.port)
        await until(lambda: counted(at.stats.closed) == {reason: 1})
        assert at.stats.connections == 1
        first.close()
        second.close()


async def test_connections_that_are_cut_off(tmp_path: Path) -> None:
    limits = dataclasses.replace(LIMITS, header_timeout=0.05, discard_bytes=1000)
    async with site(tmp_path, limits=limits) as at:
        _, silent = await asyncio.open_connection("127.0.0.1", at.port)
        await until(lambda: counted(at.stats.closed) == {"late": 1})
        reader, wrong = await asyncio.open_connection("127.0.0.1", at.port)
        wrong.write(b"\x16\x03\x01 hello\r\n\r\n")
        assert (await reader.readline()).startswith(b"HTTP/1.1 400 ")
        assert at.stats.closed[ClosedConnection.MALFORMED] == 1
        form = await at.files.upload_form("a", 10, lifetime=60)
        _, talker = await at.begin_upload(form.fields, bytes(900_000), 600_000)
        await until(lambda: at.stats.closed[ClosedConnection.UNWANTED] == 1)
        for writer in (silent, wrong, talker):
            writer.close()
    assert counted(at.stats.closed) == {"late": 1, "malformed": 1, "unwanted": 1}
