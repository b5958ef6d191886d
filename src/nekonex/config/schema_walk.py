"""Finding one's way in a pydantic schema by the path of a key."""

from collections.abc import Mapping
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

__all__ = ["Location", "field_of", "has_free_keys", "known_keys", "table_of"]

Location = tuple[str | int, ...]
"""The path of a value in a document: `("game", 0, "prudp", "version")`."""


def table_of(field: FieldInfo) -> type[BaseModel] | None:
    """Return the model of a field that holds a table, or a list of tables."""
    annotation: Any = field.annotation
    if get_origin(annotation) is tuple:
        annotation = get_args(annotation)[0]
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return None


def has_free_keys(field: FieldInfo) -> bool:
    """Tell whether a field holds a table whose keys the schema does not name."""
    return get_origin(field.annotation) is Mapping


def _fields(model: type[BaseModel]) -> dict[str, FieldInfo]:
    return {field.alias or name: field for name, field in model.model_fields.items()}


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    current: type[BaseModel] | None = model
    for part in location:
        if isinstance(part, int):
            continue
        field = _fields(current).get(part) if current else None
        current = table_of(field) if field else None
    return current


def field_of(model: type[BaseModel], location: Location) -> FieldInfo | None:
    """Return the field at a path, or None if the schema has none there."""
    if not location or isinstance(location[-1], int):
        return None
    table = _model_at(model, location[:-1])
    return _fields(table).get(location[-1]) if table else None


def known_keys(model: type[BaseModel], location: Location) -> tuple[str, ...]:
    """Return the keys of the table at a path; () where there is no table."""
    table = _model_at(model, location)
    return tuple(_fields(table)) if table else ()
