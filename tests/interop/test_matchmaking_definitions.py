"""Every method of the matchmaking protocols, against NintendoClients' clients and servers.

Where NintendoClients is wrong, there are golden bytes further down.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import import_module
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nintendo.nex import matchmaking

from nekonex.nex import structures as s
from nekonex.nex.matchmake_extension import CreateSessionReply, MatchmakeExtension
from nekonex.nex.matchmaking import MatchMaking, MatchMakingExt
from nekonex.rmc import Protocol, Session
from nekonex.rmc.codecs import MethodCodec
from nekonex.wire import UnknownData, WireContext
from tests.interop.method_twins import (
    Configuration,
    context,
    definition_of,
    exchange,
    identify,
    method_numbers,
    their_name,
)
from tests.interop.wire_twins import Twin
from tests.support.pipe import PipeServer

PROTOCOLS: tuple[type[Protocol], ...] = (MatchMaking, MatchMakingExt, MatchmakeExtension)

THEIR_CLIENTS = {
    MatchMaking: "MatchMakingClient",
    MatchMakingExt: "MatchMakingClientExt",
    MatchmakeExtension: "MatchmakeExtensionClient",
}

THEIR_SERVERS = {
    MatchMaking: "MatchMakingServer",
    MatchMakingExt: "MatchMakingServerExt",
    MatchmakeExtension: "MatchmakeExtensionServer",
}

TITLES = {"matchmaking_mk8": "MK8", "matchmaking_mhxx": "MHXX"}
"""Modules that repeat the common protocols, with their suffix for the extended one."""

EXTENDED = {39, 40, 44, 45}
"""Methods of 109 whose structure got a field with NEX 4, which NintendoClients always sends."""
WIDE = {9, 10, 13}
"""Methods of 109 with numbers of 64 bits from NEX 4 on; there it takes the width of a PID."""


def configurations(protocol: type[Protocol], number: int) -> list[Configuration]:
    """Return where NintendoClients is right about a method."""
    late: list[Configuration] = [("4.0", True, 8), ("4.0", True, 4)]
    early: list[Configuration] = [("3.5.4", True, 4), ("3.5.4", False, 4)]
    if protocol is not MatchmakeExtension:
        return early + late
    if number in WIDE:
        return [*early, late[0]]
    if number in EXTENDED or number in {46, 47}:
        return late
    return early + late


METHODS = sorted(
    {
        (protocol, definition.method_id)
        for protocol in PROTOCOLS
        for definition in protocol.definitions()
        if (protocol, definition.method_id) != (MatchmakeExtension, 54)
    },
    key=lambda pair: (pair[0].PROTOCOL_ID, pair[1]),
)


@pytest.mark.parametrize(("protocol", "number"), METHODS, ids=identify)
@settings(max_examples=10)
@given(data=st.data())
def test_same_bytes_and_same_values(
    protocol: type[Protocol], number: int, data: st.DataObject
) -> None:
    ours = context(*data.draw(st.sampled_from(configurations(protocol, number))))
    call = exchange(data, protocol, number, ours)
    twin = Twin(ours)
    call.check_client(getattr(matchmaking, THEIR_CLIENTS[protocol]), twin, number)
    call.check_server(getattr(matchmaking, THEIR_SERVERS[protocol])(), twin)


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=identify)
def test_every_method_of_theirs_is_defined_under_its_name(protocol: type[Protocol]) -> None:
    theirs = getattr(matchmaking, THEIR_CLIENTS[protocol])
    assert theirs.PROTOCOL_ID == protocol.PROTOCOL_ID
    numbers = {
        their_name(codec.name): codec.method_id
        for codec in protocol.codecs(context("4.0", True, 4)).values()
    }
    if protocol is MatchmakeExtension:
        assert numbers.pop("find_community_by_owner") == 54
    assert numbers == method_numbers(theirs)


@pytest.mark.parametrize("protocol", PROTOCOLS, ids=identify)
def test_every_method_has_the_same_number_of_arguments(protocol: type[Protocol]) -> None:
    theirs = getattr(matchmaking, THEIR_CLIENTS[protocol])
    for definition in protocol.definitions():
        if definition.name != "find_community_by_owner":
            method = getattr(theirs, their_name(definition.name))
            ours = definition.signature.parameters
            assert method.__code__.co_argcount - 1 == len(ours), definition.name


def title_clients(module: str) -> Iterator[tuple[type[Protocol], Any]]:
    """Return the clients of a title. Importing it changes NintendoClients' table of holders."""
    imported = import_module(f"nintendo.nex.{module}")
    Twin(context("3.5.4", True, 4))  # puts the table in order again
    for protocol, name in THEIR_CLIENTS.items():
        suffix = TITLES[module] if protocol is MatchmakeExtension else ""
        yield protocol, getattr(imported, name + suffix)


@pytest.mark.parametrize("module", TITLES)
@settings(max_examples=3)
@given(data=st.data())
def test_titles_have_the_same_generic_methods(module: str, data: st.DataObject) -> None:
    compared = 0
    for protocol, client_class in title_clients(module):
        theirs = method_numbers(client_class)
        for _, number in [pair for pair in METHODS if pair[0] is protocol]:
            ours = context(*configurations(protocol, number)[0])
            name = their_name(definition_of(protocol, number, ours).name)
            if theirs.get(name) == number:
                call = exchange(data, protocol, number, ours)
                call.check_client(client_class, Twin(ours), number)
                compared += 1
    # Six methods of 109 have another meaning in Mario Kart 8.
    assert compared == 44 + 6 + (47 if module == "matchmaking_mk8" else 53)


