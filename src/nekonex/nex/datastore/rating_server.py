"""The part of the data store's server that rates objects."""

from __future__ import annotations

from nekonex.domain.datastore.model import Rating
from nekonex.nex.datastore.definition import DataStore
from nekonex.nex.datastore.errors import results_of
from nekonex.nex.datastore.from_wire import draft_of, rating_of, rating_target_of
from nekonex.nex.datastore.replies import (
    PostedRatingsReply,
    RatedReply,
    RatingsReply,
    RatingWithLogReply,
)
from nekonex.nex.datastore.servant import DataStoreServant
from nekonex.nex.datastore.to_wire import log_to_wire, rating_to_wire, ratings_to_wire
from nekonex.nex.structures import (
    DataStorePreparePostParam,
    DataStoreRateObjectParam,
    DataStoreRatingInfo,
    DataStoreRatingTarget,
)
from nekonex.rmc import Session
from nekonex.values import Result
from nekonex.wire import UInt64

__all__ = ["RatingServer"]


class RatingServer(DataStoreServant, DataStore):
    """Takes ratings, and says what they come to."""

    # -- rating ---------------------------------------------------------------------------

    async def rate_object(
        self,
        client: Session,
        target: DataStoreRatingTarget,
        param: DataStoreRateObjectParam,
        fetch_ratings: bool,
    ) -> DataStoreRatingInfo:
        """Rate an object; the reply is zeros if the ratings are not to be fetched."""
        rating = await self.datastore.ratings.rate(
            self.caller_of(client), rating_target_of(target), rating_of(param)
        )
        return _rated(rating, fetch=fetch_ratings)

    async def rate_objects(
        self,
        client: Session,
        targets: list[DataStoreRatingTarget],
        param: list[DataStoreRateObjectParam],
        transactional: bool,
        fetch_ratings: bool,
    ) -> RatedReply:
        """Rate objects, each in its own way or all in one; transactional means all or none."""
        outcomes = await self.datastore.ratings.rate_many(
            self.caller_of(client),
            [rating_target_of(each) for each in targets],
            [rating_of(each) for each in param],
            transactional=transactional,
        )
        infos = [_rated(each, fetch=fetch_ratings) for each in outcomes]
        return RatedReply(infos, results_of(outcomes))

    async def rate_object_with_posting(
        self,
        client: Session,
        target: DataStoreRatingTarget,
        rate_param: DataStoreRateObjectParam,
        post_param: DataStorePreparePostParam,
        fetch_ratings: bool,
    ) -> DataStoreRatingInfo:
        """Rate an object and post one without a file: both, or neither."""
        rating = await self.datastore.ratings.rate_with_posting(
            self.caller_of(client),
            rating_target_of(target),
            rating_of(rate_param),
            draft_of(post_param),
        )
        return _rated(rating, fetch=fetch_ratings)

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
        outcomes = await self.datastore.ratings.rate_many_with_posting(
            self.caller_of(client),
            [rating_target_of(each) for each in targets],
            [rating_of(each) for each in rate_param],
            [draft_of(each) for each in post_param],
            transactional=transactional,
        )
        infos = [_rated(each, fetch=fetch_ratings) for each in outcomes]
        return PostedRatingsReply(infos, results_of(outcomes))

    # -- asking ---------------------------------------------------------------------------

    async def get_rating(
        self, client: Session, target: DataStoreRatingTarget, access_password: UInt64
    ) -> DataStoreRatingInfo:
        """Return a rating of an object."""
        rating = await self.datastore.ratings.get(
            self.caller_of(client), rating_target_of(target), access_password
        )
        return rating_to_wire(rating)

    async def get_ratings(
        self, client: Session, data_ids: list[UInt64], access_password: UInt64
    ) -> RatingsReply:
        """Return all ratings of objects."""
        found = await self.datastore.ratings.get_many(
            self.caller_of(client), data_ids, access_password
        )
        ratings = [[] if isinstance(each, Exception) else ratings_to_wire(each) for each in found]
        return RatingsReply(ratings, results_of(found))

    async def get_rating_with_log(
        self, client: Session, target: DataStoreRatingTarget, access_password: UInt64
    ) -> RatingWithLogReply:
        """Return a rating of an object, and how the caller rated."""
        caller = self.caller_of(client)
        rating, log = await self.datastore.ratings.with_log(
            caller, rating_target_of(target), access_password
        )
        return RatingWithLogReply(rating_to_wire(rating), log_to_wire(caller.pid, log))

    # -- beginning anew -------------------------------------------------------------------

    async def reset_rating(
        self, client: Session, target: DataStoreRatingTarget, update_password: UInt64
    ) -> None:
        """Begin a rating of an object anew."""
        await self.datastore.ratings.reset(
            self.caller_of(client), rating_target_of(target), update_password
        )

    async def reset_ratings(
        self, client: Session, data_ids: list[UInt64], transactional: bool
    ) -> list[Result]:
        """Begin all ratings of objects anew; transactional means all of them or none."""
        outcomes = await self.datastore.ratings.reset_many(
            self.caller_of(client), data_ids, transactional=transactional
        )
        return results_of(outcomes)


def _rated(outcome: object, *, fetch: bool) -> DataStoreRatingInfo:
    """Return a rating after the caller's; zeros if it was refused or is not wanted."""
    return (
        rating_to_wire(outcome) if fetch and isinstance(outcome, Rating) else DataStoreRatingInfo()
    )
