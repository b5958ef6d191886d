"""Joining with passwords, and together with others."""

from __future__ import annotations

from nekonex.domain import Notification
from nekonex.nex.structures import (
    MatchmakeSession,
)
from tests.support.nexlab import lab_settings
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
