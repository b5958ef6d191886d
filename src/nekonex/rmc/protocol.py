"""Protocols as classes: the methods of a server, whose annotations are their wire format."""

from collections.abc import Mapping
from inspect import isawaitable, iscoroutinefunction
from typing import TYPE_CHECKING, ClassVar, TypedDict, Unpack

from nekonex.rmc.codecs import MethodCodec
from nekonex.rmc.definition import MethodDefinition, definitions_of
from nekonex.rmc.servant import BoundMethod
from nekonex.rmc.stub import Stub
from nekonex.settings import format_version
from nekonex.values import RMCError
from nekonex.wire import WireContext, WireError

if TYPE_CHECKING:
    from nekonex.rmc.session import Session

__all__ = ["Protocol"]

_MAX_COMPILED = 64
"""Wire contexts whose compiled methods a class keeps: a process has two for each game."""


class ProtocolOptions(TypedDict, total=False):
    """Keywords of the class statement; what is not given is as in the base."""

    id: int
    """Number of the protocol."""
    key: str | None
    """Which of a server's per-protocol versions decides about conditions, such as "ranking"."""
    noresponse: bool
    """Whether calls are never answered (notifications, messages)."""


class Protocol:
    """Base of all protocol servers: a class is a protocol, an async method a method of it.

        class Rankings(NamedTuple):
            scores: list[RankingScoreData]
            total: UInt32

        class Ranking(Protocol, id=112, key="ranking"):
            @method(1)
            async def upload(
                self, client: Session, score: RankingScoreData,
                unique_id: Annotated[UInt64, V("2.0")] = 0,
            ) -> None: ...

            @method(9)
            async def get(self, client: Session, category: UInt32) -> Rankings: ...

    The parameters after the client are read from the request and the return
    value is written into the reply: nothing for ``-> None``, one value, or all
    values of a NamedTuple. A version condition in an annotation says since when
    a value is on the wire; before, a parameter has its default (or the zero of
    its type), and a part of a reply is left out.

    Two methods of a class may share a number if their ``when`` and ``until``
    exclude each other. In a subclass,

    - a method of the same name overrides; it keeps number, conditions and every
      annotation that it does not change, unless it has a `method` of its own;
    - a method with the same number and another name replaces;
    - ``name = None`` removes.

    Definitions that cannot be sent raise TypeError at the class statement, or,
    where they name something that is defined later, when they are first bound.
    """

    PROTOCOL_ID: int
    NORESPONSE: bool = False
    KEY: ClassVar[str | None] = None

    _own: ClassVar[dict[str, MethodDefinition]] = {}
    _removed: ClassVar[frozenset[str]] = frozenset()
    _compiled: ClassVar[dict[WireContext, dict[int, MethodCodec]]] = {}

    def __init_subclass__(cls, **options: Unpack[ProtocolOptions]) -> None:
        """Read the definitions of a class; see `ProtocolOptions` for the keywords."""
        super().__init_subclass__()
        if "id" in options:
            if not 0 <= options["id"] <= 0xFFFF:
                raise ValueError(f"{cls.__name__}: a protocol has 16 bits, not {options['id']}")
            cls.PROTOCOL_ID = options["id"]
        if "key" in options:
            cls.KEY = options["key"]
        if "noresponse" in options:
            cls.NORESPONSE = options["noresponse"]
        inherited: dict[str, MethodDefinition] = {}
        for base in reversed(cls.__mro__[1:]):
            inherited.update(vars(base).get("_own", {}))
        cls._removed = frozenset(
            name for name in inherited if name in vars(cls) and vars(cls)[name] is None
        )
        cls._compiled = {}
        cls._own = definitions_of(cls, dict(vars(cls)), inherited)
        for definition in cls._own.values():
            try:
                _ = definition.signature
            except NameError:
                continue  # Named before it is defined: looked at again when first bound.

    @classmethod
    def definitions(cls) -> list[MethodDefinition]:
        """Return all methods, whatever their conditions; where numbers meet, the nearest first."""
        found: list[MethodDefinition] = []
        hidden: set[str] = set()
        for base in cls.__mro__:
            own: dict[str, MethodDefinition] = vars(base).get("_own", {})
            found += [own[name] for name in own if name not in hidden]
            hidden.update(own, vars(base).get("_removed", ()))
        return found

    @classmethod
    def codecs(cls, context: WireContext) -> Mapping[int, MethodCodec]:
        """Return the methods that exist in a context, by number; compiled once.

        TypeError for two methods of one class that share a number there, and
        for annotations that cannot be sent.
        """
        codecs = cls._compiled.get(context)
        if codecs is None:
            if len(cls._compiled) >= _MAX_COMPILED:
                cls._compiled.clear()
            codecs = cls._compiled[context] = _compile(cls, context)
        return codecs

    @classmethod
    def client(cls, session: "Session", *, timeout: float | None = None) -> Stub:
        """Return the caller's side: the methods of the peer that has this protocol.

        Each takes what the method takes after the client, and gives what it
        returns. ``timeout`` is that of each call, in seconds; None is the limit
        of the session. See `Session.call` for what calls raise.
        """
        methods = {codec.name: codec for codec in cls.codecs(session.context).values()}
        return Stub(cls, methods, session, timeout)

    def bind(self, context: WireContext) -> dict[int, BoundMethod]:
        """Return the methods that exist in a context, by number, ready to be called with bytes.

        TypeError as for `codecs`.
        """
        bound = {}
        for number, codec in self.codecs(context).items():
            call = getattr(self, codec.name)
            bound[number] = BoundMethod(
                codec.title,
                codec.decode_arguments,
                call,
                codec.encode_reply,
                is_async=iscoroutinefunction(call),
                error_of=self.error_of,
            )
        return bound

    async def handle(self, client: "Session", method: int, body: bytes) -> bytes:
        """Answer a call from its bytes, for those who bring a transport of their own.

        Raises RMCError, and whatever the method raises.
        """
        codec = self.codecs(client.context).get(method)
        if codec is None:
            raise RMCError("Core::NotImplemented")
        try:
            arguments = codec.decode_arguments(body)
        except WireError as error:
            raise RMCError("Core::InvalidArgument") from error
        try:
            result = getattr(self, codec.name)(client, *arguments)
            if isawaitable(result):
                result = await result
        except Exception as error:
            meant = self.error_of(error)
            if meant is error:
                raise
            raise meant from error
        return codec.encode_reply(result)

    def error_of(self, error: Exception) -> Exception:
        """Return what a method's error means to the caller; to be overridden.

        Protocols whose methods raise errors of their own return an RMCError for these, and every
        other error as it is.
        """
        return error

    def connected(self, client: "Session") -> None:
        """Take note of a new client, before its first call; to be overridden."""

    async def logout(self, client: "Session") -> None:
        """Forget a client, who may never have called anything; to be overridden.

        Called once a connection, after the last of its calls has ended.
        """


def _compile(cls: type[Protocol], context: WireContext) -> dict[int, MethodCodec]:
    if not hasattr(cls, "PROTOCOL_ID"):
        raise TypeError(f"{cls.__name__} has no id: class {cls.__name__}(Protocol, id=...)")

    def version_of(key: str | None) -> tuple[int, int, int]:
        return context.version_of(cls.KEY if key is None else key)

    chosen: dict[int, MethodDefinition] = {}
    for definition in cls.definitions():
        if not definition.exists(version_of):
            continue
        other = chosen.setdefault(definition.method_id, definition)
        if other is not definition and other.owner is definition.owner:
            raise TypeError(
                f"{definition.owner.__name__}: method {definition.method_id} is both {other.name} "
                f"and {definition.name} in NEX {format_version(version_of(None))}"
            )
    return {
        number: MethodCodec(f"{cls.__name__}.{definition.name}", definition, context, cls.KEY)
        for number, definition in chosen.items()
    }
