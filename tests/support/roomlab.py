"""A game whose players meet in rooms: its servers in memory or over UDP, and its consoles.

`Rooms` puts the servers of a secure port over one matchmaking. Consoles write down what they are
told, as the domain's `Notification`: those of `piped` games without sockets, and over UDP those
of our own client role (`our_console`); for NintendoClients' see `tests.support.their_rooms`.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from random import Random
from typing import Any

import pytest

from nekonex.domain import Notification
from nekonex.domain.matchmaking import (
    Community,
    Gathering,
    Matchmaking,
    MatchmakingLimits,
    UnreachablePairs,
)
from nekonex.nex import SecureConnection
from nekonex.nex.backend import request_login
from nekonex.nex.matchmake_extension import MatchmakeExtension, MatchmakeExtensionServer
from nekonex.nex.matchmaking import MatchMaking, MatchMakingExt
from nekonex.nex.matchmaking.ext_server import MatchMakingExtServer
from nekonex.nex.matchmaking.server import MatchMakingServer
from nekonex.nex.nat_traversal import NATTraversal, NATTraversalServer
from nekonex.nex.notification import Notifications
from nekonex.nex.structures import (
    AutoMatchmakeParam,
    CreateMatchmakeSessionParam,
    JoinMatchmakeSessionParam,
    MatchmakeSession,
    MatchmakeSessionSearchCriteria,
    NotificationEvent,
    UpdateMatchmakeSessionParam,
    default_holders,
)
from nekonex.rmc import Servant, Session
from nekonex.rmc.connector import open_connector
from nekonex.rmc.listener import serve
from nekonex.settings import Settings, Version
from nekonex.storage.memory_gatherings import MemoryCommunityStore, MemoryLiveStore
from nekonex.storage.memory_preferences import MemoryPreferenceStore
from nekonex.values import RMCError, StationURL
from nekonex.wire import WireContext
from tests.support.login import Game
from tests.support.matchmaking import View, problems
from tests.support.nexlab import Clock, lab_settings
from tests.support.pipe import PipeServer

__all__ = [
    "MIGRATE",
    "NOTIFY",
    "Console",
    "Hearing",
    "Rooms",
    "auto_param",
    "create_param",
    "criteria",
    "join_param",
    "our_console",
    "password_of",
    "piped",
    "refused",
    "room",
    "served",
    "update_param",
]

MIGRATE = 0x10
NOTIFY = 0x800

_HOLDERS = default_holders()


@functools.cache
def _context(version: Version, pid_size: int, headers: bool) -> WireContext:
    """Return the same context for all with these settings: its methods are compiled once."""
    return WireContext(version, pid_size=pid_size, struct_header=headers, holders=_HOLDERS)


Friends = Callable[[int], Awaitable[Iterable[int]]]


def password_of(pid: int) -> str:
    """Return the password of a player of `served` games."""
    return f"the password of {pid}"


async def refused(call: Awaitable[object]) -> str:
    """Return the name of the error that a call is answered with; none fails the test."""
    with pytest.raises(RMCError) as caught:
        await call
    return caught.value.name


def room(**fields: Any) -> MatchmakeSession:
    """Return the template of a session for up to 12 players."""
    return MatchmakeSession(**{"max_participants": 12, "progress_score": 0, **fields})


def criteria(**fields: Any) -> MatchmakeSessionSearchCriteria:
    """Return criteria that any session fulfils which has a free place and is open."""
    return MatchmakeSessionSearchCriteria(**fields)


def create_param(session: MatchmakeSession, **fields: Any) -> CreateMatchmakeSessionParam:
    """Return the parameter of creating; what is not given is left out of account."""
    left_out = {"additional_participants": [], "gid_for_participation_check": 0, "options": 0}
    alone = {"join_message": "", "num_participants": 1}
    return CreateMatchmakeSessionParam(session, **{**left_out, **alone, **fields})


def join_param(gid: int, **fields: Any) -> JoinMatchmakeSessionParam:
    """Return the parameter of joining."""
    left_out = {"participants": [], "gid_for_participation_check": 0, "options": 0, "behavior": 0}
    return JoinMatchmakeSessionParam(gid, **{**left_out, **fields})


def auto_param(session: MatchmakeSession, **fields: Any) -> AutoMatchmakeParam:
    """Return the parameter of auto-matchmaking."""
    left_out = {"participants": [], "gid_for_participation_check": 0, "options": 0}
    alone = {"join_message": "", "num_participants": 1, "search_criteria": [], "target_gids": []}
    return AutoMatchmakeParam(session, **{**left_out, **alone, **fields})


def update_param(gid: int, flags: int, **fields: Any) -> UpdateMatchmakeSessionParam:
    """Return the parameter of changing parts of a session."""
    return UpdateMatchmakeSessionParam(gid, flags, **fields)


class Hearing:
    """What a console was told, the last at the end, and what it makes of that."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.told: list[Notification] = []
        self.view = View(pid)
        self._changed = asyncio.Event()

    def hear(self, event: Any) -> None:
        """Take note of a notification event, ours or NintendoClients'."""
        told = Notification(
            event.type, event.pid, event.param1, event.param2, event.param3 or 0, event.text
        )
        self.told.append(told)
        if told.kind == 3001 and told.source_pid == told.param2 == self.pid:
            # It may come back to a gathering in which much has changed since.
            self.view.left(told.param1)
        self.view.hear(told)
        self._changed.set()

    async def heard(self, kind: int, number: int = 1) -> list[Notification]:
        """Return what it was told of one type, once that is so and so many."""
        async with asyncio.timeout(10):
            while len(found := [told for told in self.told if told.kind == kind]) < number:
                self._changed.clear()
                await self._changed.wait()
        return found

    def take(self) -> list[Notification]:
        """Return what it was told since the last time."""
        taken, self.told = self.told, []
        return taken

    def kinds(self) -> list[int]:
        """Return the types of what it was told since the last time."""
        return [told.kind for told in self.take()]


