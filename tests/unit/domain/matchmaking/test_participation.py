from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.domain.matchmaking import (
    Community,
    Gathering,
    GatheringFlag,
    MatchmakeSession,
    MatchmakingError,
    Outcome,
    Participant,
    Refusal,
)
from nekonex.domain.matchmaking.notices import Event, about
from nekonex.domain.matchmaking.rules.participation import join, leave, lose_owner, vanish
from tests.support.matchmaking import STAYS

GID = 0x40000007
PERSISTENT, MIGRATE, LEAVES, EMPTY = 0x001, 0x010, 0x040, 0x080
ALL, REPRODUCIBLY = 0x400, 0x800

Told = tuple[list[int], Event, int, int, int, str]
"""Recipients, event, source, second and third parameter, text."""


def told(outcome: Outcome[Any]) -> list[Told]:
    """Return the notices of an outcome, all of which are about the gathering."""
    assert all(notice.notification.param1 == GID for notice in outcome.notices)
    return [
        (
            list(notice.recipients),
            Event(notice.notification.kind),
            notice.notification.source_pid,
            notice.notification.param2,
            notice.notification.param3,
            notice.notification.text,
        )
        for notice in outcome.notices
    ]


def gathering(
    pids: Sequence[int],
    flags: int = 0,
    *,
    owner: int = 1,
    host: int = 1,
    kind: type[Gathering] = Gathering,
    **fields: Any,
) -> Gathering:
    participants = tuple(Participant(pid, pid + 100) for pid in pids)
    known = {"gid": GID, "owner": owner, "host": host, "flags": flags, **fields}
    return kind(participants=participants, **known)


def arriving(pid: int, count: int = 1, message: str = "hi") -> Participant:
    return Participant(pid, pid + 100, count, message)


def nobody(participant: Participant) -> bool:
    return False


def everybody(pid: int) -> bool:
    return True


def coming(
    before: Gathering, *arrivals: Participant, caller: int | None = None, returning: Any = nobody
) -> Outcome[Gathering]:
    caller = arrivals[0].pid if caller is None else caller
    return join(before, arrivals, caller=caller, returning=returning)


def left(outcome: Outcome[Gathering]) -> Gathering:
    assert outcome.after is not None
    return outcome.after


# -- joining ---------------------------------------------------------------------------


def test_the_owner_alone_is_told_who_joined() -> None:
    outcome = coming(gathering([1, 2]), arriving(3, 2))

    assert left(outcome).pids == (1, 2, 3)
    assert told(outcome) == [([1], Event.JOINED, 3, 3, 4, "hi")]


@pytest.mark.parametrize("flags", [0, PERSISTENT, MIGRATE, EMPTY, 0x200])
def test_nobody_is_told_that_the_owner_joined(flags: int) -> None:
    assert told(coming(gathering([2], flags), arriving(1))) == []


def test_all_are_told_who_joined_and_so_is_who_joined() -> None:
    assert told(coming(gathering([1, 2], ALL), arriving(3))) == [
        ([1, 2, 3], Event.JOINED, 3, 3, 3, "hi")
    ]


def test_all_are_told_that_the_owner_joined() -> None:
    assert told(coming(gathering([2], ALL), arriving(1))) == [([2, 1], Event.JOINED, 1, 1, 2, "hi")]


@pytest.mark.parametrize("flags", [REPRODUCIBLY, REPRODUCIBLY | ALL])
def test_reproducibly_who_joined_is_told_who_is_there(flags: int) -> None:
    assert told(coming(gathering([1, 2], flags), arriving(3))) == [
        ([1, 2, 3], Event.JOINED, 3, 3, 3, "hi"),
        ([3], Event.JOINED, 3, 1, 3, "hi"),
        ([3], Event.JOINED, 3, 2, 3, "hi"),
    ]


def test_the_additional_are_told_who_brought_them_where() -> None:
    outcome = coming(gathering([1]), arriving(2), arriving(3), arriving(4))

    assert told(outcome) == [
        ([3], Event.SWITCH_GATHERING, 2, 3, 0, ""),
        ([4], Event.SWITCH_GATHERING, 2, 4, 0, ""),
        ([1], Event.JOINED, 2, 2, 4, "hi"),
        ([1], Event.JOINED, 3, 3, 4, "hi"),
        ([1], Event.JOINED, 4, 4, 4, "hi"),
    ]


