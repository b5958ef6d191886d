"""A server written for NintendoClients, on nekonex's engine."""

import asyncio
from typing import Any

from nintendo.nex import common, ranking, rmc, settings

from nekonex import compat


# --8<-- [start:server]
class Ranking(ranking.RankingServer):  # type: ignore[misc]
    def __init__(self) -> None:
        super().__init__()
        self.common_data: dict[int, bytes] = {}

    async def upload_common_data(self, client: Any, common_data: bytes, unique_id: int) -> None:
        self.common_data[unique_id] = common_data

    async def get_common_data(self, client: Any, unique_id: int) -> bytes:
        if unique_id not in self.common_data:
            raise common.RMCError("Ranking::NotFound")
        return self.common_data[unique_id]


# --8<-- [end:server]


# --8<-- [start:main]
async def main() -> None:
    game = settings.default()
    game.configure("25dbf96a", 30504)
    # before: async with rmc.serve(game, [Ranking()], "127.0.0.1", 1223):
    async with compat.serve(game, [Ranking()], "127.0.0.1", 0) as server:
        await play(game, server.address)


# --8<-- [end:main]


async def play(game: Any, address: tuple[str, int]) -> None:
    async with rmc.connect(game, *address) as client:
        protocol = ranking.RankingClient(client)
        await protocol.upload_common_data(b"a Mii", 42)
        print(await protocol.get_common_data(42))


if __name__ == "__main__":
    asyncio.run(main())
