from __future__ import annotations

import pytest

from nekonex.domain.matchmaking import Gathering, MatchmakingError, MatchmakingLimits, Refusal
from nekonex.domain.matchmaking.relations.invitations import Invitation, Invitations
from tests.support.matchmaking import World, refused, session


async def party(**limits: int) -> tuple[World, Invitations, int]:
    """Return a world where 1 owns a gathering that 2 takes part in too, but not 3 and 4."""
    world = World(limits=MatchmakingLimits(**limits))
    one, two, *_ = world.consoles(4)
    made = await world.create(one, session(flags=0x010))
    await world.join(two, made.gid)
    return world, world.matchmaking.invitations, made.gid


async def test_invitations_are_seen_on_both_sides() -> None:
    _, invitations, gid = await party()
    await invitations.invite(1, gid, [3, 4, 3], "come")
    await invitations.invite(2, gid, [5], "too")
    first, second = (Invitation(gid, 1, guest, "come") for guest in (3, 4))
    assert invitations.sent(1, gid) == [first, second]
    assert invitations.sent(2, gid) == [Invitation(gid, 2, 5, "too")]
    assert invitations.received(3) == [first]
    assert invitations.received(1) == []
    assert invitations.sent(1, 77) == []


async def test_invitations_are_answered_once() -> None:
    _, invitations, gid = await party()
    await invitations.invite(1, gid, [3], "")
    invitations.check_invited(3, gid)
    invitations.answer(3, gid)
    for check in (invitations.check_invited, invitations.answer):
        for guest, where in ((3, gid), (4, gid), (3, 77)):
            with pytest.raises(MatchmakingError) as caught:
                check(guest, where)
            assert caught.value.refusal is Refusal.NOT_ALLOWED
    assert not invitations._by_gathering
    assert not invitations._by_player


async def test_who_invites_takes_back_its_own_invitations() -> None:
    _, invitations, gid = await party()
    await invitations.invite(1, gid, [3, 4], "")
    await invitations.invite(2, gid, [5], "")
    invitations.cancel(1, gid, [3, 5, 99])
    assert [each.guest for each in invitations.sent(1, gid)] == [4]
    assert [each.guest for each in invitations.sent(2, gid)] == [5]
    invitations.cancel(1, 77, [4])


async def test_a_guest_has_one_invitation_to_a_gathering() -> None:
    _, invitations, gid = await party()
    await invitations.invite(1, gid, [3], "a")
    await invitations.invite(2, gid, [3], "b")
    assert invitations.received(3) == [Invitation(gid, 2, 3, "b")]
    assert invitations.sent(1, gid) == []


async def test_who_may_invite_takes_part_or_owns() -> None:
    world, invitations, gid = await party()
    assert await refused(invitations.invite(3, gid, [4], "")) is Refusal.NOT_ALLOWED
    assert await refused(invitations.invite(1, 77, [4], "")) is Refusal.UNKNOWN_GATHERING
    assert await refused(invitations.invite(1, gid, [4], "x" * 257)) is Refusal.INVALID
    console = world.connect(3)
    mine = await world.service.create(console, Gathering())
    await invitations.invite(3, mine.gid, [4], "x" * 256)
    assert [each.gid for each in invitations.received(4)] == [mine.gid]


async def test_only_so_many_are_invited() -> None:
    _, invitations, gid = await party(max_invitations=3)
    assert await refused(invitations.invite(1, gid, [3, 4, 5, 6], "")) is Refusal.TOO_MANY
    assert invitations.sent(1, gid) == []
    await invitations.invite(1, gid, [3, 4], "")
    await invitations.invite(2, gid, [3, 4, 5], "")
    assert await refused(invitations.invite(1, gid, [6], "")) is Refusal.TOO_MANY
    assert len(invitations.sent(2, gid)) == 3


async def test_invitations_end_with_the_gathering() -> None:
    world, invitations, gid = await party()
    other = await world.create(world.connect(9))
    await invitations.invite(1, gid, [3, 4], "")
    await invitations.invite(9, other.gid, [3], "")
    await world.service.unregister(1, [gid])
    assert [each.gid for each in invitations.received(3)] == [other.gid]
    assert invitations.received(4) == []


async def test_invitations_end_with_the_connection_of_either() -> None:
    world, invitations, gid = await party()
    await invitations.invite(1, gid, [3, 4], "")
    await invitations.invite(2, gid, [5, 2], "")
    third = world.players.newest(3)
    assert third is not None
    world.players.unregister(third.connection_id)
    await world.matchmaking.player_gone(3, third.connection_id)
    assert [each.guest for each in invitations.sent(1, gid)] == [4]
    second = world.players.newest(2)
    assert second is not None
    world.players.unregister(second.connection_id)
    await world.matchmaking.player_gone(2, second.connection_id)
    assert invitations.received(5) == []
    assert [each.guest for each in invitations.sent(1, gid)] == [4]


async def test_received_invitations_are_in_order() -> None:
    world = World()
    consoles = world.consoles(3)
    made = [await world.create(each) for each in consoles]
    for owner, each in reversed(list(enumerate(made, 1))):
        await world.matchmaking.invitations.invite(owner, each.gid, [9], "")
    received = world.matchmaking.invitations.received(9)
    assert [each.gid for each in received] == sorted(each.gid for each in made)
