"""Finding objects."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from nekonex.domain.datastore.callers import Caller
from nekonex.domain.datastore.limits import MAX_RATING_SLOTS, MAX_TAG, MAX_TAGS, DataStoreLimits
from nekonex.domain.datastore.model import ANY_TYPE, StoredObject
from nekonex.domain.datastore.ports import SearchPage
from nekonex.domain.datastore.query import (
    FIRST_AVERAGE_COLUMN,
    FIRST_TOTAL_COLUMN,
    ObjectQuery,
    OrderColumn,
    OwnerType,
    Target,
)
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.requests import RANDOM_OFFSET, CountType, Found, SearchRequest
from nekonex.domain.datastore.rules.validation import check_length
from nekonex.domain.datastore.services.shelf import Shelf

__all__ = ["SearchService", "check_request", "depends_on_friends", "query_of"]

_ORDERS: Final = frozenset(
    {
        *OrderColumn,
        *range(FIRST_TOTAL_COLUMN, FIRST_TOTAL_COLUMN + MAX_RATING_SLOTS),
        *range(FIRST_AVERAGE_COLUMN, FIRST_AVERAGE_COLUMN + MAX_RATING_SLOTS),
    }
)
_OF_FRIENDS: Final = frozenset(
    {Target.FRIENDS, Target.RECEIVED_SPECIFIED, Target.RECEIVED, Target.PUBLIC_OF_STRANGERS}
)


class SearchService:
    """Looks for objects that the caller may see. That there are none is no refusal."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def search(self, caller: Caller, request: SearchRequest) -> Found:
        """Return a range of what fits, or a sample, and how much fits.

        Raises DataStoreError: INVALID for what is out of bounds; RMCError; ServiceUnavailable.
        """
        shelf = self._shelf
        check_request(request, shelf.limits)
        # What the caller has just uploaded, and need not say more of, it finds at once.
        await shelf.complete_expected(caller.pid)
        friends: frozenset[int] = frozenset()
        if depends_on_friends(request):
            friends = await shelf.friends.friends_of(caller.pid)
        query = query_of(
            request, viewer=caller.pid, friends=friends, now=shelf.now(), limits=shelf.limits
        )
        page = await shelf.store.search(query)
        objects = [each for each in page.objects if await shelf.hooks.may_read(caller.pid, each)]
        return Found(objects, page.total, _count_type(request, page, objects))


def check_request(request: SearchRequest, limits: DataStoreLimits) -> None:
    """Refuse a search with anything out of bounds. Raises DataStoreError: INVALID."""
    _check("target", request.target, valid=request.target in {0, *Target})
    _check("owner type", request.owner_type, valid=request.owner_type in set(OwnerType))
    _check("order", request.order, valid=request.order in _ORDERS)
    _check("direction", request.descending, valid=request.descending in {0, 1})
    _check("number of results", request.limit, valid=0 <= request.limit <= limits.max_results)
    _check("offset", request.offset, valid=0 <= request.offset <= RANDOM_OFFSET)
    check_length("the list of owners", request.owners, limits.max_owners)
    check_length("the list of recipients", request.recipients, limits.max_owners)
    check_length("the list of data types", request.data_types, limits.max_data_types)
    check_length("the list of tags", request.tags, MAX_TAGS)
    for tag in request.tags:
        check_length("a tag", tag, MAX_TAG)


def depends_on_friends(request: SearchRequest) -> bool:
    """Tell whether what is found depends on who the searcher's friends are."""
    return request.target in _OF_FRIENDS or request.owner_type == OwnerType.FRIENDS


def query_of(
    request: SearchRequest,
    *,
    viewer: int,
    friends: frozenset[int],
    now: int,
    limits: DataStoreLimits,
) -> ObjectQuery:
    """Return what a store is asked for, of a request that was checked."""
    random = request.offset == RANDOM_OFFSET
    beyond = request.offset > limits.max_offset and not random
    types = frozenset(request.data_types) or frozenset({request.data_type})
    return ObjectQuery(
        viewer=viewer,
        now=now,
        friends=friends,
        target=request.target or Target.PUBLIC,
        owner_type=request.owner_type,
        owners=frozenset(request.owners),
        recipients=frozenset(request.recipients),
        data_types=frozenset() if ANY_TYPE in types else types,
        created_from=request.created_after,
        created_to=request.created_before,
        updated_from=request.updated_after,
        updated_to=request.updated_before,
        refer_data_id=request.refer_data_id,
        tags=frozenset(request.tags),
        minimum_ratings=request.minimum_ratings,
        order=request.order,
        descending=bool(request.descending),
        offset=0 if random or beyond else request.offset,
        limit=0 if beyond else request.limit,
        random=random,
        max_total=limits.max_counted if request.count else 0,
    )


def _count_type(
    request: SearchRequest, page: SearchPage, objects: Sequence[StoredObject]
) -> CountType:
    if not request.count:
        return CountType.DISABLED
    if len(objects) < len(page.objects):
        # The game hides some, and only those of this page were looked at.
        return CountType.ESTIMATE
    return CountType.EXACT if page.exact else CountType.MINIMUM


def _check(what: str, value: object, *, valid: bool) -> None:
    if not valid:
        raise DataStoreError(Refusal.INVALID, f"{what} {value}")
