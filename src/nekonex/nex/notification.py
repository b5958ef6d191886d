"""Notifications (protocol 14): what a server tells a console unasked. Never answered."""

from __future__ import annotations

from nekonex.domain import Notification
from nekonex.nex.structures import NotificationEvent
from nekonex.rmc import Protocol, RMCConnectionClosed, Session, method

__all__ = ["Notifications", "event_of", "notify"]


class Notifications(Protocol, id=14, noresponse=True):
    """The protocol, which consoles serve."""

    @method(1)
    async def process_notification_event(self, client: Session, event: NotificationEvent) -> None:
        """Take note of an event."""
        raise NotImplementedError


def event_of(notification: Notification) -> NotificationEvent:
    """Return a notification as it is sent."""
    return NotificationEvent(
        pid=notification.source_pid,
        type=notification.kind,
        param1=notification.param1,
        param2=notification.param2,
        text=notification.text,
        param3=notification.param3,
    )


def notify(session: Session, event: NotificationEvent) -> None:
    """Send an event without waiting; nothing happens if the console is gone.

    Raises ValueError for an event that does not fit the wire of the console's version.
    """
    codec = Notifications.codecs(session.context)[1]
    body = codec.encode_arguments((event,))
    try:
        session.post(Notifications.PROTOCOL_ID, codec.method_id, body)
    except RMCConnectionClosed:
        return
