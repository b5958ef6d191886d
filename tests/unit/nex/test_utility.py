"""The utility and the health server."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest

from nekonex.domain.unique_ids import Refusal, UniqueIdLimits, UniqueIds
from nekonex.nex.health import Health, HealthServer
from nekonex.nex.structures import UniqueIdInfo
from nekonex.nex.utility import Utility, UtilityServer
from nekonex.nex.utility.server import REFUSAL_NAMES
from nekonex.rmc import Stub
from nekonex.storage.memory_unique_ids import MemoryUniqueIdStore
from nekonex.values.errors import ERROR_CODES
from tests.support.behind import Behind, behind, refused
from tests.support.nexlab import Lab, lab_settings


@contextlib.asynccontextmanager
async def utilities(
    version: str = "3.5.4", *, limits: UniqueIdLimits | None = None, **options: Any
) -> AsyncIterator[Behind]:
    def make(made: Lab) -> list[UtilityServer]:
        ids = UniqueIds(MemoryUniqueIdStore(), limits=limits, clock=made.clock)
        given = {"unique_ids": ids, "players": made.game.players, **options}
        return [UtilityServer(made.settings, **given)]

    async with behind(make, lab_settings(version)) as served:
        yield served


@contextlib.asynccontextmanager
async def console(served: Behind, pid: int) -> AsyncIterator[Stub]:
    async with served.console(pid) as session:
        yield Utility.client(session)


async def test_an_id_from_acquiring_to_giving_it_up() -> None:
    async with utilities() as served, console(served, 1000) as one:
        nothing = UniqueIdInfo()
        made = await one.acquire_nex_unique_id_with_password()
        assert made.unique_id
        assert made.password
        assert await one.get_associated_nex_unique_id_with_my_principal_id() == nothing
        assert await one.get_associated_nex_unique_ids_with_my_principal_id() == [nothing]
        await one.associate_nex_unique_id_with_my_principal_id(made)
        assert await one.get_associated_nex_unique_id_with_my_principal_id() == made
        assert await one.get_associated_nex_unique_ids_with_my_principal_id() == [made]
        await one.associate_nex_unique_id_with_my_principal_id(nothing)
        assert await one.get_associated_nex_unique_id_with_my_principal_id() == nothing


async def test_the_first_of_a_list_is_the_primary_one() -> None:
    async with utilities() as served, console(served, 1000) as one:
        made = await one.acquire_nex_unique_id_with_password()
        bare = UniqueIdInfo(await one.acquire_nex_unique_id())
        for infos in ([made, bare], [bare, made]):
            await one.associate_nex_unique_ids_with_my_principal_id(infos)
            assert await one.get_associated_nex_unique_ids_with_my_principal_id() == infos
            assert await one.get_associated_nex_unique_id_with_my_principal_id() == infos[0]
        # What a console was answered that has none, it may send back.
        await one.associate_nex_unique_ids_with_my_principal_id([UniqueIdInfo()])
        none = await one.get_associated_nex_unique_ids_with_my_principal_id()
        assert none == [UniqueIdInfo()]


async def test_what_is_refused_changes_nothing() -> None:
    async with utilities() as served, console(served, 1000) as one, console(served, 1001) as two:
        made = await one.acquire_nex_unique_id_with_password()
        await one.associate_nex_unique_id_with_my_principal_id(made)
        wrong = UniqueIdInfo(made.unique_id, made.password ^ 1)
        unknown = UniqueIdInfo(made.unique_id ^ 1, made.password)
        for info, name in [
            (wrong, "Core::AccessDenied"),
            (unknown, "Core::InvalidArgument"),
        ]:
            for caller in (one, two):
                call = caller.associate_nex_unique_id_with_my_principal_id(info)
                assert await refused(call) == name
        other = two.associate_nex_unique_ids_with_my_principal_id([made])
        assert await refused(other) == "Core::AccessDenied"
        several = one.associate_nex_unique_ids_with_my_principal_id([made, made])
        assert await refused(several) == "Core::InvalidArgument"
        assert await one.get_associated_nex_unique_id_with_my_principal_id() == made
        assert await two.get_associated_nex_unique_id_with_my_principal_id() == UniqueIdInfo()


async def test_limits_count() -> None:
    limits = UniqueIdLimits(max_acquired=2, max_associated=1)
    async with utilities(limits=limits) as served, console(served, 1000) as one:
        first, second, third = [await one.acquire_nex_unique_id_with_password() for _ in range(3)]
        call = one.associate_nex_unique_id_with_my_principal_id(first)
        assert await refused(call) == "Core::InvalidArgument"
        call = one.associate_nex_unique_ids_with_my_principal_id([second, third])
        assert await refused(call) == "Core::InvalidArgument"
        await one.associate_nex_unique_id_with_my_principal_id(second)


async def test_settings_are_empty_unless_there_are_some() -> None:
    integers = {0: {1: 5, 65535: -(2**31)}, 2**32 - 1: {0: 2**31 - 1}}
    strings = {0: {1: "é", 2: ""}}
    async with utilities() as served, console(served, 1000) as one:
        assert [await one.get_integer_settings(index) for index in (0, 7)] == [{}, {}]
        assert await one.get_string_settings(0) == {}
    async with utilities(integer_settings=integers) as served, console(served, 1000) as one:
        for index in (0, 2**32 - 1, 7):
            assert await one.get_integer_settings(index) == integers.get(index, {})
    async with utilities(string_settings=strings) as served, console(served, 1000) as one:
        assert await one.get_string_settings(0) == strings[0]
        assert await one.get_string_settings(1) == {}
        assert await one.get_integer_settings(0) == {}


@pytest.mark.parametrize(
    "options",
    [
        {"integer_settings": {0: {65536: 1}}},
        {"integer_settings": {0: {-1: 1}}},
        {"integer_settings": {0: {1: 2**31}}},
        {"integer_settings": {0: {1: -(2**31) - 1}}},
        {"string_settings": {0: {65536: ""}}},
    ],
)
def test_settings_that_cannot_be_sent_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="16 bits"):
        UtilityServer(lab_settings(), unique_ids=UniqueIds(MemoryUniqueIdStore()), **options)


CALLS: list[tuple[str, list[Any]]] = [
    ("acquire_nex_unique_id", []),
    ("acquire_nex_unique_id_with_password", []),
    ("associate_nex_unique_id_with_my_principal_id", [UniqueIdInfo()]),
    ("associate_nex_unique_ids_with_my_principal_id", [[]]),
    ("get_associated_nex_unique_id_with_my_principal_id", []),
    ("get_associated_nex_unique_ids_with_my_principal_id", []),
    ("get_integer_settings", [0]),
    ("get_string_settings", [0]),
]


async def test_who_did_not_register_is_served_nothing() -> None:
    assert {name for name, _ in CALLS} == {each.name for each in Utility.definitions()}
    async with utilities() as served, served.console(1000, register=False) as session:
        stub = Utility.client(session)
        for name, arguments in CALLS:
            call = getattr(stub, name)(*arguments)
            assert await refused(call) == "RendezVous::NotAuthenticated", name


async def test_without_a_registry_a_ticket_is_enough() -> None:
    async with (
        utilities(players=None) as served,
        served.console(1000, register=False) as session,
        served.console(None, register=False) as nobody,
    ):
        assert await Utility.client(session).acquire_nex_unique_id()
        call = Utility.client(nobody).acquire_nex_unique_id()
        assert await refused(call) == "RendezVous::NotAuthenticated"


def test_every_refusal_has_the_name_of_an_error() -> None:
    assert set(REFUSAL_NAMES) == set(Refusal)
    assert set(REFUSAL_NAMES.values()) <= set(ERROR_CODES)


async def test_other_errors_are_passed_on() -> None:
    server = UtilityServer(lab_settings(), unique_ids=UniqueIds(MemoryUniqueIdStore()))
    error = ZeroDivisionError()
    assert server.error_of(error) is error


async def test_all_is_well() -> None:
    async with (
        behind(lambda made: [HealthServer(made.settings)]) as served,
        served.console(1000, register=False) as session,
    ):
        health = Health.client(session)
        assert await health.ping_daemon() is True
        assert await health.ping_database() is True
        assert await health.run_sanity_check() is True
        assert await health.fix_sanity_errors() is True
