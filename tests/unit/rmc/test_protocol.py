"""Protocol classes: definitions, versions, inheritance."""

import functools
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import pytest

from nekonex.rmc import Protocol, Session, method
from nekonex.values import Result, RMCError
from nekonex.wire import (
    PID,
    AnyData,
    Buffer,
    Data,
    HolderRegistry,
    QBuffer,
    String,
    Structure,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    V,
    WireContext,
    WireError,
)
from tests.unit.rmc.fakes import Server, request, settle


class Score(Structure):
    category: UInt32
    groups: list[UInt8]


class Created(NamedTuple):
    gid: UInt32
    session_key: Annotated[Buffer, V("3.0")] = b""


class Games(Protocol, id=112, key="games"):
    """What most of the tests below serve."""

    def __init__(self) -> None:
        self.log: list[Any] = []

    @method(1)
    async def upload(self, client: Session, score: Score, unique_id: UInt64) -> None:
        self.log.append((client.id, score, unique_id))

    @method(2)
    async def create(
        self,
        client: Session,
        name: String,
        participants: Annotated[UInt16, V("3.4")] = 1,
    ) -> Created:
        self.log.append((name, participants))
        return Created(len(name), b"key")

    @method(3)
    def plain(self, client: Session, pid: PID) -> PID:
        return pid + 1

    @method(4)
    async def nothing(self, client: Session) -> None:
        self.log.append("nothing")

    @method(5)
    async def key(self, client: Session) -> Annotated[Buffer, V("3.0")]:
        return b"key"

    @method(6, until=V("4.0"))
    async def old_shape(self, client: Session, number: UInt8) -> UInt8:
        return number

    @method(6, when=V("4.0"))
    async def new_shape(self, client: Session, text: String) -> String:
        return text

    @method(7, when=V("3.6"))
    async def late(self, client: Session) -> None:
        """Only since 3.6."""


async def ask(
    servant: Protocol,
    number: int,
    body: bytes = b"",
    *,
    context: WireContext | None = None,
) -> bytes | int:
    """Return the body of the reply, or its error code."""
    async with Server(servant) as server:
        session = server.dispatcher.accept(
            channel := server.connect()[1], context=context or WireContext("3.5.4")
        )
        session.on_message(request(number, body, protocol=servant.PROTOCOL_ID))
        await settle()
        (reply,) = channel.replies
        return reply.code or reply.body


INVALID_ARGUMENT = Result.error("Core::InvalidArgument").code
NOT_IMPLEMENTED = Result.error("Core::NotImplemented").code
EXCEPTION = Result.error("Core::Exception").code

SCORE = bytes.fromhex("07000000 02000000 0102")
OLD = WireContext("2.0", struct_header=False)


async def test_parameters_are_read_and_an_empty_reply_is_empty() -> None:
    servant = Games()
    body = SCORE + (9).to_bytes(8, "little")
    assert await ask(servant, 1, body, context=OLD) == b""
    assert servant.log == [(1, Score(7, [1, 2]), 9)]


async def test_trailing_bytes_are_ignored_and_missing_ones_are_invalid_arguments() -> None:
    servant = Games()
    body = SCORE + (9).to_bytes(8, "little")
    assert await ask(servant, 1, body + b"more", context=OLD) == b""
    assert await ask(servant, 1, body[:-1], context=OLD) == INVALID_ARGUMENT
    assert await ask(servant, 4, b"ignored") == b""
    assert len(servant.log) == 2


async def test_unknown_methods_are_not_implemented() -> None:
    assert await ask(Games(), 99) == NOT_IMPLEMENTED


async def test_a_plain_method_is_called_inline() -> None:
    assert await ask(Games(), 3, b"\x09\0\0\0") == b"\x0a\0\0\0"


async def test_a_plain_method_may_return_something_to_await() -> None:
    class Lazy(Protocol, id=1):
        async def _later(self) -> int:
            return 7

        @method(1)
        def go(self, client: Session) -> UInt8:
            return self._later()  # type: ignore[return-value]

    assert await ask(Lazy(), 1) == b"\x07"
    async with Server(Lazy()) as server:
        assert await Lazy().handle(server.connect()[0], 1, b"") == b"\x07"


