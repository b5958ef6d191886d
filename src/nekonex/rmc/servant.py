"""What answers the calls of one protocol, and the tables that calls are looked up in."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from nekonex.wire import WireContext

if TYPE_CHECKING:
    from nekonex.rmc.session import Session

__all__ = ["BoundMethod", "Route", "Routes", "Servant"]


class Servant(Protocol):
    """Answers the calls of one protocol from their raw bytes.

    `nekonex.rmc.Protocol` is one, and usually the better way; this is for
    those who bring their own codecs.
    """

    PROTOCOL_ID: int
    """Number of the protocol, 0 to 0xFFFF."""
    NORESPONSE: bool
    """Whether calls are not answered, errors neither."""

    async def handle(self, client: "Session", method: int, body: bytes) -> bytes:
        """Return the body of the reply. RMCError("Core::NotImplemented") for an unknown method."""

    async def logout(self, client: "Session") -> None:
        """Forget a client: called once, after the last of its calls has ended."""


@runtime_checkable
class _Bindable(Protocol):
    def bind(self, context: WireContext) -> Mapping[int, "BoundMethod"]: ...


@runtime_checkable
class _Greeting(Protocol):
    def connected(self, client: "Session") -> None: ...


class BoundMethod:
    """A method of one servant, ready to be called with bytes in one wire context."""

    __slots__ = ("call", "decode", "encode", "error_of", "is_async", "name")

    def __init__(
        self,
        name: str,
        decode: Callable[[bytes], tuple[Any, ...]],
        call: Callable[..., Any],
        encode: Callable[[Any], bytes],
        *,
        is_async: bool,
        error_of: Callable[[Exception], Exception] | None = None,
    ) -> None:
        self.name = name
        """``Class.method``, for logs."""
        self.decode = decode
        """Reads the arguments; WireError if the bytes are none."""
        self.call = call
        """Takes the session and the arguments."""
        self.encode = encode
        """Writes what the call returned."""
        self.is_async = is_async
        self.error_of = error_of
        """Returns what counts as raised for what was raised; None: that itself."""


class _RawMethods(Mapping[int, BoundMethod]):
    """Has a method for every number: only the servant itself knows which exist."""

    _MAX_KEPT = 256

    def __init__(self, servant: Servant) -> None:
        self._servant = servant
        self._kept: dict[int, BoundMethod] = {}

    def __getitem__(self, method: int) -> BoundMethod:
        bound = self._kept.get(method)
        if bound is None:
            bound = BoundMethod(
                f"{type(self._servant).__name__}.{method}",
                lambda body: (method, body),
                self._servant.handle,
                _checked,
                is_async=True,
            )
            if len(self._kept) < self._MAX_KEPT:
                self._kept[method] = bound
        return bound

    def __iter__(self) -> Any:
        return iter(self._kept)

    def __len__(self) -> int:
        return len(self._kept)


def _checked(body: Any) -> bytes:
    """Refuse what `bytes` would make something of: None, and numbers above all."""
    if not isinstance(body, bytes | bytearray | memoryview):
        raise TypeError(f"a reply is bytes, not {type(body).__name__}")
    return bytes(body)


class Route:
    """One servant and its methods in one wire context."""

    __slots__ = ("answers", "methods", "name", "servant")

    def __init__(self, servant: Servant, context: WireContext) -> None:
        self.servant = servant
        self.name = type(servant).__name__
        self.answers = not servant.NORESPONSE
        """Whether calls are answered at all."""
        self.methods: Mapping[int, BoundMethod] = (
            servant.bind(context) if isinstance(servant, _Bindable) else _RawMethods(servant)
        )


class Routes:
    """All servants of a server in one wire context, in the order of their registration."""

    __slots__ = ("by_protocol", "context", "greetings")

    def __init__(self, servants: Iterable[Servant], context: WireContext) -> None:
        self.context = context
        self.by_protocol = {servant.PROTOCOL_ID: Route(servant, context) for servant in servants}
        self.greetings: list[Callable[[Session], None]] = [
            route.servant.connected
            for route in self.by_protocol.values()
            if isinstance(route.servant, _Greeting)
        ]
        """The ``connected`` hooks of those servants that have one."""

    def extended(self, servant: Servant) -> "Routes":
        """Return a copy with one servant more. ValueError if its protocol is served already."""
        number = servant.PROTOCOL_ID
        if number in self.by_protocol:
            raise ValueError(f"protocol {number} is served already")
        copy = Routes((), self.context)
        copy.by_protocol = {**self.by_protocol, number: Route(servant, self.context)}
        return copy
