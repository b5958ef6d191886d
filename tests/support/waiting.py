"""Waiting for what is about to happen."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

__all__ = ["until"]


async def until(condition: Callable[[], object], seconds: float = 5.0) -> None:
    """Return as soon as something is true; TimeoutError if it does not come true."""
    async with asyncio.timeout(seconds):
        while not condition():  # noqa: ASYNC110 - there is nothing that tells
            await asyncio.sleep(0.01)
