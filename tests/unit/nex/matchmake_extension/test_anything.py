"""Whatever consoles call, with whatever arguments: an answer with a name, and sound stores.

That no method fails without a name is what `piped` itself looks at.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.games.mario_kart_8 import MarioKart8MatchmakeExtensionServer
from nekonex.nex.matchmake_extension import MatchmakeExtension, MatchmakeExtensionServer
from nekonex.nex.matchmaking import MatchMaking, MatchMakingExt
from nekonex.nex.structures import (
    Gathering,
    MatchmakeSession,
    MatchmakeSessionSearchCriteria,
    PersistentGathering,
)
from nekonex.rmc.codecs import MethodCodec
from nekonex.values import DateTime, RMCError, StationURL
from nekonex.wire import Structure, UnknownData, Variant
from nekonex.wire.layout import concrete, layout_of
from nekonex.wire.types import (
    Blob,
    Holder,
    ListOf,
    MapOf,
    Scalar,
    StructOf,
    Text,
    Url,
    Wire,
    resolve,
)
from tests.support.nexlab import lab_settings
from tests.support.roomlab import Console, Rooms, piped, room

PIDS = [1000, 1001, 1002, 1003]

FLAGS = [0, 1, 0x10, 0x40, 0x80, 0x200, 0x210, 0x410, 0x810, 0xA10, 0x400, 0x81]
NUMBERS = ["", "", "", "0", "1", "1,8", "9,1", "x,y", "0,4294967295", "1,2,3", "1" * 300]
TEXTS = ["", "", "hi", "secret", "x" * 256, "x" * 257, "\U0001f408", "a\0b"]
SMALL = [0, 0, 1, 1, 2, 3]
EDGES = {"B": 2**8 - 1, "H": 2**16 - 1, "I": 2**32 - 1, "Q": 2**64 - 1}


class Arguments:
    """Draws the arguments of calls: mostly such as mean something, now and then anything."""

    def __init__(self, rooms: Rooms, random: Random | None = None) -> None:
        self._random = random
        self._traits = rooms.context._traits
        self.gids = [0, 4711, 2**32 - 1]

    def pick(self, choices: Sequence[Any]) -> Any:
        """Return one of several; without a source of chance the first, which is harmless."""
        return choices[0] if self._random is None else self._random.choice(choices)

    def of(self, codec: MethodCodec) -> list[Any]:
        """Return arguments for a call."""
        return [
            self.value(parameter.name, concrete(resolve(parameter.annotation), self._traits))
            for parameter in codec._signature.parameters
        ]

    def value(self, name: str, wire: Wire) -> Any:
        """Return a value for what has this name."""
        match wire:
            case Scalar(wrap=None):
                return self._number(name, wire.code)
            case Scalar():
                return DateTime(self.pick([0, 0, 0, 1, 2**64 - 1]))
            case Text():
                return self.pick(TEXTS)
            case Url():
                return StationURL("prudp", address="192.0.2.1", port=self.pick(SMALL))
            case Blob():
                return self.pick([b"", b"data", b"x" * 513])
            case ListOf(item=item):
                return self._list(name, item)
            case MapOf():
                return {"mine": Variant.of(5), "@SR": Variant.of("x" * self.pick([1, 600]))}
            case Holder():
                cls = self.pick([MatchmakeSession] * 4 + [Gathering, PersistentGathering, None])
                return UnknownData("Other", b"") if cls is None else self.structure(cls)
            case StructOf(cls=cls):
                return self.structure(cls)
            case _:
                raise AssertionError(wire)

    def structure(self, cls: type[Structure]) -> Structure:
        """Return a structure whose fields are all there."""
        fields = {
            field.name: self.value(field.name, field.wire)
            for level in layout_of(cls, self._traits).levels
            for field in level.fields
            if field.present
        }
        if cls is MatchmakeSessionSearchCriteria:
            for name in ("game_mode", "min_participants", "max_participants", "matchmake_system"):
                fields[name] = self.pick(NUMBERS)
        return cls(**fields)

    def _number(self, name: str, code: str) -> Any:
        if code == "?":
            return self.pick([False, True])
        if "gid" in name or name == "id":
            return self.pick([*self.gids, *self.gids[-5:] * 3])
        if "pid" in name or name in {"owner", "host", "participants", "potential_owners"}:
            return self.pick([*PIDS, 0, 4711])
        if name == "flags":
            return self.pick(FLAGS)
        if name == "modification_flags":
            return self.pick([*(1 << bit for bit in range(16)), 0x7FDF])
        if "type" in name:
            return self.pick([0, 1, 2, 101, 108])
        if name == "participation_policy":
            return self.pick([8, 95, 98])
        if name == "max_participants":
            # Always the same: owners may set fewer than are taken, and then nobody has to leave.
            return self.pick([12, 12, 12, 257])
        return self.pick([*SMALL, EDGES.get(code, 7)])

    def _list(self, name: str, item: Wire) -> list[Any]:
        if name in {"attribs", "attributes"}:
            number = self.pick([6] * 6 + [0, 5, 7])
            choices: list[Any] = NUMBERS if isinstance(item, Text) else [0, 0, 1, 2**32 - 1]
            return [self.pick(choices) for _ in range(number)]
        if name == "search_criteria":
            return [self.value("", item) for _ in range(self.pick([0, 1, 1, 2, 3]))]
        if isinstance(item, Scalar) and self.pick([False] * 20 + [True]):
            return [1] * 301
        return [self.value(name, item) for _ in range(self.pick([0, 1, 1, 2]))]


def methods(rooms: Rooms) -> list[MethodCodec]:
    """Return all methods of the extension."""
    return list(type(rooms.extension).codecs(rooms.context).values())


async def ask(
    console: Console, codec: MethodCodec, arguments: list[Any], protocol: int = 109
) -> Any:
    """Call a method; the value is its reply, or the name of the error."""
    body = codec.encode_arguments(arguments)
    try:
        reply = await console.session.call(protocol, codec.method_id, body)
    except RMCError as error:
        return error.name
    return codec.decode_reply(reply)


def gids_in(value: Any) -> list[int]:
    """Return the gids that a reply has told of."""
    if isinstance(value, list | tuple):
        return [gid for each in value for gid in gids_in(each)]
    names = [name for name in ("id", "gid") if hasattr(value, name)]
    return [getattr(value, name) for name in names]


VARIANTS: list[tuple[str, type[MatchmakeExtensionServer]]] = [
    ("2.4.3", MatchmakeExtensionServer),
    ("3.5.4", MarioKart8MatchmakeExtensionServer),
    ("3.8.3", MatchmakeExtensionServer),
    ("4.0.1", MatchmakeExtensionServer),
]


@pytest.mark.parametrize(("version", "server"), VARIANTS, ids=lambda each: str(each)[-12:])
@settings(max_examples=8)
@given(seed=st.integers(0, 2**32))
async def test_any_calls_of_any_consoles(
    seed: int, version: str, server: type[MatchmakeExtensionServer]
) -> None:
    friends = dict.fromkeys(PIDS, PIDS)
    async with (
        piped(lab_settings(version), extension=server, friends=friends) as rooms,
        rooms.consoles(len(PIDS), minor_version=4 if version > "3.5" else 0) as consoles,
    ):
        arguments = Arguments(rooms, Random(seed))
        codecs = methods(rooms)
        for console in consoles[:2]:
            made = await console.extension.create_matchmake_session(room(), "")
            arguments.gids.append(made.gid)
        for _ in range(20):
            console = arguments.pick(consoles)
            codec = arguments.pick(codecs)
            reply = await ask(console, codec, arguments.of(codec))
            arguments.gids += [gid for gid in gids_in(reply) if gid not in arguments.gids]
            await rooms.consistent()
        await asyncio.gather(
            *[
                ask(console, (codec := arguments.pick(codecs)), arguments.of(codec))
                for console in consoles
            ]
        )
        await rooms.consistent()
        for console in consoles:
            await console.vanish()
            await rooms.consistent()


@settings(max_examples=15)
@given(seed=st.integers(0, 2**32))
async def test_any_calls_of_all_three_protocols(seed: int) -> None:
    """Together they can do more: a gathering may belong to somebody who is not in it."""
    friends = dict.fromkeys(PIDS, PIDS)
    async with (
        piped(lab_settings("4.0.1"), friends=friends) as rooms,
        rooms.consoles(len(PIDS)) as consoles,
    ):
        arguments = Arguments(rooms, Random(seed))
        protocols: list[tuple[int, Any]] = [(109, MatchmakeExtension), (21, MatchMaking)]
        protocols.append((50, MatchMakingExt))
        codecs = [
            (number, codec)
            for number, protocol in protocols
            for codec in protocol.codecs(rooms.context).values()
        ]
        for console in consoles[:2]:
            made = await console.extension.create_matchmake_session(room(), "")
            arguments.gids.append(made.gid)
        for _ in range(30):
            calls = [(each, *arguments.pick(codecs)) for each in consoles]
            replies = await asyncio.gather(
                *[ask(each, codec, arguments.of(codec), number) for each, number, codec in calls]
            )
            for (_, _, codec), reply in zip(calls, replies, strict=True):
                new = [reply] if codec.name == "register_gathering" else gids_in(reply)
                arguments.gids += [each for each in new if isinstance(each, int)]
            await rooms.consistent(exempt=arguments.gids)
        for console in consoles:
            await console.vanish()
            await rooms.consistent(exempt=arguments.gids)


@settings(max_examples=10)
@given(bodies=st.lists(st.binary(max_size=200), max_size=30), seed=st.integers(0, 2**32))
async def test_any_bytes(bodies: list[bytes], seed: int) -> None:
    async with piped() as rooms, rooms.console(1000) as one:
        made = await one.extension.create_matchmake_session(room(), "", 1)
        arguments = Arguments(rooms, Random(seed))
        for body in bodies:
            gid = arguments.pick([b"", made.gid.to_bytes(4, "little")])
            with contextlib.suppress(RMCError):
                await one.session.call(109, arguments.pick(methods(rooms)).method_id, gid + body)
        await rooms.consistent()


@pytest.mark.parametrize("version", ["2.4.3", "3.5.4", "4.0.1"])
async def test_who_did_not_register_is_told_so_before_anything_else(version: str) -> None:
    async with (
        piped(lab_settings(version)) as rooms,
        rooms.console(1000, minor_version=0) as owner,
        rooms.console(1001, register=False, minor_version=0) as one,
    ):
        made = await owner.extension.create_matchmake_session(room(), "")
        before = await rooms.snapshot()
        arguments = Arguments(rooms)
        for codec in methods(rooms):
            if codec.name in {
                "debug_notify_event",
                "request_matchmaking",
                "withdraw_matchmaking",
                "withdraw_matchmaking_all",
            }:
                continue
            for gid in (made.gid, 4711):
                arguments.gids = [gid]
                error = await ask(one, codec, arguments.of(codec))
                assert error == "RendezVous::NotAuthenticated", (codec.name, gid)
        assert await rooms.snapshot() == before
