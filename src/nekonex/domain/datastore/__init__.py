"""The data store: what players post for others.

`service.DataStore` is its front; what an object is says `model`, and what may become of it the
pure functions in `rules`, which the stores of `ports` apply.
"""

from nekonex.domain.datastore.callers import (
    Caller,
    ObjectDownload,
    ObjectTarget,
    Passwords,
    Posted,
    Update,
)
from nekonex.domain.datastore.drafts import Compare, Draft, MetaChange, MetaComparison, Modify
from nekonex.domain.datastore.hooks import DataStoreHooks
from nekonex.domain.datastore.keys import ObjectKeys
from nekonex.domain.datastore.limits import DataStoreLimits
from nekonex.domain.datastore.model import (
    ANY_TYPE,
    NO_SLOT,
    Flag,
    Level,
    LockType,
    Permission,
    Rating,
    RatingFlag,
    RatingInternalFlag,
    RatingLog,
    RatingRules,
    Status,
    StoredObject,
)
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.requests import (
    CountType,
    Found,
    GivenRating,
    NotificationUrl,
    RatingTarget,
    SearchRequest,
)
from nekonex.domain.datastore.service import DataStore
from nekonex.domain.datastore.services.shelf import DataStoreRules

__all__ = [
    "ANY_TYPE",
    "NO_SLOT",
    "Caller",
    "Compare",
    "CountType",
    "DataStore",
    "DataStoreError",
    "DataStoreHooks",
    "DataStoreLimits",
    "DataStoreRules",
    "Draft",
    "Flag",
    "Found",
    "GivenRating",
    "Level",
    "LockType",
    "MetaChange",
    "MetaComparison",
    "Modify",
    "NotificationUrl",
    "ObjectDownload",
    "ObjectKeys",
    "ObjectTarget",
    "Passwords",
    "Permission",
    "Posted",
    "Rating",
    "RatingFlag",
    "RatingInternalFlag",
    "RatingLog",
    "RatingRules",
    "RatingTarget",
    "Refusal",
    "SearchRequest",
    "Status",
    "StoredObject",
    "Update",
]
