"""Going through what anybody may find, in an order, without looking at more than is asked for.

Each order has one index, which ends with the data id. Read forwards it is in the ascending order;
read backwards only its values are in the descending order: the data ids of equal values have to
be turned round. There may be a few of them, which are read and reversed, or very many, such as
all that nobody has looked at yet, which are read forwards again.
"""

from __future__ import annotations

import heapq
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby, islice
from operator import itemgetter
from random import Random
from typing import Any, Final

from nekonex.domain.datastore.query import (
    FIRST_AVERAGE_COLUMN,
    FIRST_TOTAL_COLUMN,
    OrderColumn,
)
from nekonex.storage.sqlite.schema.objects import listed

__all__ = ["Walk", "listed_types"]

_Key = tuple[Any, int]
"""What an object is ordered by, and its data id."""

_MAX_REVERSED: Final = 32
"""Equal values that are reversed; if there are more, they are read again."""

_NO_END: Final = 2**63 - 1

_TYPES_TRIED: Final = 8
"""Data types in which one draw of a sample looks for an object."""

_LISTED: Final = listed("o")

_OF_TYPE: Final = f"o.game = :game AND {_LISTED} AND o.data_type = :data_type"

_COLUMNS: Final[Mapping[int, tuple[str, str]]] = {
    OrderColumn.DATA_ID: ("data_id", "listed_by_id"),
    OrderColumn.SIZE: ("size", "listed_by_size"),
    OrderColumn.NAME: ("name", "listed_by_name"),
    OrderColumn.DATA_TYPE: ("data_type", "listed_by_id"),
    OrderColumn.REFERRED_COUNT: ("referred_count", "listed_by_referred_count"),
    OrderColumn.CREATED: ("created", "listed_by_created"),
    OrderColumn.UPDATED: ("updated", "listed_by_updated"),
}
"""The columns of orders, and the indexes that are in these orders."""

_NEXT_TYPE: Final = f"""
    SELECT min(o.data_type) FROM objects o INDEXED BY listed_by_id
    WHERE o.game = :game AND {_LISTED} AND o.data_type > :after
"""

_NEXT_SLOTS: Final = f"""
    SELECT min(o.rating_slots) FROM objects o INDEXED BY listed_by_rating_slots
    WHERE {_OF_TYPE} AND o.rating_slots > :after
"""

# Each by itself: both together would go through all.
_ENDS: Final = f"""
    SELECT (SELECT min(o.data_id) FROM objects o INDEXED BY listed_by_id WHERE {_OF_TYPE}),
        (SELECT max(o.data_id) FROM objects o INDEXED BY listed_by_id WHERE {_OF_TYPE})
"""


def listed_types(connection: sqlite3.Connection, game: str) -> list[int]:
    """Return the data types of all that anybody may find, ascending."""
    return list(_distinct(connection, _NEXT_TYPE, {"game": game}))


@dataclass(frozen=True, slots=True)
class _Source:
    """Rows that an index has in an order: a FROM and WHERE, the value, and the data id.

    Those whose value is always 0 are in the order of their data ids.
    """

    rows: str
    value: str = "0"
    data_id: str = "o.data_id"

    @property
    def is_constant(self) -> bool:
        """Whether all values are 0."""
        return self.value == "0"

    def ordered(self, direction: str = "ASC") -> str:
        """Return an ORDER BY of the values and the data ids."""
        columns = [self.data_id]
        if self.value not in {"0", self.data_id}:
            columns.insert(0, self.value)
        return f"ORDER BY {', '.join(f'{column} {direction}' for column in columns)}"


