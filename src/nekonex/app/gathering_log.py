"""Gatherings in the log: what was opened, closed and handed over, at the level debug."""

import contextlib
import logging
from collections.abc import Iterator

from nekonex.domain.matchmaking.logs import logger
from nekonex.events import EventBus, GatheringClosed, GatheringCreated, GatheringHandedOver

__all__ = ["gatherings_logged"]


@contextlib.contextmanager
def gatherings_logged(events: EventBus) -> Iterator[None]:
    """Write a line for each gathering that begins, ends or changes hands meanwhile.

    Where nobody reads the level debug, nothing is listened to. Who joins and leaves is not
    logged: it would be most of the log, and the events are there for those who want it.
    """
    subscriptions = []
    if logger.isEnabledFor(logging.DEBUG):
        subscriptions = [
            events.subscribe(GatheringCreated, _created),
            events.subscribe(GatheringHandedOver, _handed_over),
            events.subscribe(GatheringClosed, _closed),
        ]
    try:
        yield
    finally:
        for unsubscribe in subscriptions:
            unsubscribe()


def _created(event: GatheringCreated) -> None:
    about = {"game": event.game, "pid": event.owner, "gid": event.gid, "kind": event.kind}
    logger.debug("gathering created", extra=about)


def _handed_over(event: GatheringHandedOver) -> None:
    about = {"game": event.game, "gid": event.gid, "owner": event.owner, "host": event.host}
    logger.debug("gathering handed over", extra=about)


def _closed(event: GatheringClosed) -> None:
    logger.debug("gathering closed", extra={"game": event.game, "gid": event.gid})
