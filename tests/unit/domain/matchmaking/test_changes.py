from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.domain.matchmaking import (
    Community,
    GatheringFlag,
    MatchmakeSession,
    MatchmakingError,
    Outcome,
    Participant,
    Refusal,
)
from nekonex.domain.matchmaking.notices import Event
from nekonex.domain.matchmaking.rules import changes as c

GID = 0x40000009
WITH_HOST = GatheringFlag.CHANGE_OWNER_WITH_HOST

SESSION = MatchmakeSession(
    gid=GID, owner=1, host=1, participants=tuple(Participant(pid, pid + 100) for pid in (1, 2, 3))
)
COMMUNITY = Community(gid=7, owner=1, participants=(Participant(1), Participant(2)))


def told(outcome: Outcome[Any]) -> list[tuple[list[int], Event, int, int, int, str]]:
    return [
        (
            list(notice.recipients),
            Event(notice.notification.kind),
            notice.notification.source_pid,
            notice.notification.param1,
            notice.notification.param2,
            notice.notification.text,
        )
        for notice in outcome.notices
    ]


def everybody(pid: int) -> bool:
    return True


def refusal(call: Callable[[], object]) -> Refusal:
    with pytest.raises(MatchmakingError) as caught:
        call()
    return caught.value.refusal


@pytest.mark.parametrize(
    "change",
    [
        lambda: c.unregister(SESSION, 2),
        lambda: c.update(SESSION, 2, lambda _: {"description": "mine"}),
        lambda: c.set_system_password(SESSION, 2, "x"),
        lambda: c.launch(SESSION, 2, "prudp:/"),
        lambda: c.migrate_owner(SESSION, 2, [3], participants_only=True, online=everybody),
    ],
)
def test_only_the_owner_may(change: Callable[[], object]) -> None:
    assert refusal(change) is Refusal.NOT_OWNER


@pytest.mark.parametrize(
    "change",
    [
        lambda: c.set_session_url(SESSION, 4, "prudp:/"),
        lambda: c.change_host(SESSION, 4, and_owner=None),
        lambda: c.take_ownership(replace(SESSION, flags=WITH_HOST), 4),
        lambda: c.add_local_urls(SESSION, 4, ["prudp:/"]),
    ],
)
def test_only_participants_may(change: Callable[[], object]) -> None:
    assert refusal(change) is Refusal.NOT_ALLOWED


def test_all_are_told_that_a_gathering_is_gone() -> None:
    outcome = c.unregister(SESSION, 1)
    assert outcome.after is None
    assert told(outcome) == [([1, 2, 3], Event.UNREGISTERED, 1, GID, 0, "")]


def test_an_owner_who_does_not_take_part_may_unregister() -> None:
    outcome = c.unregister(replace(SESSION, owner=9), 9)
    assert told(outcome) == [([1, 2, 3], Event.UNREGISTERED, 9, GID, 0, "")]


def test_an_update_is_told_to_nobody() -> None:
    outcome = c.update(SESSION, 1, lambda old: {"game_mode": old.game_mode + 5})
    assert outcome == Outcome(replace(SESSION, game_mode=5))


@pytest.mark.parametrize("index", [0, 5])
def test_one_attribute_changes(index: int) -> None:
    changed = c.set_attribute(SESSION, index, 77)
    assert changed == {"attributes": tuple(77 if at == index else 0 for at in range(6))}


@pytest.mark.parametrize("index", [-1, 6, 0xFFFFFFFF])
def test_there_are_six_attributes(index: int) -> None:
    assert refusal(lambda: c.set_attribute(SESSION, index, 77)) is Refusal.INVALID_INDEX


def test_all_are_told_the_system_password_and_that_there_is_none() -> None:
    outcome = c.set_system_password(SESSION, 1, "s3cret")
    assert outcome.after == replace(SESSION, system_password="s3cret")
    assert told(outcome) == [([1, 2, 3], Event.SYSTEM_PASSWORD_SET, 1, GID, 0, "s3cret")]

    assert outcome.after is not None
    outcome = c.set_system_password(outcome.after, 1, "")
    assert outcome.after == SESSION
    assert told(outcome) == [([1, 2, 3], Event.SYSTEM_PASSWORD_CLEARED, 1, GID, 0, "")]


