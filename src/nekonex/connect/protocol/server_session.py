"""The server's end of one connection: bytes go in, frames for plugins and bytes come out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum, auto
from typing import Final, NamedTuple

from nekonex.connect.limits import ConnectLimits
from nekonex.connect.protocol.auth import IssuedRandoms, Password, RandomSource
from nekonex.connect.protocol.frames import (
    Frame,
    FrameDecoder,
    FrameError,
    encode_frame,
    encode_op,
)
from nekonex.connect.protocol.guards import FailedLogins, FrameRate, ReplayGuard
from nekonex.connect.protocol.status import AUTH_GREETER, SERVER_GREETER, SERVER_HASH, Status

__all__ = ["REFUSALS_AT_ONCE", "Gatekeeper", "Rejection", "Request", "ServerSession"]

REFUSALS_AT_ONCE: Final = 64
"""Frames over the rate limit that are answered until others have their turn."""

_SERVER_GREETER: Final = SERVER_GREETER.encode()


class Request(NamedTuple):
    """A frame of an authenticated client, for the plugin with that greeter."""

    greeter: str
    op: int
    data: bytes


class Rejection(NamedTuple):
    """Why a connection is over."""

    status: Status
    reason: str
    """For the log, never for the client."""


class _State(Enum):
    NEW = auto()
    """Nothing of the client was accepted."""
    GREETED = auto()
    """Its first frame was; that could be a copy of somebody else's."""
    PROVEN = auto()
    """It has answered a random of ours."""
    OVER = auto()


@dataclass(frozen=True, slots=True)
class Gatekeeper:
    """What all sessions of a server share."""

    password: Password | None
    """None lets everybody in, with any hash."""
    limits: ConnectLimits
    randoms: RandomSource
    replays: ReplayGuard
    failures: FailedLogins

    @classmethod
    def make(
        cls, password: str | None, limits: ConnectLimits, randoms: RandomSource | None = None
    ) -> Gatekeeper:
        """Return one with empty memories."""
        return cls(
            None if password is None else Password(password),
            limits,
            randoms or RandomSource(),
            ReplayGuard(most=limits.remembered_randoms, seconds=limits.remembered_seconds),
            FailedLogins(
                most=limits.failed_logins,
                seconds=limits.failed_login_period,
                addresses=limits.tracked_addresses,
            ),
        )


class ServerSession:
    """One connection. It knows neither socket nor clock: *now* is any time that goes forward.

    What is to be sent is returned by the methods that make it, but for answers to frames, which
    `next_request` leaves in ``output``: they come before whatever is made afterwards.
    """

    __slots__ = (
        "_address",
        "_decoder",
        "_gate",
        "_issued",
        "_password",
        "_rate",
        "_state",
        "output",
        "rejection",
    )

    def __init__(self, gate: Gatekeeper, address: str, now: float) -> None:
        limits = gate.limits
        self._gate = gate
        self._address = address
        self._password = gate.password or Password("")
        self._decoder = FrameDecoder(min(limits.max_data, limits.max_login_data))
        self._issued = IssuedRandoms(
            self._password,
            seconds=limits.random_seconds,
            latest=limits.latest_randoms,
            most=limits.max_randoms,
        )
        self._rate = FrameRate(limits.rate_limit, now) if limits.rate_limit else None
        self._state = _State.NEW
        self.output: list[bytes] = []
        """What `next_request` has answered; whoever sends it clears it."""
        self.rejection: Rejection | None = None
        """Set when the connection is over: send what there is to send, and close it."""

    @property
    def authenticated(self) -> bool:
        """Whether the client knows the password, or sent a copy of a frame of somebody who does."""
        return self._state in (_State.GREETED, _State.PROVEN)

    @property
    def proven(self) -> bool:
        """Whether the client knows the password for certain: it has answered a random of ours."""
        return self._state is _State.PROVEN

    def feed(self, data: bytes) -> None:
        """Take in what arrived; nothing of it counts when the connection is over."""
        if self.rejection is None:
            self._decoder.feed(data)

    def next_request(self, now: float) -> Request | None:
        """Return the next frame for a plugin; None if there is none, or none any more.

        Also if ``output`` has REFUSALS_AT_ONCE answers: others have their turn first then.
        """
        while self.rejection is None:
            try:
                frame = self._decoder.next_frame()
            except FrameError as error:
                self._reject(error.status, str(error), now)
                return None
            if frame is None:
                return None
            if self._state is _State.NEW:
                self._authenticate(frame, now)
            elif self._is_good(frame, now):
                # What Request(…) does, in half the time.
                return tuple.__new__(Request, (frame.greeter, frame.op, frame.data))
            elif len(self.output) >= REFUSALS_AT_ONCE:
                return None
        return None

    def frame(
        self, greeter: bytes, op: int, data: bytes, now: float, hash_: bytes = SERVER_HASH
    ) -> bytes:
        """Return a frame to be sent, in the order in which they were asked for.

        Raises ValueError for what does not fit into one.
        """
        random = self._gate.randoms.draw()
        frame = encode_frame(greeter, op, random, data, hash_)
        if self._gate.password is not None:
            self._issued.issue(random, now)
        return frame

    def status(self, status: Status, now: float) -> bytes:
        """Return a status frame to be sent."""
        return self.frame(_SERVER_GREETER, status, encode_op(status), now)

    def reject(self, status: Status, reason: str, now: float) -> bytes:
        """End the connection, unless it is over; return what is left to be sent."""
        if self.rejection is None:
            self._reject(status, reason, now)
        answer = b"".join(self.output)
        self.output.clear()
        return answer

    def _authenticate(self, frame: Frame, now: float) -> None:
        gate, random = self._gate, frame.random.encode()
        if frame.greeter != AUTH_GREETER or frame.op != Status.OK or not random:
            self._reject(Status.BAD_FRAME, "the first frame is not that of a login", now)
        elif gate.failures.exceeded(self._address, now):
            self._reject(Status.TOO_MANY, "too many failed logins of this address", now)
        elif gate.password is not None and not gate.password.verify(random, frame.hash):
            gate.failures.note(self._address, now)
            self._reject(Status.BAD_FRAME, "wrong password", now)
        elif gate.password is not None and not gate.replays.accept(frame.random, now):
            self._reject(Status.BAD_FRAME, "a first frame that was used before", now)
        else:
            self._state = _State.GREETED
            self._decoder.max_data = gate.limits.max_data
            proof = self._password.server_hash(random)
            data = encode_op(Status.OK)
            self.output.append(self.frame(_SERVER_GREETER, Status.OK, data, now, proof))

    def _is_good(self, frame: Frame, now: float) -> bool:
        """Return whether a frame is for a plugin; what is against a rule is answered."""
        if self._gate.password is not None and not self._issued.accept(frame.hash, now):
            self._reject(Status.BAD_FRAME, "the hash does not verify", now)
            return False
        self._state = _State.PROVEN
        if self._rate is not None and not self._rate.take(now):
            self.output.append(self.status(Status.TOO_MANY, now))
            return False
        return True

    def _reject(self, status: Status, reason: str, now: float) -> None:
        self.output.append(self.status(status, now))
        self._state = _State.OVER
        self.rejection = Rejection(status, reason)
