"""What a running server does for a backup of its data directory."""

import asyncio
import re
from collections.abc import Mapping
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any, Final

from nekonex.app.control import CommandRefusedError
from nekonex.domain.datastore import DataStore
from nekonex.storage import StorageError, take_snapshot

__all__ = ["snapshot"]

_STAGE: Final = re.compile(r"\.backup-[0-9a-f]{16}")


async def snapshot(
    data_dir: Path, stores: Mapping[str, DataStore], arguments: Mapping[str, Any]
) -> None:
    """Take a snapshot into the directory ``stage``, while all files stay where they are.

    What changes meanwhile is in the database with what is still to be done with files, so it is
    of one moment together with them.
    """
    name = arguments.get("stage")
    if not isinstance(name, str) or not _STAGE.fullmatch(name) or not (data_dir / name).is_dir():
        raise CommandRefusedError('snapshot needs a "stage", a directory made for it')
    async with AsyncExitStack() as stack:
        for store in stores.values():
            await stack.enter_async_context(store.quiet())
        try:
            await asyncio.to_thread(take_snapshot, data_dir, data_dir / name)
        except (StorageError, OSError) as error:
            raise CommandRefusedError(f"no snapshot can be taken: {error}") from error
