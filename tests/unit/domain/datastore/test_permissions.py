from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.domain.datastore import (
    DataStoreError,
    Level,
    Permission,
    Refusal,
    Status,
    StoredObject,
)
from nekonex.domain.datastore.rules import permissions as p

OWNER, FRIEND, NAMED, BOTH, STRANGER = 1, 2, 3, 4, 5
FRIENDS = {FRIEND: {OWNER}, BOTH: {OWNER, NAMED}}
"""Who the owner is a friend of; friendship is mutual."""

STORED = StoredObject(
    owner=OWNER, data_id=1_000_000, complete=True, access_password=77, update_password=88
)


def permission(level: int) -> Permission:
    return Permission(level, (NAMED, BOTH))


def why_not(check: Callable[..., None], *args: Any) -> Refusal | None:
    try:
        check(*args)
    except DataStoreError as error:
        return error.refusal
    return None


@pytest.mark.parametrize(
    ("level", "admitted"),
    [
        (Level.PUBLIC, {OWNER, FRIEND, NAMED, BOTH, STRANGER}),
        (Level.FRIENDS, {OWNER, FRIEND, BOTH}),
        (Level.SPECIFIED, {OWNER, NAMED, BOTH}),
        (Level.PRIVATE, {OWNER}),
        (Level.SPECIFIED_FRIENDS, {OWNER, BOTH}),
        (5, {OWNER}),
    ],
)
def test_who_is_let_in(level: int, admitted: set[int]) -> None:
    everybody = (OWNER, FRIEND, NAMED, BOTH, STRANGER)
    stored = replace(STORED, access=permission(level), update=permission(level))
    for pid in everybody:
        friends = FRIENDS.get(pid, set())
        assert p.admits(permission(level), OWNER, pid, friends) is (pid in admitted)
        expected = None if pid in admitted else Refusal.NOT_PERMITTED
        assert why_not(p.check_access, stored, pid, friends) is expected
        assert why_not(p.check_update, stored, pid, friends) is expected


@pytest.mark.parametrize("level", Level)
def test_a_password_opens_what_its_permission_closes(level: int) -> None:
    stored = replace(STORED, access=permission(level), update=permission(level))
    assert why_not(p.check_access, stored, STRANGER, (), 77) is None
    assert why_not(p.check_update, stored, STRANGER, (), 88) is None
    wrong = None if level == Level.PUBLIC else Refusal.WRONG_PASSWORD
    assert why_not(p.check_access, stored, STRANGER, (), 88) is wrong
    assert why_not(p.check_update, stored, STRANGER, (), 77) is wrong


def test_the_owner_needs_no_password_and_a_wrong_one_does_not_matter() -> None:
    assert why_not(p.check_access, STORED, OWNER, (), 5) is None
    assert why_not(p.check_update, STORED, OWNER, (), 5) is None


def test_no_password_is_none_even_where_the_object_has_none() -> None:
    stored = replace(STORED, access_password=0)
    assert why_not(p.check_access, stored, STRANGER, (), 0) is Refusal.NOT_PERMITTED


@pytest.mark.parametrize(
    ("changes", "of_owner", "of_others"),
    [
        ({}, None, None),
        ({"complete": False}, Refusal.NOT_FOUND, Refusal.NOT_FOUND),
        ({"expires": 100}, Refusal.NOT_FOUND, Refusal.NOT_FOUND),
        ({"expires": 101}, None, None),
        ({"status": Status.PENDING}, None, Refusal.UNDER_REVIEW),
        ({"status": Status.REJECTED}, None, Refusal.NOT_FOUND),
        ({"status": 1}, None, Refusal.NOT_FOUND),
        ({"status": Status.PENDING, "expires": 99}, Refusal.NOT_FOUND, Refusal.NOT_FOUND),
    ],
)
def test_what_is_there(
    changes: dict[str, Any], of_owner: Refusal | None, of_others: Refusal | None
) -> None:
    stored = replace(STORED, **changes)
    assert why_not(p.check_there, stored, OWNER, 100) is of_owner
    assert why_not(p.check_there, stored, STRANGER, 100) is of_others


@pytest.mark.parametrize(
    "changes", [{"data_id": 900_000}, {"data_id": 999_999}, {"owner": 2, "data_id": 2_000_000}]
)
def test_objects_of_the_game_are_not_changed_even_by_who_posted_them(
    changes: dict[str, Any],
) -> None:
    stored = replace(STORED, update=Permission(Level.PUBLIC), **changes)
    for pid in (stored.owner, STRANGER):
        assert why_not(p.check_update, stored, pid, (), 88) is Refusal.NOT_ALLOWED
    for data_id in (899_999, 1_000_000):
        assert why_not(p.check_changeable, replace(STORED, data_id=data_id)) is None


@given(
    level=st.sampled_from(Level),
    pid=st.integers(1, 4),
    recipients=st.lists(st.integers(1, 4), max_size=3),
    friends=st.frozensets(st.integers(1, 4)),
)
def test_friends_are_asked_for_exactly_where_they_make_a_difference(
    level: int, pid: int, recipients: list[int], friends: frozenset[int]
) -> None:
    checked = Permission(level, tuple(recipients))
    without = p.admits(checked, OWNER, pid, ())
    if not p.depends_on_friends(checked, OWNER, pid):
        assert p.admits(checked, OWNER, pid, friends) is without
    else:
        assert p.admits(checked, OWNER, pid, {OWNER}) is not without
