"""Methods compiled for a wire context: values in, bytes out, and back."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from nekonex.rmc.definition import MethodDefinition
from nekonex.rmc.signature import REQUIRED, Signature
from nekonex.wire import WireContext

__all__ = ["MethodCodec"]


class MethodCodec:
    """Reads and writes the arguments and the reply of one method in one wire context."""

    __slots__ = (
        "_names",
        "_signature",
        "decode_arguments",
        "decode_reply",
        "encode_arguments",
        "encode_reply",
        "method_id",
        "name",
        "title",
    )

    def __init__(
        self, title: str, definition: MethodDefinition, context: WireContext, key: str | None
    ) -> None:
        signature = _signature_of(definition)
        self._signature = signature
        self._names = {
            parameter.name: index for index, parameter in enumerate(signature.parameters)
        }
        self.method_id = definition.method_id
        self.name = definition.name
        self.title = title
        """``Class.method``, for logs and errors."""
        fields = [parameter.record_field() for parameter in signature.parameters]
        arguments = context.record(title, fields, key)
        self.decode_arguments = arguments.decode if fields else _no_arguments
        """Gives one value for each parameter; WireError if the bytes are none."""
        self.encode_arguments = arguments.encode
        self.encode_reply, self.decode_reply = _reply_functions(title, signature, context, key)

    def arrange(self, positional: Sequence[Any], named: Mapping[str, Any]) -> Sequence[Any]:
        """Put the arguments of a call in the order of the wire.

        TypeError, as for any function, for too many, unknown, doubled or
        missing ones.
        """
        parameters = self._signature.parameters
        if not named and len(positional) == len(parameters):
            return positional
        if len(positional) > len(parameters):
            raise TypeError(
                f"{self.title} takes {len(parameters)} arguments, not {len(positional)}"
            )
        values = [*positional, *(p.default for p in parameters[len(positional) :])]
        for name, value in named.items():
            index = self._names.get(name)
            if index is None:
                raise TypeError(f"{self.title} has no parameter {name}")
            if index < len(positional):
                raise TypeError(f"{self.title} is given {name} twice")
            values[index] = value
        for parameter, value in zip(parameters, values, strict=True):
            if value is REQUIRED:
                raise TypeError(f"{self.title} lacks the argument {parameter.name}")
        return values


def _reply_functions(
    title: str, signature: Signature, context: WireContext, key: str | None
) -> tuple[Callable[[Any], bytes], Callable[[bytes], Any]]:
    if signature.reply is None:
        return _no_bytes, _no_value
    parts = [part.record_field() for part in signature.parts]
    reply = context.record(f"{title} reply", parts, key)
    make = signature.make_reply
    if make is not None:
        return reply.encode, lambda body: make(reply.decode(body))
    if signature.parts[0].when is None:
        encode = context.codec(signature.reply).encode
    else:
        # Only records know conditions.
        encode = lambda value: reply.encode((value,))  # noqa: E731
    return encode, lambda body: reply.decode(body)[0]


def _signature_of(definition: MethodDefinition) -> Signature:
    try:
        return definition.signature
    except NameError as error:
        raise TypeError(
            f"{definition.owner.__name__}.{definition.name}: an annotation cannot be read: {error}"
        ) from error


def _no_arguments(body: bytes) -> tuple[Any, ...]:  # noqa: ARG001
    return ()


def _no_bytes(value: None) -> bytes:  # noqa: ARG001
    return b""


def _no_value(body: bytes) -> None:  # noqa: ARG001
    return None
