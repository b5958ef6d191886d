"""The match making servers with the names and arguments of nex_protocols_common_py."""

from __future__ import annotations

import contextlib
import gc
import itertools
import threading
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from nintendo.nex import backend, common, matchmaking, nattraversal, secure, settings

from nekonex import compat
from nekonex.compat import (
    AuthenticationUser,
    CommonAuthenticationServer,
    CommonMatchmakeExtensionServer,
    CommonMatchMakingServer,
    CommonMatchMakingServerExt,
    CommonNATTraversalServer,
    CommonSecureConnectionServer,
    secure_key,
)
from nekonex.compat import gatherings as gatherings_module
from nekonex.compat.gatherings import identity, neighbourhood
from nekonex.domain import Player
from nekonex.domain.matchmaking import MatchmakeSession, Matchmaking, MatchmakingHooks
from nekonex.storage.memory_gatherings import MemoryCommunityStore, MemoryLiveStore
from nekonex.storage.memory_preferences import MemoryPreferenceStore
from tests.support.matchmaking import World
from tests.support.waiting import until

SECURE_SERVER = AuthenticationUser(2, "Quazal Rendez-Vous", "EPIC_SECURE_AUTH_PASS")
PASSWORDS = {1000: "a password", 1001: "another", 1002: "a third"}


def game() -> Any:
    result = settings.default()
    result.configure("25dbf96a", 30504)
    result["prudp.version"] = 1
    result["prudp.max_substream_id"] = 1
    # Saves the tests 20 ms of work for each key.
    result["kerberos.key_derivation"] = 1
    return result


@dataclass(frozen=True)
class Client:
    """Like pymongo's: equal to those that are connected to the same server."""

    address: str = "localhost:27017"


@dataclass
class Database:
    client: Client = field(default_factory=Client)
    name: str = "game"


@dataclass(eq=False)
class Collection:
    """As much of a pymongo collection as says which one it is; nothing may be read or written."""

    name: str = "gatherings"
    database: Database = field(default_factory=Database)

    @property
    def full_name(self) -> str:
        return f"{self.database.name}.{self.name}"

    def __bool__(self) -> bool:
        raise NotImplementedError("as pymongo's")


class Unhashable(list[int]):
    """An object of somebody who does not use pymongo."""


async def example_get_friend_pids_func(pid: int) -> list[int]:
    return {1000: [1001], 1001: [1000]}.get(pid, [])


class Servers:
    """The secure port of the document's examples; `made` makes one of the servers at a time."""

    def __init__(self, collection: Any = None, own: Any = None, **options: Any) -> None:
        self.settings = game() if own is None else own
        self.collection = Collection() if collection is None else collection
        self.options = options
        self.secure = CommonSecureConnectionServer(
            self.settings, sessions_db=None, reportdata_db=None
        )
        self.made: dict[str, Any] = {}

    def make(self, name: str) -> Any:
        given: dict[str, Any] = {"gatherings_db": self.collection, "sequence_db": Collection("seq")}
        if name == "extension":
            server: Any = CommonMatchmakeExtensionServer(
                self.settings,
                **given,
                get_friend_pids_func=example_get_friend_pids_func,
                secure_connection_server=self.secure,
                **self.options,
            )
        elif name == "ext":
            server = CommonMatchMakingServerExt(self.settings, **given)
        elif name == "nat":
            server = CommonNATTraversalServer(
                self.settings,
                sessions_db=Collection("sessions"),
                secure_connection_server=self.secure,
            )
        else:
            server = CommonMatchMakingServer(
                self.settings, **given, sessions_db=Collection("sessions")
            )
        self.made[name] = server
        return server


NAMES = ("extension", "ext", "nat", "matchmaking")


# -- which servers share one matchmaking -----------------------------------------


@pytest.mark.parametrize("order", list(itertools.permutations(NAMES)), ids="-".join)
def test_the_order_of_construction_does_not_matter(order: tuple[str, ...]) -> None:
    servers = Servers()
    for name in order:
        servers.make(name)
    made = servers.made
    shared = made["matchmaking"].matchmaking
    assert shared is made["ext"].matchmaking is made["extension"].matchmaking
    assert shared.unreachable is neighbourhood(servers.secure).unreachable
    assert shared.unreachable is made["nat"]._unreachable
    assert shared.players.source is servers.secure.players


def test_arguments_may_be_given_by_position() -> None:
    own, collection, other = game(), Collection(), Collection("other")
    secure_server = CommonSecureConnectionServer(own)
    made = [
        CommonMatchMakingServer(own, collection, other, other),
        CommonMatchMakingServerExt(own, collection, other),
        CommonMatchmakeExtensionServer(
            own, collection, other, example_get_friend_pids_func, secure_server
        ),
    ]
    assert len({server.matchmaking for server in made}) == 1
    CommonNATTraversalServer(own, other, secure_server)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (Collection(), Collection(), True),
        (Collection(), Collection("other"), False),
        (Collection(), Collection(database=Database(name="other")), False),
        (Collection(), Collection(database=Database(Client("elsewhere:27017"))), False),
        (Unhashable(), Unhashable(), False),
        (object(), object(), False),
        ("a name", "a name", True),
    ],
)
def test_a_collection_is_what_its_client_and_names_say(one: Any, other: Any, same: bool) -> None:
    assert identity(one) == identity(one)
    assert hash(identity(one)) == hash(identity(one))
    assert (identity(one) == identity(other)) is same


