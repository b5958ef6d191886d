"""Where a key of the configuration came from, for messages after the configuration was checked."""

from nekonex.config import Config, GameConfig

__all__ = ["origin_of", "origin_of_key"]


def origin_of(config: Config, game: GameConfig, key: str) -> str:
    """Return source and name of a game's key, as the errors of the configuration begin."""
    return origin_of_key(config, f"game.{game.name}.{key}")


def origin_of_key(config: Config, name: str) -> str:
    """Return source and name of a key such as ``http.port``."""
    wanted = f"nekonex_{name.replace('.', '__')}".casefold().replace("-", "_")
    for variable in config.variables:
        if variable.casefold().replace("-", "_") == wanted:
            return f"environment variable {variable}: {name}"
    return f"{config.file or 'the built-in configuration'}: {name}"