class Inbox(Notifications):
    """What our consoles serve."""

    def __init__(self, hearing: Hearing) -> None:
        self._hearing = hearing

    async def process_notification_event(self, client: Session, event: NotificationEvent) -> None:
        self._hearing.hear(event)


class Console(Hearing):
    """A console of ours."""

    def __init__(self, pid: int) -> None:
        super().__init__(pid)
        self.inbox = Inbox(self)
        self.session: Session
        self.extension: Any = None
        self.matchmaking: Any = None
        self.ext: Any = None
        self.nat: Any = None
        self.secure: Any = None
        self.cid = 0
        self.vanish: Callable[[], Awaitable[None]]
        """Ends the connection without a goodbye."""

    async def begin(self, session: Session, *, register: bool = True) -> None:
        """Make the stubs, and register."""
        self.session = session
        self.extension = MatchmakeExtension.client(session)
        self.matchmaking = MatchMaking.client(session)
        self.ext = MatchMakingExt.client(session)
        self.nat = NATTraversal.client(session)
        self.secure = SecureConnection.client(session)
        if register:
            url = StationURL("prudp", address="192.168.0.10", port=50000)
            self.cid = (await self.secure.register([url])).connection_id


def _friends(friends: Mapping[int, Iterable[int]] | None) -> Friends | None:
    if friends is None:
        return None

    async def ask(pid: int) -> Iterable[int]:
        return friends.get(pid, ())

    return ask