def test_reproducibly_those_who_come_together_are_told_of_each_other() -> None:
    outcome = coming(gathering([1], REPRODUCIBLY), arriving(2), arriving(3))
    assert [each for each in told(outcome) if each[1] is Event.JOINED] == [
        ([1, 2, 3], Event.JOINED, 2, 2, 3, "hi"),
        ([2], Event.JOINED, 2, 1, 3, "hi"),
        ([1, 2, 3], Event.JOINED, 3, 3, 3, "hi"),
        ([3], Event.JOINED, 3, 1, 3, "hi"),
        ([3], Event.JOINED, 3, 2, 3, "hi"),
    ]


def test_who_is_in_already_may_bring_others() -> None:
    outcome = coming(gathering([1, 2], ALL), arriving(3), caller=2)

    assert left(outcome).pids == (1, 2, 3)
    assert told(outcome) == [
        ([3], Event.SWITCH_GATHERING, 2, 3, 0, ""),
        ([1, 2, 3], Event.JOINED, 3, 3, 3, "hi"),
    ]


def test_who_is_in_already_may_bring_nobody() -> None:
    before = gathering([1, 2], ALL)
    assert coming(before, caller=2) == Outcome(before)
    empty_headed = gathering([1, 2], EMPTY, host=0)
    assert coming(empty_headed, caller=2) == Outcome(empty_headed)


@pytest.mark.parametrize(("places", "fits"), [(4, True), (3, False), (0, True)])
def test_all_arrivals_fit_in_or_none_comes(places: int, fits: bool) -> None:
    before = gathering([1], max_participants=places)
    if fits:
        assert left(coming(before, arriving(2, 2), arriving(3))).places_taken == 4
    else:
        with pytest.raises(MatchmakingError) as caught:
            coming(before, arriving(2, 2), arriving(3))
        assert caught.value.refusal is Refusal.FULL


def test_a_gathering_that_shrank_below_its_participants_is_full() -> None:
    with pytest.raises(MatchmakingError) as caught:
        coming(gathering([1, 2], max_participants=1), arriving(3))
    assert caught.value.refusal is Refusal.FULL


@pytest.mark.parametrize("arrivals", [[2], [3, 2], [3, 3]])
def test_nobody_joins_twice(arrivals: list[int]) -> None:
    with pytest.raises(MatchmakingError) as caught:
        coming(gathering([1, 2]), *[arriving(pid) for pid in arrivals])
    assert caught.value.refusal is Refusal.ALREADY_PARTICIPATING


def test_who_lost_the_connection_takes_part_with_the_new_one() -> None:
    before = gathering([1, 2, 3], ALL, max_participants=4)
    again = Participant(2, 500, 2, "back")

    outcome = coming(before, again, returning=lambda known: known.connection_id == 102)

    after = left(outcome)
    assert after.participants == (Participant(1, 101), Participant(3, 103), again)
    assert told(outcome) == [([1, 3, 2], Event.JOINED, 2, 2, 4, "back")]


def test_who_comes_back_with_more_players_needs_the_room() -> None:
    before = gathering([1, 2, 3], max_participants=4)
    with pytest.raises(MatchmakingError) as caught:
        coming(before, Participant(2, 500, 3), returning=lambda known: known.pid == 2)
    assert caught.value.refusal is Refusal.FULL


def test_a_host_who_comes_back_is_host() -> None:
    outcome = coming(gathering([1, 2]), Participant(1, 500), returning=lambda known: known.pid == 1)
    assert (left(outcome).owner, left(outcome).host) == (1, 1)


def test_who_comes_into_an_empty_gathering_becomes_host() -> None:
    assert left(coming(gathering([], EMPTY, host=0), arriving(5), arriving(6))).host == 5


def test_nobody_hosts_a_community() -> None:
    before = gathering([], kind=Community, host=0)
    assert left(coming(before, arriving(5))).host == 0


# -- leaving ---------------------------------------------------------------------------


@pytest.mark.parametrize("event", [Event.ENDED, Event.CANCELLED])
@pytest.mark.parametrize(
    ("flags", "recipients"), [(0, [1]), (ALL, [1, 3]), (REPRODUCIBLY, [1, 3]), (MIGRATE, [1])]
)
def test_the_owner_or_all_others_are_told_who_left(
    flags: int, recipients: list[int], event: Event
) -> None:
    outcome = leave(
        gathering([1, 2, 3], flags), 2, online=everybody, event=event, message="so long"
    )

    assert left(outcome).pids == (1, 3)
    assert told(outcome) == [(recipients, event, 2, 2, 0, "so long")]


