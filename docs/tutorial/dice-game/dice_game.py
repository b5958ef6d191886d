"""A game of one's own, its server side, as docs/tutorial/your-game.md tells."""

# --8<-- [start:protocol]
import random
from collections.abc import Sequence

from nekonex import Game, GameServices, Protocol, Session, method
from nekonex.domain import Notification
from nekonex.wire import PID, Structure, UInt8, UInt32

NEW_BEST = 200_000


class Score(Structure):
    pid: PID
    total: UInt32


class Dice(Protocol, id=200):
    def __init__(self, services: GameServices) -> None:
        self.players = services.players
        self.scores: dict[int, int] = {}

    @method(1)
    async def roll(self, client: Session, dice: UInt8) -> list[UInt8]:
        eyes = [random.randint(1, 6) for _ in range(dice)]
        pid = client.pid or 0
        if sum(eyes) > max(self.scores.values(), default=0):
            self.announce(pid, sum(eyes))
        self.scores[pid] = max(self.scores.get(pid, 0), sum(eyes))
        return eyes

    @method(2)
    async def best(self, client: Session) -> list[Score]:
        ranked = sorted(self.scores.items(), key=lambda score: -score[1])
        return [Score(pid, total) for pid, total in ranked]

    def announce(self, pid: int, total: int) -> None:
        news = Notification(kind=NEW_BEST, source_pid=pid, param1=total)
        for player in self.players:
            player.notify(news)


# --8<-- [end:protocol]


# --8<-- [start:game]
class DiceGame(Game):
    def protocols(self, services: GameServices) -> Sequence[Protocol]:
        return [Dice(services)]


# --8<-- [end:game]
