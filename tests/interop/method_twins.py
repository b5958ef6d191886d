"""Calls of methods, as NintendoClients' clients and servers make and answer them.

All four ways are tried: its client's request is what we would send and read; its server reads
the same; its server's reply is what we would send and read; and its client reads the same.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from functools import cache
from typing import Any

from hypothesis import strategies as st
from nintendo.nex import rmc, streams

from nekonex.nex import structures as s
from nekonex.rmc import MethodDefinition, Protocol
from nekonex.rmc.codecs import MethodCodec
from nekonex.rmc.signature import Parameter
from nekonex.wire import WireContext
from nekonex.wire.layout import concrete
from nekonex.wire.types import Holder, ListOf, Wire, resolve
from tests.interop.wire_twins import Twin, instances, plain, values

__all__ = [
    "Configuration",
    "Exchange",
    "context",
    "definition_of",
    "exchange",
    "identify",
    "method_numbers",
    "their_name",
]

HELD = (s.Gathering, s.MatchmakeSession, s.PersistentGathering)

Configuration = tuple[str, bool, int]
"""NEX version, whether structures have headers, bytes of a PID."""


@cache
def context(version: str, header: bool, pid_size: int) -> WireContext:
    return WireContext(
        version, struct_header=header, pid_size=pid_size, holders=s.default_holders()
    )


def definition_of(protocol: type[Protocol], number: int, ours: WireContext) -> MethodDefinition:
    """Return the definition that a number has in a context."""

    def version_of(key: str | None) -> tuple[int, int, int]:
        return ours.version_of(protocol.KEY if key is None else key)

    [found] = [
        definition
        for definition in protocol.definitions()
        if definition.method_id == number and definition.exists(version_of)
    ]
    return found


def their_name(name: str) -> str:
    return name.removesuffix("_wide")


def drawn(wire: Wire, ours: WireContext) -> st.SearchStrategy[Any]:
    """Return a strategy for values of a type; holders have gatherings in them."""
    match wire:
        case Holder():
            return st.one_of([instances(cls, ours) for cls in HELD])
        case ListOf(item=Holder()):
            return st.lists(drawn(Holder(), ours), max_size=3)
        case _:
            return values(wire, ours)


def all_of(parameters: tuple[Parameter, ...], ours: WireContext) -> st.SearchStrategy[list[Any]]:
    wires = [concrete(resolve(parameter.annotation), ours._traits) for parameter in parameters]
    return st.tuples(*[drawn(wire, ours) for wire in wires]).map(list)


def finish(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """Run a coroutine that waits for nothing."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        return stop.value
    raise AssertionError("it waits")


@dataclass
class Wireless:
    """The connection of a client of NintendoClients: keeps the request, knows the reply."""

    settings: Any
    reply: bytes
    sent: tuple[int, int, bytes] = (0, 0, b"")

    async def request(self, protocol: int, number: int, body: bytes) -> bytes:
        self.sent = (protocol, number, bytes(body))
        return self.reply


@dataclass
class Exchange:
    """One call of a method: what is asked and answered, and the codec for both."""

    codec: MethodCodec
    definition: MethodDefinition
    ours: WireContext
    arguments: list[Any]
    parts: list[Any]

    @property
    def reply(self) -> Any:
        signature = self.definition.signature
        if signature.make_reply is not None:
            return signature.make_reply(tuple(self.parts))
        return self.parts[0] if self.parts else None

    @property
    def part_names(self) -> list[str]:
        signature = self.definition.signature
        return [part.name for part in signature.parts] if signature.make_reply else []

    def asked_by(self, client_class: Callable[[Any], Any], twin: Twin) -> bytes:
        """Return the request of their client."""
        wireless = Wireless(twin.settings, self.codec.encode_reply(self.reply))
        method = getattr(client_class(wireless), their_name(self.definition.name))
        finish(method(*[twin.copy(argument) for argument in self.arguments]))
        return wireless.sent[2]

    def check_client(self, client_class: Callable[[Any], Any], twin: Twin, number: int) -> None:
        """Let their client ask, and read our reply."""
        wireless = Wireless(twin.settings, self.codec.encode_reply(self.reply))
        method = getattr(client_class(wireless), their_name(self.definition.name))
        answer = finish(method(*[twin.copy(argument) for argument in self.arguments]))

        assert wireless.sent[1] == number
        assert wireless.sent[2] == self.codec.encode_arguments(self.arguments)
        assert list(self.codec.decode_arguments(wireless.sent[2])) == self.arguments
        if self.part_names:
            found = [getattr(answer, name) for name in self.part_names]
        else:
            found = [answer] if self.parts else []
            assert self.parts or answer is None
        assert plain(found) == plain(twin.copy(self.parts))

    def check_server(self, server: Any, twin: Twin) -> None:
        """Let their server read our request, and answer."""
        seen: list[Any] = []

        async def handler(client: Any, *arguments: Any) -> Any:
            seen.extend(arguments)
            if not self.part_names:
                return twin.copy(self.reply)
            response = rmc.RMCResponse()
            for name, part in zip(self.part_names, self.parts, strict=True):
                setattr(response, name, twin.copy(part))
            return response

        setattr(server, their_name(self.definition.name), handler)
        body = self.codec.encode_arguments(self.arguments)
        request, output = streams.StreamIn(body, twin.settings), streams.StreamOut(twin.settings)
        finish(server.handle(None, self.codec.method_id, request, output))

        assert request.eof()
        assert plain(seen) == plain(twin.copy(self.arguments))
        answered = bytes(output.get())
        assert answered == self.codec.encode_reply(self.reply)
        assert self.codec.decode_reply(answered) == self.reply


def exchange(
    data: st.DataObject, protocol: type[Protocol], number: int, ours: WireContext
) -> Exchange:
    definition = definition_of(protocol, number, ours)
    signature = definition.signature
    return Exchange(
        protocol.codecs(ours)[number],
        definition,
        ours,
        data.draw(all_of(signature.parameters, ours)),
        data.draw(all_of(signature.parts, ours)),
    )


def identify(value: Any) -> str:
    return value.__name__ if isinstance(value, type) else str(value)


def method_numbers(cls: Any) -> dict[str, int]:
    """Return the methods of a protocol of NintendoClients."""
    return {
        name.removeprefix("METHOD_").lower(): getattr(cls, name)
        for name in dir(cls)
        if name.startswith("METHOD_")
    }
