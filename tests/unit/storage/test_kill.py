"""What was acknowledged is there after ``kill -9`` at any moment."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from nekonex.storage import open_local

ACCOUNT_WRITER = """
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


COMMUNITY_WRITER = """
import asyncio, sys
from dataclasses import replace
from pathlib import Path
from nekonex.domain.matchmaking.model import Community, Participant
from nekonex.domain.matchmaking.ports import Outcome
from nekonex.storage import open_local

def double(community):
    later = tuple(replace(one, pid=one.pid + 2) for one in community.participants)
    return Outcome(replace(community, state=1, participants=community.participants + later))

async def main(owner):
    async with open_local(Path(sys.argv[1])) as stores:
        store = stores.communities("mk8")
        members = (Participant(1, message="x" * 256), Participant(2))
        while True:
            made = await store.create(Community(owner=owner, participants=members))
            print(made.gid, flush=True)
            await store.change(made.gid, double)
            print(-made.gid, flush=True)

asyncio.run(main(int(sys.argv[2])))
"""


def write_until_killed(writer: str, data_dir: Path, first: int, acknowledgements: int) -> list[int]:
    """Let a program write and print what it has written, kill it, and return what it printed."""
    with subprocess.Popen(
        [sys.executable, "-c", writer, str(data_dir), str(first)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(acknowledgements)]
        process.kill()
        lines += process.stdout.readlines()
    return [int(line) for line in lines if line.endswith("\n")]


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
async def test_acknowledged_accounts_survive_kill_9(tmp_path: Path) -> None:
    dice = random.Random(20)
    acknowledged: list[int] = []
    for round_number in range(4):
        first = 1000 + 100_000 * round_number
        pids = write_until_killed(ACCOUNT_WRITER, tmp_path, first, dice.randint(1, 60))
        assert pids
        acknowledged += pids
    async with open_local(tmp_path) as stores:
        for pid in acknowledged:
            assert await stores.accounts.get(pid) is not None
            assert await stores.accounts.get(pid + 1) is not None
        # A pair that was cut off is there whole or not at all.
        assert await stores.accounts.count() % 2 == 0


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX's")
async def test_acknowledged_communities_survive_kill_9(tmp_path: Path) -> None:
    dice = random.Random(21)
    acknowledged: list[int] = []
    for owner in (1, 2, 3):
        acknowledged += write_until_killed(COMMUNITY_WRITER, tmp_path, owner, dice.randint(1, 40))
    assert len(set(acknowledged)) == len(acknowledged)
    async with open_local(tmp_path) as stores:
        store = stores.communities("mk8")
        for number in acknowledged:
            found = await store.get(abs(number))
            assert found is not None
            # What was being written may be there or not, but only as a whole.
            assert (found.state, found.pids) in ((0, (1, 2)), (1, (1, 2, 3, 4)))
            assert found.state == 1 or -found.gid not in acknowledged
            assert [len(member.message) for member in found.participants[:2]] == [256, 0]
        for owner in (1, 2, 3):
            assert list(await store.of_owner(owner, 0, 1))
