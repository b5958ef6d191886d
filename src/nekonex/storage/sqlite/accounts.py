"""Accounts in SQLite."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from nekonex.domain.accounts import KEY_DERIVATIONS, Account
from nekonex.domain.errors import NameTakenError, PidTakenError
from nekonex.domain.names import name_key
from nekonex.storage.sqlite.database import Database

__all__ = ["SqliteAccountStore"]

_SELECT = "SELECT pid, name, key0, key1, created FROM accounts"

# The smallest free number is the first of the range, or follows one that is taken.
_NEXT_PID = """
    SELECT candidate FROM (
        SELECT :first AS candidate
        UNION ALL SELECT pid + 1 FROM accounts WHERE pid >= :first AND pid < :last
        UNION ALL SELECT pid + 1 FROM retired_pids WHERE pid >= :first AND pid < :last
    )
    WHERE candidate NOT IN (SELECT pid FROM accounts)
        AND candidate NOT IN (SELECT pid FROM retired_pids)
    ORDER BY candidate LIMIT 1
"""


class SqliteAccountStore:
    """`nekonex.domain.ports.AccountStore` in the table ``accounts``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def get(self, pid: int) -> Account | None:
        """Return the account with this principal id."""
        row = await self._database.read_row(f"{_SELECT} WHERE pid = ?", pid)
        return None if row is None else _account(row)

    async def find_by_name(self, name: str) -> Account | None:
        """Return the account of this name; case does not count."""
        row = await self._database.read_row(f"{_SELECT} WHERE name_key = ?", name_key(name))
        return None if row is None else _account(row)

    async def names(self, pids: Collection[int]) -> Mapping[int, str]:
        """Return the names of the accounts with these principal ids, of those that there are."""
        wanted = json.dumps(list(pids))

        def select(connection: sqlite3.Connection) -> dict[int, str]:
            sql = "SELECT pid, name FROM accounts WHERE pid IN (SELECT value FROM json_each(?))"
            return dict(connection.execute(sql, (wanted,)))

        return await self._database.read(select)

    async def page(self, after_pid: int, limit: int) -> Sequence[Account]:
        """Return up to ``limit`` accounts with larger principal ids, in their order."""

        def select(connection: sqlite3.Connection) -> list[Account]:
            sql = f"{_SELECT} WHERE pid > ? ORDER BY pid LIMIT ?"
            return [_account(row) for row in connection.execute(sql, (after_pid, limit))]

        return await self._database.read(select)

    async def count(self) -> int:
        """Return how many accounts there are."""
        row = await self._database.read_row("SELECT count(*) FROM accounts")
        return 0 if row is None else _integer(row[0])

    async def next_pid(self, first: int, last: int) -> int | None:
        """Return the smallest principal id of the range that no account has or had."""

        def select(connection: sqlite3.Connection) -> int | None:
            row = connection.execute(_NEXT_PID, {"first": first, "last": last}).fetchone()
            return None if row is None else _integer(row[0])

        return await self._database.read(select)

    async def add(self, accounts: Sequence[Account]) -> None:
        """Add all of these accounts, or none: PidTakenError, NameTakenError."""

        def insert(connection: sqlite3.Connection) -> None:
            for account in accounts:
                _insert(connection, account)

        await self._database.write(insert)

    async def set_keys(self, pid: int, keys: dict[int, bytes]) -> bool:
        """Replace all keys of an account; False if there is no such account."""

        def update(connection: sqlite3.Connection) -> bool:
            sql = "UPDATE accounts SET key0 = ?, key1 = ? WHERE pid = ?"
            columns = [keys.get(derivation) for derivation in KEY_DERIVATIONS]
            return connection.execute(sql, (*columns, pid)).rowcount > 0

        return await self._database.write(update)

    async def remove(self, pid: int) -> bool:
        """Remove an account and remember that its principal id was in use; False if unknown."""

        def delete(connection: sqlite3.Connection) -> bool:
            if not connection.execute("DELETE FROM accounts WHERE pid = ?", (pid,)).rowcount:
                return False
            connection.execute("INSERT OR IGNORE INTO retired_pids VALUES (?)", (pid,))
            return True

        return await self._database.write(delete)


def _insert(connection: sqlite3.Connection, account: Account) -> None:
    key = name_key(account.name)
    if connection.execute("SELECT 1 FROM accounts WHERE pid = ?", (account.pid,)).fetchone():
        raise PidTakenError(account.pid)
    if connection.execute("SELECT 1 FROM accounts WHERE name_key = ?", (key,)).fetchone():
        raise NameTakenError(account.name)
    columns = [account.keys.get(derivation) for derivation in KEY_DERIVATIONS]
    connection.execute(
        "INSERT INTO accounts (pid, name, name_key, key0, key1, created) VALUES (?, ?, ?, ?, ?, ?)",
        (account.pid, account.name, key, *columns, account.created),
    )


def _account(row: tuple[Any, ...]) -> Account:
    pid, name, *columns, created = row
    keys = zip(KEY_DERIVATIONS, columns, strict=True)
    return Account(pid, name, {kind: key for kind, key in keys if key is not None}, created)


def _integer(value: Any) -> int:
    return int(value)
