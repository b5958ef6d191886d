"""How objects come about, get their contents, and go: pure functions."""

from __future__ import annotations

from dataclasses import replace

from nekonex.domain.datastore.drafts import Draft
from nekonex.domain.datastore.model import (
    Flag,
    Level,
    Status,
    StoredObject,
    Upload,
)
from nekonex.domain.datastore.ports import FileOperation, Outcome, Release
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.rules.lifetimes import expiry, release
from nekonex.domain.datastore.rules.rating import first_rating
from nekonex.domain.datastore.rules.settling import removals

__all__ = [
    "begin_post",
    "begin_update",
    "completes_itself",
    "deletion",
    "draw_up",
    "drop_update",
    "first_status",
    "later_status",
    "needs_completion",
    "only_friends",
    "publication",
    "releasing",
    "replacement",
    "to_notify",
]


def draw_up(draft: Draft, *, owner: int, data_id: int, now: int) -> StoredObject:
    """Return the object that a draft describes, which is not complete and has no key yet."""
    return StoredObject(
        owner=owner,
        data_id=data_id,
        name=draft.name,
        data_type=draft.data_type,
        meta_binary=draft.meta_binary,
        access=draft.access,
        update=draft.update,
        flags=draft.flags,
        period=draft.period,
        refer_data_id=draft.refer_data_id,
        tags=draft.tags,
        slot=draft.slot,
        replaces=draft.delete_last_object,
        created=now,
        updated=now,
        referred=now,
        ratings=tuple(
            first_rating(slot, rules)
            for slot, rules in sorted(draft.rating_rules, key=lambda each: each[0])
        ),
    )


def begin_post(stored: StoredObject, size: int) -> StoredObject:
    """Let a new object wait for its content."""
    return replace(stored, upload=Upload(stored.version, size, stored.created))


def first_status(flags: int, *, review: bool) -> int:
    """Return the status of new content; ``review`` is whether anybody reviews at all."""
    return Status.PENDING if review and flags & Flag.NEEDS_REVIEW else Status.NORMAL


def later_status(stored: StoredObject, *, review: bool) -> int:
    """Return the status of an object with new content: what was approved is not there any more.

    Content that was rejected stays so where nobody reviews it again.
    """
    pending = first_status(stored.flags, review=review)
    return stored.status if pending == Status.NORMAL else pending


def completes_itself(stored: StoredObject) -> bool:
    """Tell whether an object is complete as soon as its content is there.

    The protocol has it complete at once. But what is not there yet must not be seen.
    """
    return not stored.complete and stored.upload is not None and not needs_completion(stored.flags)


def needs_completion(flags: int) -> bool:
    """Tell whether whoever posts an object is going to say that its content is there."""
    return bool(flags & Flag.NEEDS_COMPLETION)


def publication(stored: StoredObject, now: int, notify: tuple[int, ...] = ()) -> Outcome:
    """Complete a new object: from now on it is there, in its slot, and its period begins."""
    upload = stored.upload
    after = replace(
        stored,
        complete=True,
        upload=None,
        created=now,
        updated=now,
        referred=now,
        expires=expiry(stored, now),
    )
    files: tuple[FileOperation, ...] = ()
    if upload is not None and stored.has_file:
        after = replace(after, size=upload.size, version=upload.version)
        files = (FileOperation(stored.staging_key, stored.key),)
    return Outcome(after, releasing(now, delete=stored.replaces), files, notify)


def begin_update(stored: StoredObject, size: int, now: int) -> Outcome:
    """Let an object wait for new content. What it waited for so far is not wanted any more.

    The version is one that was not given to whoever began the earlier update, so that neither can
    complete the other's.
    """
    files: tuple[FileOperation, ...] = ()
    version = stored.version
    if stored.upload is not None:
        files = (FileOperation(stored.staging_key),)
        version = max(version, stored.upload.version)
    return Outcome(replace(stored, upload=Upload(version + 1, size, now)), files=files)


def replacement(
    stored: StoredObject, now: int, status: int, notify: tuple[int, ...] = ()
) -> Outcome:
    """Let the content that an object waited for take the place of that which it has.

    Its period begins anew, as that of an object whose update time is set.
    """
    upload = stored.upload
    if upload is None:
        raise DataStoreError(Refusal.NOT_ALLOWED, f"object {stored.data_id} is not updated")
    after = replace(
        stored,
        size=upload.size,
        version=upload.version,
        upload=None,
        status=status,
        updated=now,
        expires=expiry(stored, now),
    )
    return Outcome(after, files=(FileOperation(stored.staging_key, stored.key),), notify=notify)


def drop_update(stored: StoredObject) -> Outcome:
    """Let an object wait for nothing: what it has, it keeps."""
    if stored.upload is None:
        return Outcome(stored)
    return Outcome(replace(stored, upload=None), files=(FileOperation(stored.staging_key),))


def deletion(stored: StoredObject) -> Outcome:
    """Delete an object, with its files."""
    return Outcome(None, files=tuple(removals(stored)) if stored.has_file else ())


def releasing(now: int, *, delete: bool) -> Release | None:
    """Return what becomes of the object whose slot is taken: it is deleted, or only loses it."""
    return None if delete else lambda holder: release(holder, now)


def to_notify(stored: StoredObject, flag: int) -> tuple[int, ...]:
    """Return whom an object's poster wanted to hear of it when what the flag means happens.

    That is who may see it by name; where only friends of its owner may, friends have to be found
    among them.
    """
    if not stored.flags & flag or stored.access.level not in {
        Level.SPECIFIED,
        Level.SPECIFIED_FRIENDS,
    }:
        return ()
    return tuple(dict.fromkeys(pid for pid in stored.access.recipients if pid != stored.owner))


def only_friends(stored: StoredObject) -> bool:
    """Tell whether only friends of its owner may see an object, of those who are named."""
    return stored.access.level == Level.SPECIFIED_FRIENDS
