"""Where a key of the configuration came from, for messages after the configuration was checked."""

from nekonex.config import Config, GameConfig

__all__ = ["origin_of"]


def origin_of(config: Config, game: GameConfig, key: str) -> str:
    """Return source and name of a game's key, as the errors of the configuration begin."""
    wanted = f"nekonex_game__{game.name}__{key}".casefold().replace("-", "_")
    for variable in config.variables:
        if variable.casefold().replace("-", "_") == wanted:
            return f"environment variable {variable}: game.{game.name}.{key}"
    place = config.file or "the built-in configuration"
    return f"{place}: game.{game.name}.{key}"
