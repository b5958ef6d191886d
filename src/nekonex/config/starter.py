"""The commented configuration file that `nekonex init` writes."""

import json
from typing import Final

from nekonex.config.loading import builtin_game
from nekonex.games.profiles import load_profile

__all__ = ["render_starter"]

_HEAD: Final = """\
# {about}. `nekonex config check` reads this file, `nekonex serve` runs it.
[server]
data_dir = "data"            # accounts, scores and secrets; beside this file
log_level = "info"           # debug, info, warning or error

[http]
host = "{http_host}"{http_space} # uploads and downloads of consoles (TCP); {http_other}
port = 8080
admin_password = ""          # empty: the dashboard answers on this machine only

[connect]
host = "127.0.0.1"           # NekoConnect (TCP); 0.0.0.0: from other machines, with [connect.tls]
port = 10390
password = ""                # empty: made on the first start; nekonex connect --show-password
plugins_dir = "plugins"      # a folder for each plugin: nekonex plugin new, nekonex plugin install

[[game]]
"""

_TAIL: Final = """\
auth_port = 1223             # UDP; consoles log in here
secure_port = 1224           # UDP; and play here
external_address = "auto"    # behind a router: your public IPv4 address
"""

_WIDTH: Final = 28


def render_starter(slug: str | None = None) -> str:
    """Return a commented configuration for one title, or for a game without a profile.

    Raise KeyError if there is no profile of that name.
    """
    if slug is None:
        lines = _plain_game()
        about = "A nekonex server"
    else:
        lines = _title_game(slug)
        about = f"A nekonex server for {load_profile(slug).full_title}"
    prudp = _plain_transport() if slug is None else ""
    return _head(about, reachable=slug is not None) + "".join(lines) + _TAIL + prudp


def _head(about: str, *, reachable: bool) -> str:
    """Return the sections before the game, whose consoles are elsewhere or on this machine."""
    host, other = "127.0.0.1", "0.0.0.0: from other machines too"
    if reachable:
        host, other = "0.0.0.0", "127.0.0.1: this machine only"  # noqa: S104
    space = " " * (_WIDTH - len(f'host = "{host}"'))
    return _HEAD.format(about=about, http_host=host, http_space=space, http_other=other)


def _line(key: str, value: str | bool, comment: str) -> str:
    text = f"{key} = {json.dumps(value)}"
    return f"{text:{_WIDTH}} # {comment}\n"


def _title_game(slug: str) -> list[str]:
    lines = [
        _line("name", slug, "yours to choose; logs and commands show it"),
        _line("title", slug, f"the profile with key and version: nekonex titles show {slug}"),
        _line("host", "0.0.0.0", "127.0.0.1: this machine only"),  # noqa: S104
        _line("guest", False, "true: anyone may log in without an account"),
    ]
    if not load_profile(slug).access_key:
        lines.insert(2, _line("access_key", "", "eight digits; the profile says why it has none"))
    return lines


def _plain_game() -> list[str]:
    identity = builtin_game()
    return [
        _line("name", "common", "yours to choose; logs and commands show it"),
        _line("access_key", identity["access_key"], "the game's own; this is Mario Kart 8's"),
        _line("nex_version", identity["nex_version"], "what the game is linked with"),
        _line("host", "127.0.0.1", "0.0.0.0: consoles can reach it"),
        _line("guest", True, "false: only players with an account"),
    ]


def _plain_transport() -> str:
    prudp = builtin_game()["prudp"]
    return "[game.prudp]\n" + "".join(f"{key} = {value}\n" for key, value in prudp.items())
