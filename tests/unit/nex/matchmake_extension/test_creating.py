"""Creating sessions, and joining those that are known by their gid."""

from __future__ import annotations

import pytest

from nekonex.domain import Notification
from nekonex.domain.matchmaking import MatchmakingLimits
from nekonex.nex.matchmake_extension import MatchmakeExtension, MatchmakeExtensionServer
from nekonex.nex.structures import (
    Gathering,
    MatchmakeParam,
    MatchmakeSession,
    MatchmakeSessionSearchCriteria,
    PersistentGathering,
    ResultRange,
)
from nekonex.prudp.limits import Limits
from nekonex.values import DateTime
from nekonex.wire import Variant
from tests.support.nexlab import NOW, lab_settings
from tests.support.roomlab import (
    MIGRATE,
    NOTIFY,
    Console,
    create_param,
    join_param,
    piped,
    refused,
    room,
)

VOID = "RendezVous::SessionVoid"
DENIED = "RendezVous::PermissionDenied"
INVALID = "Core::InvalidArgument"


async def detail(console: Console, gid: int) -> MatchmakeSession:
    """Return a session as one of its participants sees it."""
    found: MatchmakeSession = await console.extension.find_matchmake_session_by_gathering_id_detail(
        gid
    )
    return found


async def test_what_the_server_writes_into_a_session() -> None:
    template = room(
        id=7,
        owner=1,
        host=2,
        min_participants=2,
        max_participants=8,
        participation_policy=95,
        policy_argument=1,
        flags=0x210,
        state=4,
        description="a room",
        game_mode=3,
        attribs=[1, 2, 3, 4, 5, 6],
        matchmake_system=2,
        application_data=b"data",
        num_participants=9,
        progress_score=40,
        session_key=b"k" * 32,
        option=77,
        param=MatchmakeParam({"mine": Variant(6, 5), "@SR": Variant.of(value=False)}),
        started_time=DateTime.make(2001),
        user_password="secret",
        refer_gid=12,
        user_password_enabled=True,
        system_password_enabled=True,
        codeword="open sesame",
    )
    async with piped(lab_settings("4.0.1")) as rooms, rooms.console(1000) as one:
        made = await one.extension.create_matchmake_session(template, "hi", 2)
        found = await detail(one, made.gid)
        assert 0x40000000 <= made.gid <= 0x7FFFFFFF
        assert len(made.session_key) == 32
        assert made.session_key != template.session_key
        expected = template
        expected.id, expected.owner, expected.host, expected.state = made.gid, 1000, 1000, 0
        expected.num_participants = 2
        expected.session_key = made.session_key
        expected.started_time = DateTime.from_timestamp(NOW)
        expected.system_password_enabled = False
        expected.param.param["@SR"] = Variant(3, True)
        expected.param.param["@GIR"] = Variant(1, 3)
        assert found == expected
        [participant] = (await rooms.get(made.gid)).participants
        assert (participant.message, participant.count) == ("hi", 2)
        assert (await rooms.get(made.gid)).description == "a room"


async def test_keys_and_gids_are_not_used_twice() -> None:
    async with piped() as rooms, rooms.consoles(3) as consoles:
        made = [await each.extension.create_matchmake_session(room(), "", 1) for each in consoles]
        assert len({each.gid for each in made}) == len({each.session_key for each in made}) == 3


async def test_who_creates_leaves_the_old_session() -> None:
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        old = await a.extension.create_matchmake_session(room(flags=MIGRATE | NOTIFY), "", 1)
        await b.extension.join_matchmake_session(old.gid, "")
        await rooms.settled()
        b.take()
        new = await a.extension.create_matchmake_session_with_param(create_param(room()))
        await rooms.settled()
        assert (await rooms.get(old.gid)).pids == (1001,)
        assert b.take() == [
            Notification(4000, 1000, old.gid, 1001),
            Notification(110000, 1000, old.gid),
            Notification(3008, 1000, old.gid, 1000),
        ]
        assert (new.num_participants, new.owner, len(new.session_key)) == (1, 1000, 32)
        a.view.left(old.gid)
        await rooms.consistent(a, b)