def test_what_nobody_uses_any_more_is_forgotten() -> None:
    gc.disable()  # it must not take the collector
    try:
        servers = Servers()
        before = servers.make("matchmaking").matchmaking
        servers.make("extension")
        assert len(gatherings_module._by_collection) == 1
        del servers
        assert len(gatherings_module._by_collection) == 0
        assert Servers().make("matchmaking").matchmaking is not before
    finally:
        gc.enable()


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    yield
    if gatherings_module._by_collection or gatherings_module._by_secure:
        gc.collect()  # what is in a cycle takes until then
    assert not gatherings_module._by_collection
    assert not gatherings_module._by_secure


def test_players_are_those_of_the_secure_connection_server_once_it_is_named() -> None:
    servers = Servers()
    players = servers.make("ext").matchmaking.players
    player = World().connect(1000)
    servers.secure.players.register(player)
    assert (players.count, list(players), players.all_of(1000)) == (0, [], ())
    assert players.newest(1000) is players.get(player.connection_id) is None
    servers.make("extension")
    assert (players.count, list(players), players.all_of(1000)) == (1, [player], (player,))
    assert players.newest(1000) is players.get(player.connection_id) is player


# -- what is missing or contradicts itself ----------------------------------------


@pytest.mark.parametrize("name", ["matchmaking", "ext"])
async def test_without_players_nothing_is_served(name: str) -> None:
    servers = Servers()
    server = servers.make(name)
    with pytest.raises(ValueError, match=f"{type(server).__name__} does not know the players"):
        async with compat.serve(servers.settings, [server], "127.0.0.1"):
            pass


def test_one_collection_has_one_secure_connection_server() -> None:
    collection = Collection()
    first, second = Servers(collection), Servers(collection)
    first.make("extension")
    with pytest.raises(ValueError, match="with two secure connection servers"):
        second.make("extension")


def test_what_is_no_server_of_ours_is_refused() -> None:
    own, theirs = game(), secure.SecureConnectionServer()
    with pytest.raises(TypeError, match="secure_connection_server is one of nekonex"):
        CommonMatchmakeExtensionServer(own, Collection(), None, None, theirs)
    with pytest.raises(TypeError, match="secure_connection_server is one of nekonex"):
        CommonNATTraversalServer(own, None, theirs)
    with pytest.raises(ValueError, match="needs gatherings_db"):
        CommonMatchMakingServer(own, None)


# -- in service -------------------------------------------------------------------


class Echo:
    """A server of NintendoClients' kind, among ours."""

    PROTOCOL_ID = 250

    async def handle(self, client: Any, method: int, input: Any, output: Any) -> None:  # noqa: A002
        output.u32(client.pid())

    async def logout(self, client: Any) -> None:
        pass


@contextlib.asynccontextmanager
async def served(servers: Servers, *names: str) -> AsyncIterator[tuple[str, int]]:
    """Serve all that was made, in the order of *names*; the value is the login's address."""
    own = servers.settings
    listed = [servers.secure if name == "secure" else servers.make(name) for name in names]
    key = secure_key(SECURE_SERVER, own)
    async with compat.serve(own, [*listed, Echo()], "127.0.0.1", key=key) as second:
        authentication = CommonAuthenticationServer(
            own,
            secure_host="127.0.0.1",
            secure_port=second.address[1],
            build_string="build",
            special_users=[SECURE_SERVER],
            get_nex_password_func=PASSWORDS.get,
        )
        async with compat.serve(own, [authentication], "127.0.0.1") as first:
            yield first.address


@dataclass
class Console:
    pid: int
    cid: int
    session: Any

    @property
    def extension(self) -> Any:
        return matchmaking.MatchmakeExtensionClient(self.session)

    @property
    def ext(self) -> Any:
        return matchmaking.MatchMakingClientExt(self.session)

    @property
    def plain(self) -> Any:
        return matchmaking.MatchMakingClient(self.session)

    async def auto(self, **fields: Any) -> Any:
        template = matchmaking.MatchmakeSession()
        template.max_participants = 4
        for name, value in fields.items():
            setattr(template, name, value)
        criteria = matchmaking.MatchmakeSessionSearchCriteria()
        return await self.extension.auto_matchmake_with_search_criteria_postpone(
            [criteria], template, "hello"
        )


@contextlib.asynccontextmanager
async def console(servers: Servers, address: tuple[str, int], pid: int) -> AsyncIterator[Console]:
    async with (
        backend.connect(servers.settings, *address) as client,
        client.login(str(pid), PASSWORDS[pid]) as session,
    ):
        url = common.StationURL(address="192.168.0.10", port=50000)
        reply = await secure.SecureConnectionClient(session).register([url])
        reply.result.raise_if_error()
        yield Console(pid, reply.connection_id, session)


