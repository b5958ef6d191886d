"""The port as such: who gets in, and how it closes."""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import signal
import time
from pathlib import Path

import pytest

from nekonex.web import HttpLimits, listener
from nekonex.web.slots import NoSlotError, Slots
from tests.support.uploads import encode_form, site

LIMITS = HttpLimits(limit_loopback=True)


async def test_connections_are_limited(tmp_path: Path) -> None:
    for limits in (
        dataclasses.replace(LIMITS, max_connections=2),
        dataclasses.replace(LIMITS, max_connections_per_address=2),
    ):
        async with site(tmp_path, limits=limits) as at:
            open_ones = [await asyncio.open_connection("127.0.0.1", at.port) for _ in range(2)]
            for reader, writer in open_ones:
                writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
                await reader.readuntil(b"ok\n")
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.close()
            open_ones[0][1].transport.abort()
            async with asyncio.timeout(2):
                while True:
                    try:
                        assert (await at.request("GET", "/healthz")).status == 200
                        break
                    except OSError:
                        await asyncio.sleep(0.01)
            open_ones[1][1].close()


async def test_idle_connections_do_not_hold_it_up(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        await reader.readuntil(b"ok\n")
        start = time.monotonic()
        await at.listener.close()
        assert time.monotonic() - start < 1
        assert await reader.read() == b""
        writer.close()
        with pytest.raises(OSError):  # noqa: PT011
            await asyncio.open_connection("127.0.0.1", at.port)
        await at.listener.close()


async def test_transfers_come_to_an_end_or_are_cut_off(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(listener, "GRACE_SECONDS", 0.8)
    async with site(tmp_path) as at:
        await at.files.put("big", bytes(20_000_000))
        size = 3_000_000
        form = await at.files.upload_form("a", size, lifetime=60)
        quick_reader, quick = await at.begin_upload(form.fields, bytes(size), size)
        _, slow = await at.begin_upload(form.fields, bytes(size), 5000)
        path = (await at.files.download("big", lifetime=60)).url.partition(str(at.port))[2]
        deaf_reader, deaf = await asyncio.open_connection("127.0.0.1", at.port, limit=1000)
        deaf.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await deaf_reader.readline()
        start = time.monotonic()
        closing = asyncio.create_task(at.listener.close())
        await asyncio.sleep(0.02)
        quick.write(encode_form(form.fields, bytes(size))[size:])
        assert await quick_reader.readline() == b"HTTP/1.1 204 No Content\r\n"
        await closing
        assert 0.75 < time.monotonic() - start < 2.5
        assert await at.files.size("a") == size
        assert at.unfinished() == []
        assert [each for each in caplog.records if each.levelno > logging.INFO] == []
        for writer in (quick, slow, deaf):
            writer.close()


async def test_signals_are_left_to_the_process(tmp_path: Path) -> None:
    before = signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)
    async with site(tmp_path):
        assert (signal.getsignal(signal.SIGTERM), signal.getsignal(signal.SIGINT)) == before


def test_slots() -> None:
    slots = Slots(3, 2, limit_loopback=False)
    assert slots.take("192.0.2.1")
    assert slots.take("192.0.2.1")
    assert not slots.take("192.0.2.1")
    assert slots.take("::1")
    assert not slots.take("192.0.2.2")
    assert len(slots) == 3
    slots.give_back("192.0.2.1")
    with slots.taken("192.0.2.1"), pytest.raises(NoSlotError), slots.taken("not an address"):
        pass
    assert slots.take("192.0.2.1")
    for address in ("192.0.2.1", "192.0.2.1", "::1"):
        slots.give_back(address)
    assert len(slots) == 0
