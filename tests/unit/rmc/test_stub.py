"""Both roles at once: two sessions, back to back in memory."""

import asyncio
from typing import Annotated, Any, NamedTuple, Self

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.rmc import Dispatcher, InvalidReplyError, Protocol, Session, Stub, method
from nekonex.values import RMCError
from nekonex.wire import PID, Buffer, String, Structure, UInt8, UInt32, UInt64, V, WireContext
from tests.unit.rmc.fakes import FakeChannel, settle


class Item(Structure):
    number: UInt32
    name: String = ""


class Several(NamedTuple):
    items: list[Item]
    total: UInt64
    tail: Annotated[Buffer, V("4.0")] = b"default"


class Shop(Protocol, id=0x200):
    @method(1)
    async def echo(self, client: Session, text: String, times: UInt8 = 2) -> String:
        return text * times

    @method(2)
    async def several(self, client: Session, items: list[Item], pid: PID) -> Several:
        return Several(items, pid, b"tail")

    @method(3)
    async def refuse(self, client: Session) -> None:
        raise RMCError("Core::AccessDenied")

    @method(4)
    async def ask_back(self, client: Session, text: String) -> String:
        answer: str = await Shop.client(client).echo(text, times=1)
        return f"you said {answer}"

    @method(5, when=V("4.0"))
    async def late(self, client: Session) -> None:
        """Only since 4.0."""


class Events(Protocol, id=14, noresponse=True):
    def __init__(self) -> None:
        self.seen: list[int] = []

    @method(1)
    async def event(self, client: Session, number: UInt32) -> None:
        self.seen.append(number)


class Cable(FakeChannel):
    """One end of a pair of sessions."""

    other: Session

    def send(self, data: bytes, substream: int = 0) -> None:
        super().send(data, substream)
        asyncio.get_running_loop().call_soon(self.other.on_message, data, substream)


class Pair:
    """A server and a client, which serve the same protocols."""

    def __init__(self, version: str = "3.5.4", client_protocol: Protocol | None = None) -> None:
        self.events = Events()
        context = WireContext(version)
        self.dispatchers = [
            Dispatcher([Shop(), self.events], context),
            Dispatcher([client_protocol or Shop()], context),
        ]
        self.server, self.client = self.sessions = [
            dispatcher.accept(Cable(number)) for number, dispatcher in enumerate(self.dispatchers)
        ]
        for end, other in ((self.server, self.client), (self.client, self.server)):
            assert isinstance(end.channel, Cable)
            end.channel.other = other

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        for session, dispatcher in zip(self.sessions, self.dispatchers, strict=True):
            session.on_closed("end of test")
            await dispatcher.wait_logouts()
            dispatcher.close()


async def test_positional_and_named_arguments_and_defaults() -> None:
    async with Pair() as pair:
        shop = Shop.client(pair.client)
        assert isinstance(shop, Stub)
        assert await shop.echo("ab") == "abab"
        assert await shop.echo("ab", 3) == "ababab"
        assert await shop.echo("ab", times=1) == "ab"
        assert await shop.echo(times=0, text="ab") == ""


@given(
    st.lists(st.builds(Item, st.integers(0, 0xFFFF_FFFF), st.text("abcä", max_size=5))),
    st.integers(0, 0xFFFF_FFFF),
)
async def test_structures_round_trip(items: list[Item], pid: int) -> None:
    async with Pair() as pair:
        reply = await Shop.client(pair.client).several(items, pid)
        assert reply == Several(items, pid, b"default")
        assert type(reply) is Several
    async with Pair("4.0") as pair:
        reply = await Shop.client(pair.client).several(items, pid=pid)
        assert reply == Several(items, pid, b"tail")


async def test_errors_arrive_by_name() -> None:
    async with Pair() as pair:
        with pytest.raises(RMCError, match="Core::AccessDenied"):
            await Shop.client(pair.client).refuse()


async def test_a_handler_calls_the_client_that_waits_for_it() -> None:
    async with Pair() as pair:
        assert await Shop.client(pair.client).ask_back("hello") == "you said hello"
        many = [Shop.client(pair.client).ask_back(str(number)) for number in range(20)]
        assert await asyncio.gather(*many) == [f"you said {number}" for number in range(20)]


async def test_both_sides_may_call_at_once() -> None:
    async with Pair() as pair:
        calls = [Shop.client(session).echo("x", 1) for session in pair.sessions * 10]
        assert await asyncio.gather(*calls) == ["x"] * 20


async def test_protocols_without_responses_are_sent_and_not_waited_for() -> None:
    async with Pair() as pair:
        events = Events.client(pair.client)
        assert [await events.event(number) for number in range(3)] == [None] * 3
        await settle()
        assert pair.events.seen == [0, 1, 2]
        assert isinstance(pair.server.channel, FakeChannel)
        assert pair.server.channel.sent == []


async def test_arguments_that_do_not_fit_are_type_errors() -> None:
    async with Pair() as pair:
        shop = Shop.client(pair.client)
        wrong: list[tuple[tuple[Any, ...], dict[str, Any], str]] = [
            (("a", 1, 2), {}, r"Shop\.echo takes 2 arguments, not 3"),
            ((), {"times": 1}, r"Shop\.echo lacks the argument text"),
            (("a",), {"text": "b"}, r"Shop\.echo is given text twice"),
            (("a",), {"speed": 1}, r"Shop\.echo has no parameter speed"),
        ]
        for arguments, named, message in wrong:
            with pytest.raises(TypeError, match=message):
                await shop.echo(*arguments, **named)
        with pytest.raises(ValueError, match=r"Shop\.echo\.times"):
            await shop.echo("a", 256)
        assert isinstance(pair.client.channel, FakeChannel)
        assert pair.client.channel.sent == []


async def test_methods_that_a_version_lacks_are_attribute_errors() -> None:
    async with Pair() as pair:
        with pytest.raises(AttributeError, match=r"Shop has no method late in <WireContext NEX 3"):
            _ = Shop.client(pair.client).late
        assert "late" not in dir(Shop.client(pair.client))
        assert "echo" in dir(Shop.client(pair.client))
    async with Pair("4.0") as pair:
        assert await Shop.client(pair.client).late() is None


async def test_a_reply_that_cannot_be_read_is_an_invalid_reply() -> None:
    class Liar(Protocol, id=0x200):
        @method(1)
        async def echo(self, client: Session, text: String, times: UInt8) -> UInt8:
            return 1

    async with Pair(client_protocol=Liar()) as pair:
        with pytest.raises(InvalidReplyError, match=r"Shop\.echo reply"):
            await Shop.client(pair.server).echo("x")


async def test_a_stub_has_a_timeout_of_its_own() -> None:
    class Deaf(Protocol, id=0x200, noresponse=True):
        @method(1)
        async def echo(self, client: Session, text: String, times: UInt8) -> None: ...

    async with Pair(client_protocol=Deaf()) as pair:
        with pytest.raises(TimeoutError, match=r"no reply within 0\.005 seconds"):
            await Shop.client(pair.server, timeout=0.005).echo("x")
