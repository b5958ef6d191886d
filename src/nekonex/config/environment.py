"""Environment variables over the file: `NEKONEX_HTTP__PORT`, `NEKONEX_GAME__<name>__PORT`."""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import BaseModel

from nekonex.config.errors import ConfigError, Origin, unknown_key
from nekonex.config.schema_walk import Location, field_of, has_free_keys, known_keys, table_of
from nekonex.games.fields import EnvironmentText

__all__ = ["CONFIG_VARIABLE", "apply_environment", "same_name"]

PREFIX: Final = "NEKONEX_"
CONFIG_VARIABLE: Final = "NEKONEX_CONFIG"


def same_name(name: str) -> str:
    """Return a game's name in the form in which names are compared.

    Variable names have neither dashes nor, on every system, lower case.
    """
    return name.casefold().replace("_", "-")


def apply_environment(
    document: dict[str, Any],
    environ: Mapping[str, str],
    model: type[BaseModel],
    origin: Origin,
) -> None:
    """Write the values of all `NEKONEX_*` variables into a document.

    Raise ConfigError for a variable that names no key.
    """
    for variable in sorted(environ):
        if not variable.upper().startswith(PREFIX) or variable.upper() == CONFIG_VARIABLE:
            continue
        parts = variable[len(PREFIX) :].split("__")
        location = _locate(variable, parts, model, origin)
        _write(document, location, environ[variable])
        origin.variables[location] = variable


def _locate(variable: str, parts: list[str], model: type[BaseModel], origin: Origin) -> Location:
    location: Location = ()
    names = [part.lower() for part in parts]
    if names[0] == "game" and len(names) > 1:
        location = ("game", _game_index(variable, parts[1], origin))
        names = names[2:]
    if not names or names == ["game"]:
        raise ConfigError(f"environment variable {variable} names no key")
    for index, name in enumerate(names):
        known = known_keys(model, location)
        if name not in known:
            prefix = "__".join([PREFIX + parts[0], *parts[1 : len(parts) - len(names) + index]])
            prefix = PREFIX if index == 0 and not location else f"{prefix}__"
            text = unknown_key(name.upper(), [key.upper() for key in known], prefix)
            raise ConfigError(f"environment variable {variable} names no known key; {text}")
        location = (*location, name)
        field = field_of(model, location)
        rest = names[index + 1 :]
        if field is None or table_of(field) is not None or (has_free_keys(field) and not rest):
            continue
        if rest and not has_free_keys(field):
            raise ConfigError(
                f"environment variable {variable} names no known key; "
                f"{origin.key(location)} holds one value"
            )
        return (*location, *rest)
    raise ConfigError(f"environment variable {variable} names a section, not a key of it")


def _game_index(variable: str, name: str, origin: Origin) -> int:
    for index, game in enumerate(origin.games):
        if same_name(game) == same_name(name):
            return index
    games = ", ".join(origin.games) or "none"
    raise ConfigError(
        f"environment variable {variable}: there is no game {name!r}; configured games: {games}"
    )


def _write(document: dict[str, Any], location: Location, value: str) -> None:
    table: Any = document
    for part in location[:-1]:
        table = table[part] if isinstance(part, int) else table.setdefault(part, {})
        if not isinstance(table, dict | list):
            # What is in the way stays, and the schema refuses it by its own name.
            return
    table[location[-1]] = EnvironmentText(value)
