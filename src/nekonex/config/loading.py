"""From a file and the environment to a checked configuration."""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from nekonex.config.checks import check
from nekonex.config.environment import CONFIG_VARIABLE, apply_environment
from nekonex.config.errors import ConfigError, Origin, found
from nekonex.config.models import Config, Document, sections
from nekonex.games.profiles import closest, profile_keys, slugs

__all__ = ["DEFAULT_FILE", "builtin_game", "find_file", "load_config"]

DEFAULT_FILE: Final = "nekonex.toml"

PLUGIN_FILE: Final = "spec.conf"
"""The file that a folder has which holds a plugin of NekoConnect."""
PLUGIN_DATA: Final = ".nekonex"
"""Where the built-in configuration keeps everything in such a folder."""


def find_file(
    option: Path | None = None,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Path | None:
    """Return the file to read: the option, else $NEKONEX_CONFIG, else ./nekonex.toml.

    None means the built-in configuration. A file that was named need not exist.
    """
    environ = os.environ if environ is None else environ
    folder = folder or Path.cwd()
    if option is not None:
        return folder / option
    if named := environ.get(CONFIG_VARIABLE):
        return folder / Path(named).expanduser()
    default = folder / DEFAULT_FILE
    return default if default.exists() else None


def load_config(
    file: Path | None = None,
    *,
    environ: Mapping[str, str] | None = None,
    folder: Path | None = None,
) -> Config:
    """Load the configuration that `find_file` finds, with the environment over it.

    `environ` and `folder` stand in for the process's own. Raise ConfigError, whose text
    is one sentence, for anything that is wrong.
    """
    environ = os.environ if environ is None else environ
    folder = folder or Path.cwd()
    path = find_file(file, environ, folder)
    document = _read(path) if path else _builtin_document(folder)
    origin = Origin(path)
    origin.games = _game_names(document, origin)
    apply_environment(document, environ, Document, origin)
    _fill_games(document, origin, builtin=path is None)
    for name in Document.model_fields.keys() - {"game"}:
        # A section that is absent has paths too, which the schema resolves.
        document.setdefault(name, {})
    try:
        checked = Document.model_validate(
            document, context={"base": path.parent.absolute() if path else folder.absolute()}
        )
    except ValidationError as error:
        raise origin.from_validation(error, Document) from None
    check(checked, origin)
    variables = tuple(origin.variables.values())
    return Config(file=path, variables=variables, **sections(checked))


def builtin_game() -> dict[str, Any]:
    """Return what a server without any configuration serves.

    It answers to Mario Kart 8's clients, but has all generic methods: the identity is
    the title's, the protocols are not.
    """
    profile = profile_keys("mario-kart-8")
    return {key: profile[key] for key in ("access_key", "nex_version", "prudp")}


def _builtin_document(folder: Path) -> dict[str, Any]:
    document: dict[str, Any] = {"game": [{"name": "common", "guest": True}]}
    if (folder / PLUGIN_FILE).is_file():
        # Not among the files of the plugin, which are watched, packed and given to others.
        document["server"] = {"data_dir": f"{PLUGIN_DATA}/data"}
        document["connect"] = {"plugins_dir": f"{PLUGIN_DATA}/plugins"}
    return document


def _read(path: Path) -> dict[str, Any]:
    text = ""
    try:
        text = path.read_text(encoding="utf-8-sig")
        return tomllib.loads(text)
    except FileNotFoundError:
        raise ConfigError(f"{path}: there is no such file") from None
    except OSError as error:
        raise ConfigError(f"{path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: is not UTF-8 at byte {error.start}") from None
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(_syntax_error(path, text, str(error))) from None


def _syntax_error(path: Path, text: str, problem: str) -> str:
    message, _, place = problem.partition(" (at ")
    message = message[:1].lower() + message[1:]
    if match := re.match(r"line (\d+), column (\d+)", place):
        line, column = int(match[1]), int(match[2])
    else:  # the end of the document
        line, column = text.count("\n") + 1, len(text) - text.rfind("\n")
    return f"{path}: line {line}, column {column}: {message}"


def _game_names(document: dict[str, Any], origin: Origin) -> list[str]:
    """Return the name of each game, and give a game without one that of its title."""
    games = document.get("game", [])
    if not isinstance(games, list) or not all(isinstance(game, dict) for game in games):
        text = f"is {found(games)}; allowed: tables that begin with [[game]], in two brackets each"
        raise origin.error(("game",), text)
    names = []
    for number, game in enumerate(games, 1):
        if "name" not in game and isinstance(game.get("title"), str):
            game["name"] = game["title"]
        name = game.get("name")
        names.append(name if isinstance(name, str) else str(number))
    return names


def _fill_games(document: dict[str, Any], origin: Origin, *, builtin: bool) -> None:
    for index, game in enumerate(document.get("game", [])):
        title = game.get("title", "")
        if not isinstance(title, str):
            continue
        if title:
            if title not in slugs():
                raise origin.error(("game", index, "title"), _no_such_title(title))
            _fill(game, profile_keys(title))
        elif builtin:
            _fill(game, builtin_game())


def _no_such_title(title: str) -> str:
    near = closest(title)
    hint = f"did you mean {' or '.join(near)}?" if near else "see nekonex titles list"
    return f"is {found(title)}, which is no title profile; {hint}"


def _fill(target: dict[str, Any], source: Mapping[str, Any]) -> None:
    """Write into `target` what it does not have, table by table."""
    for key, value in source.items():
        if isinstance(value, Mapping) and isinstance(target.get(key), dict):
            _fill(target[key], value)
        elif key not in target:
            target[key] = value
