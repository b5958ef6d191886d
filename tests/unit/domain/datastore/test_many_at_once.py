"""Many calls at once, with files that are slow: nobody gets what is not what the store says."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from nekonex.domain.datastore import (
    Caller,
    DataStoreError,
    ObjectKeys,
    ObjectTarget,
)
from nekonex.domain.datastore.files import TransferError
from nekonex.storage.objects.memory import MemoryFileStore
from tests.support.datastore import PUBLIC, Shop
from tests.support.object_stores import ADAPTERS


class SlowFiles(MemoryFileStore):
    """Lets others run in the middle of everything."""

    async def move(self, source: str, target: str) -> bool:
        await asyncio.sleep(0.0005)
        moved = await super().move(source, target)
        await asyncio.sleep(0)
        return moved

    async def remove(self, key: str) -> bool:
        await asyncio.sleep(0)
        return await super().remove(key)


async def by_slot(database: object, pid: int, slot: int, data_id: int) -> str:
    return f"ghosts/{pid}/{slot}.bin"


@pytest.mark.parametrize("adapter", ADAPTERS)
async def test_posts_updates_and_deletions_under_one_key(adapter: str, tmp_path: Path) -> None:
    async with ADAPTERS[adapter].open(tmp_path) as store:
        shop = Shop(store=store, keys=ObjectKeys(by_player=by_slot))
        shop.files = SlowFiles(clock=shop.clock)
        shop.restart()
        posted: list[int] = []

        async def attempt(call: Any) -> Any:
            try:
                return await call
            except (DataStoreError, TransferError):
                return None

        async def post(number: int) -> None:
            content = b"%d" % number * (number % 5 + 1)
            data_id = await shop.post(
                1, content, slot=number % 2, delete_last_object=number % 3 == 0, update=PUBLIC
            )
            posted.append(data_id)
            if number % 4 == 0:
                await attempt(shop.update(3, data_id, b"new" * number))
            if number % 5 == 0:
                await attempt(shop.data.updating.delete(Caller(1), data_id))

        async def look() -> None:
            for slot in (0, 1):
                target = ObjectTarget(owner=1, slot=slot)
                found = await attempt(shop.data.reading.meta(Caller(9), target))
                # `get` compares what comes with the size that was told; what was deleted
                # between the two is no longer there to download.
                if found is not None:
                    await attempt(shop.get(9, found.data_id))

        await asyncio.gather(*[call for number in range(30) for call in (post(number), look())])
        assert len(posted) == 30
        assert (await shop.data.verification.verify()).disagreements == ()
        assert len(await shop.keys()) == await shop.store.count()
        for stored in await shop.store.page(0, 100):
            assert len(await shop.get(9, stored.data_id)) == stored.size
        assert list(await shop.store.operations(1)) == []