def test_who_does_not_take_part_cannot_leave() -> None:
    with pytest.raises(MatchmakingError) as caught:
        leave(gathering([1, 2]), 3, online=everybody)
    assert caught.value.refusal is Refusal.NOT_PARTICIPATING


def test_all_places_of_a_console_become_free() -> None:
    before = gathering([1], max_participants=4)
    before = left(coming(before, arriving(2, 3)))
    assert before.places_free == 0
    assert left(leave(before, 2, online=everybody)).places_free == 3


@pytest.mark.parametrize("flags", [0, MIGRATE, ALL, MIGRATE | REPRODUCIBLY])
def test_the_last_one_ends_the_gathering_and_nobody_is_told(flags: int) -> None:
    assert leave(gathering([1], flags), 1, online=everybody) == Outcome(None)
    assert leave(gathering([2], flags), 2, online=everybody) == Outcome(None)


@pytest.mark.parametrize("flags", [0, ALL, 0x200])
def test_without_migration_the_gathering_ends_with_its_owner(flags: int) -> None:
    outcome = leave(gathering([1, 2, 3], flags, host=2), 1, online=everybody, message="bye")

    assert outcome.after is None
    assert told(outcome) == [([2, 3], Event.UNREGISTERED, 1, 0, 0, "")]


def test_the_oldest_participant_becomes_owner() -> None:
    outcome = leave(gathering([1, 2, 3], MIGRATE, host=3), 1, online=everybody, message="bye")

    assert (left(outcome).owner, left(outcome).host) == (2, 3)
    assert told(outcome) == [
        ([2, 3], Event.OWNER_CHANGED, 1, 2, 0, ""),
        ([2], Event.ENDED, 1, 1, 0, "bye"),
    ]


def test_an_owner_who_is_host_hands_over_both() -> None:
    outcome = leave(gathering([1, 2, 3], MIGRATE | ALL), 1, online=everybody, message="bye")

    assert (left(outcome).owner, left(outcome).host) == (2, 2)
    assert told(outcome) == [
        ([2, 3], Event.OWNER_CHANGED, 1, 2, 0, ""),
        ([2, 3], Event.HOST_CHANGED, 1, 0, 0, ""),
        ([2, 3], Event.ENDED, 1, 1, 0, "bye"),
    ]


def test_the_oldest_who_is_connected_becomes_owner() -> None:
    after = left(leave(gathering([1, 2, 3], MIGRATE), 1, online=lambda pid: pid == 3))
    assert (after.owner, after.host) == (3, 3)


def test_the_oldest_becomes_owner_if_nobody_is_connected() -> None:
    after = left(leave(gathering([1, 2, 3], MIGRATE), 1, online=lambda _: False))
    assert (after.owner, after.host) == (2, 2)


def test_the_owner_becomes_host_when_the_host_leaves() -> None:
    outcome = leave(gathering([2, 3, 1], owner=1, host=2), 2, online=everybody)

    assert (left(outcome).owner, left(outcome).host) == (1, 1)
    assert told(outcome) == [
        ([3, 1], Event.HOST_CHANGED, 2, 0, 0, ""),
        ([1], Event.ENDED, 2, 2, 0, ""),
    ]


def test_the_oldest_becomes_host_if_the_owner_does_not_take_part() -> None:
    outcome = leave(gathering([2, 3, 4], owner=1, host=2), 2, online=lambda pid: pid != 3)

    assert (left(outcome).owner, left(outcome).host) == (1, 4)
    assert told(outcome)[-1] == ([1], Event.ENDED, 2, 2, 0, "")


@pytest.mark.parametrize("flags", [PERSISTENT, EMPTY, PERSISTENT | MIGRATE | ALL, EMPTY | ALL])
def test_nobody_is_told_who_left_what_may_be_empty(flags: int) -> None:
    """The owner stays what it is, but joiners need a host who is there."""
    outcome = leave(gathering([1, 2, 3], flags), 1, online=everybody)
    assert told(outcome) == []
    after = left(outcome)
    assert (after.pids, after.owner, after.host) == ((2, 3), 1, 2)

    after = left(leave(after, 2, online=everybody))
    after = left(leave(after, 3, online=everybody))
    assert (after.pids, after.owner, after.host) == ((), 1, 0)


