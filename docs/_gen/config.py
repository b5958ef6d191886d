"""The tables of the configuration file, from the models that check it."""

from __future__ import annotations

import enum
import types
import typing
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from docs._gen.tables import attribute_docstrings, one_line, table
from nekonex.config.models import Document

__all__ = ["config_tables"]

SEQUENCES: Final = frozenset({list, tuple, set, frozenset})
REFUSED_EVERYWHERE: Final = ("/ \0", -987_654_321)
"""Values that no key allows, to hear from a validator what it would allow."""


def config_tables() -> Iterator[str]:
    """Yield a heading and a table for each section of the configuration file."""
    return _section("", Document)


def _section(path: str, model: type[BaseModel], *, repeated: bool = False) -> Iterator[str]:
    meanings = attribute_docstrings(model)
    nested: list[tuple[str, type[BaseModel], bool]] = []
    rows: list[tuple[str, ...]] = []
    own_first = sorted(
        model.model_fields.items(), key=lambda item: item[0] not in vars(model)["__annotations__"]
    )
    for name, info in own_first:
        key = info.alias or name
        child = _model_of(info.annotation)
        if child is not None:
            nested.append((f"{path}.{key}".lstrip("."), *child))
        else:
            meaning = info.description or meanings.get(name, "")
            rows.append((f"`{key}`", _default(info), _allowed(model, key, info), one_line(meaning)))
    if path:
        heading = f"`{f'[[{path}]]' if repeated else f'[{path}]'}`"
        summary = one_line((model.__doc__ or "").split("\n\n", maxsplit=1)[0])
        summary = summary.removeprefix(heading).lstrip(":. ")
        yield f"\n### {heading}\n\n{summary[:1].upper()}{summary[1:]}\n"
    if rows:
        yield from table(("key", "default", "allowed", "meaning"), rows)
    for child_path, child_model, child_repeated in nested:
        yield from _section(child_path, child_model, repeated=child_repeated)


def _model_of(annotation: Any) -> tuple[type[BaseModel], bool] | None:
    """Return the section that a field holds, and whether the file may repeat it."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation, False
    for argument in typing.get_args(annotation):
        found = _model_of(argument)
        if found is not None:
            return found[0], found[1] or typing.get_origin(annotation) in SEQUENCES
    return None


def _allowed(model: type[BaseModel], key: str, info: FieldInfo) -> str:
    """Return what a key takes: in its validator's own words if it has some, else its type."""
    words = _validator_words(model, key, info)
    if not words:
        return _type_text(info.annotation)
    return f"list: {words}" if typing.get_origin(info.annotation) in SEQUENCES else words


def _validator_words(model: type[BaseModel], key: str, info: FieldInfo) -> str:
    if isinstance(info.json_schema_extra, dict) and "allowed" in info.json_schema_extra:
        return str(info.json_schema_extra["allowed"])
    for value in REFUSED_EVERYWHERE:
        try:
            model.model_validate({key: value})
        except ValidationError as error:
            for problem in error.errors():
                if problem["loc"][0] == key and problem["type"] == "not_allowed":
                    return str(problem["msg"]).removesuffix(f" ({value!r} is none of them)")
    return ""


def _type_text(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Annotated:
        return _type_text(arguments[0])
    if origin is typing.Literal:
        return " or ".join(f"`{_toml(value)}`" for value in arguments)
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(_type_text(each) for each in arguments if each is not type(None))
    if origin in SEQUENCES:
        return f"list: {_type_text(arguments[0])}"
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return " or ".join(f"`{_toml(each.value)}`" for each in annotation)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return "table"
    return {bool: "true or false", int: "integer", float: "number", Path: "path"}.get(
        annotation, "text"
    )


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    default = info.get_default(call_default_factory=True, validated_data={})
    return "" if default is None or default is PydanticUndefined else f"`{_toml(default)}`"


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list | tuple | set | frozenset):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key} = {_toml(each)}" for key, each in value.items()) + "}"
    return f'"{value}"'
