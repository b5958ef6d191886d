"""Kills a server again and again while players upload scores and files, and looks what is left.

    python -m tests.crash.rounds [--rounds 50] [--seed N]

Everything that was acknowledged must be there after the restart, and nothing half-written may be
visible. Ends with status 1 and the reasons if it is not so.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from nekonex.config import load_config
from nekonex.nex import SecureConnection
from nekonex.nex.backend import login
from nekonex.rmc import Session
from nekonex.values import StationURL
from tests.crash.check import check
from tests.crash.console import Worker
from tests.crash.ledger import Ledger
from tests.support.server_process import ServerProcess, clean_environment

__all__ = ["Rounds"]

CONFIG = """\
[http]
port = 0

[[game]]
name = "kart"
title = "mario-kart-8"
server = "crash_game:CrashGame"
auth_port = 0
secure_port = 0

[game.ranking]
order = "descending"
common_data_size = 20
"""
GAME = """\
from nekonex import Game
from nekonex.domain.datastore import ObjectKeys


def key_of(database, pid, persistence_id, object_id):
    if persistence_id < 16:
        return f"ghosts/{pid}/{persistence_id}.bin"
    return f"films/{object_id}.bin"


class CrashGame(Game):
    def object_keys(self, services):
        return ObjectKeys(by_player=key_of)
"""
"""Objects of a slot share a key: who loses the slot has its file moved out of the way."""
PLAYERS = tuple(f"koopa-{number}" for number in range(6))
PASSWORD = "secret"


class Rounds:
    """A server in a folder, its players, and what they were told."""

    def __init__(self, folder: Path, seed: int) -> None:
        self._folder = folder
        self._dice = random.Random(seed)
        self.ledger = Ledger()

    def prepare(self) -> None:
        """Write the configuration and the game, and make the players' accounts."""
        (self._folder / "nekonex.toml").write_text(CONFIG, encoding="utf-8")
        (self._folder / "crash_game.py").write_text(GAME, encoding="utf-8")
        players = [f"{pid},{name},{PASSWORD}\n" for pid, name in enumerate(PLAYERS, 1000)]
        (self._folder / "players.csv").write_text("".join(players), encoding="utf-8")
        self._command("account", "import", "players.csv")

    async def play(self) -> list[str]:
        """Let one server live and die, and return what is wrong at the next one."""
        server = ServerProcess(self._folder)
        try:
            ready = await asyncio.to_thread(server.wait_ready)
            async with self._players(ready) as sessions:
                problems = await check(sessions, self.ledger)
                await self._work_until_killed(sessions, server)
        finally:
            server.kill()
        return problems

    async def finish(self) -> list[str]:
        """Look once more, stop the server in order, and compare its records with its files."""
        server = ServerProcess(self._folder)
        try:
            ready = await asyncio.to_thread(server.wait_ready)
            async with self._players(ready) as sessions:
                problems = await check(sessions, self.ledger)
            await asyncio.to_thread(server.stop)
        finally:
            server.kill()
        verdict = self._command("objects", "verify", "--json")
        return problems + [
            f"verify: {each}" for report in json.loads(verdict) for each in report["disagreements"]
        ]

    async def _work_until_killed(self, sessions: dict[str, Session], server: ServerProcess) -> None:
        workers = [
            asyncio.create_task(
                Worker(name, session, self.ledger, random.Random(self._dice.random())).work()
            )
            for name, session in sessions.items()
        ]
        done, _ = await asyncio.wait(
            workers, timeout=self._dice.uniform(0.05, 1.5), return_when=asyncio.FIRST_EXCEPTION
        )
        server.process.kill()
        await asyncio.to_thread(server.process.wait)
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
        for worker in done:  # before anybody was killed
            worker.result()

    @contextlib.asynccontextmanager
    async def _players(self, ready: Any) -> AsyncIterator[dict[str, Session]]:
        config = load_config(self._folder / "nekonex.toml", environ={})
        settings = config.games[0].settings()
        # Nobody says goodbye to a server that was killed, and nobody waits for its answer.
        settings["prudp.resend_timeout"] = 0.2
        settings["prudp.resend_limit"] = 1
        host, port = ready["games"][0]["auth"]
        async with contextlib.AsyncExitStack() as stack:
            sessions = {}
            for name in PLAYERS:
                session = await stack.enter_async_context(
                    login(settings, host, port, name, PASSWORD)
                )
                url = StationURL("prudp", address="127.0.0.1", port=50000, sid=15, type=0)
                await SecureConnection.client(session).register([url])
                sessions[name] = session
            yield sessions

    def _command(self, *arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "nekonex", *arguments],
            cwd=self._folder,
            env=clean_environment(),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode not in {0, 1}:
            raise RuntimeError(f"{arguments}: {done.stderr}")
        return done.stdout


async def run(rounds: int, seed: int) -> list[str]:
    """Play rounds until something is wrong; return what."""
    with tempfile.TemporaryDirectory(prefix="nekonex-crash-") as folder:
        lab = Rounds(Path(folder), seed)
        lab.prepare()
        for number in range(1, rounds + 1):
            start = time.monotonic()
            before = lab.ledger.operations
            problems = await lab.play()
            if problems:
                return problems
            print(
                f"round {number}: {lab.ledger.operations - before} operations acknowledged, "
                f"{len(lab.ledger.files)} objects, {time.monotonic() - start:.1f} s",
                flush=True,
            )
        return await lab.finish()


def main() -> int:
    """Read the arguments and play."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=50)
    parser.add_argument("--seed", type=int, default=random.randrange(1 << 32))
    arguments = parser.parse_args()
    print(f"seed {arguments.seed}")
    problems = asyncio.run(run(arguments.rounds, arguments.seed))
    for problem in problems:
        print(problem)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