@pytest.mark.parametrize(
    "order",
    [
        ("secure", "extension", "ext", "nat", "matchmaking"),
        ("matchmaking", "nat", "ext", "extension", "secure"),
    ],
)
async def test_consoles_meet_and_part(order: tuple[str, ...]) -> None:
    servers = Servers()
    async with served(servers, *order) as address:
        async with console(servers, address, 1000) as one:
            session = await one.auto()
            async with console(servers, address, 1001) as two:
                assert (await two.auto()).id == session.id
                assert await two.ext.get_participants(session.id, False) == [1000, 1001]
                urls = await two.plain.get_session_urls(session.id)
                assert {url["PID"] for url in urls} == {1000}
                reply = await two.session.request(250, 1, b"")
                assert reply == (1001).to_bytes(4, "little")
            live = servers.made["ext"].matchmaking.gatherings.live

            async def left() -> bool:
                (gathering,) = await live.page(0, 10)
                return bool(gathering.pids == (1000,))

            while not await left():
                await one.ext.get_participants(session.id, False)
        gatherings = servers.made["ext"].matchmaking.gatherings
        await until(lambda: not servers.secure.players.count)
    assert await gatherings.live.count() == 0


async def test_those_who_could_not_reach_each_other_are_kept_apart() -> None:
    servers = Servers()
    async with (
        served(servers, "nat", "secure", "extension", "ext") as address,
        console(servers, address, 1000) as one,
        console(servers, address, 1001) as two,
    ):
        session = await one.auto()
        assert (await two.auto()).id == session.id
        nat = nattraversal.NATTraversalClient(two.session)
        await nat.report_nat_traversal_result(one.cid, False)
        await two.ext.end_participation(session.id, "")
        assert (await two.auto()).id != session.id


async def test_friends_come_from_the_callback() -> None:
    servers = Servers()
    async with (
        served(servers, "secure", "matchmaking", "ext", "extension") as address,
        console(servers, address, 1000) as one,
        console(servers, address, 1001) as friend,
        console(servers, address, 1002) as stranger,
    ):
        session = await one.auto(participation_policy=98)
        assert (await friend.auto()).id == session.id
        assert (await stranger.auto()).id != session.id


async def test_a_plain_callback_runs_in_a_worker_thread() -> None:
    servers = Servers()
    threads: set[bool] = set()

    def friends_of(pid: int) -> list[int]:
        threads.add(threading.current_thread() is threading.main_thread())
        return [1000]

    async with (
        served(servers, "secure", "extension") as address,
        console(servers, address, 1000) as one,
        console(servers, address, 1001) as two,
    ):
        servers.made["extension"].matchmaking.extend(get_friend_pids=friends_of)
        session = await one.auto(participation_policy=98)
        assert (await two.auto()).id == session.id
    assert threads == {False}


async def test_hooks_filter_what_is_found() -> None:
    class SameAttribute(MatchmakingHooks):
        def accepts(self, player: Player, session: MatchmakeSession) -> bool:
            return session.attributes[3] == 7

    servers = Servers(hooks=SameAttribute())
    async with (
        served(servers, "secure", "extension") as address,
        console(servers, address, 1000) as one,
        console(servers, address, 1001) as two,
        console(servers, address, 1002) as three,
    ):
        first = await one.auto()
        second = await two.auto(attribs=[0, 0, 0, 7, 0, 0])
        assert first.id != second.id
        assert (await three.auto()).id == second.id


async def test_the_secure_server_of_the_list_is_used_where_none_was_named() -> None:
    servers = Servers()
    async with (
        served(servers, "matchmaking", "secure") as address,
        console(servers, address, 1000) as one,
    ):
        assert await one.plain.find_by_owner(1000, common.ResultRange()) == []


async def test_servers_may_have_a_matchmaking_of_their_own() -> None:
    servers = Servers()
    own = Matchmaking(
        players=servers.secure.players,
        live=MemoryLiveStore(Random(1)),
        communities=MemoryCommunityStore(),
        preferences=MemoryPreferenceStore(),
    )
    made = [
        CommonMatchmakeExtensionServer(servers.settings, matchmaking=own),
        CommonMatchMakingServer(servers.settings, matchmaking=own),
        CommonMatchMakingServerExt(servers.settings, matchmaking=own),
    ]
    assert {server.matchmaking for server in made} == {own}
    async with compat.serve(servers.settings, [servers.secure, *made], "127.0.0.1"):
        pass


async def test_when_a_server_has_ended_the_collection_begins_anew() -> None:
    collection = Collection()
    first = Servers(collection)
    async with served(first, "secure", "extension", "ext"):
        assert Servers(collection).make("ext").matchmaking is first.made["ext"].matchmaking
    second = Servers(collection)
    async with served(second, "secure", "extension", "ext") as address:
        assert second.made["ext"].matchmaking is not first.made["ext"].matchmaking
        async with console(second, address, 1000) as one:
            assert (await one.auto()).owner == 1000
