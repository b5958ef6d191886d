"""Every method of rankings, data store, utility and health, against NintendoClients.

Where NintendoClients is wrong, there are golden bytes further down.
"""

from __future__ import annotations

from types import ModuleType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nintendo.nex import datastore, health, ranking, utility

from nekonex.nex import structures as s
from nekonex.nex.datastore import DataStore
from nekonex.nex.health import Health
from nekonex.nex.ranking import Ranking
from nekonex.nex.utility import Utility
from nekonex.rmc import Protocol
from nekonex.rmc.codecs import MethodCodec
from nekonex.wire import WireContext
from tests.interop.method_twins import (
    Configuration,
    context,
    exchange,
    identify,
    method_numbers,
)
from tests.interop.wire_twins import Twin

MODULES: dict[type[Protocol], ModuleType] = {
    Health: health,
    Utility: utility,
    Ranking: ranking,
    DataStore: datastore,
}

SEARCHES = {12, 46}
"""Methods of 115 with recipients, which it takes to have 64 bits, and fields of revisions."""
CHANGES = {38, 39}
"""Methods of 115 with a field that a revision announces, of which it says nothing."""

EARLY: list[Configuration] = [("3.5.4", True, 4), ("3.5.4", False, 4)]
LATE: list[Configuration] = [("4.0", True, 8), ("4.0", True, 4)]


def configurations(protocol: type[Protocol], number: int) -> list[Configuration]:
    """Return where NintendoClients is right about a method."""
    if protocol is DataStore and number in SEARCHES:
        return LATE[:1]
    return EARLY + LATE


METHODS = [
    (protocol, definition.method_id)
    for protocol in MODULES
    for definition in sorted(protocol.definitions(), key=lambda each: each.method_id)
    if protocol is not DataStore or definition.method_id not in CHANGES
]


@pytest.mark.parametrize(("protocol", "number"), METHODS, ids=identify)
@settings(max_examples=10)
@given(data=st.data())
def test_same_bytes_and_same_values(
    protocol: type[Protocol], number: int, data: st.DataObject
) -> None:
    ours = context(*data.draw(st.sampled_from(configurations(protocol, number))))
    call = exchange(data, protocol, number, ours)
    twin, module = Twin(ours), MODULES[protocol]
    call.check_client(getattr(module, f"{protocol.__name__}Client"), twin, number)
    call.check_server(getattr(module, f"{protocol.__name__}Server")(), twin)


@pytest.mark.parametrize("protocol", MODULES, ids=identify)
def test_every_method_of_theirs_is_defined_under_its_name(protocol: type[Protocol]) -> None:
    theirs = getattr(MODULES[protocol], f"{protocol.__name__}Client")
    assert theirs.PROTOCOL_ID == protocol.PROTOCOL_ID
    ours = protocol.codecs(context("3.5.4", True, 4))
    assert {codec.name: number for number, codec in ours.items()} == method_numbers(theirs)


@pytest.mark.parametrize("protocol", MODULES, ids=identify)
def test_every_method_has_the_same_arguments(protocol: type[Protocol]) -> None:
    theirs = getattr(MODULES[protocol], f"{protocol.__name__}Client")
    for definition in protocol.definitions():
        code = getattr(theirs, definition.name).__code__
        names = list(code.co_varnames[1 : code.co_argcount])
        assert [each.name for each in definition.signature.parameters] == names, definition.name


# Where NintendoClients is wrong: table of versions, by hand

PERMISSION = bytes.fromhex("03 00000000")
CHANGE = (
    bytes.fromhex("40420f0000000000 10000000 0100 00")  # object 1,000,000: meta binary; no name
    + PERMISSION * 2
    + bytes.fromhex("0000 0200 6869 00000000 0000000000000000 00000000 0000 00")  # "hi"
    + bytes.fromhex("00000000 0100 00")
    + PERMISSION * 2
    + bytes.fromhex("0000 0000 00000000 00000000 0000 00")  # nothing to compare with
)
CHANGED = s.DataStoreChangeMetaParam(1_000_000, 16, meta_binary=b"hi")
SUCCESS = bytes.fromhex("01000000 01006900")


def codecs(version: str) -> dict[int, MethodCodec]:
    return dict(DataStore.codecs(WireContext(version, struct_header=False)))


def test_changing_needs_a_revision_to_name_a_slot() -> None:
    bare = codecs("3.4")
    assert bare[38].encode_arguments([CHANGED]) == CHANGE
    assert bare[38].decode_arguments(CHANGE) == (CHANGED,)
    several = bytes.fromhex("01000000 40420f0000000000 01000000") + CHANGE + bytes.fromhex("01")
    assert bare[39].encode_arguments([[1_000_000], [CHANGED], True]) == several
    assert bare[39].decode_arguments(several) == ([1_000_000], [CHANGED], True)


@settings(max_examples=10)
@given(data=st.data())
@pytest.mark.parametrize("number", sorted(CHANGES))
def test_changing_as_theirs_does_reaches_us_without_the_slot(
    number: int, data: st.DataObject
) -> None:
    ours = context("3.5.4", True, 4)
    call = exchange(data, DataStore, number, ours)
    for param in (call.arguments[0],) if number == 38 else call.arguments[1]:
        param.persistence_target = s.DataStorePersistenceTarget()
    seen = call.asked_by(datastore.DataStoreClient, Twin(ours))
    assert list(call.codec.decode_arguments(seen)) == call.arguments


def test_recipients_are_as_wide_as_pids() -> None:
    param = s.DataStoreSearchParam(destination_ids=[1000])
    body = codecs("3.4")[12].encode_arguments([param])
    assert body[:16] == bytes.fromhex("01 00000000 00 01000000 e8030000 ffff")
    assert codecs("3.4")[12].decode_arguments(body) == (param,)
