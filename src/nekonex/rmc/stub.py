"""The caller's side of a protocol."""

from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any

from nekonex.rmc.codecs import MethodCodec
from nekonex.rmc.errors import InvalidReplyError
from nekonex.wire import WireError

if TYPE_CHECKING:
    from nekonex.rmc.protocol import Protocol
    from nekonex.rmc.session import Session

__all__ = ["Stub"]


class Stub:
    """Calls the methods of a protocol that the peer has; made by `Protocol.client`."""

    __slots__ = ("_methods", "_protocol", "_session", "_timeout")

    def __init__(
        self,
        protocol: "type[Protocol]",
        methods: Mapping[str, MethodCodec],
        session: "Session",
        timeout: float | None,
    ) -> None:
        self._protocol = protocol
        self._methods = methods
        self._session = session
        self._timeout = timeout

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        codec = self._methods.get(name)
        if codec is None:
            raise AttributeError(
                f"{self._protocol.__name__} has no method {name} in {self._session.context}"
            )

        async def call(*positional: Any, **named: Any) -> Any:
            body = codec.encode_arguments(codec.arrange(positional, named))
            protocol = self._protocol
            if protocol.NORESPONSE:
                self._session.post(protocol.PROTOCOL_ID, codec.method_id, body)
                return None
            reply = await self._session.call(
                protocol.PROTOCOL_ID, codec.method_id, body, timeout=self._timeout
            )
            try:
                return codec.decode_reply(reply)
            except WireError as error:
                raise InvalidReplyError(str(error)) from error

        return call

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *self._methods]