def test_a_community_stays_without_a_host_when_members_leave() -> None:
    before = gathering([1, 2], PERSISTENT, kind=Community, host=0)
    assert left(leave(before, 2, online=everybody)).host == 0


# -- vanishing -------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("flags", "recipients"), [(0, [1]), (LEAVES, [1]), (ALL, [1, 3]), (REPRODUCIBLY, [1, 3])]
)
def test_who_vanished_is_gone_without_a_word(flags: int, recipients: list[int]) -> None:
    outcome = vanish(gathering([1, 2, 3], flags), 2, online=everybody)

    assert left(outcome).pids == (1, 3)
    assert told(outcome) == [(recipients, Event.DISCONNECTED, 2, 2, 0, "")]


def test_a_vanished_owner_and_host_hands_over_both() -> None:
    outcome = vanish(gathering([1, 2, 3], MIGRATE | ALL), 1, online=lambda pid: pid != 1)

    assert (left(outcome).owner, left(outcome).host) == (2, 2)
    assert told(outcome) == [
        ([2, 3], Event.OWNER_CHANGED, 1, 2, 0, ""),
        ([2, 3], Event.HOST_CHANGED, 1, 0, 0, ""),
        ([2, 3], Event.DISCONNECTED, 1, 1, 0, ""),
    ]


def test_a_vanished_owner_ends_what_does_not_migrate() -> None:
    outcome = vanish(gathering([1, 2]), 1, online=lambda pid: pid != 1)
    assert outcome.after is None
    assert told(outcome) == [([2], Event.UNREGISTERED, 1, 0, 0, "")]


def test_a_persistent_gathering_keeps_who_vanished() -> None:
    before = gathering([1, 2], PERSISTENT | LEAVES | ALL)
    assert vanish(before, 2, online=lambda pid: pid != 2) == Outcome(before)


def test_a_persistent_gathering_keeps_no_host_who_vanished() -> None:
    """Nothing else would ever bring it back among what is found."""
    before = gathering([1, 2, 3], PERSISTENT)
    outcome = vanish(before, 1, online=lambda pid: pid == 3)
    assert outcome == Outcome(replace(before, host=3))

    outcome = vanish(left(outcome), 3, online=lambda _: False)
    assert outcome == Outcome(replace(before, host=0))

    back = coming(left(outcome), Participant(2, 500), returning=lambda _: True)
    assert left(back).host == 2


def test_a_gathering_that_may_be_empty_does_not_keep_who_vanished() -> None:
    outcome = vanish(gathering([1], EMPTY), 1, online=lambda _: False)
    assert (left(outcome).pids, left(outcome).owner, left(outcome).host) == ((), 1, 0)
    assert told(outcome) == []


@pytest.mark.parametrize(("flags", "stays"), [(0, True), (EMPTY, True), (LEAVES, False)])
def test_members_stay_in_a_community_unless_its_flags_forbid(flags: int, stays: bool) -> None:
    before = gathering([1, 2], flags, kind=Community, host=0)
    outcome = vanish(before, 2, online=lambda pid: pid != 2)
    assert (2 in left(outcome).pids) is stays


def test_a_persistent_community_keeps_its_members_whatever_else_is_set() -> None:
    before = gathering([1, 2], PERSISTENT | LEAVES, kind=Community, host=0)
    assert vanish(before, 2, online=lambda pid: pid != 2) == Outcome(before)


def test_who_does_not_take_part_cannot_vanish() -> None:
    with pytest.raises(MatchmakingError) as caught:
        vanish(gathering([1]), 2, online=everybody)
    assert caught.value.refusal is Refusal.NOT_PARTICIPATING


# -- an owner who never joined -----------------------------------------------------------


def test_what_its_owner_registered_and_nobody_joined_ends_with_it() -> None:
    assert lose_owner(gathering([]), 1, online=everybody) == Outcome(None)
    assert lose_owner(gathering([], MIGRATE), 1, online=everybody) == Outcome(None)


def test_an_owner_who_never_joined_hands_over() -> None:
    outcome = lose_owner(gathering([2, 3], MIGRATE), 1, online=everybody)
    assert (left(outcome).owner, left(outcome).host) == (2, 2)
    assert told(outcome) == [
        ([2, 3], Event.OWNER_CHANGED, 1, 2, 0, ""),
        ([2, 3], Event.HOST_CHANGED, 1, 0, 0, ""),
    ]


