"""What was acknowledged is there after ``kill -9`` at any moment."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from nekonex.storage import open_local

WRITER = """
import asyncio, sys
from pathlib import Path
from nekonex.domain import Account
from nekonex.storage import open_local

async def main(first):
    async with open_local(Path(sys.argv[1])) as stores:
        pid = first
        while True:
            pairs = [Account(one, str(one), {0: bytes(16)}, 0.0) for one in (pid, pid + 1)]
            await stores.accounts.add(pairs)
            print(pid, flush=True)
            pid += 2

asyncio.run(main(int(sys.argv[2])))
"""


def write_until_killed(data_dir: Path, first: int, acknowledgements: int) -> list[int]:
    """Let a process add pairs of accounts, kill it, and return the acknowledged ones."""
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(data_dir), str(first)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        lines = [writer.stdout.readline() for _ in range(acknowledgements)]
        writer.kill()
        lines += writer.stdout.readlines()
    return [int(line) for line in lines if line.endswith("\n")]


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
async def test_acknowledged_accounts_survive_kill_9(tmp_path: Path) -> None:
    dice = random.Random(20)
    acknowledged: list[int] = []
    for round_number in range(4):
        first = 1000 + 100_000 * round_number
        pids = write_until_killed(tmp_path, first, dice.randint(1, 60))
        assert pids
        acknowledged += pids
    async with open_local(tmp_path) as stores:
        for pid in acknowledged:
            assert await stores.accounts.get(pid) is not None
            assert await stores.accounts.get(pid + 1) is not None
        # A pair that was cut off is there whole or not at all.
        assert await stores.accounts.count() % 2 == 0
