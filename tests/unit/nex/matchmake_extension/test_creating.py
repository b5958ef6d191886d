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

PASSWORDS = lab_settings("3.8.3")


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


# -- passwords -------------------------------------------------------------------------


async def test_the_user_password() -> None:
    template = room(user_password="sesame", user_password_enabled=True)
    async with piped(PASSWORDS) as rooms, rooms.consoles(3) as (a, b, c):
        made = await a.extension.create_matchmake_session(template, "", 1)
        join = b.extension.join_matchmake_session_with_param
        for stub in (
            b.extension.join_matchmake_session(made.gid, ""),
            b.extension.join_matchmake_session_ex(made.gid, "", True, 1),
        ):
            assert await refused(stub) == DENIED
        for wrong in ("", "Sesame", "sesame ", "\U0001f408"):
            call = join(join_param(made.gid, user_password=wrong))
            assert await refused(call) == "RendezVous::MatchmakeSessionUserPasswordUnmatch"
        joined = await join(join_param(made.gid, user_password="sesame"))
        assert joined.user_password == "sesame"
        assert joined.num_participants == 2
        assert joined.session_key == made.session_key
        for found in (
            await c.extension.find_matchmake_session_by_gathering_id_detail(made.gid),
            await c.extension.find_matchmake_session_by_single_gathering_id(made.gid),
        ):
            assert (found.user_password, found.session_key) == ("", b"")
            assert found.user_password_enabled
        assert (await detail(b, made.gid)).user_password == "sesame"


async def test_a_password_that_is_not_enabled_is_none() -> None:
    async with piped(PASSWORDS) as rooms, rooms.consoles(2) as (a, b):
        made = await a.extension.create_matchmake_session(room(user_password="sesame"), "", 1)
        await b.extension.join_matchmake_session(made.gid, "")


async def test_before_3_8_a_password_enables_itself() -> None:
    async with piped(lab_settings("3.7.2")) as rooms, rooms.consoles(2) as (a, b):
        made = await a.extension.create_matchmake_session(room(user_password="sesame"), "", 1)
        assert await refused(b.extension.join_matchmake_session(made.gid, "")) == DENIED
        param = join_param(made.gid, user_password="sesame")
        await b.extension.join_matchmake_session_with_param(param)


async def test_the_system_password() -> None:
    async with piped(PASSWORDS) as rooms, rooms.consoles(3) as (a, b, c):
        made = await a.extension.create_matchmake_session(room(), "", 1)
        gid = made.gid
        await b.extension.join_matchmake_session(gid, "")
        await rooms.settled()
        a.take()
        password = await a.extension.generate_matchmake_session_system_password(gid)
        assert len(password) == 16
        assert password.isascii()
        assert password.isalnum()
        assert (await detail(b, gid)).system_password_enabled
        await rooms.settled()
        told = [Notification(120000, 1000, gid, text=password)]
        assert (a.take(), b.take(), c.take()) == (told, told, [])
        assert await refused(c.extension.join_matchmake_session(gid, "")) == DENIED
        join = c.extension.join_matchmake_session_with_param
        call = join(join_param(gid, system_password="x" * 16))
        assert await refused(call) == "RendezVous::MatchmakeSessionSystemPasswordUnmatch"
        another = await a.extension.generate_matchmake_session_system_password(gid)
        assert another != password
        await join(join_param(gid, system_password=another))
        await rooms.settled()
        for console in (a, b, c):
            console.take()
        await a.extension.clear_matchmake_session_system_password(gid)
        await rooms.settled()
        told = [Notification(121000, 1000, gid)]
        assert a.take() == b.take() == c.take() == told
        assert not (await detail(b, gid)).system_password_enabled
        for call in (
            b.extension.generate_matchmake_session_system_password(gid),
            b.extension.clear_matchmake_session_system_password(gid),
        ):
            assert await refused(call) == DENIED
        for call in (
            b.extension.generate_matchmake_session_system_password(0),
            b.extension.clear_matchmake_session_system_password(2**32 - 1),
        ):
            assert await refused(call) == VOID


async def test_both_passwords() -> None:
    template = room(user_password="sesame", user_password_enabled=True)
    async with piped(PASSWORDS) as rooms, rooms.consoles(2) as (a, b):
        gid = (await a.extension.create_matchmake_session(template, "", 1)).gid
        system = await a.extension.generate_matchmake_session_system_password(gid)
        join = b.extension.join_matchmake_session_with_param
        call = join(join_param(gid, user_password="", system_password=system))
        assert await refused(call) == "RendezVous::MatchmakeSessionUserPasswordUnmatch"
        call = join(join_param(gid, user_password="sesame", system_password=""))
        assert await refused(call) == "RendezVous::MatchmakeSessionSystemPasswordUnmatch"
        await join(join_param(gid, user_password="sesame", system_password=system))


# -- with others -------------------------------------------------------------------------


