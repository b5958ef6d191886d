"""What can go wrong with a call, for those who make it."""

from nekonex.values import RMCError

__all__ = ["CallLimitError", "InvalidReplyError", "RMCConnectionClosed"]


class RMCConnectionClosed(ConnectionError):  # noqa: N818
    """The connection ended before the call was answered, or before it was made."""


class CallLimitError(ConnectionError):
    """The other side has left so many calls unanswered that it gets no more for now."""


class InvalidReplyError(RMCError):
    """The other side answered a call with bytes that cannot be read.

    It is an `RMCError` with ``Core::InvalidArgument``, so that whoever copes
    with refusing peers copes with broken ones too.
    """

    def __init__(self, reason: str) -> None:
        super().__init__("Core::InvalidArgument")
        self.reason = reason

    def __str__(self) -> str:
        return self.reason