def test_all_but_the_owner_are_told_that_the_session_is_launched() -> None:
    outcome = c.launch(SESSION, 1, "prudp:/address=1")
    assert outcome.after == replace(SESSION, state=c.STARTED, session_url="prudp:/address=1")
    assert told(outcome) == [([2, 3], Event.SESSION_LAUNCHED, 1, GID, 0, "")]


def test_who_says_where_the_session_is_becomes_host() -> None:
    outcome = c.set_session_url(SESSION, 2, "prudp:/address=2")
    assert outcome == Outcome(replace(SESSION, host=2, session_url="prudp:/address=2"))


def test_a_new_host_is_not_where_the_old_one_was() -> None:
    launched = replace(SESSION, session_url="prudp:/address=1")
    assert c.change_host(launched, 1, and_owner=None) == Outcome(launched)
    assert c.change_host(launched, 2, and_owner=None) == Outcome(replace(SESSION, host=2))


@pytest.mark.parametrize("and_owner", [None, False])
def test_a_new_host_does_not_own_unless_the_flags_permit(and_owner: bool | None) -> None:
    outcome = c.change_host(SESSION, 2, and_owner=and_owner)
    assert outcome == Outcome(replace(SESSION, host=2))


def test_a_new_host_cannot_ask_to_own_unless_the_flags_permit() -> None:
    assert refusal(lambda: c.change_host(SESSION, 2, and_owner=True)) is Refusal.INVALID_OPERATION


@pytest.mark.parametrize("and_owner", [None, True])
def test_a_new_host_owns_if_the_flags_permit(and_owner: bool | None) -> None:
    flagged = replace(SESSION, flags=int(WITH_HOST))
    outcome = c.change_host(flagged, 2, and_owner=and_owner)
    assert outcome.after == replace(flagged, host=2, owner=2)
    assert told(outcome) == [([1, 2, 3], Event.OWNER_CHANGED, 2, GID, 2, "")]


def test_a_new_host_need_not_own() -> None:
    flagged = replace(SESSION, flags=int(WITH_HOST))
    assert c.change_host(flagged, 2, and_owner=False) == Outcome(replace(flagged, host=2))


def test_a_participant_takes_the_ownership_if_the_flags_permit() -> None:
    assert refusal(lambda: c.take_ownership(SESSION, 2)) is Refusal.INVALID_OPERATION
    flagged = replace(SESSION, flags=int(WITH_HOST))
    outcome = c.take_ownership(flagged, 2)
    assert outcome.after == replace(flagged, owner=2)
    assert told(outcome) == [([1, 2, 3], Event.OWNER_CHANGED, 1, GID, 2, "")]


def test_the_first_candidate_who_is_connected_becomes_owner() -> None:
    outcome = c.migrate_owner(
        SESSION, 1, [9, 3, 2], participants_only=True, online=lambda pid: pid == 2
    )
    assert outcome.after == replace(SESSION, owner=2)
    assert told(outcome) == [([1, 2, 3], Event.OWNER_CHANGED, 1, GID, 2, "")]

    outcome = c.migrate_owner(SESSION, 1, [9, 3], participants_only=False, online=everybody)
    assert outcome.after == replace(SESSION, owner=9)


@pytest.mark.parametrize(
    ("candidates", "participants_only"), [([], False), ([], True), ([9], True)]
)
def test_without_a_candidate_nobody_becomes_owner(
    candidates: list[int], participants_only: bool
) -> None:
    found = refusal(
        lambda: c.migrate_owner(
            SESSION, 1, candidates, participants_only=participants_only, online=everybody
        )
    )
    assert found is Refusal.NOT_PARTICIPATING


def test_candidates_who_are_offline_do_not_become_owner() -> None:
    found = refusal(
        lambda: c.migrate_owner(SESSION, 1, [2, 3], participants_only=True, online=lambda _: False)
    )
    assert found is Refusal.OFFLINE


