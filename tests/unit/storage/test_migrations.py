from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from nekonex.storage import SchemaTooNewError
from nekonex.storage.sqlite.migrations import MIGRATIONS, migrate

ONE = ("CREATE TABLE one (x)", "INSERT INTO one VALUES (1)")
TWO = ("UPDATE one SET x = x + 1", "CREATE TABLE two (x)")


@pytest.fixture
def connection(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(tmp_path / "db", isolation_level=None)) as opened:
        yield opened


def version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def test_a_new_database_gets_every_step(connection: sqlite3.Connection) -> None:
    migrate(connection, "db", [ONE, TWO])
    assert version(connection) == 2
    assert connection.execute("SELECT x FROM one").fetchall() == [(2,)]


def test_an_old_one_gets_those_that_are_missing_and_only_once(
    connection: sqlite3.Connection,
) -> None:
    migrate(connection, "db", [ONE])
    for _ in range(2):
        migrate(connection, "db", [ONE, TWO])
    assert connection.execute("SELECT x FROM one").fetchall() == [(2,)]


def test_a_step_that_fails_undoes_them_all(connection: sqlite3.Connection) -> None:
    migrate(connection, "db", [ONE])
    with pytest.raises(sqlite3.OperationalError):
        migrate(connection, "db", [ONE, TWO, ("NONSENSE",)])
    assert version(connection) == 1
    assert connection.execute("SELECT x FROM one").fetchall() == [(1,)]
    assert not connection.in_transaction
    migrate(connection, "db", [ONE, TWO])
    assert version(connection) == 2


def test_a_later_schema_is_refused_in_one_sentence(connection: sqlite3.Connection) -> None:
    later = len(MIGRATIONS) + 1
    connection.execute(f"PRAGMA user_version = {later}")
    with pytest.raises(SchemaTooNewError) as caught:
        migrate(connection, "data/nekonex.db")
    text = str(caught.value)
    assert "data/nekonex.db" in text
    assert f"schema {later}" in text
    assert "\n" not in text


def test_the_steps_keep_what_earlier_versions_stored(connection: sqlite3.Connection) -> None:
    migrate(connection, "db", MIGRATIONS[:1])
    connection.execute("INSERT INTO accounts VALUES (5, 'a', 'a', NULL, NULL, 1.5)")
    migrate(connection, "db")
    assert connection.execute("SELECT pid, name FROM accounts").fetchall() == [(5, "a")]
    assert connection.execute("SELECT count(*) FROM communities").fetchone() == (0,)
    assert version(connection) == len(MIGRATIONS)


class Overtaken(sqlite3.Connection):
    """Another process migrates between its first look and its transaction."""

    other: sqlite3.Connection

    def execute(self, sql: str, *parameters: Any) -> sqlite3.Cursor:
        if sql == "BEGIN IMMEDIATE":
            migrate(self.other, "db", [ONE, TWO])
        return super().execute(sql, *parameters)


def test_two_processes_that_start_together(connection: sqlite3.Connection, tmp_path: Path) -> None:
    path = tmp_path / "db"
    with closing(sqlite3.connect(path, isolation_level=None, factory=Overtaken)) as overtaken:
        overtaken.other = connection
        migrate(overtaken, "db", [ONE, TWO])
        assert overtaken.execute("SELECT x FROM one").fetchall() == [(2,)]
