"""What players store, through the server as a whole."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from nekonex.demo.files import upload
from nekonex.domain.datastore import DataStoreHooks, ObjectKeys, StoredObject
from nekonex.game import Game, GameServices
from nekonex.nex import DataStore
from nekonex.nex.structures import (
    DataStoreCompletePostParam,
    DataStorePermission,
    DataStorePersistenceInitParam,
    DataStorePreparePostParam,
    DataStoreSearchParam,
)
from nekonex.rmc import Session
from nekonex.testing import running_server
from tests.support.rooms import console

CONFIG = """\
[[game]]
name = "kart"
title = "mario-kart-8"
server = "{module}:{name}"
"""
NEEDS_COMPLETION = 0x40
DATABASE = object()


# As in the document of nex_protocols_common_py.
def example_calculate_s3_object_key_ex(
    database: Any, pid: Any, persistence_id: int, object_id: int
) -> str:
    assert database is DATABASE
    if persistence_id < 1024:
        return f"ghosts/{pid}/{persistence_id}.bin"
    return f"mktv/{object_id}.bin"


def example_calculate_s3_object_key(
    database: Any, client: Any, persistence_id: int, object_id: int
) -> str:
    assert database is DATABASE
    if persistence_id < 1024:
        return f"ghosts/{client.pid()}/{persistence_id}.bin"
    return f"mktv/{object_id}.bin"


async def slow_key(database: Any, client: Any, persistence_id: int, object_id: int) -> str:
    await asyncio.sleep(0)
    host, _ = client.remote_address()
    return f"from/{host}/{client.session.pid}/{object_id}"


class ByClient(Game):
    def object_keys(self, services: GameServices) -> ObjectKeys:
        return ObjectKeys(
            example_calculate_s3_object_key, example_calculate_s3_object_key_ex, DATABASE
        )


class ByPlayer(Game):
    def object_keys(self, services: GameServices) -> ObjectKeys:
        return ObjectKeys(by_player=example_calculate_s3_object_key_ex, database=DATABASE)


class Slowly(Game):
    def object_keys(self, services: GameServices) -> ObjectKeys:
        return ObjectKeys(slow_key)


class Guarded(Game):
    """Asks who reads what."""

    def data_store_hooks(self, services: GameServices) -> DataStoreHooks:
        class Hooks(DataStoreHooks):
            async def may_read(self, pid: int, stored: StoredObject) -> bool:
                return stored.name != "hidden"

        return Hooks()


def config(game: type[Game]) -> str:
    return CONFIG.format(module=game.__module__, name=game.__name__)


async def post(player: Session, *, name: str = "", slot: int = 65535, flags: int = 0) -> int:
    store: Any = DataStore.client(player)
    info = await store.prepare_post_object(
        DataStorePreparePostParam(
            size=4,
            name=name,
            data_type=1,
            permission=DataStorePermission(0),
            flag=flags,
            persistence_init_param=DataStorePersistenceInitParam(slot, True),
        )
    )
    assert await asyncio.to_thread(upload, info.url, info.form, b"boo!") == 204
    if flags & NEEDS_COMPLETION:
        await store.complete_post_object(DataStoreCompletePostParam(info.data_id, True))
    data_id: int = info.data_id
    return data_id


async def found(player: Session) -> list[int]:
    result = await DataStore.client(player).search_object(DataStoreSearchParam())
    return [each.data_id for each in result.result]


@pytest.mark.parametrize("game", [ByClient, ByPlayer])
async def test_the_callbacks_of_the_document_say_where_files_are(
    tmp_path: Path, game: type[Game]
) -> None:
    async with (
        running_server(config(game), folder=tmp_path) as server,
        console(server, "peach") as (peach, pid),
    ):
        await post(peach, slot=3, flags=NEEDS_COMPLETION)
        film = await post(peach, flags=NEEDS_COMPLETION)
        files = server.games[0].files
        assert await files.read(f"ghosts/{pid}/3.bin", 10) == b"boo!"
        assert await files.read(f"mktv/{film}.bin", 10) == b"boo!"


async def test_a_callback_for_keys_may_wait_and_look_at_the_client(
    tmp_path: Path,
) -> None:
    async with (
        running_server(config(Slowly), folder=tmp_path) as server,
        console(server, "peach") as (peach, pid),
    ):
        data_id = await post(peach, flags=NEEDS_COMPLETION)
        files = server.games[0].files
        assert await files.read(f"from/127.0.0.1/{pid}/{data_id}", 10) == b"boo!"


async def test_what_needs_no_completion_is_there_for_others_when_it_is_uploaded(
    tmp_path: Path,
) -> None:
    async with (
        running_server(config(Guarded), folder=tmp_path) as server,
        console(server, "peach") as (peach, _),
        console(server, "toad") as (toad, _),
    ):
        data_id = await post(peach)
        assert await found(toad) == [data_id]
        await post(peach, name="hidden")
        assert await found(toad) == [data_id]
