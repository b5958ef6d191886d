"""Searches of objects: SQLite finds what the definition of a search says, in its order."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.domain.datastore.model import Level, Permission, Rating, RatingRules, StoredObject
from nekonex.domain.datastore.ports import ObjectStore, Outcome
from nekonex.domain.datastore.query import ObjectQuery, OrderColumn, OwnerType, Target
from tests.support.object_stores import ADAPTERS, PLENTY, Adapter, making

NOW = 1000
PIDS = [0, 2, 7, 2**32 - 1, 2**64 - 1]
TAGS = ["a", "b", "é", ""]
TYPES = [0, 7, 65534]
PUBLIC = Permission(Level.PUBLIC)
TIMES = [0, 5, 6, NOW, 2**40]

_pids = st.sampled_from(PIDS)
_permissions = st.builds(
    Permission, st.sampled_from(list(Level)), st.lists(_pids, max_size=3).map(tuple)
)
_rules = st.builds(RatingRules, initial_value=st.integers(-3, 3))


@st.composite
def _ratings(draw: st.DrawFn) -> tuple[Rating, ...]:
    slots = sorted(draw(st.sets(st.sampled_from([0, 1, 15]), max_size=3)))
    return tuple(
        Rating(slot, draw(_rules), draw(st.integers(-2, 2)), draw(st.integers(0, 3)))
        for slot in slots
    )


# Mostly of everybody's kind, so that searches find something.
_common = st.fixed_dictionaries(
    {
        "owner": _pids,
        "name": st.sampled_from(["", "a", "b", "é", "\U0001f431", "A"]),
        "data_type": st.sampled_from(TYPES),
        "size": st.integers(0, 3),
        "referred_count": st.integers(0, 2),
        "created": st.sampled_from(TIMES),
        "updated": st.sampled_from(TIMES),
        "expires": st.sampled_from([None, None, NOW + 1, NOW, NOW - 1]),
        "refer_data_id": st.sampled_from([0, 0, 5, 2**64 - 1]),
        "tags": st.lists(st.sampled_from(TAGS), unique=True, max_size=3).map(tuple),
        "ratings": _ratings(),
    }
)
_public = st.fixed_dictionaries(
    {"access": st.lists(_pids, max_size=2).map(lambda pids: Permission(Level.PUBLIC, tuple(pids)))}
)
_hidden = st.fixed_dictionaries(
    {
        "access": _permissions,
        "status": st.sampled_from([0, 0, 2, 5]),
        "complete": st.sampled_from([True, True, True, False]),
    }
)
_objects = st.lists(
    st.tuples(_common, _public | _hidden).map(lambda parts: {**parts[0], **parts[1]}),
    min_size=1,
    max_size=12,
)

_times = st.none() | st.sampled_from(TIMES)
_some_pids = st.frozensets(_pids, max_size=3)
_rarely_pids = st.just(frozenset[int]()) | _some_pids

_ORDERS = [*OrderColumn, 64, 65, 79, 80, 96, 111]

_ranges = {
    "viewer": _pids,
    "now": st.just(NOW),
    "order": st.sampled_from(_ORDERS),
    "descending": st.booleans(),
    "offset": st.sampled_from([0, 0, 1, 5]),
    "limit": st.sampled_from([0, 1, 3, 20]),
    "max_total": st.sampled_from([0, 1, 3, 100]),
    "data_types": st.frozensets(st.sampled_from([*TYPES, 9]), max_size=3),
}

_plain_queries = st.builds(
    ObjectQuery,
    **_ranges,
    target=st.sampled_from([Target.PUBLIC, Target.PUBLIC, Target.PUBLIC_OF_STRANGERS]),
    friends=_some_pids,
    minimum_ratings=st.sampled_from([0, 0, 4]),
)

_queries = st.builds(
    ObjectQuery,
    **_ranges,
    friends=_some_pids,
    target=st.sampled_from([Target.PUBLIC] * 8 + list(Target) + [0, 15]),
    owner_type=st.sampled_from([OwnerType.ANY, OwnerType.ANY, *OwnerType]),
    owners=_rarely_pids,
    recipients=st.sampled_from([frozenset(), frozenset(), frozenset({7}), frozenset({2, 7})]),
    created_from=st.none() | _times,
    created_to=st.none() | _times,
    updated_from=st.none() | _times,
    updated_to=st.none() | _times,
    refer_data_id=st.sampled_from([0, 0, 0, 5, 2**64 - 1]),
    tags=st.just(frozenset[str]()) | st.frozensets(st.sampled_from(TAGS), max_size=2),
    minimum_ratings=st.sampled_from([0, 0, 0, 1, 4]),
)


async def fill(store: ObjectStore, stored: Sequence[StoredObject]) -> None:
    await asyncio.gather(*[store.create(Outcome(each), PLENTY) for each in stored])


def expected(objects: Sequence[StoredObject], query: ObjectQuery) -> list[StoredObject]:
    """Return all that match, in their order: by the direction, equal ones by data id."""
    found = sorted([each for each in objects if query.matches(each)], key=lambda one: one.data_id)
    return sorted(found, key=lambda one: query.sort_key(one)[0], reverse=query.descending)


async def check(store: ObjectStore, objects: Sequence[StoredObject], query: ObjectQuery) -> None:
    found = expected(objects, query)
    page = await store.search(query)
    assert list(page.objects) == found[query.offset : query.offset + query.limit]
    assert page.total == min(len(found), query.max_total)
    if query.max_total:
        assert page.exact == (len(found) <= query.max_total)
    else:
        assert not page.exact
    sample = await store.search(replace(query, random=True))
    assert (sample.total, sample.exact) == (page.total, page.exact)
    ids = [each.data_id for each in sample.objects]
    assert len(set(ids)) == len(ids) == min(query.limit, len(found))
    assert all(each in found for each in sample.objects)
    if query.limit:
        pages = [
            await store.search(replace(query, offset=at))
            for at in range(0, len(found) + 1, query.limit)
        ]
        assert [each for one in pages for each in one.objects][: len(found)] == found


@pytest.mark.parametrize("way", ["few", "many"])
@settings(max_examples=20)
@given(
    objects=_objects,
    queries=st.lists(_queries, max_size=4),
    plain_queries=st.lists(_plain_queries, min_size=1, max_size=4),
)
async def test_a_search_finds_what_matches_in_its_order(
    way: str,
    objects: list[dict[str, Any]],
    queries: list[ObjectQuery],
    plain_queries: list[ObjectQuery],
) -> None:
    stored = [making(data_id=10 + 3 * at, **values) for at, values in enumerate(objects)]
    # What is otherwise done where there are thousands of objects.
    limits = {
        "object_search._FEW": 4096 if way == "few" else -1,
        "object_walk._MAX_REVERSED": 32 if way == "few" else 1,
        "object_walk._TYPES_TRIED": 8 if way == "few" else 1,
    }
    with TemporaryDirectory() as directory, pytest.MonkeyPatch.context() as patch:
        for name, value in limits.items():
            patch.setattr(f"nekonex.storage.sqlite.{name}", value)
        for adapter in ADAPTERS.values():
            async with adapter.open(Path(directory)) as store:
                await fill(store, stored)
                for query in [*queries, *plain_queries]:
                    await check(store, stored, query)


@pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=ADAPTERS)
async def test_samples_have_everything_in_time(adapter: Adapter, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        stored = [making(5, 10 + at, access=PUBLIC, data_type=at % 3) for at in range(30)]
        await fill(store, stored)
        query = ObjectQuery(viewer=7, now=NOW, random=True, limit=3)
        samples = [(await store.search(query)).objects for _ in range(100)]
        assert {each.data_id for one in samples for each in one} == {
            each.data_id for each in stored
        }
        assert len({tuple(each.data_id for each in one) for one in samples}) > 20
