"""Telling the world what became of a gathering: its participants, and the event bus."""

from __future__ import annotations

import logging
from collections.abc import Iterable

from nekonex.domain.matchmaking.model import Gathering
from nekonex.domain.matchmaking.notices import Notice
from nekonex.domain.matchmaking.ports import Change
from nekonex.domain.players import Notification, PlayerRegistry
from nekonex.events import (
    EventBus,
    GatheringClosed,
    GatheringCreated,
    GatheringHandedOver,
    GatheringJoined,
    GatheringLeft,
)

__all__ = ["Messenger"]

_logger = logging.getLogger(__name__)


class Messenger:
    """Sends notices to whoever is connected, and publishes events.

    Nothing here waits: a notification is queued on its connection, so one that is dead or slow
    delays nobody else's.
    """

    def __init__(self, players: PlayerRegistry, events: EventBus) -> None:
        self._players = players
        self._events = events

    def created(self, gathering: Gathering, notices: Iterable[Notice]) -> None:
        """Tell of a new gathering."""
        game, gid = self._players.game, gathering.gid
        kind = type(gathering).__name__
        self._events.publish(GatheringCreated(game, gid, kind, gathering.owner))
        places = gathering.places_taken
        for pid in gathering.pids:
            self._events.publish(GatheringJoined(game, gid, pid, places))
        self.send(notices)

    def changed(self, change: Change[Gathering]) -> None:
        """Tell of a transition that was stored."""
        self.send(change.outcome.notices)
        before, after = change.before, change.outcome.after
        if after is not before:
            self._publish(before, after)

    def send(self, notices: Iterable[Notice]) -> None:
        """Queue notices for those of their recipients who are connected."""
        for notice in notices:
            for pid in notice.recipients:
                self.tell(pid, notice.notification)

    def tell(self, pid: int, notification: Notification) -> bool:
        """Queue a notification for one player; False if it is not connected."""
        player = self._players.newest(pid)
        if player is None:
            return False
        try:
            player.notify(notification)
        except ValueError:
            # A parameter that this version of NEX has no room for: nobody else's is lost.
            _logger.warning("a notification does not fit: %r", notification, exc_info=True)
        return True

    def _publish(self, before: Gathering, after: Gathering | None) -> None:
        game, gid = self._players.game, before.gid
        was, now = before.pids, () if after is None else after.pids
        # Communities have a thousand members and more.
        stayed = set(was).intersection(now)
        for pid in was:
            if pid not in stayed:
                self._events.publish(GatheringLeft(game, gid, pid))
        if after is None:
            self._events.publish(GatheringClosed(game, gid))
            return
        places = after.places_taken
        for pid in now:
            if pid not in stayed:
                self._events.publish(GatheringJoined(game, gid, pid, places))
        if (before.owner, before.host) != (after.owner, after.host):
            self._events.publish(GatheringHandedOver(game, gid, after.owner, after.host))
