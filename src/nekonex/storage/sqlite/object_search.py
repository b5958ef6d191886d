"""Searches of objects as SQL.

What a search names, such as owners or tags, may be what few objects have: then those are looked
at, one by one, and sorted. Otherwise so many of all objects match that it is quicker to go
through all of them in the order that is asked for. Which of it holds is found out by counting, to
a limit; see `Walk` for the second way.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from random import Random
from typing import Final

from nekonex.domain.datastore.model import Level, Status
from nekonex.domain.datastore.query import (
    FIRST_AVERAGE_COLUMN,
    FIRST_TOTAL_COLUMN,
    OWN_LEVELS,
    OWN_STATUS,
    ObjectQuery,
    OrderColumn,
    OwnerType,
    Target,
)
from nekonex.storage.sqlite.integers import to_sql
from nekonex.storage.sqlite.object_walk import Walk, listed_types
from nekonex.storage.sqlite.schema.objects import LISTED, listed

__all__ = ["ObjectSearch"]

_FEW: Final = 4096
"""Objects that are rather sorted than found by going through all in the order."""

_NOBODY_ELSES: Final = frozenset({Target.PUBLIC, Target.PUBLIC_OF_STRANGERS})
"""The targets that find only what anybody may find."""

_ALIVE: Final = "(o.expires IS NULL OR o.expires > :now)"

_LISTED: Final = listed("o")

_OF_OWNERS: Final = """
    SELECT id FROM objects INDEXED BY objects_of_owner
    WHERE game = :game AND complete = 1 AND owner IN (SELECT value FROM json_each(:{}))
"""

_FOR: Final = """
    SELECT DISTINCT object AS id FROM object_recipients
    WHERE game = :game AND pid IN (SELECT value FROM json_each(:{}))
"""

_REFERRING: Final = """
    SELECT id FROM objects INDEXED BY objects_referring
    WHERE game = :game AND refer_data_id = :refer_data_id AND refer_data_id <> 0
"""

_RATED_OFTEN: Final = """coalesce((
    SELECT sum(count) FROM object_ratings WHERE game = :game AND data_id = o.data_id
), 0) >= :minimum_ratings"""

_COUNT_ALL: Final = f"""
    SELECT count(*) FROM (
        SELECT 1 FROM objects o INDEXED BY listed_by_expiry
        WHERE o.game = :game AND {_LISTED} AND {_ALIVE}
            AND o.data_type IN (SELECT value FROM json_each(:data_types))
        LIMIT :most
    )