async def test_creating_with_others() -> None:
    async with piped() as rooms, rooms.consoles(3) as (a, b, c):
        lobby = (await a.extension.create_matchmake_session(room(flags=MIGRATE), "", 1)).gid
        await b.extension.join_matchmake_session(lobby, "")
        await c.extension.join_matchmake_session(lobby, "")
        await rooms.settled()
        a.take()
        param = create_param(
            room(flags=NOTIFY),
            additional_participants=[1001, 1002],
            gid_for_participation_check=lobby,
            join_message="come",
            num_participants=2,
        )
        made = await a.extension.create_matchmake_session_with_param(param)
        assert (made.num_participants, made.owner) == (4, 1000)
        assert (await rooms.get(made.id)).pids == (1000, 1001, 1002)
        await rooms.settled()
        assert b.take() == [
            # The old room is handed over by who goes,
            Notification(4000, 1000, lobby, 1001),
            Notification(110000, 1000, lobby),
            Notification(3008, 1000, lobby, 1000),
            # and the new one announces who came, with who was there.
            Notification(122000, 1000, made.id, 1001),
            Notification(3001, 1000, made.id, 1000, 4, "come"),
            Notification(3001, 1001, made.id, 1001, 4, "come"),
            Notification(3001, 1001, made.id, 1000, 4, "come"),
            Notification(3001, 1002, made.id, 1002, 4, "come"),
        ]
        assert [told.kind for told in c.take()].count(122000) == 1
        assert 122000 not in a.kinds()


async def test_who_is_brought_must_be_in_the_same_gathering() -> None:
    async with piped() as rooms, rooms.consoles(3) as (a, b, c):
        lobby = (await a.extension.create_matchmake_session(room(), "", 1)).gid
        await b.extension.join_matchmake_session(lobby, "")
        await c.extension.create_matchmake_session(room(), "", 1)
        before = await rooms.snapshot()
        create = a.extension.create_matchmake_session_with_param
        nobody = "RendezVous::NotParticipatedGathering"

        def bringing(pids: list[int], gid: int) -> object:
            return create_param(
                room(), additional_participants=pids, gid_for_participation_check=gid
            )

        for pids, gid in (
            ([1001], 0),
            ([1002], lobby),
            ([1001, 1002], lobby),
            ([1001], 2**32 - 1),
            ([], 4711),
            ([4711], lobby),
        ):
            assert await refused(create(bringing(pids, gid))) == nobody, (pids, gid)
        mine = c.extension.create_matchmake_session_with_param
        assert await refused(mine(bringing([1001], lobby))) == nobody
        too_many = create_param(
            room(), additional_participants=[1001] * 65, gid_for_participation_check=lobby
        )
        assert await refused(create(too_many)) == INVALID
        assert await rooms.snapshot() == before
        # Those named twice, and the caller itself, come once.
        made = await create(bringing([1001, 1001, 1000], lobby))
        assert (await rooms.get(made.id)).pids == (1000, 1001)


async def test_joining_with_others() -> None:
    async with piped() as rooms, rooms.consoles(4) as (a, b, c, d):
        target = (await d.extension.create_matchmake_session(room(max_participants=5), "", 1)).gid
        lobby = (await a.extension.create_matchmake_session(room(), "", 1)).gid
        await b.extension.join_matchmake_session(lobby, "")
        await c.extension.join_matchmake_session(lobby, "")
        await rooms.settled()
        for console in (a, b, c, d):
            console.take()
        join = a.extension.join_matchmake_session_with_param

        def bringing(*pids: int, **fields: int) -> object:
            return join_param(
                target,
                participants=list(pids),
                gid_for_participation_check=lobby,
                join_message="us",
                **fields,
            )

        before = await rooms.snapshot()
        full = "RendezVous::SessionFull"
        assert await refused(join(bringing(1001, 1002, num_participants=3))) == full
        assert await refused(join(bringing(1001, 1002, extra_participants=2))) == full
        assert await refused(join(bringing(1001, extra_participants=5))) == INVALID
        assert await refused(join(bringing(1001, behavior=2))) == INVALID
        already_in = bringing(1001, behavior=1)
        assert await refused(join(already_in)) == "RendezVous::NotParticipatedGathering"
        assert await rooms.snapshot() == before
        joined = await join(bringing(1001, num_participants=0, extra_participants=1))
        assert joined.num_participants == 4
        assert await refused(join(bringing(1002))) == "RendezVous::AlreadyParticipatedGathering"
        joined = await join(bringing(1002, behavior=1, num_participants=3, extra_participants=2))
        assert joined.num_participants == 5
        assert [(each.pid, each.count) for each in (await rooms.get(target)).participants] == [
            (1003, 1),
            (1000, 2),
            (1001, 1),
            (1002, 1),
        ]
        await rooms.settled()
        assert a.take() == []
        assert b.take() == [Notification(122000, 1000, target, 1001)]
        assert c.take() == [Notification(122000, 1000, target, 1002)]
        assert d.take() == [
            Notification(3001, 1000, target, 1000, 4, "us"),
            Notification(3001, 1001, target, 1001, 4, "us"),
            Notification(3001, 1002, target, 1002, 5, "us"),
        ]


async def test_somebody_else_who_is_in_already() -> None:
    async with piped() as rooms, rooms.consoles(3) as (a, b, c):
        target = (await c.extension.create_matchmake_session(room(), "", 1)).gid
        lobby = (await a.extension.create_matchmake_session(room(), "", 1)).gid
        await b.extension.join_matchmake_session(lobby, "")
        await b.extension.join_matchmake_session(target, "")
        param = join_param(target, participants=[1001], gid_for_participation_check=lobby)
        before = await rooms.snapshot()
        call = a.extension.join_matchmake_session_with_param(param)
        assert await refused(call) == "RendezVous::AlreadyParticipatedGathering"
        assert await rooms.snapshot() == before


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
        for _ in range(16):
            await one.extension.create_matchmake_session(stay, "", 1)
        assert len(await rooms.all()) == 16
        call = one.extension.create_matchmake_session(stay, "", 1)
        assert await refused(call) == "RendezVous::LimitExceeded"
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