async def test_a_template_out_of_bounds_changes_nothing() -> None:
    """Least of all does the caller leave the session that it is in."""
    bad = [
        room(description="x" * 257),
        room(attribs=[0] * 7),
        room(attribs=[0] * 5),
        room(attribs=[]),
        room(progress_score=101),
        room(application_data=b"x" * 513),
        room(session_key=b"x" * 513),
        room(user_password="x" * 33),
        room(codeword="x" * 257),
        room(max_participants=257),
        room(min_participants=13),
        room(param=MatchmakeParam({str(number): Variant(0) for number in range(65)})),
        room(param=MatchmakeParam({"x": Variant.of("x" * 513)})),
        room(param=MatchmakeParam({"x" * 513: Variant(0)})),
        room(param=MatchmakeParam({str(n): Variant.of("x" * 450) for n in range(9)})),
    ]
    async with piped(lab_settings("4.0.1")) as rooms, rooms.console(1000) as one:
        await one.extension.create_matchmake_session(room(), "", 1)
        before = await rooms.snapshot()
        create = one.extension.create_matchmake_session
        with_param = one.extension.create_matchmake_session_with_param
        for template in bad:
            assert await refused(create(template, "", 1)) == INVALID
            assert await refused(with_param(create_param(template))) == INVALID
        assert await refused(create(room(), "x" * 257, 1)) == INVALID
        assert await refused(create(room(), "", 17)) == INVALID
        full = "RendezVous::SessionFull"
        assert await refused(create(room(max_participants=2), "", 3)) == full
        assert await rooms.snapshot() == before


async def test_bounds_are_still_in_bounds() -> None:
    template = room(
        description="\U0001f408" * 256,
        application_data=b"x" * 512,
        session_key=b"x" * 512,
        progress_score=100,
        user_password="x" * 32,
        codeword="x" * 256,
        max_participants=256,
        min_participants=256,
    )
    async with piped(lab_settings("4.0.1")) as rooms, rooms.console(1000) as one:
        made = await one.extension.create_matchmake_session(template, "x" * 256, 16)
        assert (await rooms.get(made.gid)).places_taken == 16


async def test_whoever_browses_can_take_what_a_hundred_sessions_are() -> None:
    """A connection with too much to send is closed: nobody may do that to others."""
    cat = "\U0001f408"
    largest = room(
        description=cat * 256,
        application_data=b"x" * 512,
        codeword=cat * 256,
        param=MatchmakeParam({str(n): Variant.of(cat * 470) for n in range(8)}),
    )
    async with piped(lab_settings("4.0.1")) as rooms, rooms.consoles(2) as (a, b):
        for _ in range(16):
            await a.matchmaking.register_gathering(largest)
        codec = MatchmakeExtension.codecs(rooms.context)[4]
        body = codec.encode_arguments([MatchmakeSessionSearchCriteria(), ResultRange(0, 100)])
        reply = await b.session.call(109, 4, body)
        assert len(codec.decode_reply(reply)) == 16
        assert len(reply) * 100 / 16 < Limits().max_queued_bytes


async def test_nobody_takes_no_place() -> None:
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        made = await a.extension.create_matchmake_session(room(), "", 0)
        await b.extension.join_matchmake_session_ex(made.gid, "", False, 0)
        assert [each.count for each in (await rooms.get(made.gid)).participants] == [1, 1]


async def test_joining_returns_the_key_and_tells_the_owner() -> None:
    async with piped() as rooms, rooms.consoles(3) as (a, b, c):
        made = await a.extension.create_matchmake_session(room(), "", 1)
        assert await b.extension.join_matchmake_session(made.gid, "ho") == made.session_key
        key = await c.extension.join_matchmake_session_ex(made.gid, "hu", False, 3)
        assert key == made.session_key
        await rooms.settled()
        assert a.take() == [
            Notification(3001, 1001, made.gid, 1001, 2, "ho"),
            Notification(3001, 1002, made.gid, 1002, 5, "hu"),
        ]
        assert b.take() == c.take() == []


async def test_who_joins_one_session_stays_in_the_other() -> None:
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        first = await a.extension.create_matchmake_session(room(), "", 1)
        second = await b.extension.create_matchmake_session(room(), "", 1)
        await b.extension.join_matchmake_session(first.gid, "")
        assert (await rooms.get(second.gid)).pids == (1001,)
        await b.vanish()
        assert [each.gid for each in await rooms.all()] == [first.gid]
        await rooms.consistent()


@pytest.mark.parametrize("gid", [0, 1, 0x40000000, 2**32 - 1])
async def test_sessions_that_do_not_exist(gid: int) -> None:
    async with piped() as rooms, rooms.console(1000) as one:
        stub = one.extension
        for call in (
            stub.join_matchmake_session(gid, ""),
            stub.join_matchmake_session_ex(gid, "", False, 1),
            stub.join_matchmake_session_with_param(join_param(gid)),
            stub.join_matchmake_session_with_param(join_param(gid, behavior=1)),
        ):
            assert await refused(call) == VOID


async def test_joining_what_is_no_session() -> None:
    """A community and a plain gathering have gids too."""
    async with piped() as rooms, rooms.console(1000) as one:
        community = await one.extension.create_community(PersistentGathering(attribs=[0] * 6), "")
        plain = await one.matchmaking.register_gathering(Gathering())
        for gid in (community, plain):
            assert await refused(one.extension.join_matchmake_session(gid, "")) == VOID
            param = join_param(gid)
            assert await refused(one.extension.join_matchmake_session_with_param(param)) == VOID