async def test_pids_follow_the_context() -> None:
    wide = WireContext("3.5.4", pid_size=8)
    assert await ask(Games(), 3, b"\x09" + bytes(7), context=wide) == b"\x0a" + bytes(7)


async def test_values_are_there_since_their_version() -> None:
    servant = Games()
    name, two = b"\x02\0x\0", b"\x02\0"
    assert await ask(servant, 2, name + two, context=OLD) == b"\x01\0\0\0"
    assert await ask(servant, 2, name, context=WireContext("3.3")) == b"\x01\0\0\0\x03\0\0\0key"
    assert await ask(servant, 2, name + two) == b"\x01\0\0\0\x03\0\0\0key"
    assert servant.log == [("x", 1), ("x", 1), ("x", 2)]
    assert await ask(servant, 5, context=OLD) == b""
    assert await ask(servant, 5) == b"\x03\0\0\0key"


async def test_the_versions_own_key_of_a_protocol_decides() -> None:
    servant = Games()
    mixed = WireContext("3.5.4", versions={"games": "2.0"})
    assert await ask(servant, 2, b"\x02\0x\0\x02\0", context=mixed) == b"\x01\0\0\0"
    assert servant.log == [("x", 1)]
    other = WireContext("2.0", versions={"games": "3.6"})
    assert await ask(servant, 7, context=other) == b""
    assert await ask(servant, 7, context=mixed) == NOT_IMPLEMENTED


async def test_methods_that_exclude_each_other_share_a_number() -> None:
    assert await ask(Games(), 6, b"\x05") == b"\x05"
    assert await ask(Games(), 6, b"\x02\0x\0", context=WireContext("4.0")) == b"\x02\0x\0"


async def test_defaults_are_those_of_the_function_for_direct_calls_too() -> None:
    servant = Games()
    async with Server(servant) as server:
        session, _ = server.connect()
        assert await servant.create(session, "abc") == Created(3, b"key")
    assert servant.log == [("abc", 1)]
    assert Created(5).session_key == b""


