"""Objects as rows, and rows as objects."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final

from nekonex.domain.datastore.model import (
    Level,
    Permission,
    Rating,
    RatingRules,
    Status,
    StoredObject,
    Upload,
)
from nekonex.storage.sqlite.integers import from_sql, to_sql

__all__ = ["COLUMNS", "RATING_COLUMNS", "columns", "is_listed", "load", "rating_row", "select"]

_Row = tuple[Any, ...]

COLUMNS: Final = (
    "data_id",
    "owner",
    "data_type",
    "complete",
    "status",
    "access_level",
    "update_level",
    "size",
    "version",
    "access_password",
    "update_password",
    "flags",
    "period",
    "refer_data_id",
    "slot",
    "replaces",
    "upload_version",
    "upload_size",
    "upload_started",
    "created",
    "updated",
    "referred",
    "referred_count",
    "expires",
    "rating_slots",
    "name",
    "key",
    "tags",
    "access_recipients",
    "update_recipients",
    "meta_binary",
)
"""The columns of the table of objects, all but the game's name."""

RATING_COLUMNS: Final = (
    "slot",
    "data_type",
    "listed",
    "flags",
    "internal_flags",
    "lock_type",
    "initial_value",
    "minimum",
    "maximum",
    "period_hour",
    "period_duration",
    "total",
    "count",
    "average",
)
"""The columns of the table of ratings, all but those that name the object."""

_NONE: Final = "[]"

_UNNAMED: Final = {int(level): Permission(level) for level in Level}
"""The permissions that name nobody, by their levels."""

_RATINGS: Final = """
    SELECT data_id, slot, total, count, flags, internal_flags, lock_type, initial_value, minimum,
        maximum, period_hour, period_duration
    FROM object_ratings
    WHERE game = ? AND data_id IN (SELECT value FROM json_each(?)) ORDER BY data_id, slot
"""

_RATING_SLOTS: Final = COLUMNS.index("rating_slots")


def select(condition: str) -> str:
    """Return a query of whole objects, for `load`."""
    return f"SELECT {', '.join(COLUMNS)} FROM objects WHERE {condition}"


def load(
    connection: sqlite3.Connection, query: str, parameters: Mapping[str, object]
) -> list[StoredObject]:
    """Return the objects of a query that `select` made; ``parameters`` has the ``game``."""
    rows = connection.execute(query, parameters).fetchall()
    rated = [row[0] for row in rows if row[_RATING_SLOTS]]
    ratings = _ratings_of(connection, parameters["game"], rated) if rated else {}
    return [_object(row, tuple(ratings.get(row[0], ()))) for row in rows]


def _ratings_of(
    connection: sqlite3.Connection, game: object, data_ids: Sequence[int]
) -> dict[int, list[Rating]]:
    """Return the ratings of objects, in the order of their slots."""
    found: dict[int, list[Rating]] = {}
    for row in connection.execute(_RATINGS, (game, json.dumps(data_ids))):
        data_id, slot, total, count = row[:4]
        found.setdefault(data_id, []).append(Rating(slot, _rules(row[4:]), total, count))
    return found


@lru_cache(maxsize=1024)
def _rules(values: tuple[int, ...]) -> RatingRules:
    """Return rules, which are the same for most objects of a game."""
    return RatingRules(*values)


def is_listed(stored: StoredObject) -> bool:
    """Tell whether anybody may find an object, as the schema's LISTED does."""
    return (
        stored.complete and stored.status == Status.NORMAL and stored.access.level == Level.PUBLIC
    )


def columns(stored: StoredObject) -> _Row:
    """Return what is stored of an object itself, in the order of `COLUMNS`.

    Raises ValueError for what cannot be stored.
    """
    upload = stored.upload
    return (
        to_sql(stored.data_id),
        to_sql(stored.owner),
        stored.data_type,
        int(stored.complete),
        int(stored.status),
        int(stored.access.level),
        int(stored.update.level),
        stored.size,
        stored.version,
        to_sql(stored.access_password),
        to_sql(stored.update_password),
        int(stored.flags),
        stored.period,
        to_sql(stored.refer_data_id),
        stored.slot,
        int(stored.replaces),
        None if upload is None else upload.version,
        None if upload is None else upload.size,
        None if upload is None else upload.started,
        stored.created,
        stored.updated,
        stored.referred,
        stored.referred_count,
        stored.expires,
        sum(1 << rating.slot for rating in stored.ratings),
        stored.name,
        stored.key,
        _list(stored.tags),
        _list(stored.access.recipients),
        _list(stored.update.recipients),
        stored.meta_binary,
    )


def _list(values: Sequence[object]) -> str:
    return json.dumps(values, ensure_ascii=False) if values else _NONE


def rating_row(stored: StoredObject, rating: Rating) -> _Row:
    """Return what is stored of an object's rating slot, in the order of `RATING_COLUMNS`."""
    rules = rating.rules
    return (
        rating.slot,
        stored.data_type,
        int(is_listed(stored)),
        int(rules.flags),
        int(rules.internal_flags),
        int(rules.lock_type),
        rules.initial_value,
        rules.minimum,
        rules.maximum,
        rules.period_hour,
        rules.period_duration,
        rating.total,
        rating.count,
        rating.total / rating.count if rating.count else 0.0,
    )


def _object(row: _Row, ratings: tuple[Rating, ...]) -> StoredObject:
    (
        data_id,
        owner,
        data_type,
        complete,
        status,
        access_level,
        update_level,
        size,
        version,
        access_password,
        update_password,
        flags,
        period,
        refer_data_id,
        slot,
        replaces,
        upload_version,
        upload_size,
        upload_started,
        created,
        updated,
        referred,
        referred_count,
        expires,
        _,
        name,
        key,
        tags,
        access_recipients,
        update_recipients,
        meta_binary,
    ) = row
    return StoredObject(
        owner=from_sql(owner),
        data_id=data_id,
        name=name,
        data_type=data_type,
        size=size,
        version=version,
        meta_binary=meta_binary,
        access=_permission(access_level, access_recipients),
        update=_permission(update_level, update_recipients),
        access_password=from_sql(access_password),
        update_password=from_sql(update_password),
        flags=flags,
        period=period,
        refer_data_id=from_sql(refer_data_id),
        tags=() if tags == _NONE else tuple(json.loads(tags)),
        status=status,
        slot=slot,
        replaces=bool(replaces),
        key=key,
        complete=bool(complete),
        upload=(
            None if upload_version is None else Upload(upload_version, upload_size, upload_started)
        ),
        created=created,
        updated=updated,
        referred=referred,
        referred_count=referred_count,
        expires=expires,
        ratings=ratings,
    )


def _permission(level: int, recipients: str) -> Permission:
    if recipients == _NONE:
        return _UNNAMED.get(level) or Permission(level)
    return Permission(level, tuple(json.loads(recipients)))
