"""A protocol of one's own, its server and its client, as docs/tutorial/own-protocol.md tells."""

import asyncio

from nekonex import connect, serve, settings
from nekonex.rmc import Protocol, Session, method
from nekonex.values import DateTime, RMCError
from nekonex.wire import Structure, UInt32


# --8<-- [start:structure]
class Entry(Structure):
    author: str
    text: str
    written: DateTime


# --8<-- [end:structure]


# --8<-- [start:protocol]
class Guestbook(Protocol, id=200):
    def __init__(self) -> None:
        self.entries: list[Entry] = []

    @method(1)
    async def write(self, client: Session, entry: Entry) -> UInt32:
        if not entry.text:
            raise RMCError("Core::InvalidArgument")
        self.entries.append(entry)
        return len(self.entries)

    @method(2)
    async def read(self, client: Session, newest: UInt32) -> list[Entry]:
        return self.entries[-newest:]


# --8<-- [end:protocol]


# --8<-- [start:main]
async def main() -> None:
    game = settings.default()
    game.configure("25dbf96a", 30504)
    async with (
        serve(game, [Guestbook()], "127.0.0.1", 0) as server,
        connect(game, *server.address) as session,
    ):
        book = Guestbook.client(session)
        number = await book.write(Entry(author="neko", text="Hello!", written=DateTime.make(2026)))
        print(number, await book.read(10))


# --8<-- [end:main]


if __name__ == "__main__":
    asyncio.run(main())
