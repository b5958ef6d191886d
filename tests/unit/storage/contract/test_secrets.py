from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from nekonex.storage import Stores

OpenStores = Callable[[], AbstractAsyncContextManager[Stores]]


async def test_a_secret_is_made_once(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        made: list[int] = []

        def factory() -> bytes:
            made.append(1)
            return bytes(range(256))

        assert await stores.secrets.get_or_create("secure-server", factory) == bytes(range(256))
        assert await stores.secrets.get_or_create("secure-server", factory) == bytes(range(256))
        assert len(made) == 1
        assert await stores.secrets.get_or_create("other_1", lambda: b"") == b""


async def test_all_who_ask_at_once_get_the_same(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        asking = [stores.secrets.get_or_create("name", number.to_bytes) for number in range(1, 21)]
        assert len(set(await asyncio.gather(*asking))) == 1


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".hidden", "A", "a b", "a\n", "é"])
async def test_names_that_no_secret_may_have(open_stores: OpenStores, name: str) -> None:
    async with open_stores() as stores:
        with pytest.raises(ValueError, match="secret's name"):
            await stores.secrets.get_or_create(name, bytes)
