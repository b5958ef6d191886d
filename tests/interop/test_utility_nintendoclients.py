"""Unique ids and settings of NintendoClients' consoles that are connected to our servers."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from nintendo.nex import common, health, utility

from nekonex.domain.unique_ids import UniqueIds
from nekonex.nex.health import HealthServer
from nekonex.nex.utility import UtilityServer
from nekonex.storage.memory_unique_ids import MemoryUniqueIdStore
from tests.support.login import PLAYERS, Game, serve_game
from tests.support.nexlab import lab_settings
from tests.support.nintendo import console

INTEGERS = {0: {1: 5, 7: -3}}
STRINGS = {2: {1: "wiiu", 2: "ĂŤ"}}

VERSIONS = pytest.mark.parametrize("version", ["3.5.4", "3.3.0", "4.4.0"])


@contextlib.asynccontextmanager
async def serving(version: str) -> AsyncIterator[Game]:
    old = {"prudp__version": 0} if version == "3.3.0" else {}
    settings = lab_settings(version, **old)
    servers = [
        UtilityServer(
            settings,
            unique_ids=UniqueIds(MemoryUniqueIdStore()),
            integer_settings=INTEGERS,
            string_settings=STRINGS,
        ),
        HealthServer(settings),
    ]
    async with serve_game(settings, more=servers) as game:
        yield game


def info(unique_id: int = 0, password: int = 0) -> Any:
    made = utility.UniqueIdInfo()
    made.unique_id, made.password = unique_id, password
    return made


def plain(infos: list[Any]) -> list[tuple[int, int]]:
    return [(each.unique_id, each.password) for each in infos]


@VERSIONS
async def test_unique_ids(version: str) -> None:
    async with serving(version) as game, console(game) as session:
        one = utility.UtilityClient(session)
        made = await one.acquire_nex_unique_id_with_password()
        bare = info(await one.acquire_nex_unique_id())
        assert made.unique_id
        assert made.password
        assert bare.unique_id
        found = await one.get_associated_nex_unique_id_with_my_principal_id()
        assert plain([found]) == [(0, 0)]

        await one.associate_nex_unique_id_with_my_principal_id(made)
        found = await one.get_associated_nex_unique_id_with_my_principal_id()
        assert plain([found]) == plain([made])

        await one.associate_nex_unique_ids_with_my_principal_id([bare, made])
        several = await one.get_associated_nex_unique_ids_with_my_principal_id()
        assert plain(several) == plain([bare, made])

        async with console(game, "1001", PLAYERS[1001]) as other:
            two = utility.UtilityClient(other)
            with pytest.raises(common.RMCError, match="Core::AccessDenied"):
                await two.associate_nex_unique_id_with_my_principal_id(made)
            with pytest.raises(common.RMCError, match="Core::InvalidArgument"):
                await two.associate_nex_unique_id_with_my_principal_id(info(5))
            await one.associate_nex_unique_id_with_my_principal_id(info())
            await two.associate_nex_unique_id_with_my_principal_id(made)
            found = await two.get_associated_nex_unique_id_with_my_principal_id()
            assert plain([found]) == plain([made])
        several = await one.get_associated_nex_unique_ids_with_my_principal_id()
        assert plain(several) == [(0, 0)]


@VERSIONS
async def test_settings_and_health(version: str) -> None:
    async with serving(version) as game, console(game) as session:
        one = utility.UtilityClient(session)
        assert await one.get_integer_settings(0) == INTEGERS[0]
        assert await one.get_integer_settings(1) == {}
        assert await one.get_string_settings(2) == STRINGS[2]
        assert await one.get_string_settings(0) == {}
        other = health.HealthClient(session)
        assert await other.ping_daemon()
        assert await other.ping_database()
        assert await other.run_sanity_check()
        assert await other.fix_sanity_errors()
