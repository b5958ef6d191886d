"""What the commands share that change plugins: the folder, and what a running server says to it."""

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from nekonex.app import NoServerError, RefusedCommandError, ask
from nekonex.cli._common import EXIT_USAGE, CommandError, report, visible
from nekonex.config import Config
from nekonex.connect.packages import (
    AmbiguousNameError,
    InstalledPlugin,
    PackageError,
    PluginsFolder,
    UnsafeUrlError,
)

__all__ = ["Verdict", "label", "plugins_of", "refusals", "server_plugins", "take_up"]

REFRESH_SECONDS: Final = 60.0
"""How long a server is given to load plugins, and to stop old ones."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the server that runs says to a change; nothing where none runs."""

    text: str = ""
    failed: bool = False
    """Whether it cannot run the plugin; the text is the reason then."""


def plugins_of(config: Config) -> PluginsFolder:
    """Return the folder of plugins that a configuration names."""
    return PluginsFolder(config.connect.plugins_dir)


def label(plugin: InstalledPlugin) -> str:
    """Return a plugin's greeter and version, as far as they are known."""
    return visible(f"{plugin.greeter} {plugin.spec.version}" if plugin.spec else plugin.greeter)


@contextlib.contextmanager
def refusals() -> Iterator[None]:
    """Turn what packages and plugins are refused for into CommandError."""
    try:
        yield
    except (AmbiguousNameError, UnsafeUrlError) as error:
        raise CommandError(visible(str(error)), EXIT_USAGE) from error
    except PackageError as error:
        raise CommandError(visible(str(error))) from error


def server_plugins(config: Config) -> list[dict[str, Any]] | None:
    """Return what the server that runs says of its plugins; None where none runs, or says nothing.

    Why it says nothing is told here.
    """
    try:
        found: list[dict[str, Any]] = ask(config.server.data_dir, "plugins")
    except NoServerError:
        return None
    except RefusedCommandError as error:
        report(f"what the running server makes of them is not known: {error}")
        return None
    return found


def take_up(config: Config, folder: Path, *, idle: str) -> Verdict:
    """Have the server that runs take up what changed of the plugin in a folder, and judge it.

    ``idle`` is the text where it then does not run it, and is not to.
    """
    try:
        found = ask(
            config.server.data_dir,
            "plugin_refresh",
            seconds=REFRESH_SECONDS,
            folder=str(folder.absolute()),
        )
    except NoServerError:
        return Verdict()
    except RefusedCommandError as error:
        return Verdict(f"the running server has not taken it up: {error}")
    wanted = folder.resolve()
    status = next((each for each in found if Path(each["folder"]).resolve() == wanted), None)
    if status is None and os.path.lexists(folder):
        parent = visible(str(folder.parent))
        return Verdict(f"the running server takes no plugins from {parent} until it is restarted")
    if status is None or status["state"] == "disabled":
        return Verdict(idle)
    if status["reason"] or status["state"] != "running":
        return Verdict(visible(status["reason"] or "it failed"), failed=True)
    return Verdict("the running server has loaded it")
