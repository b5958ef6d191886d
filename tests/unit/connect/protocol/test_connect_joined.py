"""Both ends, joined by pipes that cut what is sent anywhere, against a model of what is good."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random

import pytest

from nekonex.connect import ConnectLimits
from nekonex.connect.protocol import (
    ClientSession,
    Gatekeeper,
    Message,
    RandomSource,
    Request,
    ServerSession,
    Status,
)
from nekonex.connect.protocol.frames import encode_op

STRICT = ConnectLimits(random_seconds=5.0, latest_randoms=4, max_randoms=12, max_data=2000)
PATIENT = ConnectLimits(max_data=2000)


@dataclass
class Pipe:
    """Bytes on their way."""

    waiting: bytearray = field(default_factory=bytearray)

    def send(self, data: bytes) -> None:
        self.waiting += data

    def take(self, count: int) -> bytes:
        data = bytes(self.waiting[:count])
        del self.waiting[:count]
        return data


class Joined:
    """A client and a server, and what has to become of each frame between them."""

    def __init__(self, seed: int, limits: ConnectLimits, pause: float) -> None:
        self.random = Random(seed)
        self.limits = limits
        self.pause = pause
        self.now = 1000.0
        drawn = RandomSource(self.random.randbytes)
        gate = Gatekeeper.make("secret", limits, drawn)
        self.server = ServerSession(gate, "192.0.2.7", self.now)
        self.client = ClientSession(
            "secret", max_data=2000, randoms=RandomSource(Random(1).randbytes)
        )
        self.up, self.down = Pipe(), Pipe()
        self.up.send(self.client.start())
        self.issued: list[float] = []
        """When each of the server's randoms was issued."""
        self.heard = -1
        """Which random the client has heard last."""
        self.accepted = -1
        """Which random the last accepted frame has answered."""
        self.sent: list[tuple[Request, int]] = []
        """The client's frames on their way, with the random that each answers."""
        self.pushed: list[Message] = []
        """The server's frames on their way."""
        self.received = 0

    def step(self) -> None:
        kind = self.random.choices(
            ["wait", "up", "down", "send", "push", "burst"], [2, 6, 6, 4, 4, 0.3]
        )[0]
        match kind:
            case "wait":
                self.now += self.random.choice([0.01, 0.1, self.pause])
            case "up":
                self.carry_up(self.random.choice([1, 7, 60, 5000]))
            case "down":
                self.carry_down(self.random.choice([1, 7, 60, 5000]))
            case "send" if self.client.authenticated:
                self.send()
            case "push" if self.server.authenticated:
                self.push()
            case "burst" if self.server.authenticated:
                for _ in range(self.random.randrange(24)):
                    self.push()

    def send(self) -> None:
        data = self.random.randbytes(self.random.choice([0, 5, 2000]))
        request = Request("echo", self.random.choice([0, 255, 256, 2**64 - 1]), data)
        self.up.send(self.client.frame(*request))
        self.sent.append((request, self.heard))

    def push(self) -> None:
        data = self.random.randbytes(self.random.choice([0, 5, 2000]))
        message = Message("echo", self.random.choice([0, 255, 256]), data)
        self.down.send(self.server.frame(b"echo", message.op, data, self.now))
        self.issued.append(self.now)
        self.pushed.append(message)

    def carry_up(self, count: int) -> None:
        was_authenticated = self.server.authenticated
        self.server.feed(self.up.take(count))
        while (request := self.server.next_request(self.now)) is not None:
            expected, answered = self.sent.pop(0)
            assert self.is_good(answered)
            assert request == expected
            self.accepted = answered
            self.received += 1
        if self.server.rejection is not None:
            assert self.server.rejection.status is Status.BAD_FRAME
            assert not self.is_good(self.sent[0][1])
        for part in self.server.output:
            self.down.send(part)
            self.issued.append(self.now)
            status = Status.BAD_FRAME if was_authenticated else Status.OK
            self.pushed.append(Message("nekoconnect-server", status, encode_op(status)))
        self.server.output.clear()

    def carry_down(self, count: int) -> None:
        self.client.feed(self.down.take(count))
        while (message := self.client.next_message()) is not None:
            assert message == self.pushed.pop(0)
            self.heard += 1

    def is_good(self, answered: int) -> bool:
        """Return what the page says of a random: recent, among the latest, or accepted last."""
        newer = len(self.issued) - answered - 1
        is_kept = newer < self.limits.max_randoms
        is_recent = self.issued[answered] >= self.now - self.limits.random_seconds
        is_latest = newer < self.limits.latest_randoms
        return answered == self.accepted or is_latest or (is_recent and is_kept)

    def finish(self) -> None:
        """Have everything arrive."""
        while self.up.waiting and self.server.rejection is None:
            self.carry_up(5000)
        while self.down.waiting:
            self.carry_down(5000)
        assert not self.pushed
        assert not self.sent or self.server.rejection is not None

    def run(self, steps: int) -> bool:
        """Go so many steps, unless the server ends it; return whether it has."""
        for _ in range(steps):
            self.step()
            if self.server.rejection is not None:
                break
        self.finish()
        return self.server.rejection is not None


@pytest.mark.parametrize("seed", range(8))
def test_nothing_good_is_lost_or_refused(seed: int) -> None:
    joined = Joined(seed, PATIENT, pause=0.2)
    assert not joined.run(400)
    assert joined.received > 30


@pytest.mark.parametrize("start", [0, 10])
def test_what_is_refused_is_stale(start: int) -> None:
    ends = [Joined(seed, STRICT, pause=1.0).run(100) for seed in range(start, start + 10)]
    assert {True, False} == set(ends), "the seeds see both"
