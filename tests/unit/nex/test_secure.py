"""Registration at the secure server, and what ends it."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

import pytest

from nekonex.domain import Notification
from nekonex.events import PlayerLoggedIn, PlayerLoggedOut
from nekonex.nex import Notifications, SecureConnection, SecureConnectionServer
from nekonex.nex.structures import NotificationEvent, default_holders
from nekonex.rmc import Protocol, RMCConnectionClosed, Session, Stub, method
from nekonex.rmc.contexts import context_of
from nekonex.values import RMCError, StationURL
from tests.support.login import Game
from tests.support.nexlab import Lab, lab, lab_settings
from tests.support.pipe import PipeServer

LOCAL = StationURL("prudp", address="192.168.0.10", port=50000)
PUBLIC = StationURL("prudp", address="198.51.100.4", port=40000, natm=1, natf=1, type=3)


def stub_of(session: Session) -> Stub:
    return SecureConnection.client(session)


class Inbox(Notifications):
    """A console that keeps the notifications it gets."""

    def __init__(self) -> None:
        self.events: list[NotificationEvent] = []

    async def process_notification_event(self, client: Session, event: NotificationEvent) -> None:
        self.events.append(event)


def public_addresses(made: Lab) -> dict[int, tuple[str, int]]:
    found = {}
    for player in made.game.players:
        connected = made.secure_server.player(player.connection_id)
        assert connected is not None
        found[player.connection_id] = connected.stations.public.address
    return found


class TestRegister:
    async def test_the_reply_and_the_player(self) -> None:
        async with lab() as made, made.secure.client(pid=1000) as session:
            reply = await stub_of(session).register([LOCAL])
            own = made.secure.session_of(session)
            player = made.secure_server.player_of(own)
            assert player is not None
            assert made.game.players.newest(1000) is player
            assert made.secure_server.newest_player(1000) is player
            assert made.secure_server.player(own.id) is player
            assert (player.pid, player.connection_id) == (1000, own.id)
            assert player.address == ("192.0.2.1", 50001)
        assert reply.result.is_success
        assert reply.connection_id == own.id
        assert str(reply.public_station) == (
            f"prudp:/address=192.0.2.1;port=50001;natf=0;natm=0;type=3;PID=1000;RVCID={own.id}"
        )
        assert made.secure_server.player(own.id) is None
        assert made.game.players.count == 0

    async def test_a_second_time_keeps_the_connection_id(self) -> None:
        async with lab() as made, made.secure.client(pid=1000) as session:
            stub = stub_of(session)
            first = await stub.register([LOCAL])
            second = await stub.register([PUBLIC, LOCAL])
            assert second.connection_id == first.connection_id
            assert second.public_station.address == ("198.51.100.4", 40000)
            assert made.game.players.count == 1
            assert public_addresses(made) == {first.connection_id: ("198.51.100.4", 40000)}
        assert [type(event) for event in made.game.events] == [PlayerLoggedIn, PlayerLoggedOut]

    async def test_connection_ids_differ_and_are_not_0(self) -> None:
        async with lab() as made, contextlib.AsyncExitStack() as stack:
            numbers = set()
            for pid in (1000, 1001, 100, 100):
                session = await stack.enter_async_context(made.secure.client(pid=pid))
                numbers.add((await stub_of(session).register([LOCAL])).connection_id)
            assert len(numbers) == 4
            assert 0 not in numbers

    @pytest.mark.parametrize(
        "urls", [[], [PUBLIC], [LOCAL] * 9], ids=["none", "no local one", "too many"]
    )
    async def test_lists_that_make_no_sense(self, urls: list[StationURL]) -> None:
        async with lab() as made, made.secure.client(pid=1000) as session:
            stub = stub_of(session)
            with pytest.raises(RMCError, match="Core::InvalidArgument"):
                await stub.register(urls)
            assert made.game.players.count == 0
            assert (await stub.register([LOCAL] * 8)).result.is_success

    async def test_a_url_that_grows_too_long(self) -> None:
        long = StationURL("prudp", address="1.2.3.4", port=1)
        long["Foo"] = "x" * 980
        async with lab() as made, made.secure.client(pid=1000) as session:
            with pytest.raises(RMCError, match="Core::InvalidArgument"):
                await stub_of(session).register([long])

    async def test_nobody_without_a_ticket(self) -> None:
        async with lab() as made, made.secure.client(pid=None) as session:
            with pytest.raises(RMCError, match="RendezVous::NotAuthenticated"):
                await stub_of(session).register([LOCAL])

    async def test_the_access_rules_are_looked_at_again(self) -> None:
        async with lab() as plain:
            access = plain.game.access
            await access.start_maintenance("test")
            async with lab(secure={"access": access}) as made:
                async with made.secure.client(pid=1000) as session:
                    reply = await stub_of(session).register([LOCAL])
                assert made.game.players.count == 0
        assert reply.result.name == "Authentication::UnderMaintenance"
        assert reply.connection_id == 0


class TestSecondLogin:
    async def test_it_ends_the_older_connection_first(self) -> None:
        order: list[object] = []

        class Slow(Protocol, id=200):
            """A server whose logout takes a while."""

            @method(1)
            async def hello(self, client: Session) -> None:
                order.append(("hello", client.id))

            async def logout(self, client: Session) -> None:
                await asyncio.sleep(0.01)
                order.append(("logout", client.id))

        async with lab() as made:
            made.game.bus.subscribe(PlayerLoggedIn, lambda e: order.append(("in", e.connection_id)))
            context = context_of(made.settings, holders=default_holders())
            server = PipeServer([made.secure_server, Slow()], context)
            async with server.client(pid=1000) as old, server.client(pid=1000) as new:
                first = (await stub_of(old).register([LOCAL])).connection_id
                second = (await stub_of(new).register([LOCAL])).connection_id
                assert not old.open
                assert new.open
                newest = made.game.players.newest(1000)
                assert newest is not None
                assert newest.connection_id == second
                assert made.game.players.count == 1
            server.close()
        assert order[:3] == [("in", first), ("logout", first), ("in", second)]

    async def test_an_old_connection_that_ends_late_harms_nobody(self) -> None:
        async with lab() as made, made.secure.client(pid=1000) as new:
            async with made.secure.client(pid=1000) as old:
                await stub_of(old).register([LOCAL])
                number = (await stub_of(new).register([LOCAL])).connection_id
            newest = made.secure_server.newest_player(1000)
            assert newest is not None
            assert newest.connection_id == number

    async def test_logout_that_hangs_is_not_waited_for_long(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("nekonex.nex.secure.server.KICK_SECONDS", 0.01)
        release = asyncio.Event()

        class Hanging(Protocol, id=200):
            async def logout(self, client: Session) -> None:
                if client.pid == 1000:
                    await release.wait()

        async with lab() as made:
            context = context_of(made.settings, holders=default_holders())
            server = PipeServer([Hanging(), made.secure_server], context)
            async with server.client(pid=1000) as old, server.client(pid=1000) as new:
                await stub_of(old).register([LOCAL])
                number = (await stub_of(new).register([LOCAL])).connection_id
                assert [each.connection_id for each in made.game.players.all_of(1000)] == [number]
                release.set()
            server.close()
        assert made.game.players.count == 0

    async def test_the_log_says_why(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "nekonex.login")
        async with (
            lab() as made,
            made.secure.client(pid=1000) as old,
            made.secure.client(pid=1000) as new,
        ):
            await stub_of(old).register([LOCAL])
            number = (await stub_of(new).register([LOCAL])).connection_id
        assert caplog.messages == ["player logged in"] * 2 + ["player logged out"] * 2
        assert vars(caplog.records[2])["reason"] == f"replaced by connection {number}"

    async def test_who_never_registers_is_logged_too(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "nekonex.login")
        async with lab() as made, made.secure.client(pid=1000):
            pass
        assert caplog.messages == ["player logged in", "player logged out"]
        assert [vars(record)["pid"] for record in caplog.records] == [1000, 1000]

    async def test_many_at_once_leave_one(self) -> None:
        async with lab() as made, contextlib.AsyncExitStack() as stack:
            sessions = [
                await stack.enter_async_context(made.secure.client(pid=1000)) for _ in range(5)
            ]
            replies = await asyncio.gather(
                *(stub_of(session).register([LOCAL]) for session in sessions),
                return_exceptions=True,
            )
            assert made.game.players.count == 1
            assert sum(session.open for session in sessions) == 1
            lost = [reply for reply in replies if isinstance(reply, BaseException)]
            assert all(isinstance(error, RMCConnectionClosed) for error in lost)

    async def test_guests_may_be_many(self) -> None:
        async with lab() as made:
            async with made.secure.client(pid=100) as one, made.secure.client(pid=100) as two:
                await stub_of(one).register([LOCAL])
                await stub_of(two).register([LOCAL])
                assert one.open
                assert made.game.players.count == 2
            assert made.game.players.count == 0

    async def test_a_player_whom_somebody_else_registered_makes_way(self) -> None:
        class Stranger:
            pid = 1000
            connection_id = 1 << 40
            address = ("192.0.2.7", 7)

            def close(self, reason: str) -> None:
                raise NotImplementedError

            def notify(self, event: Notification) -> None:
                raise NotImplementedError

        async with lab() as made, made.secure.client(pid=1000) as session:
            made.game.players.register(Stranger())
            await stub_of(session).register([LOCAL])
            assert made.game.players.count == 1


class TestLogout:
    async def test_of_a_client_that_never_registered(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with lab() as made:
            async with made.secure.client(pid=1000) as session:
                await stub_of(session).test_connectivity()
            assert made.secure.dispatcher.stats.logout_errors == 0
        assert not made.game.events

    async def test_one_line_for_each_login_and_logout(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "nekonex.login")
        async with lab() as made, made.secure.client(pid=1000) as session:
            number = (await stub_of(session).register([LOCAL])).connection_id
            await stub_of(session).register([LOCAL])
        assert caplog.messages == ["player logged in", "player logged out"]
        for record in caplog.records:
            assert (
                vars(record).items()
                >= {
                    "pid": 1000,
                    "address": "192.0.2.1:50001",
                    "connection_id": number,
                    "game": "test",
                }.items()
            )


class TestPlayer:
    async def test_close_says_goodbye(self, caplog: pytest.LogCaptureFixture) -> None:
        caplog.set_level(logging.INFO, "nekonex.login")
        async with lab() as made, made.secure.client(pid=1000) as session:
            await stub_of(session).register([LOCAL])
            player = made.secure_server.newest_player(1000)
            assert player is not None
            player.close("kicked by a test")
            await session.wait_ended()
            player.close("again")
            player.notify(Notification(1))
            channel: Any = made.secure.session_of(session).channel
            assert channel.disconnected
        assert caplog.messages == ["player logged in", "player logged out"]
        assert vars(caplog.records[1])["reason"] == "kicked by a test"

    @pytest.mark.parametrize(
        ("version", "event"),
        [
            ("3.3.0", NotificationEvent(7, 3001, 1, 2, "text", 0)),
            ("3.5.4", NotificationEvent(7, 3001, 1, 2, "text", 3)),
            ("4.4.0", NotificationEvent(7, 3001, 1, 2, "text", 3)),
        ],
    )
    async def test_notifications(self, version: str, event: NotificationEvent) -> None:
        inbox = Inbox()
        async with (
            lab(lab_settings(version)) as made,
            made.secure.client(pid=1000, servers=[inbox]) as session,
        ):
            await stub_of(session).register([LOCAL])
            player = made.secure_server.newest_player(1000)
            assert player is not None
            player.notify(Notification(3001, 7, 1, 2, 3, "text"))
            await stub_of(session).test_connectivity()
            assert inbox.events == [event]
            with pytest.raises(ValueError, match="param1"):
                player.notify(Notification(3001, 7, 1 << 64))


async def test_hooks_of_subclasses() -> None:
    seen: list[object] = []

    class Hooked(SecureConnectionServer):
        async def on_register(self, player: Any) -> None:
            seen.append(("register", player.pid))

        async def on_change(self, player: Any) -> None:
            seen.append(("change", str(player.stations.local[0])))

        async def on_logout(self, player: Any) -> None:
            seen.append(("logout", player.pid))

    game = Game(lab_settings())
    server = PipeServer(
        [Hooked(game.settings, players=game.players)],
        context_of(game.settings, holders=default_holders()),
    )
    new = StationURL("prudp", address="10.0.0.1", port=1)
    async with server.client(pid=1000) as session:
        stub = stub_of(session)
        await stub.update_urls([LOCAL])
        number = (await stub.register([LOCAL])).connection_id
        await stub.replace_url(LOCAL, new)
        await stub.replace_url(LOCAL, new)
    server.close()
    assert seen == [
        ("register", 1000),
        ("change", f"prudp:/address=10.0.0.1;port=1;PID=1000;RVCID={number}"),
        ("logout", 1000),
    ]
