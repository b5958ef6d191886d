"""The programs of the documentation that need NintendoClients."""

import importlib.util
import socket
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from nintendo.nex import backend, common, matchmaking, rmc, secure

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


async def play(module: Any, address: Any, name: str, password: str) -> list[int]:
    """Log in, register and auto-matchmake; who is in the session then."""
    async with (
        backend.connect(module.NEX_SETTINGS, *address) as auth,
        auth.login(name, password) as client,
    ):
        local = common.StationURL(scheme="prudp", address="192.168.1.2", port=50000, sid=15)
        reply = await secure.SecureConnectionClient(client).register([local])
        assert reply.result.is_success()
        template = matchmaking.MatchmakeSession()
        template.max_participants = 4
        template.participation_policy = 98
        session = await matchmaking.MatchmakeExtensionClient(client).auto_matchmake_postpone(
            template, ""
        )
        friend = {"1337": ("1338", "another")}.get(name)
        if friend is not None:
            return await play(module, address, *friend)
        found: list[int] = await matchmaking.MatchMakingClientExt(client).get_participants(
            session.id, False
        )
        return found


async def test_the_common_servers_let_players_and_guests_play() -> None:
    module: Any = load("common_servers")
    async with module.running("127.0.0.1", 0, 0) as address:
        assert await play(module, address, "guest", "MMQea3n!fsik") == [100]
        assert await play(module, address, "1337", "a password") == [1337, 1338]