class Rooms:
    """The servers of a secure port, over one matchmaking. ``clock.now`` is the time.

    *options* are keyword arguments of `Matchmaking`; ``friends`` says who is whose.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        *,
        extension: type[MatchmakeExtensionServer] = MatchmakeExtensionServer,
        friends: Mapping[int, Iterable[int]] | None = None,
        seed: int = 0,
        **options: Any,
    ) -> None:
        settings = lab_settings() if settings is None else settings
        self.settings = settings
        self.clock = Clock()
        self.game = Game(settings)
        limits: MatchmakingLimits = options.get("limits") or MatchmakingLimits()
        self.live = MemoryLiveStore(Random(seed), max_gatherings=limits.max_gatherings)
        self.communities = MemoryCommunityStore()
        self.preferences = MemoryPreferenceStore()
        self.unreachable = UnreachablePairs(clock=self.clock)
        self.matchmaking = Matchmaking(
            players=self.game.players,
            live=self.live,
            communities=self.communities,
            preferences=self.preferences,
            get_friend_pids=_friends(friends),
            unreachable=self.unreachable,
            events=self.game.bus,
            clock=self.clock,
            monotonic=self.clock,
            **options,
        )
        secure = self.game.secure_server(may_request_urls=lambda client, target: True)
        self.secure = secure
        self.extension = extension(settings, matchmaking=self.matchmaking, secure=secure)
        self.servants: list[Servant] = [
            secure,
            NATTraversalServer(
                settings,
                secure=secure,
                neighbours=self.matchmaking.gatherings,
                unreachable=self.unreachable,
            ),
            MatchMakingServer(settings, matchmaking=self.matchmaking, secure=secure),
            MatchMakingExtServer(settings, matchmaking=self.matchmaking, secure=secure),
            self.extension,
        ]
        self.context = _context(
            settings.nex_version, settings["nex.pid_size"], settings.struct_header
        )
        self.pipe: PipeServer

    async def get(self, gid: int) -> Any:
        """Return a gathering."""
        return await self.matchmaking.gatherings.get(gid)

    async def all(self) -> list[Gathering]:
        """Return all gatherings that live in memory."""
        found: list[Gathering] = []
        while page := await self.live.page(found[-1].gid if found else 0, 1000):
            found += page
        return found

    async def snapshot(self) -> tuple[list[Gathering], list[Community], list[object]]:
        """Return all that is stored, to compare."""
        pids = range(1000, 1010)
        preferences: list[object] = [await self.preferences.block_list(pid) for pid in pids]
        preferences += [await self.preferences.privacy(pid) for pid in pids]
        return await self.all(), list(self.communities._gatherings.values()), preferences

    async def consistent(self, *hearing: Hearing, **about: Any) -> None:
        """Fail if anything contradicts itself, or what consoles were told."""
        about = {"views": [each.view for each in hearing], **about}
        found = await problems(self.matchmaking, **about)
        assert not found, "\n".join(found)

    # -- in memory -------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def console(
        self, pid: int | None, *, register: bool = True, minor_version: int = 4
    ) -> AsyncIterator[Console]:
        """Connect a console in memory."""
        console = Console(pid or 0)
        async with self.pipe.client(
            pid=pid, servers=[console.inbox], minor_version=minor_version
        ) as session:

            async def vanish() -> None:
                session.channel.close()
                await self.pipe.session_of(session).wait_ended()

            console.vanish = vanish
            await console.begin(session, register=register)
            yield console

    @contextlib.asynccontextmanager
    async def consoles(self, number: int, **options: Any) -> AsyncIterator[list[Console]]:
        """Connect consoles in memory, with principal ids from 1000 on."""
        async with contextlib.AsyncExitStack() as stack:
            yield [
                await stack.enter_async_context(self.console(pid, **options))
                for pid in range(1000, 1000 + number)
            ]

    async def settled(self) -> None:
        """Wait until what was sent in memory has arrived."""
        for _ in range(10):
            await asyncio.sleep(0)


@contextlib.asynccontextmanager
async def piped(settings: Settings | None = None, **options: Any) -> AsyncIterator[Rooms]:
    """Make a game without sockets; no method may fail in a way that has no name."""
    rooms = Rooms(settings, **options)
    rooms.pipe = PipeServer(rooms.servants, rooms.context)
    try:
        yield rooms
    finally:
        rooms.pipe.close()
    assert rooms.pipe.dispatcher.stats.handler_errors == 0


@contextlib.asynccontextmanager
async def served(
    settings: Settings | None = None, *, players: Iterable[int] = range(1000, 1010), **options: Any
) -> AsyncIterator[Rooms]:
    """Serve a game over UDP; see `password_of`."""
    rooms = Rooms(settings, **options)
    game = rooms.game
    await game.add_accounts({pid: password_of(pid) for pid in players})
    async with serve(
        game.settings,
        rooms.servants,
        "127.0.0.1",
        key=game.server_key,
        holders=_HOLDERS,
    ) as game.secure:
        server = game.authentication_server(game.secure.address[1])
        async with serve(game.settings, [server], "127.0.0.1") as game.auth:
            yield rooms
    assert game.secure.stats.handler_errors == 0


@contextlib.asynccontextmanager
async def our_console(rooms: Rooms, pid: int) -> AsyncIterator[Console]:
    """Log in over UDP with our own client role, from a socket of its own."""
    game = rooms.game
    found = await request_login(
        game.settings, *game.auth.address, str(pid), key=game.derive(pid, password_of(pid))
    )
    console = Console(pid)
    async with open_connector(game.settings) as connector:

        async def vanish() -> None:
            assert connector.shell is not None
            connector.shell.close()
            console.session.channel.close()

        console.vanish = vanish
        async with connector.connect(
            (found.host, found.port),
            vport=found.vport,
            credentials=found.credentials,
            servers=[console.inbox],
            context=rooms.context,
        ) as session:
            await console.begin(session)
            yield console
