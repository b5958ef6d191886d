"""The password of NekoConnect: the configured one, or one that the server makes for itself."""

import logging
import secrets
import string
from typing import Final

from nekonex.app.errors import StartError
from nekonex.config import Config
from nekonex.domain.ports import SecretStore
from nekonex.storage import StorageError
from nekonex.values import ServiceUnavailable

__all__ = ["PASSWORD_LENGTH", "connect_password"]

logger = logging.getLogger(__name__)

SECRET_NAME: Final = "nekoconnect"  # noqa: S105

PASSWORD_LENGTH: Final = 24
"""Characters of a password that is made: 138 bits."""

_LOOK_ALIKES: Final = frozenset("0O1lI")
_CHARACTERS: Final = "".join(
    each for each in string.ascii_letters + string.digits if each not in _LOOK_ALIKES
)


async def connect_password(config: Config, store: SecretStore) -> str | None:
    """Return what NekoConnect's clients have to know; None where anybody may come in.

    A password that is not configured is made when it is first asked for, and kept. Raises
    StartError where that cannot be read or stored.
    """
    section = config.connect
    if section.allow_open:
        return None
    if section.password:
        return section.password
    try:
        kept = await store.get_or_create(SECRET_NAME, _make)
        return kept.decode("ascii")
    except (StorageError, ServiceUnavailable) as error:
        raise StartError(str(error)) from error
    except UnicodeDecodeError:
        raise StartError(
            f"the secret {SECRET_NAME!r} holds no password: restore it, or remove it for a new one"
        ) from None


def _make() -> bytes:
    logger.info("NekoConnect has a new password; nekonex connect --show-password shows it")
    return "".join(secrets.choice(_CHARACTERS) for _ in range(PASSWORD_LENGTH)).encode("ascii")
