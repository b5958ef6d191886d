from __future__ import annotations

import asyncio
import logging

import pytest

from nekonex.kerberos import WorkerKeyDeriver, derive_key
from nekonex.values import ServiceUnavailable


def worker_of(deriver: WorkerKeyDeriver) -> asyncio.subprocess.Process:
    process = deriver._process
    assert process is not None
    return process


async def test_keys_come_from_one_worker_that_starts_when_needed() -> None:
    async with WorkerKeyDeriver() as deriver:
        assert deriver._process is None
        assert await deriver.derive(5, b"password") == derive_key(b"password", 5)
        worker = worker_of(deriver)
        assert await deriver.derive(6, b"password") == derive_key(b"password", 6)
        assert worker_of(deriver) is worker
    assert worker.returncode is not None


async def test_a_worker_is_killed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Twice, asyncio may lose its exit status and say so on standard error."""
    killed = []
    kill = asyncio.subprocess.Process.kill

    def counted(process: asyncio.subprocess.Process) -> None:
        killed.append(process.pid)
        kill(process)

    monkeypatch.setattr(asyncio.subprocess.Process, "kill", counted)
    async with WorkerKeyDeriver() as deriver:
        await deriver.derive(5, b"password")
        worker = worker_of(deriver)
    assert killed == [worker.pid]


async def test_the_quick_derivation_needs_no_worker() -> None:
    async with WorkerKeyDeriver() as deriver:
        assert await deriver.derive(5, b"password", 1) == derive_key(b"password", 5, 1)
        assert deriver._process is None


async def test_nonsense_is_refused_at_once() -> None:
    async with WorkerKeyDeriver() as deriver:
        with pytest.raises(ValueError, match="neither"):
            await deriver.derive(5, b"", 2)
        with pytest.raises(ValueError, match="principal id"):
            await deriver.derive(-1, b"")
        assert deriver._process is None


async def test_requests_that_come_together_share_one_computation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    async with WorkerKeyDeriver() as deriver:
        asked: list[int] = []
        ask = deriver._ask_worker

        async def counted(pid: int, derivation: int, password: bytes) -> bytes:
            asked.append(pid)
            return await ask(pid, derivation, password)

        monkeypatch.setattr(deriver, "_ask_worker", counted)
        keys = await asyncio.gather(*(deriver.derive(5, b"a") for _ in range(50)))
        assert set(keys) == {derive_key(b"a", 5)}
        await deriver.derive(5, b"a")
        assert asked == [5]
        assert await deriver.derive(5, b"b") == derive_key(b"b", 5)
        assert asked == [5, 5]


async def test_whoever_goes_away_does_not_spoil_it_for_the_others() -> None:
    async with WorkerKeyDeriver() as deriver:
        first = asyncio.create_task(deriver.derive(5, b"a"))
        second = asyncio.create_task(deriver.derive(5, b"a"))
        await asyncio.sleep(0)
        first.cancel()
        assert await second == derive_key(b"a", 5)
        assert first.cancelled()


async def test_the_cache_is_bounded_and_keeps_what_is_used() -> None:
    async with WorkerKeyDeriver(cache_limit=2) as deriver:
        for pid in (1, 2, 1, 3):
            await deriver.derive(pid, b"")
        assert [key[0] for key in deriver._cache] == [1, 3]


async def test_a_worker_that_dies_is_replaced(caplog: pytest.LogCaptureFixture) -> None:
    async with WorkerKeyDeriver() as deriver:
        await deriver.derive(1, b"")
        first = worker_of(deriver)
        first.kill()
        await first.wait()
        assert await deriver.derive(2, b"") == derive_key(b"", 2)
        worker_of(deriver).kill()  # between two requests, or with one on its way
        keys = await asyncio.gather(*(deriver.derive(pid, b"") for pid in range(3, 6)))
        assert keys == [derive_key(b"", pid) for pid in range(3, 6)]
    assert "worker died" in caplog.text


async def test_without_a_worker_the_service_is_unavailable(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    async with WorkerKeyDeriver() as deriver:
        with pytest.raises(ServiceUnavailable, match="key derivation failed"):
            await deriver.derive(1, b"")


async def test_closing_fails_what_waits_and_ends_the_worker() -> None:
    deriver = WorkerKeyDeriver()
    await deriver.derive(1, b"")
    worker = worker_of(deriver)
    waiting = [asyncio.create_task(deriver.derive(pid, b"")) for pid in range(2, 6)]
    await asyncio.sleep(0)
    await deriver.close()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert all(isinstance(result, ServiceUnavailable) for result in results)
    assert worker.returncode is not None
    with pytest.raises(ServiceUnavailable, match="has ended"):
        await deriver.derive(9, b"")
    await deriver.close()


async def test_closing_while_the_worker_starts() -> None:
    deriver = WorkerKeyDeriver()
    waiting = asyncio.create_task(deriver.derive(1, b""))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await deriver.close()
    with pytest.raises(ServiceUnavailable):
        await waiting
    assert deriver._process is None


async def test_a_cancelled_computation_leaves_no_answer_for_the_next() -> None:
    async with WorkerKeyDeriver() as deriver:
        await deriver.derive(1, b"")
        asking = asyncio.create_task(deriver._ask_worker(2, 0, b""))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking
        assert await deriver.derive(3, b"") == derive_key(b"", 3)
