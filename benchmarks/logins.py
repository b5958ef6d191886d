"""Logins per CPU-second of ``nekonex serve``: Login and RequestTicket of a stored account.

A real server with its SQLite database, in a process of its own; the consoles are
nekonex's client role. Both calls are one login.
"""

import argparse
import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import nekonex
from nekonex import settings
from nekonex.nex.authentication.definition import Authentication

CONFIG = """\
[server]
data_dir = "data"
[http]
enabled = false
[connect]
enabled = false
[[game]]
name = "bench"
title = "mario-kart-8"
host = "127.0.0.1"
auth_port = 0
secure_port = 0
"""


def cpu_of(pid: int) -> float:
    """Return the CPU seconds of a process, user and system (proc(5), fields 14 and 15)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextlib.contextmanager
def running() -> Iterator[tuple[int, tuple[str, int]]]:
    """Run a server with the account 1000000000; yield its process id and address."""
    with tempfile.TemporaryDirectory(prefix="nekonex-logins-") as folder:
        config = Path(folder, "nekonex.toml")
        config.write_text(CONFIG)
        ready = Path(folder, "ready.json")
        nekonex_command = [sys.executable, "-m", "nekonex"]
        subprocess.run(
            [*nekonex_command, "account", "add", "--name", "neko", "--password-stdin",
             "--config", str(config)],
            input=b"secret\n", stdout=subprocess.DEVNULL, check=True,
        )  # fmt: skip
        server = subprocess.Popen(
            [*nekonex_command, "serve", "--log-level", "error", "--ready-file", str(ready),
             "--config", str(config)]
        )  # fmt: skip
        try:
            while not ready.exists():
                time.sleep(0.05)
            host, port = json.loads(ready.read_text())["games"][0]["auth"]
            yield server.pid, (host, port)
        finally:
            server.terminate()
            server.wait()


async def compare(*, logins: int = 2000, consoles: int = 20) -> float:
    """Measure and print; return the logins per CPU-second."""
    game = settings.default()
    game.configure("25dbf96a", 30504)
    game["prudp.version"] = 1
    async with contextlib.AsyncExitStack() as stack:
        pid, address = stack.enter_context(running())
        sessions = [
            await stack.enter_async_context(nekonex.connect(game, *address))
            for _ in range(consoles)
        ]

        async def log_in(session: nekonex.Session) -> None:
            stub = Authentication.client(session)
            for _ in range(logins // consoles):
                reply = await stub.login("neko")
                reply.result.raise_if_error()
                ticket = await stub.request_ticket(reply.pid, 2)
                ticket.result.raise_if_error()

        before = cpu_of(pid)
        await asyncio.gather(*map(log_in, sessions))
        spent = cpu_of(pid) - before
    rate = logins // consoles * consoles / spent
    print(
        "Login + RequestTicket of a stored account, nekonex serve with SQLite\n"
        f"  {rate:.0f} logins/CPU-s, {1e6 / rate:.0f} us each"
    )
    return rate


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--logins", type=int, default=2000)
    parser.add_argument("--consoles", type=int, default=20)
    asyncio.run(compare(**vars(parser.parse_args())))
