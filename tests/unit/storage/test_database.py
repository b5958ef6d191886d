from __future__ import annotations

import asyncio
import os
import sqlite3
import stat
import threading
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from nekonex.domain import AccessService, Account
from nekonex.storage import SchemaTooNewError, StorageError, open_local
from nekonex.storage.sqlite import Database, SqliteAccountStore, connect
from nekonex.storage.sqlite import database as database_module
from nekonex.storage.sqlite.groups import MAX_GROUP
from nekonex.values import ServiceUnavailable

ACCOUNT = Account(5, "a", {0: bytes(16)}, 0.0)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nekonex.db"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_commits_are_made_to_last(path: Path) -> None:
    with closing(connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        assert connection.execute("PRAGMA synchronous").fetchone() == (2,)
        assert connection.execute("PRAGMA busy_timeout").fetchone() == (5000,)


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_only_the_owner_may_read_it_whatever_the_umask(path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(connect(path)) as connection:
            connection.execute("INSERT INTO retired_pids VALUES (1)")
            assert {mode(file) for file in path.parent.iterdir()} == {0o600}
    finally:
        os.umask(before)


@pytest.fixture
def no_database(path: Path) -> Path:
    path.write_bytes(b"this is no database, but a text of some length" * 100)
    return path


async def test_what_is_no_database_is_refused(no_database: Path) -> None:
    with pytest.raises(StorageError, match=r"nekonex\.db cannot be used") as caught:
        await Database.open(no_database)
    assert "\n" not in str(caught.value)


async def test_a_directory_in_its_place_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="cannot be opened"):
        await Database.open(tmp_path)


async def test_a_later_schema_is_refused_and_left_alone(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version = 999")
    with pytest.raises(SchemaTooNewError, match="schema 999"):
        await Database.open(path)


async def test_what_a_job_raises_undoes_it(path: Path) -> None:
    database = await Database.open(path)

    def job(connection: sqlite3.Connection) -> None:
        connection.execute("INSERT INTO retired_pids VALUES (1)")
        raise KeyError("job's own")

    with pytest.raises(KeyError, match="job's own"):
        await database.write(job)
    assert await database.read_row("SELECT count(*) FROM retired_pids") == (0,)
    await database.close()


async def test_errors_of_sqlite_are_an_outage(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = await Database.open(path)
    with pytest.raises(ServiceUnavailable, match="no such table"):
        await database.read_row("SELECT * FROM missing")
    with pytest.raises(ServiceUnavailable):
        await database.write(lambda connection: connection.execute("NONSENSE"))
    assert "the database failed" in caplog.text
    assert await database.read_row("SELECT 1") == (1,)
    await database.close()


async def test_a_job_runs_off_the_event_loop(path: Path) -> None:
    database = await Database.open(path)
    loop = asyncio.get_running_loop()
    loop_ran = asyncio.Event()

    def job(_: sqlite3.Connection) -> bool:
        loop.call_soon_threadsafe(loop_ran.set)
        return asyncio.run_coroutine_threadsafe(loop_ran.wait(), loop).result(10)

    assert await database.read(job)
    await database.close()


async def test_a_read_sees_one_state(path: Path) -> None:
    database = await Database.open(path)

    def read_twice(connection: sqlite3.Connection) -> list[object]:
        seen = [connection.execute("SELECT count(*) FROM retired_pids").fetchone()]
        with closing(connect(path)) as other:
            other.execute("INSERT INTO retired_pids VALUES (1)")
        seen.append(connection.execute("SELECT count(*) FROM retired_pids").fetchone())
        return seen

    assert await database.read(read_twice) == [(0,), (0,)]
    assert await database.read_row("SELECT count(*) FROM retired_pids") == (1,)
    await database.close()


async def test_closing_finishes_what_was_handed_in(path: Path) -> None:
    database = await Database.open(path)
    adding = asyncio.create_task(SqliteAccountStore(database).add([ACCOUNT]))
    await asyncio.sleep(0)
    await database.close()
    await database.close()
    await adding
    with pytest.raises(ServiceUnavailable, match="closed"):
        await database.read_row("SELECT 1")
    with closing(connect(path)) as connection:
        assert connection.execute("SELECT pid FROM accounts").fetchall() == [(5,)]


async def test_a_cancelled_write_is_whole_or_not_there(path: Path) -> None:
    database = await Database.open(path)
    store = SqliteAccountStore(database)
    adding = asyncio.create_task(store.add([ACCOUNT, Account(6, "b", {0: bytes(16)}, 0.0)]))
    await asyncio.sleep(0)
    adding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await adding
    assert await store.count() in (0, 2)
    await database.close()


async def test_a_writer_waits_for_another_process(path: Path) -> None:
    database = await Database.open(path)
    other = connect(path)
    other.execute("BEGIN IMMEDIATE")
    adding = asyncio.create_task(SqliteAccountStore(database).add([ACCOUNT]))
    reader = await Database.open(path)
    assert await SqliteAccountStore(reader).count() == 0
    await reader.close()
    assert not adding.done()
    other.execute("COMMIT")
    await adding
    other.close()
    await database.close()


async def test_a_writer_does_not_wait_for_ever(
    path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(database_module, "BUSY_TIMEOUT", 0.0)
    database = await Database.open(path)
    with closing(connect(path)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(ServiceUnavailable, match="locked"):
            await SqliteAccountStore(database).add([ACCOUNT])
    await SqliteAccountStore(database).add([ACCOUNT])
    await database.close()


async def test_what_one_process_changes_the_other_sees_at_once(tmp_path: Path) -> None:
    async with open_local(tmp_path) as server, open_local(tmp_path) as tool:
        await tool.accounts.add([ACCOUNT])
        assert await server.accounts.get(5) == ACCOUNT
        access = AccessService(server.access)
        assert await access.check(5, "mk8", 0.0) is None
        await AccessService(tool.access).ban(5 + 1000)
        assert await access.check(1005, "mk8", 0.0) == "RendezVous::AccountDisabled"
        secrets = [
            await stores.secrets.get_or_create("a", lambda: os.urandom(16))
            for stores in (server, tool)
        ]
        assert secrets[0] == secrets[1]


async def test_everything_is_there_after_a_restart(tmp_path: Path) -> None:
    data_dir = tmp_path / "deep" / "data"
    async with open_local(data_dir) as stores:
        await stores.accounts.add([ACCOUNT])
        secret = await stores.secrets.get_or_create("a", lambda: os.urandom(16))
    if os.name == "posix":
        assert mode(data_dir) == 0o700
    async with open_local(data_dir) as stores:
        assert await stores.accounts.get(5) == ACCOUNT
        assert await stores.secrets.get_or_create("a", bytes) == secret


def adding(pid: int) -> Callable[[sqlite3.Connection], int]:
    def job(connection: sqlite3.Connection) -> int:
        connection.execute("INSERT INTO retired_pids VALUES (?)", (pid,))
        return pid

    return job


def failing(connection: sqlite3.Connection) -> None:
    adding(99)(connection)
    raise KeyError("job's own")


def breaking(connection: sqlite3.Connection) -> None:
    adding(98)(connection)
    connection.execute("NONSENSE")


async def pids(database: Database) -> list[int]:
    return await database.read(
        lambda connection: [pid for (pid,) in connection.execute("SELECT pid FROM retired_pids")]
    )


async def commits(database: Database, jobs: Sequence[Callable[[sqlite3.Connection], Any]]) -> int:
    """Hand in jobs at once and return how many commits they took; errors are for the jobs."""
    seen: list[str] = []
    await database.write(lambda connection: connection.set_trace_callback(seen.append))
    await asyncio.gather(*map(database.write, jobs), return_exceptions=True)
    await database.write(lambda connection: connection.set_trace_callback(None))
    return seen.count("COMMIT") - 1  # of the job that began to count


async def test_writes_that_wait_share_a_commit(path: Path) -> None:
    database = await Database.open(path)
    jobs = [adding(pid) for pid in range(1, 1 + 2 * MAX_GROUP)]
    # The first finds the writer idle, the others wait for it and then for a full group.
    assert await commits(database, jobs) == 3
    assert await pids(database) == list(range(1, 1 + 2 * MAX_GROUP))
    await database.close()


@pytest.mark.parametrize("bad", [failing, breaking])
async def test_what_fails_takes_nothing_else_of_its_group_with_it(
    path: Path, bad: Callable[[sqlite3.Connection], None]
) -> None:
    database = await Database.open(path)
    jobs = [adding(1), adding(2), bad, adding(3), adding(1), adding(4)]
    results = await asyncio.gather(*map(database.write, jobs), return_exceptions=True)
    kinds = [each if isinstance(each, int) else type(each).__name__ for each in results]
    error = "KeyError" if bad is failing else "ServiceUnavailable"
    assert kinds == [1, 2, error, 3, "ServiceUnavailable", 4]
    assert await pids(database) == [1, 2, 3, 4]
    await database.close()


async def test_the_log_is_moved_beside_the_writes_and_does_not_grow(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "COMMITS_PER_CHECKPOINT", 5)
    database = await Database.open(path)
    statements: list[str] = []
    await database.write(lambda connection: connection.set_trace_callback(statements.append))
    for pid in range(1, 400):
        await database.write(adding(pid))
    log = path.with_name(f"{path.name}-wal")
    # Each commit is a page or two of 4 KiB: all of them together would be more than that.
    assert log.stat().st_size < 400 * 4096
    assert any("wal_checkpoint" in each for each in statements)
    assert len(await pids(database)) == 399
    await database.write(lambda connection: connection.set_trace_callback(None))
    await database.close()


async def test_callers_go_on_in_the_order_of_their_writes(path: Path) -> None:
    database = await Database.open(path)
    order: list[int] = []

    async def write(pid: int) -> None:
        order.append(await database.write(adding(pid)))

    await asyncio.gather(*map(write, range(1, 100)))
    assert order == list(range(1, 100))
    await database.close()


async def test_what_a_group_did_is_there_after_closing(path: Path) -> None:
    database = await Database.open(path)
    tasks = [asyncio.create_task(database.write(adding(pid))) for pid in range(1, 1000)]
    await asyncio.sleep(0)
    await database.close()
    assert await asyncio.gather(*tasks) == list(range(1, 1000))


async def test_too_many_waiting_writes_are_an_outage(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database_module, "MAX_WAITING", 3)
    database = await Database.open(path)
    results = await asyncio.gather(
        *[database.write(adding(pid)) for pid in range(1, 7)], return_exceptions=True
    )
    assert [isinstance(each, ServiceUnavailable) for each in results].count(True) == 2
    assert len(await pids(database)) == 4
    await database.close()


async def test_a_read_does_not_wait_for_a_long_search_or_for_the_disk(path: Path) -> None:
    database = await Database.open(path)
    release = threading.Event()
    waiting = [
        asyncio.create_task(run(lambda _: release.wait(20)))
        for run in (database.search, database.write)
    ]
    await asyncio.sleep(0)
    assert await database.read_row("SELECT 1") == (1,)
    release.set()
    assert await asyncio.gather(*waiting) == [True, True]
    await database.close()


async def test_a_read_cannot_write(path: Path, caplog: pytest.LogCaptureFixture) -> None:
    database = await Database.open(path)
    for run in (database.read, database.search):
        with pytest.raises(ServiceUnavailable, match="readonly"):
            await run(adding(1))
    await database.close()


async def test_a_full_disk_leaves_no_transaction_open(path: Path) -> None:
    database = await Database.open(path)

    def shrink(connection: sqlite3.Connection) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    def fill(connection: sqlite3.Connection) -> object:
        sql = "INSERT INTO reports (pid, game, report_id, created, data) VALUES (1, '', 1, 0, ?)"
        return connection.execute(sql, (bytes(1 << 20),))

    await database.write(shrink)
    results = await asyncio.gather(
        *map(database.write, [fill, adding(1), fill, adding(2), fill]), return_exceptions=True
    )
    full = [isinstance(each, ServiceUnavailable) and "full" in str(each) for each in results]
    assert full == [True, False, True, False, True]
    assert await pids(database) == [1, 2]
    assert await database.read_row("SELECT count(*) FROM reports") == (0,)
    await database.close()
