"""What the control socket tells about NekoConnect's plugins."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from nekonex.app.connect import ConnectPort
from nekonex.app.control import CommandRefusedError
from nekonex.connect.host import PluginStatus

__all__ = ["list_plugins", "refresh_plugins"]


def list_plugins(port: ConnectPort | None) -> list[dict[str, Any]]:
    """Return what has become of each plugin; CommandRefusedError without NekoConnect."""
    return _as_dicts(_enabled(port).plugins())


async def refresh_plugins(
    port: ConnectPort | None, arguments: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Take up what changed on the disk, and return what has become of each plugin then.

    It waits for the plugin in the directory ``folder``, if there is one, whoever has it loaded.
    Raises CommandRefusedError without NekoConnect.
    """
    enabled = _enabled(port)
    folder = arguments.get("folder")
    if not isinstance(folder, str | None):
        raise CommandRefusedError('"folder" is the path of a plugin')
    await enabled.refresh(None if folder is None else Path(folder))
    return _as_dicts(enabled.plugins())


def _enabled(port: ConnectPort | None) -> ConnectPort:
    if port is None:
        raise CommandRefusedError("this server runs no plugins: connect.enabled is false")
    return port


def _as_dicts(found: Sequence[PluginStatus]) -> list[dict[str, Any]]:
    return [
        {
            "greeter": each.greeter,
            "name": each.name,
            "version": each.version,
            "folder": str(each.folder),
            "state": each.state,
            "reason": each.reason,
            "clients": each.clients,
        }
        for each in found
    ]