def test_an_owner_who_never_joined_and_is_not_host_hands_over() -> None:
    outcome = lose_owner(gathering([2, 3], MIGRATE, host=3), 1, online=everybody)
    assert (left(outcome).owner, left(outcome).host) == (2, 3)
    assert told(outcome) == [([2, 3], Event.OWNER_CHANGED, 1, 2, 0, "")]


def test_an_owner_who_never_joined_ends_what_does_not_migrate() -> None:
    outcome = lose_owner(gathering([2, 3]), 1, online=everybody)
    assert outcome.after is None
    assert told(outcome) == [([2, 3], Event.UNREGISTERED, 1, 0, 0, "")]


@pytest.mark.parametrize("flags", [0, MIGRATE, PERSISTENT, EMPTY])
def test_owners_who_take_part_and_others_are_left_alone(flags: int) -> None:
    before = gathering([1, 2], flags)
    assert lose_owner(before, 1, online=everybody) == Outcome(before)
    before = gathering([2], flags, owner=2, host=2)
    assert lose_owner(before, 1, online=everybody) == Outcome(before)


@pytest.mark.parametrize("flags", [PERSISTENT, EMPTY])
@pytest.mark.parametrize(("pids", "host"), [([], 0), ([2, 3], 2)])
def test_what_may_be_empty_keeps_an_owner_who_is_gone_but_not_as_host(
    flags: int, pids: list[int], host: int
) -> None:
    before = gathering(pids, flags)
    assert lose_owner(before, 1, online=everybody) == Outcome(replace(before, host=host))


def test_the_text_of_a_notification_is_cut() -> None:
    notice = about(Event.ENDED, gathering([1]), [1], source=2, text="x" * 257)
    assert notice.notification.text == "x" * 256


# -- whatever happens ------------------------------------------------------------------

PIDS = st.integers(1, 6)
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["join", "leave", "vanish", "lose owner"]),
        st.lists(PIDS, min_size=1, max_size=3, unique=True),
        st.integers(1, 3),
    ),
    max_size=25,
)
FLAGS = st.lists(st.sampled_from(list(GatheringFlag))).map(lambda flags: sum(set(flags)))


@given(
    STEPS,
    FLAGS,
    st.integers(0, 8),
    st.sampled_from([Gathering, MatchmakeSession, Community]),
    st.sets(PIDS),
)
def test_a_gathering_stays_in_order_whatever_happens(
    steps: list[tuple[str, list[int], int]],
    flags: int,
    places: int,
    kind: type[Gathering],
    offline: set[int],
) -> None:
    current: Gathering | None = gathering([1], flags, kind=kind, max_participants=places)
    if kind is Community:
        current = replace(gathering([1], flags, kind=kind, max_participants=places), host=0)

    def online(pid: int) -> bool:
        return pid not in offline

    for what, pids, count in steps:
        if current is None:
            return
        before = current
        try:
            if what == "join":
                arrivals = [arriving(pid, count) for pid in pids]
                outcome = join(before, arrivals, caller=pids[0], returning=nobody)
            elif what == "leave":
                outcome = leave(before, pids[0], online=online)
            elif what == "vanish":
                outcome = vanish(before, pids[0], online=online)
            else:
                outcome = lose_owner(before, pids[0], online=online)
        except MatchmakingError:
            continue
        current = outcome.after
        in_order(before, outcome)


def in_order(before: Gathering, outcome: Outcome[Gathering]) -> None:
    after = outcome.after
    present = set(before.pids) | set(after.pids if after else ())
    for notice in outcome.notices:
        assert set(notice.recipients) <= present | {before.owner}
        assert len(set(notice.recipients)) == len(notice.recipients)
        assert notice.notification.param1 == before.gid
    if after is None:
        assert not before.has(STAYS)
        return
    assert (after.gid, after.flags) == (before.gid, before.flags)
    assert len(set(after.pids)) == len(after.pids)
    assert not after.max_participants or after.places_taken <= after.max_participants
    assert sum(each.count for each in after.participants) == after.places_taken
    if isinstance(after, Community):
        assert after.host == 0
    elif not after.has(STAYS):
        assert after.host in after.pids
        assert after.owner in after.pids
    else:
        assert after.host in (*after.pids, 0)
        assert after.owner == before.owner
