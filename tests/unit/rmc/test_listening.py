"""One socket with several virtual ports, over real UDP."""

from __future__ import annotations

import asyncio
import time
from contextlib import AsyncExitStack

from nekonex import connect, listen
from nekonex.rmc.listener import GOODBYE_SECONDS
from nekonex.settings import Settings
from tests.unit.rmc.fakes import Recorder

HOST = "127.0.0.1"


async def test_ports_that_close_at_the_same_time_do_not_wait_for_each_other() -> None:
    settings = Settings()
    settings.configure("25dbf96a", "3.5.4")
    servants = Recorder(), Recorder()
    async with listen(settings, HOST) as listener, AsyncExitStack() as clients:
        ports = [listener.serve([servant], vport=n) for n, servant in enumerate(servants, 1)]
        for vport, port in enumerate(ports, 1):
            await port.__aenter__()
            await clients.enter_async_context(connect(settings, *listener.address, vport=vport))
        began = time.monotonic()
        await asyncio.gather(*(port.__aexit__(None, None, None) for port in ports))
        assert time.monotonic() - began < GOODBYE_SECONDS / 2
    assert [len(servant.log) for servant in servants] == [1, 1]