async def test_joining_is_refused_and_changes_nothing() -> None:
    async with piped() as rooms, rooms.consoles(3) as (a, b, c):
        made = await a.extension.create_matchmake_session(room(max_participants=3), "", 1)
        await b.extension.join_matchmake_session(made.gid, "")
        before = await rooms.snapshot()
        joins = c.extension.join_matchmake_session_ex
        assert await refused(joins(made.gid, "", False, 2)) == "RendezVous::SessionFull"
        assert await refused(joins(made.gid, "x" * 257, False, 1)) == INVALID
        assert await refused(joins(made.gid, "", False, 17)) == INVALID
        again = "RendezVous::AlreadyParticipatedGathering"
        assert await refused(b.extension.join_matchmake_session(made.gid, "")) == again
        await a.extension.close_participation(made.gid)
        assert await refused(joins(made.gid, "", True, 1)) == DENIED
        await a.extension.open_participation(made.gid)
        assert await rooms.snapshot() == before


async def test_friends_only() -> None:
    async with (
        piped(friends={1001: [1000], 1002: [1001]}) as rooms,
        rooms.consoles(3) as (a, b, c),
    ):
        made = await a.extension.create_matchmake_session(room(participation_policy=98), "", 1)
        await b.extension.join_matchmake_session(made.gid, "")
        not_friend = "RendezVous::NotFriend"
        assert await refused(c.extension.join_matchmake_session(made.gid, "")) == not_friend
        param = join_param(made.gid)
        assert await refused(c.extension.join_matchmake_session_with_param(param)) == not_friend


async def test_friends_only_where_nobody_knows_who_is_a_friend() -> None:
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        made = await a.extension.create_matchmake_session(room(participation_policy=98), "", 1)
        call = b.extension.join_matchmake_session(made.gid, "")
        assert await refused(call) == "RendezVous::NotFriend"


async def test_block_lists() -> None:
    async with piped() as rooms, rooms.consoles(4) as (a, b, c, d):
        made = await a.extension.create_matchmake_session(room(), "", 1)
        await b.extension.join_matchmake_session(made.gid, "")
        await c.extension.add_to_block_list([1001])
        join = c.extension.join_matchmake_session
        assert await refused(join(made.gid, "")) == "RendezVous::ParticipantInBlackList"
        await b.extension.add_to_block_list([1003])
        by_others = "RendezVous::DeniedByParticipants"
        assert await refused(d.extension.join_matchmake_session(made.gid, "")) == by_others
        call = d.extension.join_matchmake_session_ex(made.gid, "", False, 1)
        assert await refused(call) == by_others
        await d.extension.join_matchmake_session_ex(made.gid, "", True, 1)
        await c.extension.remove_from_block_list([1001])
        await c.extension.join_matchmake_session(made.gid, "")
        assert (await rooms.get(made.gid)).pids == (1000, 1001, 1003, 1002)


# -- limits ------------------------------------------------------------------------------


async def test_nobody_is_in_too_many_sessions() -> None:
    limits = MatchmakingLimits(max_joined=2, max_gatherings=100)
    async with piped(limits=limits) as rooms, rooms.consoles(4) as (a, *others):
        gids = [
            (await each.extension.create_matchmake_session(room(), "", 1)).gid for each in others
        ]
        for gid in gids[:2]:
            await a.extension.join_matchmake_session(gid, "")
        before = await rooms.snapshot()
        call = a.extension.join_matchmake_session(gids[2], "")
        assert await refused(call) == "RendezVous::LimitExceeded"
        assert await rooms.snapshot() == before


async def test_nobody_owns_too_many_sessions() -> None:
    """Those that stay when they are empty are not left behind without number."""
    async with piped() as rooms, rooms.console(1000) as one:
        stay = room(flags=0x80)
        made = [(await one.extension.create_matchmake_session(stay, "", 1)).gid for _ in range(20)]
        # But they keep nobody from playing.
        assert [each.gid for each in await rooms.all()] == made[-16:]
        await rooms.consistent()


async def test_there_are_not_too_many_sessions() -> None:
    limits = MatchmakingLimits(max_gatherings=2)
    async with piped(limits=limits) as rooms, rooms.consoles(3) as (a, b, c):
        for console in (a, b):
            await console.extension.create_matchmake_session(room(), "", 1)
        before = await rooms.snapshot()
        call = c.extension.create_matchmake_session(room(), "", 1)
        assert await refused(call) == "RendezVous::LimitExceeded"
        assert await rooms.snapshot() == before
        # Who leaves one makes room for its own.
        await b.extension.create_matchmake_session(room(), "", 1)


def test_settings_that_contradict_themselves_are_refused() -> None:
    settings = lab_settings()
    settings["prudp.transport"] = 1
    with pytest.raises(ValueError, match="transport"):
        MatchmakeExtensionServer(settings, matchmaking=None)  # type: ignore[arg-type]
