"""What a server keeps beside a plugin that is written where it runs.

Its passwords and accounts are in there, so nothing of it is taken for a part of the plugin.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

__all__ = ["CONFIG_FILE", "is_server_data"]

CONFIG_FILE: Final = "nekonex.toml"
"""The name of a server's configuration, which may have passwords."""

DATABASE_FILE: Final = "nekonex.db"
"""What every data directory of a server has, and nothing else."""


def is_server_data(folder: Path) -> bool:
    """Tell whether a folder is the data directory of a server."""
    return os.path.lexists(folder / DATABASE_FILE)
