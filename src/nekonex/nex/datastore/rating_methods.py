"""The methods of the data store that rate objects.

Methods and fields as in NintendoClients' ``datastore.py``.
"""

from __future__ import annotations

from nekonex.nex.datastore.replies import (
    PostedRatingsReply,
    RatedReply,
    RatingsReply,
    RatingWithLogReply,
)
from nekonex.nex.structures import (
    DataStorePreparePostParam,
    DataStoreRateObjectParam,
    DataStoreRatingInfo,
    DataStoreRatingTarget,
)
from nekonex.rmc import Protocol, Session, method
from nekonex.values import Result
from nekonex.wire import UInt64

__all__ = ["RatingMethods"]


class RatingMethods(Protocol):
    """Methods of `DataStore`: ratings, alone and together with an object that is posted."""

    @method(15)
    async def rate_object(
        self,
        client: Session,
        target: DataStoreRatingTarget,
        param: DataStoreRateObjectParam,
        fetch_ratings: bool,
    ) -> DataStoreRatingInfo:
        """Rate an object; the reply is zeros if the ratings are not to be fetched."""
        raise NotImplementedError

    @method(16)
    async def get_rating(
        self, client: Session, target: DataStoreRatingTarget, access_password: UInt64
    ) -> DataStoreRatingInfo:
        """Ask for a rating of an object."""
        raise NotImplementedError

    @method(17)
    async def get_ratings(
        self, client: Session, data_ids: list[UInt64], access_password: UInt64
    ) -> RatingsReply:
        """Ask for all ratings of objects."""
        raise NotImplementedError

    @method(18)
    async def reset_rating(
        self, client: Session, target: DataStoreRatingTarget, update_password: UInt64
    ) -> None:
        """Begin a rating of an object anew."""
        raise NotImplementedError

    @method(19)
    async def reset_ratings(
        self, client: Session, data_ids: list[UInt64], transactional: bool
    ) -> list[Result]:
        """Begin all ratings of objects anew; transactional means all of them or none."""
        raise NotImplementedError

    @method(23)
    async def get_rating_with_log(
        self, client: Session, target: DataStoreRatingTarget, access_password: UInt64
    ) -> RatingWithLogReply:
        """Ask for a rating of an object, and how the caller rated."""
        raise NotImplementedError

    @method(40)
    async def rate_objects(
        self,
        client: Session,
        targets: list[DataStoreRatingTarget],
        param: list[DataStoreRateObjectParam],
        transactional: bool,
        fetch_ratings: bool,
    ) -> RatedReply:
        """Rate objects, each in its own way or all in one; transactional means all or none."""
        raise NotImplementedError

    @method(43)
    async def rate_object_with_posting(
        self,
        client: Session,
        target: DataStoreRatingTarget,
        rate_param: DataStoreRateObjectParam,
        post_param: DataStorePreparePostParam,
        fetch_ratings: bool,
    ) -> DataStoreRatingInfo:
        """Rate an object and post one without a file."""
        raise NotImplementedError

    @method(44)
    async def rate_objects_with_posting(
        self,
        client: Session,
        targets: list[DataStoreRatingTarget],
        rate_param: list[DataStoreRateObjectParam],
        post_param: list[DataStorePreparePostParam],
        transactional: bool,
        fetch_ratings: bool,
    ) -> PostedRatingsReply:
        """Rate objects and post as many without files; transactional means all or none."""
        raise NotImplementedError
