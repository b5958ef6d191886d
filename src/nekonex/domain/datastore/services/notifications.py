"""Telling players of objects that are for them.

Consoles do not ask the server whether there is anything new: they look, again and again, at a
file of their own, whose content changes with every notification. Then they ask which it was.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Final
from urllib.parse import urlsplit
from weakref import WeakValueDictionary

from nekonex.domain.datastore.callers import Caller
from nekonex.domain.datastore.keys import NOTIFICATIONS
from nekonex.domain.datastore.ports import Change, Notification
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.requests import NotificationUrl
from nekonex.domain.datastore.services.shelf import Shelf

__all__ = ["NotificationService", "notification_key"]

_MAX_FILE: Final = 64
"""Bytes of a file that are looked at; more than it ever has."""


def notification_key(pid: int) -> str:
    """Return the key of the file at which a player's console looks."""
    return f"{NOTIFICATIONS}{pid:020}.bin"


class NotificationService:
    """Methods raise DataStoreError and ServiceUnavailable."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._writing: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    async def notify(self, change: Change) -> None:
        """Let the consoles of those know who are notified of a change, and asked where to look.

        Who did not has no file: else players could fill the disk with files of whomever they name.
        """
        writing = [self._write(pid, create=False) for pid in change.notified]
        for done in await asyncio.gather(*writing, return_exceptions=True):
            if isinstance(done, BaseException):
                raise done

    async def url(self, caller: Caller, previous_url: str) -> NotificationUrl:  # noqa: ARG002
        """Return where the caller's console looks for notifications: always at a new URL.

        What is there is up to date, even if it could not be when something happened.
        """
        shelf = self._shelf
        await self._write(caller.pid, create=True)
        found = await shelf.files.download(
            notification_key(caller.pid),
            lifetime=shelf.limits.notification_url_seconds,
            viewer=shelf.viewer(caller),
        )
        origin, key, query = _split(found.url)
        return NotificationUrl(origin, key, query, found.root_ca_cert)

    async def arrived(
        self, caller: Caller, last_id: int, limit: int
    ) -> tuple[Sequence[Notification], bool]:
        """Return notifications after one, the oldest first, and whether there are more.

        Those up to it were read, and are forgotten. Raises DataStoreError: INVALID for too many.
        """
        if not 0 <= limit <= self._shelf.limits.max_results:
            raise DataStoreError(Refusal.INVALID, f"{limit} notifications")
        return await self._shelf.store.notifications(caller.pid, last_id, limit)

    async def forget(self, pid: int) -> None:
        """Forget all notifications of a player, and where its console looked for them."""
        shelf = self._shelf
        async with self._lock(pid):
            last = await shelf.store.last_notification(pid)
            if last is not None:
                await shelf.store.notifications(pid, last.number, 0)
            if shelf.has_files:
                await shelf.files.remove(notification_key(pid))

    async def _write(self, pid: int, *, create: bool) -> None:
        """Write a player's file, unless its newest notification is there already."""
        shelf = self._shelf
        key = notification_key(pid)
        async with self._lock(pid):
            content = await shelf.files.read(key, _MAX_FILE)
            if content is None and not create:
                return
            last = await shelf.store.last_notification(pid)
            number = 0 if last is None else last.number
            written = _number(content)
            if written is None or written < number:
                await shelf.files.put(key, f"{number},{pid},{shelf.now()}".encode())

    def _lock(self, pid: int) -> asyncio.Lock:
        """Return the lock that keeps an older number from being written over a newer one."""
        lock = self._writing.get(pid)
        if lock is None:
            lock = self._writing[pid] = asyncio.Lock()
        return lock


def _number(content: bytes | None) -> int | None:
    """Return the number in a file; None if there is none."""
    text = (content or b"").partition(b",")[0]
    return int(text) if text.isdigit() else None


def _split(url: str) -> tuple[str, str, str]:
    """Return the pieces of a URL as official servers had them: in a row they are the URL."""
    parts = urlsplit(url)
    origin = f"{parts.scheme}://{parts.netloc}/"
    return origin, parts.path.removeprefix("/"), f"?{parts.query}"
