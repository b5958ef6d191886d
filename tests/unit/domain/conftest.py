from __future__ import annotations

import asyncio
import hashlib

import pytest

from nekonex.domain.ports import KeyDeriver


class QuickDeriver:
    """Makes keys that differ with all of its arguments, without the 20 ms; others run meanwhile."""

    async def derive(self, pid: int, password: bytes, derivation: int = 0) -> bytes:
        await asyncio.sleep(0)
        return hashlib.md5(b"%d %d %b" % (pid, derivation, password)).digest()


@pytest.fixture
def deriver() -> KeyDeriver:
    return QuickDeriver()
