"""Whatever is done to plugins on the disk, and however fast: in the end what is there runs."""

from __future__ import annotations

import asyncio
import collections
import itertools
import random
import shutil
import sys
from pathlib import Path

import pytest

from nekonex.connect import ConnectServer
from nekonex.connect.packages import PluginsFolder
from tests.support.haste import in_haste
from tests.support.plugin_folders import make_plugin, spec_sheet
from tests.support.plugin_server import plugin_server
from tests.support.raw_client import RawClient, raw_client

FOLDERS = ("one", "two", "three", "four")
GREETERS = ("cats", "dogs", "birds")
CHANGES = 40
MISSING = 404

LOGIC = """
import asyncio, sys, time

class Logic:
    async def start(self, app):
        await asyncio.sleep({seconds})
        if {fails}:
            raise ValueError("not today")
        sys.ledger.append(("start", "{greeter}", id(self)))
        sys.kept.append(self)

    async def recv(self, ctx):
        await ctx.send(b"", {version})

    def stop(self):
        if self in sys.kept:
            sys.ledger.append(("stop", "{greeter}", id(self)))
"""


class Disk:
    """The plugins' folder, and what an author and an operator do there."""

    def __init__(self, path: Path, dice: random.Random) -> None:
        self._dice = dice
        self._folder = PluginsFolder(path)
        self._versions = itertools.count(1000)
        self.plugins: dict[str, tuple[str, int, bool]] = {}
        """Greeter, version and whether it starts, of each folder with a plugin."""
        self.disabled: set[str] = set()

    @property
    def folder(self) -> PluginsFolder:
        return self._folder

    def change(self) -> None:
        name = self._dice.choice(FOLDERS)
        path = self._folder.path / name
        if name not in self.plugins or self._dice.random() < 0.6:
            self._write(name)
        elif self._dice.random() < 0.5:
            shutil.rmtree(path)
            del self.plugins[name]
        else:
            self._folder.set_enabled(path, name in self.disabled)
            self.disabled ^= {name}

    def _write(self, name: str) -> None:
        greeter, version = self._dice.choice(GREETERS), next(self._versions)
        fails = self._dice.random() < 0.2
        logic = LOGIC.format(
            greeter=greeter,
            version=version,
            fails=fails,
            seconds=self._dice.choice([0, 0, 0.01, 0.1]),
        )
        make_plugin(self._folder.path / name, logic, spec=spec_sheet(greet=greeter))
        self.plugins[name] = (greeter, version, not fails)

    def claims(self, greeter: str) -> list[tuple[str, int, bool]]:
        """Return the plugins that are to have a greeter."""
        return [
            plugin
            for name, plugin in self.plugins.items()
            if plugin[0] == greeter and name not in self.disabled
        ]


async def check(server: ConnectServer, disk: Disk, client: RawClient) -> None:
    states = {each.folder.name: each.state for each in server.plugins()}
    assert states.keys() == disk.plugins.keys()
    for name in disk.disabled & states.keys():
        assert states[name] == "disabled"
    for greeter in GREETERS:
        claims = disk.claims(greeter)
        answer = (await client.ask(greeter)).op
        if not claims:
            # What does not start, or wants a greeter that is another's, keeps the version it had.
            assert answer == MISSING or any(each.reason for each in server.plugins())
        elif all(starts for *_, starts in claims):
            assert answer in {version for _, version, _ in claims}


@pytest.mark.parametrize("watch", [True, False], ids=["watch", "refresh"])
@pytest.mark.parametrize("seed", range(4))
async def test_what_is_there_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int, watch: bool
) -> None:
    in_haste(monkeypatch)
    ledger: list[tuple[str, str, int]] = []
    monkeypatch.setattr(sys, "ledger", ledger, raising=False)
    monkeypatch.setattr(sys, "kept", [], raising=False)
    dice = random.Random(seed)
    disk = Disk(tmp_path, dice)
    async with plugin_server(plugins=disk.folder, watch=watch) as server, raw_client(server) as one:
        refreshes: list[asyncio.Task[None]] = []
        for _ in range(CHANGES):
            disk.change()
            if dice.random() < 0.7:
                refreshes.append(asyncio.create_task(server.refresh()))
            await asyncio.sleep(dice.choice([0, 0.005, 0.05]))
        await asyncio.gather(*refreshes)
        await server.refresh()
        await check(server, disk, one)
        await server.refresh()  # in which nothing is to be done
        await check(server, disk, one)
    alive: collections.Counter[str] = collections.Counter()
    for what, greeter, _ in ledger:
        alive[greeter] += 1 if what == "start" else -1
        assert alive[greeter] in {0, 1}, ledger
    assert not +alive
