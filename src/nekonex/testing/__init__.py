"""For the tests of games and plugins: the real server.

async def test_my_game() -> None:
    async with running_server(Path("nekonex.toml").read_text()) as server:
        account = await server.accounts.add("neko", "secret")
        host, port = server.game("splatoon").auth.address
        ...

def test_my_plugin(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(Path(__file__).parent) as plugin:
        assert plugin.client().request(b"hello", op=1).data == b"hello"

pytest knows the fixture `nekonex_plugin` wherever nekonex is installed.
"""

from nekonex.testing.plugins import (
    Logged,
    PluginCells,
    PluginClient,
    PluginRunner,
    PluginTestError,
    RunningPlugin,
    running_plugin,
)
from nekonex.testing.servers import running_server

__all__ = [
    "Logged",
    "PluginCells",
    "PluginClient",
    "PluginRunner",
    "PluginTestError",
    "RunningPlugin",
    "running_plugin",
    "running_server",
]
