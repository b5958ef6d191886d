"""Gatherings of NintendoClients' consoles that are connected to our servers."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from random import Random
from typing import Any

import pytest
from nintendo.nex import backend, common, matchmaking, notification, secure

from nekonex.domain.matchmaking import Matchmaking
from nekonex.nex.matchmaking.ext_server import MatchMakingExtServer
from nekonex.nex.matchmaking.server import MatchMakingServer
from nekonex.nex.secure import SecureConnectionServer
from nekonex.nex.structures import default_holders
from nekonex.prudp.limits import CloseReason
from nekonex.rmc.listener import serve
from nekonex.storage.memory_gatherings import MemoryCommunityStore, MemoryLiveStore
from nekonex.storage.memory_preferences import MemoryPreferenceStore
from tests.support.login import Game
from tests.support.nexlab import lab_settings
from tests.support.nintendo import nintendo_settings

PLAYERS = {1000: "first", 1001: "second", 1002: "third"}
MIGRATE, WITH_HOST, ALL, REPRODUCIBLY = 0x10, 0x200, 0x400, 0x800

HEADERS = pytest.mark.parametrize(
    "version",
    ["3.5.4", "3.3.0"],
    ids=["structure headers", "no structure headers"],
)
"""Transport version 0 goes with the older one: it negotiates no headers."""


@pytest.fixture(autouse=True)
def _their_structures() -> None:
    """Have data holders decoded as these; variants for single titles replace them on import."""
    for name in ("Gathering", "MatchmakeSession", "PersistentGathering"):
        common.DataHolder.register(getattr(matchmaking, name), name)


class Inbox(notification.NotificationServer):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.events: asyncio.Queue[Any] = asyncio.Queue()

    async def process_notification_event(self, client: Any, event: Any) -> None:
        self.events.put_nowait(event)

    async def next(self) -> tuple[Any, ...]:
        """Return the next notification: type, source, two parameters and text."""
        event = await self.events.get()
        return event.type, event.pid, event.param1, event.param2, event.text


@dataclass
class Console:
    mm: Any
    ext: Any
    secure: Any
    inbox: Inbox
    cid: int
    public: Any

    async def expect_silence(self) -> None:
        """Fail if it is told anything before a call is answered."""
        await self.secure.test_connectivity()
        assert self.inbox.events.empty()


@dataclass
class Served:
    game: Game
    matchmaking: Matchmaking
    secure: SecureConnectionServer


@contextlib.asynccontextmanager
async def serving(version: str, **changes: Any) -> AsyncIterator[Served]:
    old = {"prudp__version": 0} if version == "3.3.0" else {}
    game = Game(lab_settings(version, **old, **changes))
    assert game.settings.struct_header is (version == "3.5.4")
    await game.add_accounts(PLAYERS)
    secure_server = game.secure_server()
    service = Matchmaking(
        players=game.players,
        live=MemoryLiveStore(Random(1)),
        communities=MemoryCommunityStore(),
        preferences=MemoryPreferenceStore(),
        events=game.bus,
    )
    servers = [
        secure_server,
        MatchMakingServer(game.settings, matchmaking=service, secure=secure_server),
        MatchMakingExtServer(game.settings, matchmaking=service, secure=secure_server),
    ]
    async with serve(
        game.settings,
        servers,
        "127.0.0.1",
        key=game.server_key,
        holders=default_holders(),
    ) as game.secure:
        auth = game.authentication_server(game.secure.address[1])
        async with serve(game.settings, [auth], "127.0.0.1") as game.auth:
            yield Served(game, service, secure_server)


@contextlib.asynccontextmanager
async def console(served: Served, pid: int) -> AsyncIterator[Console]:
    game, inbox = served.game, Inbox()
    async with (
        backend.connect(nintendo_settings(game.settings), *game.auth.address) as client,
        client.login(str(pid), PLAYERS[pid], servers=[inbox]) as session,
    ):
        stub = secure.SecureConnectionClient(session)
        url = common.StationURL(address=f"192.168.0.{pid - 1000}", port=50000, sid=15)
        reply = await stub.register([url])
        reply.result.raise_if_error()
        yield Console(
            matchmaking.MatchMakingClient(session),
            matchmaking.MatchMakingClientExt(session),
            stub,
            inbox,
            reply.connection_id,
            reply.public_station,
        )


def template(**fields: Any) -> Any:
    session = matchmaking.MatchmakeSession()
    values = {"max_participants": 4, "attribs": [1, 2, 3, 4, 5, 6], "flags": 0, **fields}
    for name, value in values.items():
        setattr(session, name, value)
    return session


async def gather(*consoles: Console, **fields: Any) -> int:
    """Have the first console make a session that all of them join; nobody has news of it left."""
    owner, *others = consoles
    gid = int(await owner.mm.register_gathering(template(**fields)))
    for each in consoles:
        assert await each.mm.participate(gid, "hello") is True
    flags = fields.get("flags", 0)
    for number, each in enumerate(consoles):
        expected = len(others) if each is owner else 0
        if flags & ALL:
            expected = len(consoles) - number
        for _ in range(expected):
            assert (await each.inbox.next())[0] == 3001
        await each.expect_silence()
    return gid


@HEADERS
async def test_what_one_finds(version: str) -> None:
    async with (
        serving(version) as served,
        console(served, 1000) as one,
        console(served, 1001) as two,
    ):
        made = template(
            description="here",
            game_mode=3,
            matchmake_system=1,
            application_data=b"buffer",
            session_key=b"",
            progress_score=7,
            option=5,
        )
        gid = await one.mm.register_gathering(made)
        await one.mm.participate(gid, "")
        for each in (one, two):
            reply = await each.mm.find_by_single_id(gid)
            assert reply.result is True
            found = reply.gathering
            assert type(found).__name__ == "MatchmakeSession"
            assert (found.id, found.owner, found.host) == (gid, 1000, 1000)
            assert (found.description, found.game_mode, found.matchmake_system) == ("here", 3, 1)
            assert (found.attribs, found.application_data) == ([1, 2, 3, 4, 5, 6], b"buffer")
            assert (found.num_participants, found.max_participants) == (1, 4)
            assert found.session_key == b""
            if version == "3.5.4":
                assert (found.progress_score, found.option) == (7, 5)
        stored = await served.matchmaking.gatherings.get_session(gid)
        assert len(stored.session_key) == 32
        results = common.ResultRange(0, 5)
        for found in (
            await two.mm.find_by_id([gid, 5]),
            await two.mm.find_by_owner(1000, results),
            await two.mm.find_by_participants([1000]),
            await two.mm.find_by_type("MatchmakeSession", results),
            await two.mm.find_by_description("here", results),
            await two.mm.find_by_description_like("h_r%", results),
        ):
            assert [(each.id, each.session_key) for each in found] == [(gid, b"")]
        with pytest.raises(common.RMCError, match="RendezVous::SessionVoid"):
            await two.mm.find_by_single_id(5)
        for call in (two.mm.find_by_sql_query, two.mm.find_by_description_regex):
            with pytest.raises(common.RMCError, match="Core::NotImplemented"):
                await call("1=1", results)


@HEADERS
async def test_coming_and_going(version: str) -> None:
    async with (
        serving(version) as served,
        console(served, 1000) as one,
        console(served, 1001) as two,
        console(served, 1002) as three,
    ):
        gid = await one.mm.register_gathering(template(flags=REPRODUCIBLY))
        await one.mm.participate(gid, "first")
        assert await one.inbox.next() == (3001, 1000, gid, 1000, "first")
        assert await two.mm.participate(gid, "second") is True
        assert await one.inbox.next() == (3001, 1001, gid, 1001, "second")
        assert await two.inbox.next() == (3001, 1001, gid, 1001, "second")
        assert await two.inbox.next() == (3001, 1001, gid, 1000, "second")
        with pytest.raises(common.RMCError, match="RendezVous::AlreadyParticipatedGathering"):
            await two.mm.participate(gid, "")
        await three.mm.participate(gid, "")
        assert await two.mm.get_participants(gid) == [1000, 1001, 1002]
        assert await two.ext.get_participants(gid, True) == [1000, 1001, 1002]
        details = await one.ext.get_detailed_participants(gid, False)
        assert [(each.pid, each.name, each.message, each.participants) for each in details] == [
            (1000, "1000", "first", 1),
            (1001, "1001", "second", 1),
            (1002, "1002", "", 1),
        ]
        assert await one.inbox.next() == (3001, 1002, gid, 1002, "")
        assert await two.ext.end_participation(gid, "bye") is True
        assert await one.inbox.next() == (3008, 1001, gid, 1001, "bye")
        with pytest.raises(common.RMCError, match="RendezVous::NotParticipatedGathering"):
            await two.ext.end_participation(gid, "")
        with pytest.raises(common.RMCError, match="RendezVous::PermissionDenied"):
            await two.mm.get_participants(gid)
        with pytest.raises(common.RMCError, match="Core::InvalidArgument"):
            await one.ext.end_participation(gid, "x" * 257)
        assert await three.mm.cancel_participation(gid, "no") is True
        assert await one.inbox.next() == (3002, 1002, gid, 1002, "no")
        assert await one.ext.end_participation(gid, "") is True
        assert await served.matchmaking.gatherings.live.count() == 0


@HEADERS
async def test_a_full_session(version: str) -> None:
    async with (
        serving(version) as served,
        console(served, 1000) as one,
        console(served, 1001) as two,
    ):
        gid = await gather(one, max_participants=1)
        with pytest.raises(common.RMCError, match="RendezVous::SessionFull"):
            await two.mm.participate(gid, "")
        await one.expect_silence()


@HEADERS
async def test_the_owner_goes_and_another_becomes_owner(version: str) -> None:
    async with (
        serving(version) as served,
        console(served, 1000) as one,
        console(served, 1001) as two,
        console(served, 1002) as three,
    ):
        gid = await gather(one, two, three, flags=MIGRATE | ALL)
        await one.ext.end_participation(gid, "bye")
        for each in (two, three):
            assert await each.inbox.next() == (4000, 1000, gid, 1001, "")
            assert (await each.inbox.next())[:3] == (110000, 1000, gid)
            assert await each.inbox.next() == (3008, 1000, gid, 1000, "bye")
        found = (await three.mm.find_by_single_id(gid)).gathering
        assert (found.owner, found.host, found.num_participants) == (1001, 1001, 2)
        await one.expect_silence()


@HEADERS
async def test_the_host_is_lost(version: str) -> None:
    """Whoever notices becomes host; everybody else asks for its URLs then."""
    async with (
        serving(version) as served,
        console(served, 1000) as one,
        console(served, 1001) as two,
        console(served, 1002) as three,
    ):
        gid = await gather(one, two, flags=WITH_HOST)
        urls = await two.mm.get_session_urls(gid)
        assert [str(url) for url in urls][1] == str(one.public)
        assert [(url["PID"], url["RVCID"]) for url in urls] == [(1000, one.cid)] * 2
        if version == "3.5.4":
            await two.mm.update_session_host(gid, True)
        else:
            await two.mm.update_session_host_v1(gid)
        for each in (one, two):
            assert await each.inbox.next() == (4000, 1001, gid, 1001, "")
        urls = await one.mm.get_session_urls(gid)
        assert [url["address"] for url in urls] == ["192.168.0.1", "127.0.0.1"]
        assert [(url["PID"], url["RVCID"]) for url in urls] == [(1001, two.cid)] * 2
        reply = await one.mm.get_session_url(gid)
        assert (reply.result, reply.url) == (True, str(two.public))
        await two.mm.register_local_url(gid, common.StationURL(address="10.0.0.7", port=9))
        urls = await one.mm.get_session_urls(gid)
        assert [url["address"] for url in urls] == ["192.168.0.1", "127.0.0.1", "10.0.0.7"]
        (known,) = await one.ext.get_participants_urls([gid])
        assert (known.gid, len(known.urls)) == (gid, 5)
        for call in (three.mm.get_session_urls(gid), three.mm.update_session_host(gid, False)):
            with pytest.raises(common.RMCError, match="RendezVous::PermissionDenied"):
                await call
        # Back by other means.
        await two.mm.migrate_gathering_ownership(gid, [1002, 1000], True)
        assert await one.inbox.next() == (4000, 1001, gid, 1000, "")
        assert await one.mm.migrate_gathering_ownership_v1(gid, [1001]) is True
        assert await one.inbox.next() == (4000, 1000, gid, 1001, "")
        assert await one.mm.update_gathering_ownership(gid, True) is True
        assert await one.inbox.next() == (4000, 1001, gid, 1000, "")


@HEADERS
async def test_the_gathering_is_unregistered(version: str) -> None:
    async with (
        serving(version) as served,
        console(served, 1000) as one,
        console(served, 1001) as two,
    ):
        gid = await gather(one, two)
        with pytest.raises(common.RMCError, match="RendezVous::PermissionDenied"):
            await two.mm.unregister_gathering(gid)
        assert await one.mm.unregister_gathering(gid) is True
        for each in (one, two):
            assert (await each.inbox.next())[:3] == (109000, 1000, gid)
        with pytest.raises(common.RMCError, match="RendezVous::SessionVoid"):
            await two.ext.end_participation(gid, "")


@HEADERS
async def test_a_console_says_goodbye(version: str) -> None:
    async with serving(version) as served, console(served, 1000) as one:
        async with console(served, 1001) as two:
            gid = await gather(two, one, flags=MIGRATE)
        assert await one.inbox.next() == (4000, 1001, gid, 1000, "")
        assert (await one.inbox.next())[:3] == (110000, 1001, gid)
        assert await one.inbox.next() == (3007, 1001, gid, 1001, "")
        assert await one.mm.get_participants(gid) == [1000]


@HEADERS
async def test_a_console_vanishes(version: str) -> None:
    quick = {"prudp__ping_timeout": 0.2, "prudp__resend_timeout": 0.1, "prudp__resend_limit": 2}
    async with serving(version, **quick) as served, console(served, 1000) as one:
        with contextlib.suppress(ConnectionAbortedError, ExceptionGroup):
            async with console(served, 1001) as two:
                gid = await gather(two, one)
                gone = served.secure.player(two.cid)
                # Nobody closes what an exception ends.
                raise ConnectionAbortedError
        assert (await one.inbox.next())[:3] == (109000, 1001, gid)
        assert gone is not None
        assert gone.leave_reason == str(CloseReason.TIMEOUT)
        assert await served.matchmaking.gatherings.live.count() == 0
        await one.expect_silence()


@HEADERS
async def test_the_rest(version: str) -> None:
    async with (
        serving(version) as served,
        console(served, 1000) as one,
        console(served, 1001) as two,
    ):
        gid = await gather(one, two, description="old")
        changed = matchmaking.Gathering()
        changed.id, changed.description, changed.max_participants = gid, "new", 3
        assert await one.mm.update_gathering(changed) is True
        found = (await two.mm.find_by_single_id(gid)).gathering
        assert (found.description, found.max_participants, found.game_mode) == ("new", 3, 0)
        assert await one.mm.set_state(gid, 3) is True
        assert (await two.mm.get_state(gid)).state == 3
        assert await one.mm.launch_session(gid, "prudp:/port=1") is True
        assert (await two.inbox.next())[:3] == (2000, 1000, gid)
        assert await two.mm.update_session_url(gid, "prudp:/port=2") is True
        assert (await one.mm.get_session_url(gid)).url == "prudp:/port=2"
        stats = matchmaking.GatheringStats()
        stats.pid, stats.flags, stats.values = 1000, 1, [0.5]
        assert await one.mm.report_stats(gid, [stats]) is True
        assert (await one.mm.get_stats(gid, [1000], [0])).stats == []
        assert (await one.mm.get_pending_deletions(0, common.ResultRange(0, 1))).deletions == []
        assert await one.mm.delete_from_deletions([1]) is True
        await one.ext.delete_from_deletions([1], 1000)
        assert await one.ext.get_gathering_relations(gid, "") == ""
        # Invitations, and friends who are brought along.
        plain = await one.mm.register_gathering(matchmaking.Gathering())
        assert await one.mm.invite(plain, [1001], "come") is True
        (received,) = await two.mm.get_invitations_received()
        assert (received.gid, received.guest, received.message) == (plain, 1001, "come")
        (invited,) = await two.mm.find_invitations(common.ResultRange(0, 5))
        assert (type(invited).__name__, invited.id) == ("Gathering", plain)
        assert await two.mm.accept_invitation(plain, "") is True
        assert await two.mm.cancel_participation(plain, "") is True
        again = await one.mm.register_gathering(matchmaking.Gathering())
        await one.mm.participate(again, "")
        assert await one.mm.add_participants(again, [1001], "") is True
        assert await two.inbox.next() == (122000, 1000, again, 1001, "")
        assert await one.mm.delete_gathering(again) is True
        assert (await two.inbox.next())[:3] == (109000, 1000, again)