@dataclass(frozen=True, slots=True)
class Walk:
    """A way through the listed objects of some data types that meet further conditions.

    ``conditions`` are of a table ``o``, ``parameters`` theirs and the ``game``.
    """

    connection: sqlite3.Connection
    data_types: Sequence[int]
    conditions: str
    parameters: Mapping[str, object]

    def in_order(self, order: int, *, descending: bool) -> Iterator[int]:
        """Yield data ids, ordered by a column, and equal ones by data id."""
        streams = [
            stream
            for data_type in self.data_types
            for stream in self._streams(order, {**self.parameters, "data_type": data_type})
        ]
        keys = [
            self._descending(*stream) if descending else self._ascending(*stream)
            for stream in streams
        ]
        return map(itemgetter(1), _merged(keys, descending=descending))

    def sample(self, size: int, random: Random) -> list[int]:
        """Return up to ``size`` data ids, somehow at random; all, if there are no more.

        Data ids are drawn, and the objects that follow them taken. That favours who follows a
        gap, and costs the same however many objects there are.
        """
        ends = [each for data_type in self.data_types for each in self._ends(data_type)]
        if not ends:
            return []
        first, last = min(ends), max(ends)
        chosen: dict[int, None] = {}
        for _ in range(3 * size):
            if len(chosen) == size:
                break
            found = self._following(random.randint(first, last), random)
            if found is not None:
                chosen[found] = None
        pivot = random.randint(first, last)
        missing = (each for each in self._round(pivot) if each not in chosen)
        chosen.update(dict.fromkeys(islice(missing, size - len(chosen))))
        sample = list(chosen)
        random.shuffle(sample)
        return sample

    def _streams(
        self, order: int, parameters: Mapping[str, object]
    ) -> Iterator[tuple[_Source, Mapping[str, object]]]:
        """Yield what has to be merged for an order of the objects of one data type."""
        if order < FIRST_TOTAL_COLUMN:
            column, index = _COLUMNS[order]
            rows = f"objects o INDEXED BY {index} WHERE {_OF_TYPE}"
            yield _Source(rows, f"o.{column}"), parameters
            return
        by_average = order >= FIRST_AVERAGE_COLUMN
        slot = order - (FIRST_AVERAGE_COLUMN if by_average else FIRST_TOTAL_COLUMN)
        value = "average" if by_average else "total"
        rows = f"""object_ratings r INDEXED BY listed_by_{value}
            CROSS JOIN objects o INDEXED BY objects_by_id
                ON o.game = r.game AND o.data_id = r.data_id
            WHERE r.game = :game AND r.listed = 1 AND r.data_type = :data_type AND r.slot = :slot"""
        yield _Source(rows, f"r.{value}", "r.data_id"), {**parameters, "slot": slot}
        # Those without the slot, which count as 0.
        rows = f"""objects o INDEXED BY listed_by_rating_slots
            WHERE {_OF_TYPE} AND o.rating_slots = :slots"""
        for slots in _distinct(self.connection, _NEXT_SLOTS, parameters):
            if not slots >> slot & 1:
                yield _Source(rows), {**parameters, "slots": slots}

    def _ascending(self, source: _Source, parameters: Mapping[str, object]) -> Iterator[_Key]:
        return self._select(source, parameters, source.ordered())

    def _descending(self, source: _Source, parameters: Mapping[str, object]) -> Iterator[_Key]:
        if source.is_constant:
            yield from self._ascending(source, parameters)
            return
        backwards = source.ordered("DESC")
        below = ""
        while True:
            rows = self._select(source, parameters, f"{below} {backwards}")
            for value, equal in groupby(rows, key=itemgetter(0)):
                keys = list(islice(equal, _MAX_REVERSED + 1))
                parameters = {**parameters, "value": value}
                if len(keys) > _MAX_REVERSED:
                    equal_ones = f"AND {source.value} = :value ORDER BY {source.data_id}"
                    yield from self._select(source, parameters, equal_ones)
                    break
                yield from reversed(keys)
            else:
                return
            below = f"AND {source.value} < :value"

    def _select(
        self, source: _Source, parameters: Mapping[str, object], rest: str
    ) -> Iterator[_Key]:
        return self.connection.execute(
            f"SELECT {source.value}, {source.data_id} FROM {source.rows}"
            f" AND {self.conditions} {rest}",
            parameters,
        )

    def _ends(self, data_type: int) -> Iterable[int]:
        row = self.connection.execute(_ENDS, {**self.parameters, "data_type": data_type})
        return (each for each in row.fetchone() if each is not None)

    def _following(self, pivot: int, random: Random) -> int | None:
        """Return the first object from a data id on."""
        types = self.data_types
        if len(types) > _TYPES_TRIED:
            types = random.sample(types, _TYPES_TRIED)
        found = (next(self._between(pivot, _NO_END, data_type), None) for data_type in types)
        return min((each for each in found if each is not None), default=None)

    def _round(self, pivot: int) -> Iterator[int]:
        """Yield all data ids, beginning with the first one from ``pivot`` on of each type."""
        for data_type in self.data_types:
            yield from self._between(pivot, _NO_END, data_type)
        for data_type in self.data_types:
            yield from self._between(0, pivot, data_type)

    def _between(self, first: int, end: int, data_type: int) -> Iterator[int]:
        rows = f"""objects o INDEXED BY listed_by_id
            WHERE {_OF_TYPE} AND o.data_id >= :first AND o.data_id < :end"""
        parameters = {**self.parameters, "data_type": data_type, "first": first, "end": end}
        return map(itemgetter(1), self._ascending(_Source(rows), parameters))


def _distinct(
    connection: sqlite3.Connection, query: str, parameters: Mapping[str, object]
) -> Iterator[int]:
    """Yield the values of a query for the least one above ``after``, ascending."""
    value: int | None = -1
    while True:
        row = connection.execute(query, {**parameters, "after": value}).fetchone()
        value = row[0]
        if value is None:
            return
        yield value


class _Backwards:
    """A text that comes before those that it is greater than."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text

    def __lt__(self, other: _Backwards) -> bool:
        return self.text > other.text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Backwards) and self.text == other.text

    def __hash__(self) -> int:
        return hash(self.text)


def _merged(streams: Sequence[Iterator[_Key]], *, descending: bool) -> Iterator[_Key]:
    if len(streams) == 1:
        return streams[0]
    return heapq.merge(*streams, key=_reverse if descending else None)


def _reverse(key: _Key) -> _Key:
    value, data_id = key
    return (_Backwards(value) if isinstance(value, str) else -value), data_id
