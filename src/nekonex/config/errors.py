"""What is said about a configuration that is wrong: one clear sentence."""

import json
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from nekonex.config.schema_walk import Location, field_of, known_keys

__all__ = ["ConfigError", "Origin", "found", "unknown_key"]

_SHORT = 60


class ConfigError(Exception):
    """A configuration that is refused; the text is one sentence for the user."""


class Origin:
    """Where the values of a configuration come from, for messages."""

    def __init__(self, file: Path | None) -> None:
        self.file = file
        self.variables: dict[Location, str] = {}
        self.games: list[str] = []
        """The names of the games, in the order of the document."""

    def where(self, location: Location) -> str:
        """Return the file, or the environment variable, that a value came from.

        A table may come from both.
        """
        for length in range(len(location), 0, -1):
            if variable := self.variables.get(location[:length]):
                return f"environment variable {variable}"
        place = str(self.file) if self.file else "the built-in configuration"
        below = [
            variable
            for place_of, variable in self.variables.items()
            if place_of[: len(location)] == location
        ]
        return f"{place} with environment variable {below[0]}" if below else place

    def key(self, location: Location) -> str:
        """Return a location as the user knows it: `game.mario-kart-8.auth_port`."""
        parts: list[str] = []
        for index, part in enumerate(location):
            if index == 1 and location[0] == "game" and isinstance(part, int):
                parts.append(self.games[part] if part < len(self.games) else str(part + 1))
            else:
                parts.append(str(part))
        return ".".join(parts)

    def error(self, location: Location, text: str) -> ConfigError:
        """Return an error that names source and key before `text`."""
        return ConfigError(f"{self.where(location)}: {self.key(location)} {text}")

    def from_validation(self, error: ValidationError, model: type[BaseModel]) -> ConfigError:
        """Return the first problem that the schema found, in our words."""
        problem = error.errors()[0]
        location = tuple(problem["loc"])
        match problem["type"]:
            case "extra_forbidden":
                return self.error_of_unknown(location, model)
            case "missing":
                return self.error(location, "is missing")
            case "model_type" | "dict_type" | "model_attributes_type":
                text = f"is {found(problem['input'])}; allowed: a table with keys"
                return self.error(location, text)
            case _:
                allowed = _allowed(problem, model)
                # A refused element of a list, or a part of a table, is named by its field.
                while len(location) > 1 and field_of(model, location) is None:
                    location = location[:-1]
                field = field_of(model, location)
                secret = field is not None and not field.repr
                value = "a value that is not shown here" if secret else found(problem["input"])
                return self.error(location, f"is {value}; allowed: {allowed}")

    def error_of_unknown(self, location: Location, model: type[BaseModel]) -> ConfigError:
        """Return the error of a key that the schema does not have."""
        parent, last = location[:-1], str(location[-1])
        prefix = f"{self.key(parent)}." if parent else ""
        text = unknown_key(last, known_keys(model, parent), prefix)
        return ConfigError(f"{self.where(location)}: unknown key {prefix}{last}; {text}")


def unknown_key(key: str, known: Sequence[str], prefix: str = "") -> str:
    """Return what to say after an unknown key: the nearest known one, or all of them."""
    near = get_close_matches(key, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {prefix}{near[0]}?"
    return f"known here: {', '.join(known)}" if known else "there are no keys here"


def found(value: object) -> str:
    """Return a value as a TOML file shows it, shortened."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        text = json.dumps(value, ensure_ascii=False)
    elif isinstance(value, Mapping):
        return "a table"
    elif isinstance(value, list | tuple):
        text = json.dumps(value, ensure_ascii=False, default=str)
    else:
        text = str(value)
    return text if len(text) <= _SHORT else f"{text[:_SHORT]}…"


def _allowed(problem: Mapping[str, Any], model: type[BaseModel]) -> str:
    context = problem.get("ctx", {})
    field = field_of(model, tuple(problem["loc"]))
    extra = field.json_schema_extra if field else None
    if isinstance(extra, dict) and "allowed" in extra:
        return str(extra["allowed"])
    if problem["type"] == "not_allowed":
        return str(context["allowed"])
    if "expected" in context:
        return str(context["expected"])
    return _BY_TYPE.get(problem["type"].partition("_")[0], str(problem["msg"]))


_BY_TYPE = {
    "bool": "true or false",
    "int": "a whole number",
    "float": "a number",
    "string": "a text in quotes",
    "tuple": "a list in square brackets",
    "path": "a path in quotes",
}
