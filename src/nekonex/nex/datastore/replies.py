"""What methods of the data store answer that have more than one value to give."""

from __future__ import annotations

from typing import NamedTuple

from nekonex.nex.structures import (
    DataStoreMetaInfo,
    DataStoreNotification,
    DataStoreNotificationV1,
    DataStorePasswordInfo,
    DataStorePersistenceInfo,
    DataStoreRatingInfo,
    DataStoreRatingInfoWithSlot,
    DataStoreRatingLog,
    DataStoreReqGetAdditionalMeta,
    DataStoreReqGetInfo,
)
from nekonex.values import Result

__all__ = [
    "GetInfosReply",
    "GetMetasReply",
    "MetasReply",
    "NotificationsReply",
    "NotificationsV1Reply",
    "ObjectOrMetaBinaryReply",
    "PasswordsReply",
    "PersistencesReply",
    "PostedRatingsReply",
    "RatedReply",
    "RatingWithLogReply",
    "RatingsReply",
]


class GetMetasReply(NamedTuple):
    """What is known of objects, and whether it may be known."""

    info: list[DataStoreMetaInfo]
    results: list[Result]


class MetasReply(NamedTuple):
    """The same; the two methods name it differently."""

    infos: list[DataStoreMetaInfo]
    results: list[Result]


class NotificationsV1Reply(NamedTuple):
    """News, and whether there are more; objects have 32 bits."""

    result: list[DataStoreNotificationV1]
    has_next: bool


class NotificationsReply(NamedTuple):
    """News, and whether there are more."""

    result: list[DataStoreNotification]
    has_next: bool


class RatingsReply(NamedTuple):
    """All ratings of objects, and whether they may be known."""

    ratings: list[list[DataStoreRatingInfoWithSlot]]
    results: list[Result]


class RatingWithLogReply(NamedTuple):
    """A rating, and the caller's part of it."""

    rating: DataStoreRatingInfo
    log: DataStoreRatingLog


class RatedReply(NamedTuple):
    """Ratings after the caller's, and whether it was counted."""

    infos: list[DataStoreRatingInfo]
    results: list[Result]


class PostedRatingsReply(NamedTuple):
    """The same; the two methods name it differently."""

    ratings: list[DataStoreRatingInfo]
    results: list[Result]


class PersistencesReply(NamedTuple):
    """What slots keep, and whether they keep anything."""

    infos: list[DataStorePersistenceInfo]
    results: list[Result]


class ObjectOrMetaBinaryReply(NamedTuple):
    """Where the file of an object is, and its meta binary."""

    get_info: DataStoreReqGetInfo
    additional_meta: DataStoreReqGetAdditionalMeta


class PasswordsReply(NamedTuple):
    """The passwords of objects, and whether they may be known."""

    infos: list[DataStorePasswordInfo]
    results: list[Result]


class GetInfosReply(NamedTuple):
    """Where the files of objects are, and whether that may be known."""

    infos: list[DataStoreReqGetInfo]
    results: list[Result]
