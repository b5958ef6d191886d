"""Looking for where plugins are stuck, whatever it is that they wait for."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest

from nekonex.connect import ConnectLimits
from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.raw_client import raw_client, statuses


@pytest.mark.parametrize(
    "answer", ["raise RuntimeError('not bound')", "return self.deeper()"], ids=["raises", "endless"]
)
async def test_a_call_that_waits_for_a_proxy_keeps_no_other_from_being_looked_after(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, answer: str
) -> None:
    """What is awaited may be any object, with attributes for all names, or for none."""
    plugins = [
        write_plugin(
            tmp_path,
            "proxy",
            f"""
            import asyncio

            class Proxy:
                depth = 0

                def __init__(self, inner):
                    self.inner = inner

                def __await__(self):
                    return self

                def __iter__(self):
                    return self

                def __next__(self):
                    return next(self.inner)

                def send(self, value):
                    return self.inner.send(value)

                def throw(self, *error):
                    return self.inner.throw(*error)

                def close(self):
                    self.inner.close()

                def __getattr__(self, name):
                    {answer}

                def deeper(self):
                    Proxy.depth += 1
                    return self if Proxy.depth < 1000 else None

            class Logic:
                async def recv(self, ctx):
                    await Proxy(asyncio.sleep(30).__await__())
            """,
        ),
        write_plugin(
            tmp_path,
            "stuck",
            """
            import asyncio

            class Logic:
                async def recv(self, ctx):
                    await asyncio.sleep(30)
            """,
        ),
    ]
    limits = ConnectLimits(plugin_timeout=0.1)
    async with (
        plugin_server(*plugins, limits=limits) as server,
        raw_client(server) as first,
        raw_client(server) as second,
    ):
        first.send("proxy")
        second.send("stuck")
        assert statuses(await first.rest()) == [500]
        assert statuses(await second.rest()) == [500]
        assert server.stats.stuck == 2
    messages = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
    assert messages == ["the plugin is stuck"] * 2
    assert all("in recv" in r.__dict__["stack"] for r in caplog.records if "stuck" in r.msg)
