"""Data store (protocol 115)."""

from nekonex.nex.datastore.definition import DataStore
from nekonex.nex.datastore.errors import REFUSAL_NAMES, error_of
from nekonex.nex.datastore.replies import (
    GetInfosReply,
    GetMetasReply,
    MetasReply,
    NotificationsReply,
    NotificationsV1Reply,
    ObjectOrMetaBinaryReply,
    PasswordsReply,
    PersistencesReply,
    PostedRatingsReply,
    RatedReply,
    RatingsReply,
    RatingWithLogReply,
)
from nekonex.nex.datastore.server import DataStoreServer

__all__ = [
    "REFUSAL_NAMES",
    "DataStore",
    "DataStoreServer",
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
    "error_of",
]
