"""Importing accounts from CSV or JSON: every bad line is reported, and then nothing is added.

A record has a principal id, optionally a name, and a password or keys that were derived from
it elsewhere (32 hexadecimal digits: ``key`` for derivation 0, ``key1`` for derivation 1).

CSV has the columns ``pid,name,password,key,key1`` in this order, or a first line that names
those it has. JSON is a list of objects with those members.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from nekonex.domain.accounts import (
    KEY_SIZE,
    Account,
    AccountService,
    check_name,
    check_password,
    check_pid,
)
from nekonex.domain.errors import AccountError, NameTakenError, PidTakenError
from nekonex.domain.names import name_key, pid_of_name

__all__ = [
    "ImportProblem",
    "ImportReport",
    "RawRecord",
    "import_accounts",
    "read_csv",
    "read_json",
]

_COLUMNS = ("pid", "name", "password", "key", "key1")

RawRecord = tuple[int, Mapping[str, Any]]
"""A line or entry number, from 1, and the fields found there."""


@dataclass(frozen=True, slots=True)
class ImportProblem:
    """Why the record of a line (of CSV) or entry (of JSON), counted from 1, is refused."""

    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What came of an import: the number of accounts added, or the problems, never both."""

    added: int = 0
    problems: tuple[ImportProblem, ...] = ()


class _BadFieldError(Exception):
    """A field of a record is not what it should be; the text says how."""


@dataclass(frozen=True, slots=True)
class _Record:
    line: int
    pid: int
    name: str | None
    password: bytes | None = field(repr=False)
    keys: dict[int, bytes] = field(repr=False)


def read_csv(text: str) -> list[RawRecord]:
    """Split CSV into records; raises ValueError with one sentence if it is not CSV."""
    reader = csv.reader(io.StringIO(text.removeprefix("\ufeff")), strict=True)
    columns: Sequence[str] = _COLUMNS
    records: list[RawRecord] = []
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if not any(stripped):
                continue
            if not records and "pid" in (names := [cell.lower() for cell in stripped]):
                columns = names
                continue
            extra = {f"column {number + 1}": "" for number in range(len(columns), len(stripped))}
            # A password may begin or end with a space; the other fields never do.
            fields = {
                name: cell if name == "password" else cell.strip()
                for name, cell in zip(columns, cells, strict=False)
                if cell
            }
            records.append((reader.line_num, fields | extra))
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num} is not CSV: {error}") from None
    return records


def read_json(text: str) -> list[RawRecord]:
    """Split a JSON list into records; raises ValueError with one sentence if it is not one."""
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"this is not JSON: {error}") from None
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise ValueError("the JSON must be a list of objects, one for each account")
    return list(enumerate(entries, 1))


async def import_accounts(service: AccountService, records: Sequence[RawRecord]) -> ImportReport:
    """Add all records as accounts, or none if any of them is refused.

    Raises AccountError only if another process takes a PID or name meanwhile, and
    ServiceUnavailable in an outage; then too nothing was added.
    """
    checked: list[_Record] = []
    problems: list[ImportProblem] = []
    for line, fields in records:
        try:
            record = _check(line, fields, service)
            await _check_free(record, service)
        except (AccountError, _BadFieldError) as error:
            problems.append(ImportProblem(line, str(error)))
        else:
            checked.append(record)
    problems.extend(_repeated(checked))
    if problems:
        return ImportReport(problems=tuple(sorted(problems, key=lambda problem: problem.line)))
    await service.add_all([await _account(record, service) for record in checked])
    return ImportReport(added=len(checked))


async def _account(record: _Record, service: AccountService) -> Account:
    keys = record.keys
    if record.password is not None:
        keys = await service.derive_keys(record.pid, record.password)
    return Account(record.pid, record.name or str(record.pid), keys, service.now())


def _check(line: int, fields: Mapping[str, Any], service: AccountService) -> _Record:
    unknown = sorted(set(fields) - set(_COLUMNS))
    if unknown:
        raise _BadFieldError(f"{unknown[0]!r} is not a field of an account")
    pid = check_pid(_parse_pid(fields.get("pid")))
    name = _parse_name(fields.get("name"), pid, service)
    password = fields.get("password")
    keys = {
        derivation: _parse_key(fields[field_name])
        for derivation, field_name in enumerate(("key", "key1"))
        if fields.get(field_name) not in (None, "")
    }
    if password in (None, ""):
        if not keys:
            raise _BadFieldError("there is neither a password nor a key")
        return _Record(line, pid, name, None, keys)
    if keys:
        raise _BadFieldError("there are both a password and a key")
    if not isinstance(password, str):
        raise _BadFieldError("a password is text")
    return _Record(line, pid, name, check_password(password), {})


def _parse_pid(value: object) -> int:
    if isinstance(value, str) and (pid := pid_of_name(value)) is not None:
        return pid
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    raise _BadFieldError("there is no PID" if value in (None, "") else f"{value!r} is not a PID")


def _parse_name(value: object, pid: int, service: AccountService) -> str | None:
    # A console's name is its PID: other servers' exports have it there.
    if value in (None, "", str(pid), pid):
        return None
    if not isinstance(value, str):
        raise _BadFieldError("a name is text")
    return check_name(value, service.special)


def _parse_key(value: object) -> bytes:
    try:
        key = bytes.fromhex(value) if isinstance(value, str) else b""
    except ValueError:
        key = b""
    if len(key) != KEY_SIZE:
        raise _BadFieldError(f"a key is {2 * KEY_SIZE} hexadecimal digits")
    return key


async def _check_free(record: _Record, service: AccountService) -> None:
    if await service.find(record.pid) is not None:
        raise PidTakenError(record.pid)
    if record.name is not None and await service.find_by_user_name(record.name) is not None:
        raise NameTakenError(record.name)


def _repeated(records: Sequence[_Record]) -> Iterator[ImportProblem]:
    keys: tuple[Callable[[_Record], object], ...] = (
        lambda record: record.pid,
        lambda record: None if record.name is None else name_key(record.name),
    )
    for what, key in zip(("PID", "name"), keys, strict=True):
        first: dict[object, int] = {}
        for record in records:
            value = key(record)
            if value is None:
                continue
            line = first.setdefault(value, record.line)
            if line != record.line:
                yield ImportProblem(record.line, f"line {line} has the same {what}")
