"""``compat.serve``: servers written for NintendoClients, unchanged, on our engine."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from nintendo.nex import authentication, common, notification, rmc, settings

from nekonex.compat import CompatClient, serve

PROTOCOL = 100


def game(**changes: Any) -> Any:
    result = settings.default()
    result.configure("25dbf96a", 30504)
    result["prudp.version"] = 1
    for key, value in changes.items():
        result[key.replace("__", ".")] = value
    return result


Handler = Callable[[CompatClient, Any, Any], Awaitable[None]]


class Server:
    """What NintendoClients asks of a server object, and a log of what happened to it."""

    def __init__(self, number: int = PROTOCOL, *, log: list[Any] | None = None) -> None:
        self.PROTOCOL_ID = number
        self.log: list[Any] = [] if log is None else log
        self.handlers: dict[int, Handler] = {}
        self.logout_fails = False
        self.gone = asyncio.Event()

    async def handle(self, client: Any, method: int, input: Any, output: Any) -> None:  # noqa: A002
        self.log.append(("handle", client))
        if method not in self.handlers:
            raise common.RMCError("Core::NotImplemented")
        await self.handlers[method](client, input, output)

    async def logout(self, client: Any) -> None:
        self.log.append(("logout", self.PROTOCOL_ID, client))
        self.gone.set()
        if self.logout_fails:
            raise RuntimeError("this server has a bug")


async def echo(client: CompatClient, source: Any, output: Any) -> None:
    output.write(source.readall())


def connect(address: tuple[str, int], changed: Any = None, **arguments: Any) -> Any:
    return rmc.connect(changed or game(), *address, **arguments)


async def test_a_generated_server_runs_unchanged() -> None:
    class Auth(authentication.AuthenticationServer):  # type: ignore[misc]
        async def get_pid(self, client: Any, username: str) -> int:
            return len(username)

        async def get_name(self, client: Any, pid: int) -> str:
            raise common.RMCError("RendezVous::InvalidPID")

        async def logout(self, client: Any) -> None:
            pass

    async with serve(game(), [Auth()], "127.0.0.1") as service, connect(service.address) as client:
        stub = authentication.AuthenticationClient(client)
        assert await stub.get_pid("mario") == 5
        with pytest.raises(common.RMCError, match="RendezVous::InvalidPID"):
            await stub.get_name(5)
        with pytest.raises(common.RMCError, match="Core::NotImplemented"):
            await stub.login("mario")


async def test_errors_are_the_protocols_own() -> None:
    async def reads_too_much(client: CompatClient, source: Any, output: Any) -> None:
        source.u32()

    async def reads_a_bad_holder(client: CompatClient, source: Any, output: Any) -> None:
        source.anydata()

    async def has_a_bug(client: CompatClient, source: Any, output: Any) -> None:
        raise KeyError("bug")

    server = Server()
    server.handlers = {1: reads_too_much, 2: reads_a_bad_holder, 3: has_a_bug}
    async with serve(game(), [server], "127.0.0.1") as service, connect(service.address) as client:
        for method, body, name in (
            (1, b"\0", "Core::InvalidArgument"),
            (2, b"\4\0abc\0\4\0\0\0\0\0\0\0", "Core::InvalidArgument"),
            (3, b"", "Core::Exception"),
            (9, b"", "Core::NotImplemented"),
        ):
            with pytest.raises(common.RMCError, match=name):
                await client.request(PROTOCOL, method, body)
        with pytest.raises(common.RMCError, match="Core::NotImplemented"):
            await client.request(14, 1, b"")
        assert service.stats.handler_errors == 1


async def test_what_cannot_be_served_is_refused_at_once() -> None:
    with pytest.raises(ValueError, match="protocol 100"):
        async with serve(game(), [Server(), Server()], "127.0.0.1"):
            pass
    with pytest.raises(ValueError, match="UDP"):
        async with serve(game(prudp__transport=1), [Server()], "127.0.0.1"):
            pass
    with pytest.raises(ValueError, match="TLS"):
        async with serve(game(), [Server()], "127.0.0.1", context=object()):
            pass


async def test_one_client_object_a_connection_in_every_handle_and_logout() -> None:
    log: list[Any] = []
    first, second = Server(log=log), Server(101, log=log)
    first.handlers[1] = second.handlers[1] = echo
    first.logout_fails = True
    async with serve(game(), [first, second], "127.0.0.1") as service:
        async with connect(service.address) as client:
            assert await client.request(PROTOCOL, 1, b"abc") == b"abc"
            assert await client.request(101, 1, b"def") == b"def"
        await second.gone.wait()
        assert service.stats.logout_errors == 1
    clients = {entry[-1] for entry in log}
    assert len(clients) == 1
    assert [entry[:2] for entry in log if entry[0] == "logout"] == [
        ("logout", 100),
        ("logout", 101),
    ]


async def test_logout_runs_for_a_client_that_never_called() -> None:
    server = Server()
    async with serve(game(), [server], "127.0.0.1") as service:
        async with connect(service.address):
            pass
        await server.gone.wait()
    assert len(server.log) == 1


async def test_the_client_has_the_old_names() -> None:
    seen: dict[str, Any] = {}

    async def look(client: CompatClient, source: Any, output: Any) -> None:
        seen.update(
            pid=client.pid(),
            local=client.local_address(),
            remote=client.remote_address(),
            local_sid=client.local_sid(),
            remote_sid=client.remote_sid(),
            servers=dict(client.servers),
            cid=client.client.user_cid,
            header=client.settings["nex.struct_header"],
        )
        client.settings["nex.pid_size"] = 8
        client.register_server(late)
        with pytest.raises(ValueError, match="101"):
            client.register_server(late)

    server, late = Server(), Server(101)
    server.handlers[1] = look
    late.handlers[1] = echo
    ours = game()
    async with serve(ours, [server], "127.0.0.1", vport=2) as service:
        async with (
            connect(service.address, vport=2) as client,
            connect(service.address, vport=2) as other,
        ):
            await client.request(PROTOCOL, 1, b"")
            assert await client.request(101, 1, b"late") == b"late"
            with pytest.raises(common.RMCError, match="Core::NotImplemented"):
                await other.request(101, 1, b"")
            address = client.local_address()
            local = service.address
        await late.gone.wait()
    assert seen["pid"] is None
    assert seen["cid"] is None
    assert seen["local"] == local
    assert seen["remote"][1] == address[1]
    assert (seen["local_sid"], seen["remote_sid"]) == (2, 15)
    assert seen["servers"] == {PROTOCOL: server}
    assert seen["header"]
    assert ours["nex.pid_size"] == 4


async def test_a_handler_may_call_its_own_client_and_wait() -> None:
    class Receiver(notification.NotificationServer):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.event: Any = None

        async def process_notification_event(self, client: Any, event: Any) -> None:
            self.event = event

        async def logout(self, client: Any) -> None:
            pass

    async def call_back(client: CompatClient, source: Any, output: Any) -> None:
        output.write(await client.request(102, 1, b"ping"))
        event = notification.NotificationEvent()
        event.pid, event.type = 7, 3001
        await notification.NotificationClient(client).process_notification_event(event)
        with pytest.raises(common.RMCError, match="Core::NotImplemented"):
            await client.request(103, 1, b"")

    server, answering, receiver = Server(), Server(102), Receiver()
    server.handlers[1] = call_back
    answering.handlers[1] = echo
    async with (
        serve(game(), [server], "127.0.0.1") as service,
        connect(service.address, servers=[answering, receiver]) as client,
    ):
        assert await client.request(PROTOCOL, 1, b"") == b"ping"
    assert receiver.event.type == 3001


async def test_a_call_to_a_closed_connection_is_a_runtime_error() -> None:
    server = Server()
    kept: list[CompatClient] = []

    async def keep(client: CompatClient, source: Any, output: Any) -> None:
        kept.append(client)

    server.handlers[1] = keep
    async with serve(game(), [server], "127.0.0.1") as service:
        async with connect(service.address) as client:
            await client.request(PROTOCOL, 1, b"")
        await server.gone.wait()
        with pytest.raises(RuntimeError, match="closed"):
            await kept[0].request(PROTOCOL, 1, b"")
        await kept[0].close()
        await kept[0].disconnect()
        await kept[0].cleanup()


async def test_a_server_may_end_the_connection() -> None:
    server = Server()

    async def hang_up(client: CompatClient, source: Any, output: Any) -> None:
        await client.disconnect()

    server.handlers[1] = hang_up
    async with serve(game(), [server], "127.0.0.1") as service, connect(service.address) as client:
        with pytest.raises(RuntimeError, match="closed"):
            await client.request(PROTOCOL, 1, b"")
        await server.gone.wait()
    assert [entry[0] for entry in server.log] == ["handle", "logout"]


async def test_noresponse_servers_never_answer() -> None:
    class Quiet(Server):
        NORESPONSE = True

    quiet, server = Quiet(), Server(101)
    server.handlers[1] = echo
    async with (
        serve(game(), [quiet, server], "127.0.0.1") as service,
        connect(service.address) as client,
    ):
        await client.request(PROTOCOL, 1, b"", noresponse=True)
        assert await client.request(101, 1, b"x") == b"x"
        assert service.stats.requests == 2
        assert service.stats.replies == 1


@pytest.mark.parametrize("version", [0, 1, 2])
@pytest.mark.parametrize("compression", [0, 1])
async def test_both_versions_and_compression(version: int, compression: int) -> None:
    server = Server()
    server.handlers[1] = echo
    theirs = game(prudp__version=version, prudp__compression=compression)
    if version == 2:
        theirs["prudp.version"] = 0
    ours = game(prudp__version=version, prudp__compression=compression)
    body = bytes(range(256)) * 800
    async with serve(ours, [server], "127.0.0.1") as service:
        async with connect(service.address, theirs) as client:
            assert await client.request(PROTOCOL, 1, body) == body
        assert not service.drops


async def test_the_reply_to_a_call_encoded_by_hand_is_not_taken_for_another_one() -> None:
    async def call_twice(client: CompatClient, source: Any, output: Any) -> None:
        by_hand = rmc.RMCMessage.request(client.settings, 55, 1, client.call_id, b"by hand")
        await client.client.send(by_hand.encode())
        output.write(await client.request(55, 1, b"awaited"))

    server, console = Server(), Server(55)
    server.handlers[1] = call_twice
    console.handlers[1] = echo
    async with (
        serve(game(), [server], "127.0.0.1") as service,
        connect(service.address, servers=[console]) as client,
    ):
        assert await client.request(PROTOCOL, 1, b"") == b"awaited"
        assert service.stats.late_replies == 1
