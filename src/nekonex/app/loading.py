"""From a game's `server` key to its class."""

import importlib
import sys
import traceback
from pathlib import Path
from types import ModuleType
from typing import Final

from nekonex.app.origin import origin_of
from nekonex.config import Config, ConfigError, GameConfig
from nekonex.game import Game

__all__ = ["COMMON", "load_game"]

COMMON: Final = "common"


def load_game(config: Config, game: GameConfig) -> Game:
    """Return a new object of the class that `game` names; ConfigError if there is none.

    Modules are looked for where Python looks, and then beside the configuration file.
    """
    if game.server == COMMON:
        return Game()
    module_name, _, class_name = game.server.partition(":")
    place = f'{origin_of(config, game, "server")} is "{game.server}"'
    _add_to_path(config.file.absolute().parent if config.file else Path.cwd())
    module = _import(module_name, place)
    found = getattr(module, class_name, None)
    if not (isinstance(found, type) and issubclass(found, Game)):
        known = ", ".join(
            name
            for name, value in vars(module).items()
            if isinstance(value, type) and issubclass(value, Game) and value is not Game
        )
        raise ConfigError(
            f"{place}, but {class_name} is not a subclass of nekonex.Game in {module_name}; "
            f"there it has {known or 'none'}"
        )
    try:
        return found()
    except Exception as error:
        raise ConfigError(f"{place}, which cannot be made: {_told(error)}") from error


def _add_to_path(folder: Path) -> None:
    if str(folder) not in sys.path:
        sys.path.append(str(folder))


def _import(name: str, place: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name and f"{name}.".startswith(f"{error.name}."):
            raise ConfigError(f"{place}, but there is no module {error.name}") from None
        raise ConfigError(f"{place}, which cannot be imported: {_told(error)}") from error
    except Exception as error:
        raise ConfigError(f"{place}, which cannot be imported: {_told(error)}") from error


def _told(error: Exception) -> str:
    """Return an error of somebody's module on one line, with the place where it was raised."""
    text = " ".join(str(error).split()) or "no reason given"
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
    return f"{type(error).__name__}: {text}{where}"
