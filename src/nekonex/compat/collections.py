"""Sessions and reports in collections as pymongo has them, used without blocking the loop.

The fields are those that servers built on nex_protocols_common_py read: ``pid``, ``cid``,
``urls``, ``ip``, ``port`` of a session, and ``pid``, ``report_id``, ``report_data``,
``report_size``, ``report_date`` of a report.
"""

import asyncio
import datetime as dt
import functools
import logging
from collections.abc import Coroutine, Mapping
from typing import Any, Protocol

from nekonex.domain import call_user
from nekonex.domain.reports import REPORT_SIZE_LIMIT, REPORTS_PER_PLAYER
from nekonex.nex import ConnectedPlayer

__all__ = ["Collection", "ReportCollection", "SessionCollection"]

_logger = logging.getLogger(__name__)

_ASCENDING = 1


class Collection(Protocol):
    """What is needed of a collection; its methods may be plain or coroutine functions."""

    def update_one(
        self, query: Mapping[str, Any], update: Mapping[str, Any], /, *, upsert: bool = False
    ) -> Any:
        """Change one document, or make it."""

    def insert_one(self, document: dict[str, Any], /) -> Any:
        """Add a document."""

    def delete_one(self, query: Mapping[str, Any], /) -> Any:
        """Remove one document."""

    def count_documents(self, query: Mapping[str, Any], /) -> Any:
        """Count documents."""

    def find_one_and_delete(self, query: Mapping[str, Any], /, *, sort: Any) -> Any:
        """Remove the first document in an order."""


class SessionCollection:
    """The sessions of one server process, by connection id.

    Documents carry ``server``, so that two processes do not meddle with each other's. An
    outage is logged and harms no player: nothing here is read again.
    """

    def __init__(self, collection: Collection, *, server: str) -> None:
        self._collection = collection
        self._server = server
        self._writing: dict[int, asyncio.Task[None]] = {}

    async def put(self, player: ConnectedPlayer) -> None:
        """Write a session down."""
        host, port = player.address
        session = {
            "pid": player.pid,
            "cid": player.connection_id,
            "urls": [str(url) for url in player.stations.urls],
            "ip": host,
            "port": port,
        }
        change = call_user(
            functools.partial(self._collection.update_one, upsert=True),
            self._key(player.connection_id),
            {"$set": {**session, "server": self._server}},
        )
        await self._write(player.connection_id, change)

    async def remove(self, connection_id: int) -> None:
        """Remove a session, after what is still being written of it."""
        change = call_user(self._collection.delete_one, self._key(connection_id))
        await self._write(connection_id, change)

    def _key(self, connection_id: int) -> dict[str, Any]:
        return {"server": self._server, "cid": connection_id}

    async def _write(self, connection_id: int, change: Coroutine[Any, Any, Any]) -> None:
        """Run changes of one session one after the other, also those nobody waits for any more."""
        before = self._writing.get(connection_id)
        task = asyncio.ensure_future(_after(before, change))
        self._writing[connection_id] = task
        task.add_done_callback(lambda done: self._written(connection_id, done))
        await asyncio.shield(task)

    def _written(self, connection_id: int, task: asyncio.Task[None]) -> None:
        if self._writing.get(connection_id) is task:
            del self._writing[connection_id]


async def _after(before: asyncio.Task[None] | None, change: Coroutine[Any, Any, Any]) -> None:
    if before is not None:
        await asyncio.wait([before])
    try:
        await change
    except Exception:
        _logger.exception("the collection of sessions failed")


class ReportCollection:
    """Reports in a collection, the newest of each player."""

    def __init__(
        self,
        collection: Collection,
        *,
        size_limit: int = REPORT_SIZE_LIMIT,
        quota: int = REPORTS_PER_PLAYER,
    ) -> None:
        self._collection = collection
        self._size_limit = size_limit
        self._quota = quota

    async def submit(self, pid: int, report_id: int, data: bytes, *, game: str = "") -> bool:
        """Store a report; False if it was dropped, as too large or in an outage."""
        if len(data) > self._size_limit:
            _logger.warning("dropped a report of %d bytes from PID %d", len(data), pid)
            return False
        report = {
            "pid": pid,
            "report_id": report_id,
            "report_data": data,
            "report_size": len(data),
            "report_date": dt.datetime.now(dt.UTC),
        }
        if game:
            report["game"] = game
        try:
            await call_user(self._collection.insert_one, report)
            await self._drop_oldest(pid)
        except Exception:
            _logger.exception("the collection of reports failed")
            return False
        return True

    async def _drop_oldest(self, pid: int) -> None:
        mine = {"pid": pid}
        kept = await call_user(self._collection.count_documents, mine)
        drop = functools.partial(
            self._collection.find_one_and_delete, sort=[("report_date", _ASCENDING)]
        )
        for _ in range(kept - self._quota):
            await call_user(drop, mine)
