"""What an outcome means for other objects: the one in the slot, and those with the same key.

Every store asks this while it applies a transition, so that it is decided in one place.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from nekonex.domain.datastore.model import StoredObject, staging_key
from nekonex.domain.datastore.ports import FileOperation, Outcome

__all__ = ["KEPT", "Settlement", "published_keys", "removals", "settle"]

KEPT: Final = "-kept"
"""Ends the keys of contents that others displaced."""


@dataclass(frozen=True, slots=True)
class Settlement:
    """What a store has to do besides storing the outcome's own object."""

    changed: tuple[StoredObject, ...] = ()
    """Other objects, as they are from now on."""
    deleted: tuple[StoredObject, ...] = ()
    """Other objects that are gone."""
    files: tuple[FileOperation, ...] = ()
    """All file operations of the outcome, in the order in which they are to be carried out."""


def published_keys(outcome: Outcome) -> frozenset[str]:
    """Return the keys to which an outcome moves files: whose file is there must go first."""
    return frozenset(each.target for each in outcome.files if each.target is not None)


def settle(
    outcome: Outcome, *, holder: StoredObject | None, sharers: Iterable[StoredObject]
) -> Settlement:
    """Decide what becomes of others.

    ``holder`` is the object in the persistence slot that the outcome's object takes, if there is
    another one. ``sharers`` are the other complete objects whose files are under one of its
    `published_keys`: a game may derive keys from slots, so that who loses a slot would lose its
    content too. It keeps it, under a key of its own.
    """
    taken = published_keys(outcome)
    changed: dict[int, StoredObject] = {}
    deleted: tuple[StoredObject, ...] = ()
    files: list[FileOperation] = []
    if holder is not None:
        kept = None if outcome.release is None else outcome.release(holder)
        if kept is None:
            deleted = (holder,)
            # What is replaced anyway needs no removal.
            files += [each for each in removals(holder) if each.source not in taken]
        else:
            changed[kept.data_id] = kept
    for sharer in sharers:
        if any(gone.data_id == sharer.data_id for gone in deleted):
            continue
        current = changed.get(sharer.data_id, sharer)
        # Not its staging key: the form of its upload may still be good, and is of no use to it.
        own = staging_key(current.key, current.data_id, current.version) + KEPT
        changed[current.data_id] = replace(current, key=own)
        files.append(FileOperation(current.key, own))
    return Settlement(tuple(changed.values()), deleted, (*files, *outcome.files))


def removals(stored: StoredObject) -> Iterator[FileOperation]:
    """Return what happens to the files of an object that is deleted."""
    if stored.complete and stored.has_file and stored.key:
        yield FileOperation(stored.key)
    if stored.upload is not None:
        yield FileOperation(stored.staging_key)
