"""The test that docs/how-to/testing.md shows: the real server in the event loop of a test."""

# --8<-- [start:config]
from pathlib import Path

from nekonex import StationURL, settings
from nekonex.nex import SecureConnection, backend
from nekonex.testing import running_server

CONFIG = """
[[game]]
name = "my-game"
access_key = "25dbf96a"
nex_version = "3.5.4"
"""


# --8<-- [end:config]
# --8<-- [start:test]
async def test_a_player_is_online_after_registering(tmp_path: Path) -> None:
    async with running_server(CONFIG, folder=tmp_path) as server:
        account = await server.accounts.add("neko", "secret")
        game = server.game("my-game")
        mine = settings.default()
        mine.configure("25dbf96a", "3.5.4")
        async with backend.login(mine, *game.auth.address, "neko", "secret") as session:
            local = StationURL(address="192.168.1.2", port=50000, sid=15, type=0)
            await SecureConnection.client(session).register([local])
            assert [player.pid for player in game.players] == [account.pid]


# --8<-- [end:test]
