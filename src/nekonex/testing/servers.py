"""The real server, in the event loop of a test."""

import contextlib
import tempfile
import tomllib
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from nekonex.app import Server, running
from nekonex.config import DEFAULT_FILE, load_config
from nekonex.events import EventBus

__all__ = ["running_server"]


@contextlib.asynccontextmanager
async def running_server(
    config: str = "",
    *,
    folder: Path | None = None,
    events: EventBus | None = None,
    plugin_folders: Iterable[Path] = (),
    watch: bool | None = None,
) -> AsyncIterator[Server]:
    """Run the server of a configuration: the text of a `nekonex.toml`, or none at all.

    Ports that it does not give are free ones. Everything is kept in *folder*, which is where
    relative paths, plugins and the modules of games start from; without one it is gone
    afterwards. *plugin_folders* are plugins from elsewhere; *watch* says whether plugins are
    loaded anew when their files change. The environment does not count. Raises ConfigError and
    StartError as `nekonex serve` does.
    """
    with contextlib.ExitStack() as stack:
        if folder is None:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="nekonex-")))
        if config:
            (folder / DEFAULT_FILE).write_text(config, encoding="utf-8")
        document = tomllib.loads(config)
        games = document.get("game", []) if config else [{"name": "common"}]
        free_ports = {
            f"NEKONEX_GAME__{game.get('name') or game['title']}__{key}".upper(): "0"
            for game in games
            for key in ("auth_port", "secure_port")
            if key not in game
        }
        for section in ("http", "connect"):
            if "port" not in document.get(section, ()):
                free_ports[f"NEKONEX_{section}__PORT".upper()] = "0"
        loaded = load_config(environ=free_ports, folder=folder)
        async with running(
            loaded, events=events, plugin_folders=plugin_folders, watch=watch
        ) as server:
            yield server