"""

_COLUMNS: Final = {
    OrderColumn.DATA_ID: "o.data_id",
    OrderColumn.SIZE: "o.size",
    OrderColumn.NAME: "o.name",
    OrderColumn.DATA_TYPE: "o.data_type",
    OrderColumn.REFERRED_COUNT: "o.referred_count",
    OrderColumn.CREATED: "o.created",
    OrderColumn.UPDATED: "o.updated",
}

_RATING: Final = """coalesce((
    SELECT {} FROM object_ratings WHERE game = :game AND data_id = o.data_id AND slot = :order_slot
), 0)"""


@dataclass(frozen=True, slots=True)
class _Criterion:
    """A condition of objects ``o``, and the rows of all that meet it, where an index has them."""

    condition: str
    rows: str | None = None


@dataclass(frozen=True, slots=True)
class _Source:
    """Rows of objects, each once, among which are all that match; which conditions it has left."""

    rows: str
    conditions: str
    size: int = 0


class ObjectSearch:
    """One search among the objects of a game, on one state of the database."""

    def __init__(self, connection: sqlite3.Connection, game: str, query: ObjectQuery) -> None:
        self._connection = connection
        self._query = query
        self._parameters: dict[str, object] = {
            "game": game,
            "now": query.now,
            "viewer": to_sql(query.viewer),
            "friends": _pids(query.friends),
            "owners": _pids(query.owners),
            "recipients": _pids(query.recipients),
            "refer_data_id": to_sql(query.refer_data_id),
        }
        self._is_open = query.target in _NOBODY_ELSES
        """Whether the objects are among those that anybody may find."""
        self._data_types = sorted(query.data_types)
        if self._is_open and not self._data_types:
            self._data_types = listed_types(connection, game)
        self._parameters["data_types"] = json.dumps(self._data_types)
        self._criteria = list(self._wanted())
        self._narrowed = bool(self._criteria) or query.target != Target.PUBLIC
        """Whether there are conditions besides the data type."""
        self._meant = " AND ".join([_ALIVE, *self._of_target()])
        self._source = self._least_source()

    def find(self, random: Random) -> list[int]:
        """Return the data ids of the page that is asked for."""
        query = self._query
        if not query.limit:
            return []
        source = self._source
        if source is not None and (source.size <= _FEW or not self._is_open):
            return self._sampled(source, random) if query.random else self._sorted(source)
        walk = self._walk()
        if query.random:
            return walk.sample(query.limit, random)
        ids = walk.in_order(query.order, descending=query.descending)
        return list(islice(ids, query.offset, query.offset + query.limit))

    def _walk(self) -> Walk:
        conditions = self._conditions(self._criteria)
        return Walk(self._connection, self._data_types, conditions, self._parameters)

    def count(self) -> tuple[int, bool]:
        """Return how many objects match, to the query's limit, and whether there are no more."""
        limit = self._query.max_total
        if not limit:
            return 0, False
        found = self._count(limit + 1)
        return min(found, limit), found <= limit

    def _count(self, most: int) -> int:
        """Return how many objects match, or ``most`` if there are more."""
        if self._source is None and not self._narrowed:
            return self._number(_COUNT_ALL, most)
        if self._source is not None:
            rows = _matching(self._source)
            return self._number(f"SELECT count(*) FROM (SELECT 1 {rows} LIMIT :most)", most)
        walk = self._walk()
        ids = walk.in_order(OrderColumn.DATA_ID, descending=False)
        return sum(1 for _ in islice(ids, most))

    # -- conditions ------------------------------------------------------------------------

    def _of_target(self) -> Iterator[str]:
        """Yield conditions of the target, as `ObjectQuery` has them."""
        target = self._query.target
        if target == Target.PUBLIC:
            yield _LISTED
            return
        if target == Target.PUBLIC_OF_STRANGERS:
            yield f"{_LISTED} AND o.owner <> :viewer AND NOT {_among('o.owner', 'friends')}"
            return
        yield "o.complete = 1"
        if target in OWN_LEVELS or target in OWN_STATUS:
            yield "o.owner = :viewer"
            yield from self._own(target)
            return
        yield f"o.owner <> :viewer AND o.status = {int(Status.NORMAL)}"
        by_friend = _among("o.owner", "friends")
        from_friend = f"(o.access_level = {int(Level.FRIENDS)} AND {by_friend})"
        named = f"o.id IN ({_FOR.format('viewers')})"
        received = f"""({named} AND (o.access_level = {int(Level.SPECIFIED)}
            OR (o.access_level = {int(Level.SPECIFIED_FRIENDS)} AND {by_friend})))"""
        match target:
            case Target.FRIENDS:
                yield from_friend
            case Target.RECEIVED_SPECIFIED:
                yield received
            case Target.RECEIVED:
                yield f"({received} OR {from_friend})"
            case _:
                yield "0"

    def _own(self, target: int) -> Iterator[str]:
        status = OWN_STATUS.get(target, {Status.NORMAL})
        self._parameters["status"] = json.dumps(sorted(status))
        yield _among("o.status", "status")
        if target in OWN_LEVELS:
            self._parameters["levels"] = json.dumps(sorted(OWN_LEVELS[target]))
            yield _among("o.access_level", "levels")

    def _wanted(self) -> Iterator[_Criterion]:
        """Yield the other conditions, as `ObjectQuery` has them."""
        query = self._query
        if query.owner_type == OwnerType.FRIENDS:
            yield _Criterion(_among("o.owner", "friends"), _OF_OWNERS.format("friends"))
        elif query.owners and query.owner_type == OwnerType.EXCEPT:
            yield _Criterion(f"NOT {_among('o.owner', 'owners')}")
        elif query.owners:
            yield _Criterion(_among("o.owner", "owners"), _OF_OWNERS.format("owners"))
        if query.recipients:
            rows = _FOR.format("recipients")
            yield _Criterion(f"o.id IN ({rows})", rows)
        if query.refer_data_id:
            yield _Criterion("o.refer_data_id = :refer_data_id", _REFERRING)
        for number, tag in enumerate(sorted(query.tags)):
            self._parameters[f"tag{number}"] = tag
            tagged = f"FROM object_tags WHERE game = :game AND tag = :tag{number}"
            yield _Criterion(
                f"EXISTS (SELECT 1 {tagged} AND object = o.id)", f"SELECT object AS id {tagged}"
            )
        for column in ("created", "updated"):
            bounds = list(self._bounds(column))
            if bounds:
                rows = f"""SELECT id FROM objects INDEXED BY listed_by_{column}
                    WHERE game = :game AND {LISTED} AND {_among("data_type", "data_types")}
                    AND {" AND ".join(bounds)}"""
                yield _Criterion(" AND ".join(f"o.{each}" for each in bounds), rows)
        if query.minimum_ratings > 0:
            self._parameters["minimum_ratings"] = query.minimum_ratings
            yield _Criterion(_RATED_OFTEN)

    def _bounds(self, column: str) -> Iterator[str]:
        """Yield the conditions of a time's range."""
        for end, sign in (("from", ">="), ("to", "<=")):
            name = f"{column}_{end}"
            value: int | None = getattr(self._query, name)
            if value is not None:
                self._parameters[name] = value
                yield f"{column} {sign} :{name}"

    def _conditions(self, criteria: Iterable[_Criterion]) -> str:
        return " AND ".join([self._meant, *(each.condition for each in criteria)])

    # -- what is named ---------------------------------------------------------------------

    def _least_source(self) -> _Source | None:
        """Return where fewest objects may match; None where nothing is named."""
        of_types = [_Criterion(_among("o.data_type", "data_types"))] if self._data_types else []
        if not self._is_open:
            return _Source(self._visible(), self._conditions([*self._criteria, *of_types]))
        # Counted on only to where it matters for the total too.
        most = max(_FEW, self._query.max_total) + 1
        least: _Source | None = None
        for criterion in self._criteria:
            rows = criterion.rows
            if rows is None:
                continue
            size = self._number(f"SELECT count(*) FROM (SELECT 1 FROM ({rows}) LIMIT :most)", most)
            if least is None or size < least.size:
                others = [each for each in self._criteria if each is not criterion]
                least, most = _Source(rows, self._conditions([*others, *of_types]), size), size
        return least

    def _visible(self) -> str:
        """Return the rows of what a searcher may see of a target that is not open."""
        self._parameters["viewers"] = _pids([self._query.viewer])
        friends, viewers = _OF_OWNERS.format("friends"), _FOR.format("viewers")
        match self._query.target:
            case Target.FRIENDS:
                return friends
            case Target.RECEIVED_SPECIFIED:
                return viewers
            case Target.RECEIVED:
                return f"{viewers} UNION {friends}"
        return _OF_OWNERS.format("viewers")

    def _sorted(self, source: _Source) -> list[int]:
        query = self._query
        if query.order >= FIRST_TOTAL_COLUMN:
            average = query.order >= FIRST_AVERAGE_COLUMN
            column = _RATING.format("average" if average else "total")
            first = FIRST_AVERAGE_COLUMN if average else FIRST_TOTAL_COLUMN
            self._parameters["order_slot"] = query.order - first
        else:
            column = _COLUMNS[OrderColumn(query.order)]
        direction = "DESC" if query.descending else "ASC"
        return self._ids(
            f"""SELECT o.data_id {_matching(source)}
                ORDER BY {column} {direction}, o.data_id LIMIT :limit OFFSET :offset""",
            limit=query.limit,
            offset=query.offset,
        )

    def _sampled(self, source: _Source, random: Random) -> list[int]:
        found = self._ids(f"SELECT o.data_id {_matching(source)}")
        return random.sample(found, min(self._query.limit, len(found)))

    def _ids(self, query: str, **parameters: object) -> list[int]:
        rows = self._connection.execute(query, {**self._parameters, **parameters})
        return [data_id for (data_id,) in rows]

    def _number(self, query: str, most: int) -> int:
        row = self._connection.execute(query, {**self._parameters, "most": most}).fetchone()
        return int(row[0])


def _matching(source: _Source) -> str:
    """Return FROM and WHERE of the objects of a source that match."""
    return f"""FROM ({source.rows}) named CROSS JOIN objects o ON o.id = named.id
        WHERE {source.conditions}"""


def _among(column: str, name: str) -> str:
    """Return the condition that a column has one of the values of a parameter, which is JSON."""
    return f"{column} IN (SELECT value FROM json_each(:{name}))"


def _pids(pids: Iterable[int]) -> str:
    return json.dumps(sorted(map(to_sql, pids)))
