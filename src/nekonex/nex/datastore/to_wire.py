"""Stored objects and what belongs to them, as the structures that travel.

What a structure has no room for is cut so that a reply can always be sent: counts stop at their
largest number, and version numbers of 16 bits begin anew.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nekonex.domain.datastore.callers import ObjectDownload, Passwords, Posted, Update
from nekonex.domain.datastore.model import Permission, Rating, RatingLog, StoredObject
from nekonex.nex import structures as wire
from nekonex.values import DateTime

__all__ = [
    "NEVER_EXPIRES",
    "additional_meta_to_wire",
    "download_to_wire",
    "download_v1_to_wire",
    "key_values",
    "log_to_wire",
    "meta_to_wire",
    "passwords_to_wire",
    "persistence_to_wire",
    "post_to_wire",
    "post_v1_to_wire",
    "rating_to_wire",
    "ratings_to_wire",
    "specific_to_wire",
    "specific_v1_to_wire",
    "update_to_wire",
]

NEVER_EXPIRES: Final = DateTime.make(9999, 12, 31)
"""When an object expires that is in a persistence slot."""

_MAX_UINT16: Final = 0xFFFF
_MAX_UINT32: Final = 0xFFFFFFFF
_WITH_TAGS, _WITH_RATINGS, _WITH_META_BINARY, _WITH_RECIPIENTS = 1, 2, 4, 8


def meta_to_wire(stored: StoredObject, options: int) -> wire.DataStoreMetaInfo:
    """Return what is known of an object, and as much of it as the result options ask for."""
    recipients = bool(options & _WITH_RECIPIENTS)
    return wire.DataStoreMetaInfo(
        data_id=stored.data_id,
        owner_id=stored.owner,
        size=stored.size,
        name=stored.name,
        data_type=stored.data_type,
        meta_binary=stored.meta_binary if options & _WITH_META_BINARY else b"",
        permission=_permission_to_wire(stored.access, recipients=recipients),
        delete_permission=_permission_to_wire(stored.update, recipients=recipients),
        create_time=_date(stored.created),
        update_time=_date(stored.updated),
        period=stored.period,
        status=stored.status,
        referred_count=min(stored.referred_count, _MAX_UINT32),
        refer_data_id=stored.refer_data_id,
        flag=stored.flags,
        referred_time=_date(stored.referred),
        expire_time=NEVER_EXPIRES if stored.expires is None else _date(stored.expires),
        tags=list(stored.tags) if options & _WITH_TAGS else [],
        ratings=ratings_to_wire(stored.ratings) if options & _WITH_RATINGS else [],
    )


def specific_to_wire(stored: StoredObject) -> wire.DataStoreSpecificMetaInfo:
    """Return what tells whether a copy is still good."""
    return wire.DataStoreSpecificMetaInfo(
        data_id=stored.data_id,
        owner_id=stored.owner,
        size=stored.size,
        data_type=stored.data_type,
        version=stored.version & _MAX_UINT32,
    )


def specific_v1_to_wire(stored: StoredObject) -> wire.DataStoreSpecificMetaInfoV1:
    """Return the same; it was asked for by a number of 32 bits."""
    return wire.DataStoreSpecificMetaInfoV1(
        data_id=stored.data_id,
        owner_id=stored.owner,
        size=stored.size,
        data_type=stored.data_type,
        version=stored.version & _MAX_UINT16,
    )


def additional_meta_to_wire(stored: StoredObject) -> wire.DataStoreReqGetAdditionalMeta:
    """Return what of an object is not in its file."""
    return wire.DataStoreReqGetAdditionalMeta(
        owner_id=stored.owner,
        data_type=stored.data_type,
        version=stored.version & _MAX_UINT16,
        meta_binary=stored.meta_binary,
    )


def persistence_to_wire(stored: StoredObject, slot: int) -> wire.DataStorePersistenceInfo:
    """Return what a persistence slot keeps."""
    return wire.DataStorePersistenceInfo(stored.owner, slot, stored.data_id)


def passwords_to_wire(passwords: Passwords) -> wire.DataStorePasswordInfo:
    """Return the passwords of an object, for its owner."""
    return wire.DataStorePasswordInfo(passwords.data_id, passwords.access, passwords.update)


# -- files --------------------------------------------------------------------------------


def key_values(pairs: Iterable[tuple[str, str]]) -> list[wire.DataStoreKeyValue]:
    """Return headers or fields of a form."""
    return [wire.DataStoreKeyValue(key, value) for key, value in pairs]


def post_to_wire(posted: Posted) -> wire.DataStoreReqPostInfo:
    """Return how a new object is uploaded."""
    return wire.DataStoreReqPostInfo(
        data_id=posted.data_id,
        url=posted.form.url,
        headers=key_values(posted.form.headers),
        form=key_values(posted.form.fields),
        root_ca_cert=posted.form.root_ca_cert,
    )


def post_v1_to_wire(posted: Posted) -> wire.DataStoreReqPostInfoV1:
    """Return how a new object is uploaded, with a number of 32 bits."""
    return wire.DataStoreReqPostInfoV1(
        data_id=posted.data_id,
        url=posted.form.url,
        headers=key_values(posted.form.headers),
        form=key_values(posted.form.fields),
        root_ca_cert=posted.form.root_ca_cert,
    )


def update_to_wire(update: Update, *, wide: bool) -> wire.DataStoreReqUpdateInfo:
    """Return how new content is uploaded; ``wide`` if versions have 32 bits."""
    return wire.DataStoreReqUpdateInfo(
        version=update.version & (_MAX_UINT32 if wide else _MAX_UINT16),
        url=update.form.url,
        headers=key_values(update.form.headers),
        form=key_values(update.form.fields),
        root_ca_cert=update.form.root_ca_cert,
    )


def download_to_wire(found: ObjectDownload) -> wire.DataStoreReqGetInfo:
    """Return where the content of an object is."""
    return wire.DataStoreReqGetInfo(
        url=found.url,
        headers=key_values(found.headers),
        size=found.size,
        root_ca_cert=found.root_ca_cert,
        data_id=found.data_id,
    )


def download_v1_to_wire(found: ObjectDownload) -> wire.DataStoreReqGetInfoV1:
    """Return the same, as the first version has it."""
    return wire.DataStoreReqGetInfoV1(
        url=found.url,
        headers=key_values(found.headers),
        size=found.size,
        root_ca_cert=found.root_ca_cert,
    )


# -- ratings ------------------------------------------------------------------------------


def rating_to_wire(rating: Rating) -> wire.DataStoreRatingInfo:
    """Return what the raters made of a slot."""
    return wire.DataStoreRatingInfo(
        total_value=rating.total,
        count=min(rating.count, _MAX_UINT32),
        initial_value=rating.rules.initial_value,
    )


def ratings_to_wire(ratings: Iterable[Rating]) -> list[wire.DataStoreRatingInfoWithSlot]:
    """Return rating slots."""
    return [wire.DataStoreRatingInfoWithSlot(each.slot, rating_to_wire(each)) for each in ratings]


def log_to_wire(pid: int, log: RatingLog | None) -> wire.DataStoreRatingLog:
    """Return what a player gave a slot last; without a log, that it gave nothing: a value of -1."""
    if log is None:
        return wire.DataStoreRatingLog(
            is_rated=False, pid=pid, rating_value=-1, lock_expiration_time=DateTime.never()
        )
    return wire.DataStoreRatingLog(
        is_rated=True,
        pid=log.pid,
        rating_value=log.value,
        lock_expiration_time=_lock_end(log.locked_until),
    )


def _permission_to_wire(permission: Permission, *, recipients: bool) -> wire.DataStorePermission:
    return wire.DataStorePermission(
        permission.level, list(permission.recipients) if recipients else []
    )


def _date(seconds: int) -> DateTime:
    return DateTime.from_timestamp(seconds)


def _lock_end(seconds: int) -> DateTime:
    return DateTime.from_timestamp(seconds) if seconds else DateTime.never()
