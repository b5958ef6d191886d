"""What of the configuration this version can do."""

from nekonex.app.errors import StartError
from nekonex.config import Config

__all__ = ["refuse_what_is_missing"]


def refuse_what_is_missing(config: Config) -> None:
    """Raise StartError where the configuration asks for what this version does not have."""
    storage = config.storage
    for key, value, here in (
        ("storage.documents", storage.documents, "sqlite"),
        ("storage.rankings", storage.rankings, "sqlite"),
        ("storage.objects", storage.objects, "local"),
        ("accounts.backend", config.accounts.backend, "local"),
    ):
        if value != here:
            kind = value.partition("://")[0]
            raise StartError(
                f'{config.file or "the built-in configuration"}: {key} is "{kind}", '
                f'which this version does not have; it has "{here}"'
            )
