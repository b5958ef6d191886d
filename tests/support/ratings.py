"""Objects that are rated, and who rates them."""

from __future__ import annotations

from typing import Any

from nekonex.domain.datastore.callers import Caller
from nekonex.domain.datastore.drafts import Draft
from nekonex.domain.datastore.model import Rating, RatingRules
from nekonex.domain.datastore.refusals import DataStoreError
from nekonex.domain.datastore.requests import GivenRating, RatingTarget
from tests.support.datastore import Shop, draft

__all__ = ["OTHER", "OWNER", "RATER", "comment", "outcomes", "post", "rate", "rating", "slots"]

OWNER, RATER, OTHER = 10, 20, 30


def slots(*numbers: int, **rules: Any) -> tuple[tuple[int, RatingRules], ...]:
    """Return rating slots with the same rules."""
    return tuple((number, RatingRules(**rules)) for number in numbers or (0,))


async def post(shop: Shop, owner: int = OWNER, **fields: Any) -> int:
    """Post an object with one slot, 0, if nothing else is said."""
    return await shop.post_meta(owner, **{"rating_rules": slots(), **fields})


async def rate(
    shop: Shop, pid: int, data_id: int, value: int = 1, *, slot: int = 0, password: int = 0
) -> Rating:
    target, given = RatingTarget(data_id, slot), GivenRating(value, password)
    return await shop.data.ratings.rate(Caller(pid), target, given)


async def rating(shop: Shop, data_id: int, slot: int = 0, pid: int = OWNER) -> Rating:
    return await shop.data.ratings.get(Caller(pid), RatingTarget(data_id, slot))


def comment(**fields: Any) -> Draft:
    """Return the draft of an object without a file."""
    return draft(**{"size": 0, "flags": 0, **fields})


def outcomes(results: list[Any]) -> list[Any]:
    """Return totals and refusals."""
    return [each.refusal if isinstance(each, DataStoreError) else each.total for each in results]
