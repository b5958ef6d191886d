"""Logs in as a console does, and rolls three dice."""

import asyncio

from dice_game import Dice

from nekonex import Session, StationURL, settings
from nekonex.nex import Notifications, SecureConnection, backend
from nekonex.nex.structures import NotificationEvent


class Inbox(Notifications):
    async def process_notification_event(
        self,
        client: Session,
        event: NotificationEvent,
    ) -> None:
        print(f"new best: {event.pid} with {event.param1}")


async def main(host: str, port: int) -> None:
    game = settings.default()
    game.configure("d1cec0de", "3.5.4")
    guest = ("guest", backend.GUEST_PASSWORD)
    login = backend.login(game, host, port, *guest, servers=[Inbox()])
    async with login as session:
        local = StationURL(address="192.168.1.2", port=50000, sid=15, type=0)
        await SecureConnection.client(session).register([local])
        dice = Dice.client(session)
        print("rolled", await dice.roll(3))
        print(await dice.best())


if __name__ == "__main__":
    asyncio.run(main("127.0.0.1", 1223))
