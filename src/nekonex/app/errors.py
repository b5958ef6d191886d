"""Why a server does not start, in one sentence."""

__all__ = ["DataDirInUseError", "StartError"]


class StartError(Exception):
    """The server cannot start; the text is one sentence for the user. Nothing was left behind."""


class DataDirInUseError(StartError):
    """Another server, or a restore, is using the data directory."""
