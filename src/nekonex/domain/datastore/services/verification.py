"""Whether the store and the files agree, and what is done where they do not."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from nekonex.domain.datastore.files import FileInfo, valid_key
from nekonex.domain.datastore.keys import NOTIFICATIONS
from nekonex.domain.datastore.model import StoredObject
from nekonex.domain.datastore.ports import Outcome
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.rules import uploads
from nekonex.domain.datastore.services.shelf import Shelf
from nekonex.values import ServiceUnavailable

__all__ = ["Disagreement", "Kind", "Report", "Verification"]

PAGE: Final = 500
"""Objects, and file operations, that are read at a time."""


class Kind(Enum):
    """What the store and the files disagree about."""

    MISSING_FILE = "an object whose file is missing"
    WRONG_SIZE = "an object whose file has another size"
    UNKNOWN_FILE = "a file that belongs to no object"
    UNFINISHED = "an upload that was never finished"
    PENDING = "a file operation that was not carried out"


@dataclass(frozen=True, slots=True)
class Disagreement:
    """One thing that is not as it should be. ``mended`` tells whether it still is so."""

    kind: Kind
    key: str
    data_id: int = 0
    """0 where no object is known."""
    detail: str = ""
    mended: bool = False


@dataclass(frozen=True, slots=True)
class Report:
    """What a verification found, among so many objects and files."""

    objects: int
    files: int
    disagreements: tuple[Disagreement, ...] = ()

    @property
    def sound(self) -> bool:
        """Whether everything agrees now."""
        return all(each.mended for each in self.disagreements)


class Verification:
    """Compares all objects with all files, while the server works or without one.

    Mending deletes objects whose content is not there or not what it should be, drops uploads
    that were never finished, removes files that belong to no object, and carries out what was
    left over. Files that are younger than an upload may take are left alone. Methods raise
    ServiceUnavailable, also to mend where objects have files and not one is there: a disk that is
    not mounted must not be the end of everything.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def verify(self, *, mend: bool = False) -> Report:
        """Compare, and mend if so asked; all keys are in memory meanwhile."""
        if mend:
            await self._shelf.journal.retry()
        found: list[Disagreement] = []
        reserved: set[str] = set()
        async for disagreement, keys in self._pending():
            found.append(disagreement)
            reserved |= keys
        listed = self._shelf.files.keys()
        files = {each.key: each async for each in listed if not each.key.startswith(NOTIFICATIONS)}
        if mend and not files:
            await self._refuse_other_files()
        number, objects = len(files), 0
        async for stored in self._objects():
            objects += 1
            suspect = False
            for key, size in _files_of(stored):
                info = files.pop(key, None)
                suspect |= size is not None and (info is None or info.size != size)
            if suspect or self._is_overdue(stored):
                found += await self._look_at(stored.data_id, reserved, mend=mend)
        unknown = [each for key, each in files.items() if key not in reserved]
        found += await self._look_at_unknown(unknown, mend=mend)
        return Report(objects, number, tuple(found))

    async def _pending(self) -> AsyncIterator[tuple[Disagreement, set[str]]]:
        for each in await self._shelf.store.operations(PAGE):
            operation = each.operation
            target = operation.target
            keys = {operation.source} if target is None else {operation.source, target}
            detail = "to be removed" if target is None else f"to be moved to {target}"
            yield Disagreement(Kind.PENDING, operation.source, detail=detail), keys

    async def _refuse_other_files(self) -> None:
        """Refuse to mend where all files are gone: these are likely to be the wrong ones."""
        lost = 0
        async for stored in self._objects():
            lost += stored.complete and stored.has_file
            if lost > 1:
                raise ServiceUnavailable("not one file of all objects is there: nothing is mended")

    async def _objects(self) -> AsyncIterator[StoredObject]:
        after = 0
        while page := await self._shelf.store.page(after, PAGE):
            for stored in page:
                yield stored
            after = page[-1].data_id

    def _is_overdue(self, stored: StoredObject) -> bool:
        limit = self._shelf.limits.unfinished_seconds
        return stored.upload is not None and stored.upload.started < self._shelf.now() - limit

    # -- objects -------------------------------------------------------------------------

    async def _look_at(self, data_id: int, reserved: set[str], *, mend: bool) -> list[Disagreement]:
        """Return what is wrong with an object, as it is now, and mend it if so asked."""
        shelf = self._shelf
        stored = await shelf.store.get(data_id)
        if stored is None:
            return []
        found: list[Disagreement] = []
        if stored.complete and stored.has_file and stored.key not in reserved:
            with shelf.journal.reading(stored.key) as reading:
                while await reading.settle():
                    stored = await shelf.store.get(data_id)
                    if stored is None:
                        return []
            # A record that somebody spoilt must not be in the way of mending it.
            size = await shelf.files.size(stored.key) if valid_key(stored.key) else None
            if size != stored.size:
                found.append(_wrong_file(stored, size))
        if self._is_overdue(stored):
            found.append(Disagreement(Kind.UNFINISHED, stored.staging_key, data_id))
        if not mend:
            return found
        return [replace(each, mended=await self._mend(stored, each.kind)) for each in found]

    async def _mend(self, stored: StoredObject, kind: Kind) -> bool:
        def transition(current: StoredObject) -> Outcome:
            if (current.key, current.version, current.upload) != (
                stored.key,
                stored.version,
                stored.upload,
            ):
                raise DataStoreError(Refusal.NOT_ALLOWED, "it changes")
            if kind is Kind.UNFINISHED and current.complete:
                return uploads.drop_update(current)
            return uploads.deletion(current)

        try:
            await self._shelf.ledger.change(stored, transition)
        except DataStoreError as error:
            return error.refusal is Refusal.NOT_FOUND
        return True

    # -- files ---------------------------------------------------------------------------

    async def _look_at_unknown(self, files: list[FileInfo], *, mend: bool) -> list[Disagreement]:
        """Return which files belong to no object, and remove them if so asked.

        Objects may have changed since the files were listed, so they are looked at again while
        all files stay where they are.
        """
        oldest = self._shelf.now() - self._shelf.limits.unfinished_seconds
        unknown = {each.key for each in files if each.modified < oldest}
        found: list[Disagreement] = []
        if not unknown:
            return found
        async with self._shelf.journal.quiet():
            async for stored in self._objects():
                unknown.difference_update(key for key, _ in _files_of(stored))
            for key in sorted(unknown):
                size = await self._shelf.files.size(key)
                if size is None:
                    continue
                mended = mend and await self._shelf.files.remove(key)
                found.append(
                    Disagreement(Kind.UNKNOWN_FILE, key, detail=f"{size} bytes", mended=mended)
                )
        return found


def _files_of(stored: StoredObject) -> Iterator[tuple[str, int | None]]:
    """Yield the keys of an object's files, with the size of that which must be there."""
    if not stored.has_file:
        return
    if stored.complete:
        yield stored.key, stored.size
    if stored.upload is not None:
        yield stored.staging_key, None


def _wrong_file(stored: StoredObject, size: int | None) -> Disagreement:
    if size is None:
        return Disagreement(Kind.MISSING_FILE, stored.key, stored.data_id)
    detail = f"{size} bytes instead of {stored.size}"
    return Disagreement(Kind.WRONG_SIZE, stored.key, stored.data_id, detail)
