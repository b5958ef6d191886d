"""What happened, told to whoever asked: typed events and a small synchronous bus.

The dashboard, plugins, metrics and logs learn about logins and reports here without the
protocol servers knowing any of them. Events are plain values: numbers, text and tuples.
"""

from __future__ import annotations

import functools
import inspect
import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

__all__ = [
    "Event",
    "EventBus",
    "GatheringClosed",
    "GatheringCreated",
    "GatheringHandedOver",
    "GatheringJoined",
    "GatheringLeft",
    "LoginFailed",
    "ObjectDeleted",
    "ObjectPosted",
    "ObjectRated",
    "ObjectUpdated",
    "PlayerLoggedIn",
    "PlayerLoggedOut",
    "ReportReceived",
    "ScoreUploaded",
]

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """Base of all events; subscribing to it means subscribing to every one."""


@dataclass(frozen=True, slots=True)
class PlayerLoggedIn(Event):
    """A player registered at a game's secure server."""

    game: str
    pid: int
    connection_id: int
    address: tuple[str, int]


@dataclass(frozen=True, slots=True)
class PlayerLoggedOut(Event):
    """A player who had registered is gone, for whatever reason."""

    game: str
    pid: int
    connection_id: int
    address: tuple[str, int]


@dataclass(frozen=True, slots=True)
class LoginFailed(Event):
    """A login was refused; ``error`` is the protocol's name of the error the console was told."""

    game: str
    user: str
    address: tuple[str, int]
    error: str


@dataclass(frozen=True, slots=True)
class ReportReceived(Event):
    """A console sent a report; ``stored`` is False for one above the size limit."""

    game: str
    pid: int
    report_id: int
    size: int
    stored: bool


@dataclass(frozen=True, slots=True)
class GatheringCreated(Event):
    """A session, community or other gathering was made; ``kind`` is its type's name."""

    game: str
    gid: int
    kind: str
    owner: int


@dataclass(frozen=True, slots=True)
class GatheringJoined(Event):
    """A player takes part in a gathering; ``places`` are taken now, by all together."""

    game: str
    gid: int
    pid: int
    places: int


@dataclass(frozen=True, slots=True)
class GatheringLeft(Event):
    """A player takes part in a gathering no more."""

    game: str
    gid: int
    pid: int


@dataclass(frozen=True, slots=True)
class GatheringHandedOver(Event):
    """A gathering has another owner or host than before."""

    game: str
    gid: int
    owner: int
    host: int


@dataclass(frozen=True, slots=True)
class GatheringClosed(Event):
    """A gathering is gone; who was in it to the end has left it with it."""

    game: str
    gid: int


@dataclass(frozen=True, slots=True)
class ScoreUploaded(Event):
    """A player's score was stored; one that was not better than the earlier is not."""

    game: str
    pid: int
    unique_id: int
    category: int
    score: int


@dataclass(frozen=True, slots=True)
class ObjectPosted(Event):
    """An object is complete and there for others to find."""

    game: str
    data_id: int
    owner: int
    data_type: int
    name: str


@dataclass(frozen=True, slots=True)
class ObjectUpdated(Event):
    """An object has new content."""

    game: str
    data_id: int
    owner: int
    version: int


@dataclass(frozen=True, slots=True)
class ObjectDeleted(Event):
    """An object is gone: deleted, expired, or replaced by another in its slot."""

    game: str
    data_id: int
    owner: int


@dataclass(frozen=True, slots=True)
class ObjectRated(Event):
    """A player rated an object; ``total`` is that of the slot from now on."""

    game: str
    data_id: int
    slot: int
    pid: int
    total: int


_E = TypeVar("_E", bound=Event)
_Callback = Callable[[Any], object]


class EventBus:
    """Calls every subscriber of an event's type, and of its base types, there and then.

    Subscribers run on the publisher's stack, so they must be short; what takes longer puts the
    event into a queue of its own. Those of the exact type come first, each in the order of their
    subscription. A subscriber that raises is logged and harms neither the publisher nor the
    others.
    """

    def __init__(self) -> None:
        self._subscribers: dict[type[Event], list[_Callback]] = {}
        self._routes: dict[type[Event], tuple[_Callback, ...]] = {}

    def subscribe(self, kind: type[_E], callback: Callable[[_E], object]) -> Callable[[], None]:
        """Call ``callback`` with every event of type ``kind``; the returned function ends that.

        Ending a subscription twice is harmless. Raises TypeError for a coroutine function,
        because nobody would await it.
        """
        if inspect.iscoroutinefunction(callback):
            raise TypeError("a subscriber is called, not awaited: pass a plain function")
        callbacks = self._subscribers.setdefault(kind, [])
        # An object of its own, so that one function may be subscribed and removed several times.
        entry = functools.partial(callback)
        callbacks.append(entry)
        self._routes.clear()

        def unsubscribe() -> None:
            if entry in callbacks:
                callbacks.remove(entry)
                self._routes.clear()

        return unsubscribe

    def publish(self, event: Event) -> None:
        """Tell all subscribers of ``event``; never raises an ``Exception`` of theirs."""
        kind = type(event)
        route = self._routes.get(kind)
        if route is None:
            route = self._routes[kind] = self._resolve(kind)
        for callback in route:
            try:
                callback(event)
            except Exception:
                _logger.exception("a subscriber failed on %s", kind.__name__)

    def _resolve(self, kind: type[Event]) -> tuple[_Callback, ...]:
        return tuple(
            callback
            for base in kind.__mro__
            if issubclass(base, Event)
            for callback in self._subscribers.get(base, ())
        )
