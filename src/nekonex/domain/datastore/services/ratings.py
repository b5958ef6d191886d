"""Rating objects, and what their ratings come to."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from nekonex.domain.datastore.callers import Caller, ObjectTarget
from nekonex.domain.datastore.drafts import Draft
from nekonex.domain.datastore.model import Flag, Rating, RatingLog, StoredObject
from nekonex.domain.datastore.ports import (
    Change,
    Outcome,
    RatingChange,
    RatingOutcome,
    RatingRequest,
    RatingTransition,
    Transition,
)
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.requests import GivenRating, RatingTarget
from nekonex.domain.datastore.rules import permissions, rating, uploads
from nekonex.domain.datastore.rules.validation import check_batch
from nekonex.domain.datastore.services.making import ObjectMaker
from nekonex.domain.datastore.services.shelf import Shelf
from nekonex.events import ObjectRated

__all__ = ["RatingService"]

_T = TypeVar("_T")


class RatingService:
    """Methods raise DataStoreError, and then nothing has changed, RMCError, ServiceUnavailable.

    Rating, and seeing ratings, takes the permission to see an object: it raises NOT_FOUND,
    UNDER_REVIEW, NOT_PERMITTED and WRONG_PASSWORD, and NOT_FOUND for a slot that an object does
    not have. Many at once are transactional, which means all, or none and the first refusal is
    raised; or each is for itself, and what is returned has refusals in their places. INVALID is
    raised for too many.
    """

    def __init__(self, shelf: Shelf, maker: ObjectMaker) -> None:
        self._shelf = shelf
        self._maker = maker

    # -- rating ---------------------------------------------------------------------------

    async def rate(self, caller: Caller, target: RatingTarget, given: GivenRating) -> Rating:
        """Rate an object, and return what its slot comes to.

        Raises DataStoreError: INVALID for a value out of range, NOT_ALLOWED for its owner, if it
        may not, or by the game, LOCKED.
        """
        (rated,) = await self._rate_all([await self._request(caller, target, given)])
        return rated

    async def rate_many(
        self,
        caller: Caller,
        targets: Sequence[RatingTarget],
        given: Sequence[GivenRating],
        *,
        transactional: bool,
    ) -> list[Rating | DataStoreError]:
        """Rate objects, each as in its place, or all in the same way, as `rate` does.

        Raises INVALID for another number of ratings than of targets.
        """
        given = self._checked(targets, given)

        async def prepare(index: int) -> RatingRequest:
            return await self._request(caller, targets[index], given[index])

        if transactional:
            return [*await self._rate_all([await prepare(each) for each in range(len(targets))])]
        prepared = await _each(len(targets), prepare)
        rated = iter(await self._rate_each(_done(prepared)))
        return [each if isinstance(each, DataStoreError) else next(rated) for each in prepared]

    async def rate_with_posting(
        self, caller: Caller, target: RatingTarget, given: GivenRating, draft: Draft
    ) -> Rating:
        """Rate an object and post one without a file: both, or neither.

        Raises what `rate` and `PostingService.post_meta_binary` do.
        """
        (rated,) = await self._post([await self._posting(caller, target, given, draft)])
        return rated

    async def rate_many_with_posting(
        self,
        caller: Caller,
        targets: Sequence[RatingTarget],
        given: Sequence[GivenRating],
        drafts: Sequence[Draft],
        *,
        transactional: bool,
    ) -> list[Rating | DataStoreError]:
        """Rate objects as `rate_many` does, and post as many without files.

        What is not rated, for that nothing is posted, and the other way round.
        """
        given = self._checked(targets, given)
        if len(drafts) != len(targets):
            raise DataStoreError(Refusal.INVALID, f"{len(drafts)} drafts, {len(targets)} targets")

        async def prepare(index: int) -> RatingRequest:
            return await self._posting(caller, targets[index], given[index], drafts[index])

        if transactional:
            return [*await self._post([await prepare(each) for each in range(len(targets))])]

        # All are prepared first: what the game's hooks raise leaves nothing half done.
        prepared = await _each(len(targets), prepare)

        async def post(index: int) -> Rating:
            request = prepared[index]
            if isinstance(request, DataStoreError):
                raise request
            (rated,) = await self._post([request])
            return rated

        return await _each(len(targets), post)

    # -- asking ---------------------------------------------------------------------------

    async def get(self, caller: Caller, target: RatingTarget, password: int = 0) -> Rating:
        """Return what a slot comes to."""
        stored = await self._readable(caller, target.data_id, password)
        return rating.slot_of(stored, target.slot)

    async def get_many(
        self, caller: Caller, data_ids: Sequence[int], password: int = 0
    ) -> list[tuple[Rating, ...] | DataStoreError]:
        """Return all slots of objects that share a password, if any."""
        check_batch(data_ids, self._shelf.limits.max_batch)
        return [
            each if isinstance(each, DataStoreError) else each.ratings
            for each in await self._shelf.readable_many(caller, data_ids, password)
        ]

    async def with_log(
        self, caller: Caller, target: RatingTarget, password: int = 0
    ) -> tuple[Rating, RatingLog | None]:
        """Return what a slot comes to, and what the caller gave it last; None: nothing.

        Raises DataStoreError: NOT_ALLOWED for an object that has other slots.
        """
        stored = await self._readable(caller, target.data_id, password)
        found = rating.slot_of(stored, target.slot)
        if len(stored.ratings) > 1:
            raise DataStoreError(Refusal.NOT_ALLOWED, f"object {stored.data_id} has other slots")
        log = await self._shelf.store.rating_log(stored.data_id, target.slot, caller.pid)
        return found, log

    # -- beginning anew -------------------------------------------------------------------

    async def reset(self, caller: Caller, target: RatingTarget, password: int = 0) -> None:
        """Let nobody have rated a slot. Needs the update permission.

        Raises DataStoreError: NOT_ALLOWED for an object of the game itself.
        """
        stored = await self._shelf.find(ObjectTarget(target.data_id))
        request = await self._resetting(caller, stored, target.slot, password)
        await self._shelf.store.reset_ratings([request], together=True)

    async def reset_many(
        self, caller: Caller, data_ids: Sequence[int], *, transactional: bool
    ) -> list[DataStoreError | None]:
        """Let nobody have rated any slot of objects, as `reset`; return why not, of each."""
        check_batch(data_ids, self._shelf.limits.max_batch)
        found = await self._shelf.find_many(data_ids)

        async def prepare(index: int) -> tuple[int, Transition]:
            stored = found[index]
            if isinstance(stored, DataStoreError):
                raise stored
            return await self._resetting(caller, stored, None, 0)

        store = self._shelf.store
        if transactional:
            await store.reset_ratings(
                [await prepare(each) for each in range(len(found))], together=True
            )
            return [None] * len(found)
        prepared = await _each(len(found), prepare)
        changes = iter(await store.reset_ratings(_done(prepared), together=False))
        return [_refusal(each) or _refusal(next(changes)) for each in prepared]

    # -- how it is done -------------------------------------------------------------------

    async def _readable(self, caller: Caller, data_id: int, password: int) -> StoredObject:
        return await self._shelf.readable(caller, ObjectTarget(data_id), password)

    def _checked(
        self, targets: Sequence[RatingTarget], given: Sequence[GivenRating]
    ) -> Sequence[GivenRating]:
        """Return as many ratings as targets."""
        check_batch(targets, self._shelf.limits.max_small_batch)
        if len(given) == 1:
            return [given[0]] * len(targets)
        if len(given) != len(targets):
            raise DataStoreError(Refusal.INVALID, f"{len(given)} ratings, {len(targets)} targets")
        return given

    async def _request(
        self, caller: Caller, target: RatingTarget, given: GivenRating
    ) -> RatingRequest:
        """Return a rating to apply, after what can be checked now was."""
        stored = await self._readable(caller, target.data_id, given.password)
        rating.slot_of(stored, target.slot)
        if not await self._shelf.hooks.may_rate(caller.pid, stored, target.slot, given.value):
            raise DataStoreError(Refusal.NOT_ALLOWED, "the game does not permit it")
        transition = await self._rating(caller, stored, target.slot, given)
        return RatingRequest(stored.data_id, target.slot, caller.pid, transition)

    async def _rating(
        self, caller: Caller, stored: StoredObject, slot: int, given: GivenRating
    ) -> RatingTransition:
        """Return a transition that judges the object as it is when applied."""
        pid, now = caller.pid, self._shelf.now()
        friends = await self._shelf.friends_for(stored.access, stored.owner, pid)

        def transition(current: StoredObject, log: RatingLog | None) -> RatingOutcome:
            permissions.check_there(current, pid, now)
            permissions.check_access(current, pid, friends, given.password)
            return rating.rate(current, log, slot=slot, pid=pid, value=given.value, now=now)

        return transition

    async def _posting(
        self, caller: Caller, target: RatingTarget, given: GivenRating, draft: Draft
    ) -> RatingRequest:
        request = await self._request(caller, target, given)
        stored = await self._maker.meta_binary(caller, draft)
        notified = await self._shelf.recipients(stored, Flag.NOTIFY_ON_POST)
        post = uploads.publication(stored, self._shelf.now(), notified)
        return RatingRequest(request.data_id, request.slot, request.pid, request.transition, post)

    async def _rate_all(self, requests: Sequence[RatingRequest]) -> list[Rating]:
        changes = await self._shelf.store.rate_all(requests, self._shelf.quota)
        return self._tell(requests, changes)

    async def _rate_each(self, requests: Sequence[RatingRequest]) -> list[Rating | DataStoreError]:
        changes = await self._shelf.store.rate_each(requests, self._shelf.quota)
        done = [
            (request, change)
            for request, change in zip(requests, changes, strict=True)
            if isinstance(change, RatingChange)
        ]
        self._tell([request for request, _ in done], [change for _, change in done])
        return [each.rating if isinstance(each, RatingChange) else each for each in changes]

    async def _post(self, requests: Sequence[RatingRequest]) -> list[Rating]:
        """Rate and post, all of it or nothing."""
        shelf = self._shelf
        rated: list[Rating] = []
        news = [each.post for each in requests if each.post is not None]

        async def create(posts: Sequence[Outcome]) -> list[Change]:
            watched = [
                RatingRequest(each.data_id, each.slot, each.pid, each.transition, post)
                for each, post in zip(requests, posts, strict=True)
            ]
            changes = await shelf.store.rate_all(watched, shelf.quota)
            rated.extend(self._tell(requests, changes))
            return [each.posted for each in changes if each.posted is not None]

        if news:
            await shelf.ledger.create_by(news, create)
        return rated

    def _tell(
        self, requests: Sequence[RatingRequest], changes: Sequence[RatingChange]
    ) -> list[Rating]:
        """Tell of ratings that were committed, and return what their slots come to."""
        for request, change in zip(requests, changes, strict=True):
            self._shelf.events.publish(
                ObjectRated(
                    self._shelf.game,
                    request.data_id,
                    request.slot,
                    request.pid,
                    change.rating.total,
                )
            )
        return [change.rating for change in changes]

    async def _resetting(
        self, caller: Caller, stored: StoredObject, slot: int | None, password: int
    ) -> tuple[int, Transition]:
        transition = await self._shelf.guarded(
            caller, stored, password, lambda current: Outcome(rating.reset(current, slot))
        )
        return stored.data_id, transition


async def _each(number: int, do: Callable[[int], Awaitable[_T]]) -> list[_T | DataStoreError]:
    """Do something with each number below one, and return what comes of it, or the refusal."""
    results: list[_T | DataStoreError] = []
    for index in range(number):
        try:
            results.append(await do(index))
        except DataStoreError as error:
            results.append(error)
    return results


def _done(results: Sequence[_T | DataStoreError]) -> list[_T]:
    return [each for each in results if not isinstance(each, DataStoreError)]


def _refusal(result: object) -> DataStoreError | None:
    return result if isinstance(result, DataStoreError) else None
