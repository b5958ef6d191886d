"""Every adapter is held to the same contract: each test here runs once for each of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from nekonex.storage import Stores, memory_stores, open_local


@asynccontextmanager
async def _in_memory() -> AsyncIterator[Stores]:
    yield memory_stores()


@pytest.fixture(params=["memory", "sqlite"])
def open_stores(
    request: pytest.FixtureRequest, tmp_path: Path
) -> Callable[[], AbstractAsyncContextManager[Stores]]:
    """Return a function that opens the stores of one adapter, empty the first time."""
    if request.param == "memory":
        return _in_memory
    return lambda: open_local(tmp_path / "data")
