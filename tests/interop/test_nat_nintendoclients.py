"""NAT traversal among NintendoClients' consoles that are connected to our secure server."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from nintendo.nex import backend, common, nattraversal, secure

from nekonex.domain.matchmaking.relations.unreachable import UnreachablePairs
from nekonex.nex.nat_traversal import NATTraversalServer
from nekonex.rmc.listener import serve
from tests.support.login import Game
from tests.support.natlab import Friends
from tests.support.nexlab import lab_settings
from tests.support.nintendo import nintendo_settings

VERSIONS = ["2.4.1", "3.5.4"]
PLAYERS = {1000: "first", 1001: "second", 1002: "third"}


class Prober(nattraversal.NATTraversalServer):  # type: ignore[misc]
    """What a console serves."""

    def __init__(self) -> None:
        super().__init__()
        self.probes: asyncio.Queue[str] = asyncio.Queue()

    async def initiate_probe(self, client: Any, station_to_probe: Any) -> None:
        self.probes.put_nowait(str(station_to_probe))


@dataclass
class Console:
    nat: Any
    secure: Any
    prober: Prober
    cid: int
    public: Any


@dataclass
class Served:
    game: Game
    nat: NATTraversalServer
    unreachable: UnreachablePairs


@contextlib.asynccontextmanager
async def serving(version: str, **options: Any) -> AsyncIterator[Served]:
    game = Game(lab_settings(version))
    await game.add_accounts(PLAYERS)
    secure_server = game.secure_server(may_request_urls=lambda client, target: True)
    unreachable = UnreachablePairs()
    nat = NATTraversalServer(
        game.settings, secure=secure_server, unreachable=unreachable, **options
    )
    async with serve(
        game.settings, [secure_server, nat], "127.0.0.1", key=game.server_key
    ) as game.secure:
        server = game.authentication_server(game.secure.address[1])
        async with serve(game.settings, [server], "127.0.0.1") as game.auth:
            yield Served(game, nat, unreachable)


@contextlib.asynccontextmanager
async def console(game: Game, pid: int) -> AsyncIterator[Console]:
    prober = Prober()
    async with (
        backend.connect(nintendo_settings(game.settings), *game.auth.address) as client,
        client.login(str(pid), PLAYERS[pid], servers=[prober]) as session,
    ):
        stub = secure.SecureConnectionClient(session)
        url = common.StationURL(address="192.168.0.10", port=50000, sid=15)
        reply = await stub.register([url])
        reply.result.raise_if_error()
        nat = nattraversal.NATTraversalClient(session)
        yield Console(nat, stub, prober, reply.connection_id, reply.public_station)


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_probe_arrives(version: str) -> None:
    friends = Friends({1000, 1001})
    async with (
        serving(version, neighbours=friends) as served,
        console(served.game, 1000) as one,
        console(served.game, 1001) as two,
        console(served.game, 1002) as three,
    ):
        targets = (await one.secure.request_urls(two.cid, 1001)).urls
        targets += (await one.secure.request_urls(three.cid, 1002)).urls
        await one.nat.request_probe_initiation_ext(targets, one.public)
        assert await two.prober.probes.get() == str(one.public)
        local = common.StationURL(address="192.168.0.10", port=50000)
        await one.nat.request_probe_initiation_ext(targets, local)
        found = common.StationURL.parse(await two.prober.probes.get())
        assert (found["address"], found["port"]) == ("192.168.0.10", 50000)
        assert (found["PID"], found["RVCID"]) == (1000, one.cid)
        await two.nat.request_probe_initiation([one.public])
        assert await one.prober.probes.get() == str(two.public)
        # What a third party is to be bothered with ends up at the caller's own address.
        foreign = common.StationURL(address="198.51.100.1", port=53)
        await one.nat.request_probe_initiation_ext(targets, foreign)
        found = common.StationURL.parse(await two.prober.probes.get())
        assert found["address"] == "127.0.0.1"
        assert three.prober.probes.empty()
    assert served.nat.stats.probes == 4


@pytest.mark.parametrize("version", VERSIONS)
async def test_properties_are_seen_by_a_third(version: str) -> None:
    async with (
        serving(version) as served,
        console(served.game, 1000) as one,
        console(served.game, 1002) as three,
    ):
        await one.nat.report_nat_properties(2, 1, 44)
        await one.nat.report_nat_properties(7, 1, 44)
        local, public = (await three.secure.request_urls(one.cid, 1000)).urls
    assert (local["natm"], local["natf"]) == (0, 0)
    assert (public["natm"], public["natf"], public["type"]) == (2, 1, 3)
    assert (public["address"], public["PID"], public["RVCID"]) == ("127.0.0.1", 1000, one.cid)


@pytest.mark.parametrize("version", VERSIONS)
async def test_results_are_used(version: str) -> None:
    async with (
        serving(version) as served,
        console(served.game, 1000) as one,
        console(served.game, 1001) as two,
    ):
        await one.nat.report_nat_traversal_result(two.cid, False)
        assert served.unreachable.failed_with(1001) == {1000}
        await two.nat.report_nat_traversal_result_detail(one.cid, True, 3, 25)
        assert served.unreachable.failed_with(1001) == frozenset()
        await two.nat.report_nat_traversal_result_detail(one.cid, False, -9, 25)
        assert served.unreachable.failed_with(1000) == {1001}
        await two.nat.report_nat_traversal_result(4711, False)
    assert served.nat.stats.details == {3: 1, -9: 1}


@pytest.mark.parametrize("version", VERSIONS)
async def test_bad_requests(version: str) -> None:
    async with (
        serving(version) as served,
        console(served.game, 1000) as one,
        console(served.game, 1001) as two,
    ):
        with pytest.raises(common.RMCError, match="Core::InvalidArgument"):
            await one.nat.request_probe_initiation_ext([two.public] * 25, one.public)
        with pytest.raises(common.RMCError, match="Core::InvalidArgument"):
            await one.nat.request_probe_initiation([common.StationURL(port=70000)])
        with pytest.raises(common.RMCError, match="Core::NotImplemented"):
            await one.nat.initiate_probe(two.public)
        nameless = common.StationURL(address="192.0.2.1", port=1)
        await one.nat.request_probe_initiation_ext([nameless], one.public)
        assert two.prober.probes.empty()


@pytest.mark.parametrize("version", VERSIONS)
async def test_a_target_that_vanished_delays_nobody(version: str) -> None:
    async with serving(version) as served, console(served.game, 1000) as one:
        async with console(served.game, 1001) as gone:
            await one.nat.request_probe_initiation([gone.public])
            await gone.prober.probes.get()
        async with console(served.game, 1002) as three:
            await one.nat.request_probe_initiation([gone.public, three.public])
            assert await three.prober.probes.get() == str(one.public)


@pytest.mark.parametrize("version", VERSIONS)
async def test_there_is_no_relay(version: str) -> None:
    async with serving(version) as served, console(served.game, 1000) as one:
        key = await one.nat.get_relay_signature_key()
    assert (key.mode, key.address, key.port) == (0, "", 0)
    assert (key.address_type, key.game_server_id) == (0, 0)
    assert key.time.year() >= 2025
