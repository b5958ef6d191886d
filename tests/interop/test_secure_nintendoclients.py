"""What NintendoClients' consoles do once they are connected to our secure server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from nintendo.nex import backend, common, notification, rmc, secure

from nekonex.domain import Notification
from nekonex.kerberos import LegacyTokenVerifier
from tests.support.login import PLAYERS, game_settings, serve_game
from tests.support.nintendo import console, nintendo_settings

VERSIONS = ["3.0.1", "3.5.4", "4.4.0"]


def url(**parameters: Any) -> Any:
    return common.StationURL(**{"address": "192.168.0.10", "port": 50000, **parameters})


def data(token: str = "") -> Any:
    result = secure.NintendoLoginData()
    result.token = token
    return result


@pytest.mark.parametrize("version", VERSIONS)
async def test_every_method(version: str) -> None:
    async with serve_game(game_settings(version)) as game, console(game) as session:
        stub = secure.SecureConnectionClient(session)
        first = await stub.register_ex([url()], data())
        first.result.raise_if_error()
        again = await stub.register([url()])
        assert again.connection_id == first.connection_id
        await stub.test_connectivity()
        await stub.update_urls([url(port=50001)])
        await stub.replace_url(url(port=50001), url(address="10.0.0.1"))
        await stub.send_report(7, b"\0" * 1000)
        for request in (stub.request_urls, stub.request_connection_data):
            with pytest.raises(common.RMCError, match="Core::AccessDenied"):
                await request(first.connection_id, 1000)
        reports = [report async for report in game.reports.reports()]
    assert [(each.pid, each.report_id, len(each.data)) for each in reports] == [(1000, 7, 1000)]


async def test_addresses_where_they_are_allowed() -> None:
    async def anybody(client: Any, target: Any) -> bool:
        return True

    async with (
        serve_game(secure={"may_request_urls": anybody}) as game,
        console(game) as session,
    ):
        stub = secure.SecureConnectionClient(session)
        number = (await stub.register([url(natm=0, Foo="kept")])).connection_id
        urls = await stub.request_urls(number, 0)
        found = await stub.request_connection_data(0, 1000)
    assert urls.result is True
    assert [(each["address"], each["RVCID"], each.params["Foo"]) for each in urls.urls] == [
        ("192.168.0.10", number, "kept"),
        ("127.0.0.1", number, "kept"),
    ]
    assert [(str(each.station), each.connection_id) for each in found.connection_data] == [
        (str(each), number) for each in urls.urls
    ]


async def test_a_token_at_registration() -> None:
    options = {"token_verifier": LegacyTokenVerifier(bytes(32))}
    async with serve_game(secure=options) as game, console(game) as session:
        stub = secure.SecureConnectionClient(session)
        for reply in (await stub.register([url()]), await stub.register_ex([url()], data("bad"))):
            assert reply.result.name() == "Authentication::ValidationFailed"
            assert reply.connection_id == 0
            assert str(reply.public_station) == "prudp:/"


async def test_malformed_urls_are_an_error_and_no_more() -> None:
    async with serve_game() as game, console(game) as session:
        stub = secure.SecureConnectionClient(session)
        for bad in ([], [url(port=70000)], [url(natm=1, type=3)]):
            with pytest.raises(common.RMCError, match="Core::InvalidArgument"):
                await stub.register(bad)
        assert (await stub.register([url()])).result.is_success()


async def test_a_second_console_of_the_same_player() -> None:
    async with serve_game() as game, console(game) as old:
        await secure.SecureConnectionClient(old).register([url()])
        async with console(game) as new:
            number = (await secure.SecureConnectionClient(new).register([url()])).connection_id
            assert [player.connection_id for player in game.players] == [number]
            with pytest.raises(RuntimeError, match="closed"):
                await secure.SecureConnectionClient(old).test_connectivity()
            await secure.SecureConnectionClient(new).test_connectivity()


@pytest.mark.parametrize("version", VERSIONS)
async def test_notifications(version: str) -> None:
    class Inbox(notification.NotificationServer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.events: asyncio.Queue[Any] = asyncio.Queue()

        async def process_notification_event(self, client: Any, event: Any) -> None:
            self.events.put_nowait(event)

    settings = game_settings(version)
    if version == "4.4.0":
        # There it takes the width of the parameters from that of principal ids.
        settings["nex.pid_size"] = 8
    inbox = Inbox()
    async with (
        serve_game(settings) as game,
        backend.connect(nintendo_settings(settings), *game.auth.address) as client,
        client.login("1000", PLAYERS[1000], servers=[inbox]) as session,
    ):
        await secure.SecureConnectionClient(session).register([url()])
        player = game.players.newest(1000)
        assert player is not None
        player.notify(Notification(3001, 1001, 5, 6, 7, "hello"))
        event = await inbox.events.get()
    assert (event.pid, event.type, event.param1, event.param2, event.text) == (
        1001,
        3001,
        5,
        6,
        "hello",
    )
    if version != "3.0.1":
        assert event.param3 == 7


async def test_a_kick() -> None:
    async with serve_game() as game, console(game) as session:
        await secure.SecureConnectionClient(session).register([url()])
        player = game.players.newest(1000)
        assert player is not None
        player.close("a test")
        with pytest.raises(RuntimeError, match="closed"):
            await secure.SecureConnectionClient(session).test_connectivity()
        assert game.players.count == 0


async def test_a_console_without_a_ticket_gets_nowhere() -> None:
    async with serve_game() as game:
        settings = nintendo_settings(game.settings)
        settings["prudp.resend_timeout"] = 0.01
        with pytest.raises(Exception):  # noqa: B017, PT011 - it has no error type of its own
            async with rmc.connect(settings, *game.secure.address):
                pass
        assert game.secure.connections() == []
