"""The programs of the documentation that need NintendoClients."""

import importlib.util
import socket
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from nintendo.nex import backend, common, rmc, secure

HOW_TO = Path(__file__).parents[2] / "docs" / "how-to"


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, HOW_TO / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def free_port() -> int:
    """Return a port that is free now: NintendoClients does not tell what port 0 became."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


async def test_the_server_behind_compat_serve_answers(capsys: pytest.CaptureFixture[str]) -> None:
    await load("compat_server").main()
    assert capsys.readouterr().out == "b'a Mii'\n"


async def test_the_same_server_runs_on_nintendoclients(capsys: pytest.CaptureFixture[str]) -> None:
    module = load("compat_server")
    game = module.settings.default()
    game.configure("25dbf96a", 30504)
    port = free_port()
    async with rmc.serve(game, [module.Ranking()], "127.0.0.1", port):
        await module.play(game, ("127.0.0.1", port))
    assert capsys.readouterr().out == "b'a Mii'\n"


async def test_the_common_servers_let_players_and_guests_in() -> None:
    module: Any = load("common_servers")
    async with module.running("127.0.0.1", 0, 0) as address:
        for name, password in (("1337", "a password"), ("guest", "MMQea3n!fsik")):
            async with (
                backend.connect(module.NEX_SETTINGS, *address) as auth,
                auth.login(name, password) as client,
            ):
                local = common.StationURL(scheme="prudp", address="192.168.1.2", port=50000, sid=15)
                reply = await secure.SecureConnectionClient(client).register([local])
                assert reply.result.is_success()
