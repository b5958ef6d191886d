"""Backups of a server that is at work."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest

from nekonex.app import RefusedCommandError, ask
from nekonex.app.offline import offline_records
from nekonex.config import load_config
from nekonex.demo.files import upload
from nekonex.nex import DataStore
from nekonex.nex.structures import (
    DataStoreCompletePostParam,
    DataStoreCompleteUpdateParam,
    DataStorePermission,
    DataStorePreparePostParam,
    DataStorePrepareUpdateParam,
)
from nekonex.storage import restore
from nekonex.testing import running_server
from tests.support.rooms import console
from tests.support.server_process import command
from tests.support.waiting import until

KART = '[[game]]\nname = "mario-kart-8"\ntitle = "mario-kart-8"\n'


async def post(store: Any, content: bytes) -> int:
    info = await store.prepare_post_object(
        DataStorePreparePostParam(
            size=len(content),
            name="a ghost",
            data_type=1,
            permission=DataStorePermission(0),
            flag=0x40,
        )
    )
    assert await asyncio.to_thread(upload, info.url, info.form, content) == 204
    await store.complete_post_object(DataStoreCompletePostParam(info.data_id, True))
    data_id: int = info.data_id
    return data_id


async def update_for_ever(store: Any, data_id: int, done: list[int]) -> None:
    for size in itertools.cycle((10, 5000, 1, 70_000)):
        info = await store.prepare_update_object(
            DataStorePrepareUpdateParam(data_id=data_id, size=size)
        )
        assert await asyncio.to_thread(upload, info.url, info.form, bytes(size)) == 204
        await store.complete_update_object(
            DataStoreCompleteUpdateParam(data_id=data_id, version=info.version, success=True)
        )
        done.append(data_id)


@pytest.mark.async_timeout(50)
async def test_files_are_those_of_the_moment_that_the_database_is_of(tmp_path: Path) -> None:
    folder = tmp_path / "server"
    folder.mkdir()
    archives = [tmp_path / f"{number}.tar.gz" for number in range(8)]
    async with (
        running_server(KART, folder=folder) as server,
        console(server, "peach") as (peach, _),
    ):
        store = DataStore.client(peach)
        ids = [await post(store, b"first") for _ in range(3)]
        done: list[int] = []
        work = [asyncio.create_task(update_for_ever(store, each, done)) for each in ids]
        for archive in archives:
            done.clear()
            # The first update to be done may have been stored before the last backup; a second
            # one of the same object was begun later.
            await until(lambda: len(done) > len(set(done)))
            arguments = ("backup", archive, "--config", folder / "nekonex.toml")
            assert await command(*arguments) == 0
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        assert not list((folder / "data").glob(".backup-*"))
    versions: list[list[int]] = []
    for archive in archives:
        await asyncio.to_thread(restore, archive, folder / "data", force=True)
        config = load_config(folder / "nekonex.toml", environ={})
        async with offline_records(config) as records:
            restored = records["mario-kart-8"].data_store
            await restored.start()
            report = await restored.verification.verify(mend=False)
            wrong = [each for each in report.disagreements if each.data_id in ids and each.key]
            assert not [each for each in wrong if "UNFINISHED" not in each.kind.name], archive
            versions.append([])
            for data_id in ids:
                found = await restored.shelf.store.get(data_id)
                assert found is not None
                assert await restored.shelf.files.size(found.key) == found.size
                versions[-1].append(found.version)
    totals = [sum(each) for each in versions]
    assert sorted(set(totals)) == totals  # what was acknowledged before a backup is in it


@pytest.mark.parametrize(
    "stage", ["../x", ".backup-", "nekonex.db", 5, None, ".backup-" + "0" * 16]
)
async def test_a_snapshot_goes_nowhere_else(tmp_path: Path, stage: object) -> None:
    async with running_server(KART, folder=tmp_path) as server:
        with pytest.raises(RefusedCommandError, match="stage"):
            await asyncio.to_thread(ask, server.data_dir, "snapshot", stage=stage)
