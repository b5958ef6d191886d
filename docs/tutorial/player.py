"""Logs in as a console does, and stays until Enter is pressed."""

import asyncio

from nekonex import StationURL, settings
from nekonex.nex import SecureConnection, backend


async def main(name: str, password: str, host: str, port: int) -> None:
    game = settings.default()
    game.configure("25dbf96a", "3.5.4")
    async with backend.login(game, host, port, name, password) as session:
        local = StationURL(address="192.168.1.2", port=50000, sid=15, type=0)
        reply = await SecureConnection.client(session).register([local])
        reply.result.raise_if_error()
        print(f"online as {session.pid}; press Enter to leave")
        await asyncio.to_thread(input)


if __name__ == "__main__":
    asyncio.run(main("neko", "the password", "127.0.0.1", 1223))
