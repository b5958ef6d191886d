"""The one way in which a part that is out of order says so to the parts above it."""

from __future__ import annotations

__all__ = ["ServiceUnavailable"]


class ServiceUnavailable(Exception):  # noqa: N818
    """A store, a callback or a worker could not answer: nothing is known about the question.

    It is the opposite of "no such thing", which is a value. Protocol servers answer it with
    ``Core::SystemError``, so that an outage never looks like a wrong name or an empty list.
    Whoever raises it has logged the cause.
    """