def test_a_registrant_who_hands_over_hosts_no_more() -> None:
    """Nobody would notice when it vanishes: it neither owns the gathering nor takes part."""
    registered = replace(SESSION, owner=9, host=9, flags=int(WITH_HOST))
    for outcome in (
        c.migrate_owner(registered, 9, [2], participants_only=True, online=everybody),
        c.take_ownership(registered, 2),
    ):
        assert outcome.after == replace(registered, owner=2, host=2)
        assert told(outcome) == [
            ([1, 2, 3], Event.OWNER_CHANGED, 9, GID, 2, ""),
            ([1, 2, 3], Event.HOST_CHANGED, 9, GID, 0, ""),
        ]


@pytest.mark.parametrize(
    "change",
    [
        lambda: c.launch(COMMUNITY, 1, "prudp:/"),
        lambda: c.set_session_url(COMMUNITY, 1, "prudp:/"),
        lambda: c.change_host(COMMUNITY, 2, and_owner=None),
        lambda: c.take_ownership(replace(COMMUNITY, flags=WITH_HOST), 2),
    ],
)
def test_a_community_is_hosted_by_nobody(change: Callable[[], object]) -> None:
    assert refusal(change) is Refusal.INVALID_OPERATION


def test_the_owner_of_a_community_hands_over() -> None:
    outcome = c.migrate_owner(COMMUNITY, 1, [2], participants_only=True, online=everybody)
    assert outcome.after == replace(COMMUNITY, owner=2)


def test_the_last_local_urls_of_a_participant_are_kept() -> None:
    urls = [f"prudp:/port={port}" for port in range(c.MAX_LOCAL_URLS)]
    outcome = c.add_local_urls(SESSION, 2, urls)
    assert outcome.after is not None
    assert [each.local_urls for each in outcome.after.participants] == [(), tuple(urls), ()]

    outcome = c.add_local_urls(outcome.after, 2, [urls[1], "prudp:/port=99"])
    assert outcome.after is not None
    kept = (*urls[2:], urls[1], "prudp:/port=99")
    assert outcome.after.participants[1].local_urls == kept
    assert outcome.notices == ()


def test_nobody_is_reached_through_a_community_or_without_taking_part() -> None:
    assert c.add_local_urls(COMMUNITY, 2, ["prudp:/"]) == Outcome(COMMUNITY)
    hosted = replace(SESSION, owner=9, host=9)
    assert c.add_local_urls(hosted, 9, ["prudp:/"]) == Outcome(hosted)


@given(
    st.lists(
        st.tuples(st.integers(0, 4), st.integers(1, 4), st.sampled_from([None, True, False])),
        max_size=20,
    ),
    st.sampled_from([0, 0x200, 0x400, 0x600]),
    st.sets(st.integers(1, 4)),
)
def test_whoever_heads_a_gathering_takes_part(
    steps: list[tuple[int, int, bool | None]], flags: int, offline: set[int]
) -> None:
    current = replace(SESSION, flags=flags)
    for what, pid, choice in steps:
        try:
            outcome = changed(current, what, pid, choice, offline)
        except MatchmakingError:
            continue
        assert outcome.after is not None
        kinds = [notice.notification.kind for notice in outcome.notices]
        assert kinds in ([], [Event.OWNER_CHANGED])
        current = outcome.after
        assert {current.owner, current.host} <= set(current.pids)
        assert current.pids == SESSION.pids


def changed(
    old: MatchmakeSession, what: int, pid: int, choice: bool | None, offline: set[int]
) -> Outcome[MatchmakeSession]:
    if what == 0:
        return c.change_host(old, pid, and_owner=choice)
    if what == 1:
        return c.take_ownership(old, pid)
    if what == 2:
        return c.set_session_url(old, pid, "")
    if what == 3:
        return c.migrate_owner(
            old,
            old.owner,
            [pid, 5],
            participants_only=True,
            online=lambda other: other not in offline,
        )
    return c.add_local_urls(old, pid, ["a", "b"])