@settings(max_examples=10)
@given(data=st.data())
def test_communities_of_an_owner_as_monster_hunter_finds_them(data: st.DataObject) -> None:
    ours = context("4.0", True, 8)
    clients = dict(title_clients("matchmaking_mhxx"))
    # The same method has the number 59 there.
    exchange(data, MatchmakeExtension, 54, ours).check_client(
        clients[MatchmakeExtension], Twin(ours), 59
    )


# Where NintendoClients is wrong: table of versions, by hand

GATHERING = bytes.fromhex(
    "0a00 476174686572696e6700"  # "Gathering"
    "27000000 23000000"  # 39 bytes with the inner length, 35 without
    "01000000 e8030000 e9030000"  # id 1, owner 1000, host 1001
    "0200 0800"  # 2 to 8 participants
    "5f000000 00000000"  # anybody
    "00020000 00000000"  # flags, state
    "0100 00"  # no description
)
JOINED = s.Gathering(1, 1000, 1001, 2, 8, 95, 0, 0x200, 0, "")
MESSAGE = bytes.fromhex("0300 686900")
KEY = bytes.fromhex("02000000 6b79")


def codecs(version: str, **versions: str) -> dict[int, MethodCodec]:
    ours = WireContext(version, versions=versions, holders=s.default_holders())
    return dict(MatchmakeExtension.codecs(ours))


def test_creating_says_no_number_of_participants_before_late_matchmaking() -> None:
    for create in (codecs("3.3")[6], codecs("3.4", matchmaking="3.3")[6]):
        assert create.encode_arguments([JOINED, "hi", 3]) == GATHERING + MESSAGE
        assert create.decode_arguments(GATHERING + MESSAGE) == (JOINED, "hi", 1)
    late = codecs("3.4")[6]
    assert late.encode_arguments([JOINED, "hi", 3]) == GATHERING + MESSAGE + b"\x03\0"
    assert late.decode_arguments(GATHERING + MESSAGE + b"\x03\0") == (JOINED, "hi", 3)
    # A library that is older than its number says.
    assert late.decode_arguments(GATHERING + MESSAGE) == (JOINED, "hi", 1)


def test_joining_says_no_number_of_participants_before_late_matchmaking() -> None:
    body = b"\x01\0\0\0" + MESSAGE + b"\x01"
    early, late = codecs("3.3")[30], codecs("3.4")[30]
    assert early.encode_arguments([1, "hi", True, 2]) == body
    assert early.decode_arguments(body) == (1, "hi", True, 1)
    assert late.encode_arguments([1, "hi", True, 2]) == body + b"\x02\0"
    assert late.decode_arguments(body + b"\x02\0") == (1, "hi", True, 2)
    assert late.arrange([1, "hi", True], {}) == [1, "hi", True, 1]


def test_there_are_no_session_keys_before_nex_3() -> None:
    early, later = codecs("2.4.3"), codecs("3.0")
    reply = CreateSessionReply(7, b"ky")
    assert early[6].encode_reply(reply) == b"\x07\0\0\0"
    assert early[6].decode_reply(b"\x07\0\0\0") == CreateSessionReply(7, b"")
    assert later[6].encode_reply(reply) == b"\x07\0\0\0" + KEY
    assert later[6].decode_reply(b"\x07\0\0\0" + KEY) == reply
    for number in (7, 30):
        assert early[number].encode_reply(b"ky") == b""
        assert early[number].decode_reply(b"") == b""
        assert later[number].encode_reply(b"ky") == KEY
        assert later[number].decode_reply(KEY) == b"ky"


def test_friend_notifications_are_wider_from_nex_4_whatever_a_pid_is() -> None:
    narrow, wide = codecs("3.10")[9], codecs("4.0")[9]
    assert narrow.encode_arguments([101, 5, 6, "hi"]) == (
        bytes.fromhex("65000000 05000000 06000000") + MESSAGE
    )
    assert wide.encode_arguments([101, 5, 6, "hi"]) == (
        bytes.fromhex("65000000 0500000000000000 0600000000000000") + MESSAGE
    )


def test_methods_that_came_with_nex_4() -> None:
    assert set(codecs("4.0")) - set(codecs("3.10")) == {45, 46, 47, 54}
    find = codecs("4.0")[54]
    body = bytes.fromhex("e8030000 00 08000000 05000000 0a000000")
    assert find.encode_arguments([1000, s.ResultRange(5, 10)]) == body
    assert find.decode_arguments(body) == (1000, s.ResultRange(5, 10))


def test_what_is_not_known_in_a_holder_is_kept() -> None:
    body = GATHERING.replace(b"Gathering", b"Something") + MESSAGE
    gathering, message = codecs("3.3")[3].decode_arguments(body)
    assert (type(gathering), gathering.name, message) == (UnknownData, "Something", "hi")


class Told(MatchmakeExtension):
    """A server that overrides the one method for friend notifications."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int, int, str]] = []

    async def update_notification_data(
        self, client: Session, notification_type: int, param1: int, param2: int, param3: str
    ) -> None:
        self.told.append((notification_type, param1, param2, param3))


async def test_a_server_has_one_method_for_friend_notifications_of_all_versions() -> None:
    for version, name, big in [
        ("3.5.4", "update_notification_data", 2**32 - 1),
        ("4.0", "update_notification_data_wide", 2**64 - 1),
    ]:
        told = Told()
        server = PipeServer([told], WireContext(version))
        async with server.client() as session:
            await getattr(MatchmakeExtension.client(session), name)(101, 5, big, "hi")
        server.close()
        assert told.told == [(101, 5, big, "hi")]