async def test_a_result_that_cannot_be_encoded_is_a_logged_exception(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Bad(Protocol, id=1):
        @method(1)
        async def too_large(self, client: Session) -> UInt8:
            return 256

        @method(2)
        async def too_few(self, client: Session) -> Created:
            return (1,)  # type: ignore[return-value]

        @method(3)
        async def none(self, client: Session) -> String:
            return None  # type: ignore[return-value]

    for number in (1, 2, 3):
        caplog.clear()
        assert await ask(Bad(), number) == EXCEPTION
        assert "Bad." in caplog.text


async def test_data_holders_come_from_the_context() -> None:
    class Info(Data):
        number: UInt32

    class Holding(Protocol, id=1):
        @method(1)
        async def hold(self, client: Session, data: AnyData) -> UInt32:
            assert isinstance(data, Info)
            return data.number

    holders = HolderRegistry()
    holders.register(Info)
    context = WireContext("2.0", holders=holders)
    body = b"\x05\0Info\0" + b"\x08\0\0\0" + b"\x04\0\0\0" + b"\x07\0\0\0"
    assert await ask(Holding(), 1, body, context=context) == b"\x07\0\0\0"


async def test_handle_serves_those_with_a_transport_of_their_own() -> None:
    servant = Games()
    async with Server(servant) as server:
        session, _ = server.connect()
        assert await servant.handle(session, 3, b"\x09\0\0\0") == b"\x0a\0\0\0"
        assert await servant.handle(session, 6, b"\x09") == b"\x09"
        with pytest.raises(RMCError, match="Core::NotImplemented"):
            await servant.handle(session, 99, b"")
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await servant.handle(session, 3, b"")


def test_methods_can_be_listed_with_their_format() -> None:
    found = {definition.name: definition for definition in Games.definitions()}
    assert set(found) == {
        *("upload", "create", "plain", "nothing", "key", "old_shape", "new_shape", "late"),
    }
    create = found["create"]
    assert create.method_id == 2
    assert create.owner is Games
    name, participants = create.signature.parameters
    assert (name.name, name.annotation, name.when) == ("name", String, None)
    assert (participants.default, participants.when) == (1, V("3.4"))
    assert [part.name for part in create.signature.parts] == ["gid", "session_key"]
    codecs = Games.codecs(WireContext("3.5.4"))
    assert sorted(codecs) == [1, 2, 3, 4, 5, 6]
    assert codecs[2].title == "Games.create"


# Inheritance


class Longer(Score):
    extra: UInt8 = 0


async def test_an_override_keeps_number_and_format() -> None:
    class Mine(Games):
        async def upload(self, client, score, unique_id):  # type: ignore[no-untyped-def]
            self.log.append(("mine", score, unique_id))

        def plain(self, client: Session, pid: int) -> int:
            return pid + 100

    servant = Mine()
    assert await ask(servant, 1, SCORE + bytes(8), context=OLD) == b""
    assert servant.log == [("mine", Score(7, [1, 2]), 0)]
    assert await ask(servant, 3, b"\x01\0\0\0") == b"\x65\0\0\0"
    assert Mine.PROTOCOL_ID == 112
    assert Mine.KEY == "games"


async def test_an_override_may_annotate_another_structure() -> None:
    class Mine(Games):
        async def upload(  # type: ignore[override]
            self, client: Session, score: Longer, unique_id: int
        ) -> None:
            self.log.append((score, unique_id))

    servant = Mine()
    body = SCORE + b"\x05" + bytes(8)
    assert await ask(servant, 1, body, context=OLD) == b""
    assert servant.log == [(Longer(7, [1, 2], 5), 0)]


async def test_an_override_keeps_conditions_and_defaults() -> None:
    class Mine(Games):
        async def create(self, client: Session, name: str, participants: int = 5) -> Created:
            self.log.append((name, participants))
            return Created(0)

        async def late(self, client: Session) -> None:
            self.log.append("late")

    servant = Mine()
    assert await ask(servant, 2, b"\x02\0x\0", context=OLD) == b"\0\0\0\0"
    assert servant.log == [("x", 5)]
    assert await ask(servant, 7) == NOT_IMPLEMENTED
    assert await ask(servant, 7, context=WireContext("3.6")) == b""


async def test_a_buffer_is_not_a_qbuffer_for_an_override() -> None:
    class Base(Protocol, id=1):
        @method(1)
        async def echo(self, client: Session, data: QBuffer, items: list[UInt8]) -> QBuffer:
            return data

    class Mine(Base):
        async def echo(self, client: Session, data: bytes, items: list[int]) -> bytes:
            return data + bytes(items)

    assert await ask(Mine(), 1, b"\x01\0a\x01\0\0\0\x62") == b"\x02\0ab"


async def test_an_override_may_take_more_and_return_otherwise() -> None:
    class Mine(Games):
        async def plain(  # type: ignore[override]
            self, client: Session, pid: int, extra: UInt8 = 0
        ) -> String:
            return f"{pid}+{extra}"

    assert await ask(Mine(), 3, b"\x01\0\0\0\x02") == b"\x04\x001+2\0"


async def test_a_wrapper_of_any_arguments_keeps_the_format() -> None:
    def noisy(function: Callable[[Any, Session], Any]) -> Callable[[Any, Session], Any]:
        @functools.wraps(function)
        async def wrapper(self: Any, *arguments: Any) -> Any:
            self.log.append("noisy")
            return await function(self, *arguments)

        return wrapper

    class Mine(Games):
        @noisy
        async def nothing(self, client: Session) -> None:
            self.log.append("mine")

        async def create(self, client: Session, *arguments: Any) -> Created:
            self.log.append(arguments)
            return await super().create(client, *arguments)

    servant = Mine()
    assert await ask(servant, 4) == b""
    assert await ask(servant, 2, b"\x02\0x\0\x03\0") == b"\x01\0\0\0\x03\0\0\0key"
    assert servant.log == ["noisy", "mine", ("x", 3), ("x", 3)]


async def test_a_new_decorator_gives_a_new_number_and_format() -> None:
    class Mine(Games):
        @method(33)
        async def plain(self, client: Session, text: String) -> String:  # type: ignore[override]
            return text

    assert await ask(Mine(), 33, b"\x02\0x\0") == b"\x02\0x\0"
    assert await ask(Mine(), 3, b"\x01\0\0\0") == NOT_IMPLEMENTED


async def test_a_subclass_replaces_a_number_even_with_the_same_class_name() -> None:
    base = Games

    def subclass() -> type[Protocol]:
        class Games(base):  # type: ignore[valid-type, misc]
            @method(3)
            async def simple_search(self, client: Session) -> UInt8:
                return 42

        return Games

    assert await ask(subclass()(), 3) == b"\x2a"


async def test_a_subclass_removes_a_method() -> None:
    class Mine(Games):
        nothing = None  # type: ignore[assignment]

    class Younger(Mine):
        pass

    for cls in (Mine, Younger):
        assert await ask(cls(), 4) == NOT_IMPLEMENTED
        assert await ask(cls(), 3, b"\x01\0\0\0") == b"\x02\0\0\0"


async def test_a_subclass_may_have_another_number_and_key() -> None:
    class Other(Games, id=113, key="other", noresponse=True):
        pass

    assert (Other.PROTOCOL_ID, Other.KEY, Other.NORESPONSE) == (113, "other", True)
    assert (Games.PROTOCOL_ID, Games.KEY, Games.NORESPONSE) == (112, "games", False)


async def test_mixins_contribute_methods() -> None:
    class Mixin(Protocol):
        @method(50)
        async def mixed(self, client: Session) -> UInt8:
            return 1

    class Both(Games, Mixin):
        pass

    assert await ask(Both(), 50) == b"\x01"
    with pytest.raises(TypeError, match="Mixin has no id"):
        Mixin.codecs(WireContext())


# Wrong definitions


def test_a_number_twice_in_a_class_is_refused() -> None:
    with pytest.raises(TypeError, match="Twice: method 1 is both first and second"):

        class Twice(Protocol, id=1):
            @method(1)
            async def first(self, client: Session) -> None: ...

            @method(1)
            async def second(self, client: Session) -> None: ...


def test_conditions_that_meet_are_refused_when_bound() -> None:
    class Overlap(Protocol, id=1):
        @method(1, when=V("3.0"))
        async def first(self, client: Session) -> None: ...

        @method(1, until=V("3.5"))
        async def second(self, client: Session) -> None: ...

    assert Overlap.codecs(WireContext("2.0"))[1].name == "second"
    assert Overlap.codecs(WireContext("3.5"))[1].name == "first"
    with pytest.raises(TypeError, match=r"method 1 is both first and second in NEX 3\.3\.0"):
        Server(Overlap()).dispatcher.routes(WireContext("3.3"))


def test_a_parameter_without_annotation_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^Bare\.go: parameter speed has no annotation$"):

        class Bare(Protocol, id=1):
            @method(1)
            async def go(self, client, speed) -> None: ...  # type: ignore[no-untyped-def]


def test_a_missing_return_annotation_is_refused() -> None:
    with pytest.raises(TypeError, match=r"^Bare\.go: no return annotation"):

        class Bare(Protocol, id=1):
            @method(1)
            async def go(self, client: Session): ...  # type: ignore[no-untyped-def]


def test_types_that_cannot_be_sent_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^Wrong\.go: parameter speed: .*needs a width"):

        class Wrong(Protocol, id=1):
            @method(1)
            async def go(self, client: Session, speed: int) -> None: ...

    class Reply(NamedTuple):
        fine: UInt8
        bad: set[int]

    with pytest.raises(TypeError, match=r"^Worse\.go: reply bad: set\[int\]"):

        class Worse(Protocol, id=1):
            @method(1)
            async def go(self, client: Session) -> Reply:
                return Reply(1, set())


def test_parameters_that_are_not_positional_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^Named\.go: parameter speed must be positional$"):

        class Named(Protocol, id=1):
            @method(1)
            async def go(self, client: Session, *, speed: UInt8) -> None: ...

    with pytest.raises(TypeError, match=r"^Any\.go: \*args and \*\*kwargs have no wire format$"):

        class Any(Protocol, id=1):
            @method(1)
            async def go(self, client: Session, *speed: UInt8) -> None: ...

    with pytest.raises(TypeError, match=r"^Static\.go: a method takes self, the client"):

        class Static(Protocol, id=1):
            @method(1)
            async def go(self) -> None: ...


def test_overrides_that_take_less_or_say_nothing_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^Less\.upload: lacks unique_id"):

        class Less(Games):
            async def upload(self, client, score): ...  # type: ignore[no-untyped-def, override]

    with pytest.raises(TypeError, match=r"^More\.plain: parameter extra has no annotation$"):

        class More(Games):
            def plain(self, client, pid, extra): ...  # type: ignore[no-untyped-def, override]


def test_reserved_names_are_refused() -> None:
    with pytest.raises(TypeError, match=r"Names\.client: every protocol has something of that"):

        class Names(Protocol, id=1):
            @method(1)
            async def client(self, client: Session) -> None: ...  # type: ignore[override]


@pytest.mark.parametrize("number", [-1, 0x8000])
def test_method_numbers_have_15_bits(number: int) -> None:
    with pytest.raises(ValueError, match="15 bits"):
        method(number)


def test_protocol_numbers_have_16_bits() -> None:
    with pytest.raises(ValueError, match="Large: a protocol has 16 bits"):

        class Large(Protocol, id=0x10000):
            pass


def test_names_that_are_defined_later_are_looked_up_when_bound() -> None:
    class Early(Protocol, id=1):
        @method(1)
        async def go(self, client: "NotForRunTime", later: "Later") -> "list[Later]":  # type: ignore[name-defined] # noqa: F821
            return [later]

        @method(2)
        async def lost(self, client: Session, never: "Never") -> None: ...  # type: ignore[name-defined] # noqa: F821

    class Found(Early):
        lost = None  # type: ignore[assignment]

    globals()["Later"] = Score
    try:
        with pytest.raises(TypeError, match=r"Early\.lost: an annotation cannot be .*'Never'"):
            Early.codecs(WireContext())
        assert sorted(Found.codecs(WireContext())) == [1]
    finally:
        del globals()["Later"]


def test_annotations_that_are_nonsense_are_refused() -> None:
    with pytest.raises(TypeError, match=r"^Nonsense\.go: an annotation cannot be read"):

        class Nonsense(Protocol, id=1):
            @method(1)
            async def go(self, client: Session, x: "1 / 0") -> None: ...  # type: ignore[valid-type]


def test_compiled_methods_are_kept_within_bounds() -> None:
    class Small(Protocol, id=1):
        @method(1)
        async def go(self, client: Session) -> None: ...

    context = WireContext()
    assert Small.codecs(context) is Small.codecs(context)
    for _ in range(200):
        Small.codecs(WireContext())
    assert len(Small._compiled) <= 64


async def test_what_a_handler_cannot_decode_is_not_the_fault_of_the_request(
    caplog: pytest.LogCaptureFixture,
) -> None:
    class Decoding(Protocol, id=1):
        @method(1)
        async def go(self, client: Session) -> UInt8:
            client.context.codec(UInt32).decode(b"")
            return 1

    with pytest.raises(WireError):
        WireContext().codec(UInt32).decode(b"")
    assert await ask(Decoding(), 1) == EXCEPTION
    assert "Decoding.go failed" in caplog.text


class TooLateError(Exception):
    """An error of some rules that know no protocol."""


class Strict(Protocol, id=2):
    """Translates errors of its own."""

    @method(1)
    async def late(self, client: Session) -> None:
        raise TooLateError

    @method(2)
    async def grouped(self, client: Session) -> None:
        raise ExceptionGroup("", [TooLateError()])

    @method(3)
    async def other(self, client: Session) -> None:
        raise RMCError("RendezVous::InvalidGID")

    def error_of(self, error: Exception) -> Exception:
        return RMCError("RendezVous::SessionVoid") if isinstance(error, TooLateError) else error


async def test_a_protocol_says_what_its_errors_mean() -> None:
    servant = Strict()
    async with Server(servant) as server:
        session, channel = server.connect()
        for number in (1, 2, 3):
            session.on_message(request(number, call_id=number, protocol=2))
        await settle()
        void, invalid = (
            Result.error(name).code
            for name in ("RendezVous::SessionVoid", "RendezVous::InvalidGID")
        )
        assert [reply.code for reply in channel.replies] == [void, void, invalid]
        assert server.stats.refused == 3
        with pytest.raises(RMCError, match="SessionVoid"):
            await servant.handle(session, 1, b"")
        with pytest.raises(RMCError, match="InvalidGID"):
            await servant.handle(session, 3, b"")
