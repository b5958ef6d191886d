"""Structures: annotated classes whose annotations are their wire format."""

from __future__ import annotations

import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar, Final, TypeVar, dataclass_transform, overload

from nekonex.values import StationURL
from nekonex.wire.conditions import Condition, V
from nekonex.wire.source import run_source
from nekonex.wire.types import (
    Blob,
    ListOf,
    MapOf,
    Pid,
    Scalar,
    StructOf,
    Text,
    Url,
    VariantOf,
    Wire,
    resolve,
)
from nekonex.wire.variant import Variant

__all__ = ["Data", "FieldSpec", "Level", "Structure", "field"]

_T = TypeVar("_T")


class _Missing:
    def __repr__(self) -> str:
        return "<required>"


MISSING: Any = _Missing()


@dataclass(frozen=True, slots=True)
class FieldSpec:
    """What a structure says about one field, before version and PID width are known."""

    name: str
    default: Any = MISSING
    """The default, or MISSING. Containers in it are copied for each structure."""
    when: Condition | None = None
    until: V | None = None
    wide_since: V | None = None
    optional: bool = False
    secret: bool = False

    @property
    def is_required(self) -> bool:
        """Whether the constructor must be given a value."""
        return self.default is MISSING and self.when is None and self.until is None


@dataclass(frozen=True, slots=True)
class Level:
    """The fields that one class of an inheritance chain adds; each level has its own header."""

    name: str
    key: str | None
    """Which per-protocol version decides about this level; None is the main one."""
    fields: tuple[FieldSpec, ...]


@overload
def field(
    *,
    default: _T,
    when: Condition | None = None,
    until: V | None = None,
    wide_since: V | None = None,
    optional: bool = False,
    secret: bool = False,
) -> _T: ...


@overload
def field(
    *,
    when: Condition | None = None,
    until: V | None = None,
    wide_since: V | None = None,
    secret: bool = False,
) -> Any: ...


def field(
    *,
    default: Any = MISSING,
    when: Condition | None = None,
    until: V | None = None,
    wide_since: V | None = None,
    optional: bool = False,
    secret: bool = False,
) -> Any:
    """Say more about a field of a structure than its type.

    `default` is copied for each structure if it is a list, a dict, a structure or a
    station URL. A field with `when` or `until` and no default has the zero of its type.

    `when` is the condition under which the field is on the wire, `until` the version
    that drops it, `wide_since` the version from which an unsigned integer has twice the
    width that the annotation says.

    An `optional` field is at the end of its structure, is written only when it differs
    from its default and read only if bytes remain: nothing announces it, so without
    structure headers it can only end a message. `secret` keeps the value out of `repr`.
    """
    if optional and (default is MISSING or when is not None or until is not None):
        raise TypeError("an optional field needs a default, and no when or until")
    return FieldSpec("", default, when, until, wide_since, optional, secret)


def clone(value: Any) -> Any:
    """Copy a default: containers deeply, values that cannot change not at all."""
    if isinstance(value, list):
        return [clone(item) for item in value]
    if isinstance(value, dict):
        return {key: clone(item) for key, item in value.items()}
    if isinstance(value, StationURL):
        return value.copy()
    if isinstance(value, Structure):
        copy = object.__new__(type(value))
        for name in type(value).wire_names:
            setattr(copy, name, clone(getattr(value, name)))
        return copy
    return value


def maker(value: Any) -> Callable[[], Any]:
    """Return the fastest function that makes copies of a default."""
    original = clone(value)
    if isinstance(original, Structure):
        cls = type(original)
        required = any(spec.is_required for level in cls.wire_levels for spec in level.fields)
        return cls if not required and original == cls() else partial(clone, original)
    if isinstance(original, list | dict):
        items = original if isinstance(original, list) else original.values()
        if any(is_mutable(item) for item in items):
            return partial(clone, original)
        return original.copy
    if isinstance(original, StationURL):
        return original.copy
    return partial(clone, original)


def is_mutable(value: Any) -> bool:
    """Tell whether each structure needs a default of its own."""
    return isinstance(value, list | dict | StationURL | Structure)


@dataclass_transform(field_specifiers=(field,))
class StructureMeta(type):
    """Makes slots, constructor and the list of levels from the annotations of a class."""

    wire_levels: tuple[Level, ...]
    wire_names: tuple[str, ...]
    wire_hints: Mapping[str, Any] | None

    def __new__(
        mcs,
        name: str,
        bases: tuple[StructureMeta, ...],
        namespace: dict[str, Any],
        *,
        key: str | None = None,
        same_level: bool = False,
    ) -> StructureMeta:
        """Build a structure class; see `Structure` for the keywords."""
        if len(bases) > 1:
            raise TypeError(f"{name}: a structure has one base, because the wire has one chain")
        inherited: tuple[Level, ...] = bases[0].wire_levels if bases else ()
        known = {spec.name for level in inherited for spec in level.fields}
        own = [] if not bases else _own_fields(name, namespace)
        added = tuple(spec for spec in own if spec.name not in known)
        namespace["__slots__"] = tuple(spec.name for spec in added)
        key = key if key is not None or not inherited else inherited[-1].key
        levels = _override(inherited, {spec.name: spec for spec in own if spec.name in known})
        if same_level and levels:
            last = levels[-1]
            levels = (*levels[:-1], Level(last.name, key, last.fields + added))
        elif bases:
            levels = (*levels, Level(name, key, added))
        specs = [spec for level in levels for spec in level.fields]
        namespace["wire_levels"] = levels
        namespace["wire_hints"] = None
        namespace["wire_names"] = tuple(spec.name for spec in specs)
        namespace["__match_args__"] = namespace["wire_names"]
        namespace["__hash__"] = None
        for method, function in _make_methods(name, namespace["__module__"], specs).items():
            namespace.setdefault(method, function)
        return super().__new__(mcs, name, bases, namespace)


def _own_fields(name: str, namespace: dict[str, Any]) -> list[FieldSpec]:
    own = []
    for field_name, annotation in namespace.get("__annotations__", {}).items():
        if "ClassVar" in str(annotation):
            continue
        if field_name.startswith("_"):
            raise TypeError(f"{name}.{field_name}: a field's name begins with a letter")
        value = namespace.pop(field_name, MISSING)
        if not isinstance(value, FieldSpec):
            value = FieldSpec("", value)
        own.append(replace(value, name=field_name))
    return own


def _override(levels: tuple[Level, ...], own: dict[str, FieldSpec]) -> tuple[Level, ...]:
    """Put redefined fields in the place that they have in a base."""
    if not own:
        return levels
    return tuple(
        Level(level.name, level.key, tuple(own.get(spec.name, spec) for spec in level.fields))
        for level in levels
    )


def _make_methods(name: str, module: str, specs: list[FieldSpec]) -> dict[str, Any]:
    """Generate `__init__` and `__eq__` with plain code: faster than looping over the fields."""
    scope: dict[str, Any] = {"__name__": module, "MISSING": MISSING, "zero": _zero}
    parameters, body = ["self"], []
    for spec in specs:
        attribute, default = f"self.{spec.name}", f"default_{spec.name}"
        scope[default] = spec.default
        if spec.is_required:
            if len(parameters) > 1 and "=" in parameters[-1]:
                raise TypeError(
                    f"{name}.{spec.name}: a field without a default follows one with a default"
                )
            parameters.append(spec.name)
            body.append(f"{attribute} = {spec.name}")
        elif spec.default is MISSING or is_mutable(spec.default):
            if spec.default is MISSING:
                made = f"zero(self, {spec.name!r})"
            else:
                made = f"{default}()"
                scope[default] = maker(spec.default)
            parameters.append(f"{spec.name}=MISSING")
            body.append(f"{attribute} = {made} if {spec.name} is MISSING else {spec.name}")
        else:
            parameters.append(f"{spec.name}={default}")
            body.append(f"{attribute} = {spec.name}")
    same = " and ".join([f"self.{spec.name} == other.{spec.name}" for spec in specs]) or "True"
    source = "\n".join(
        [
            f"def __init__({', '.join(parameters)}):",
            *(f"    {line}" for line in body or ["pass"]),
            "def __eq__(self, other):",
            "    if other.__class__ is not self.__class__:",
            "        return NotImplemented",
            f"    return {same}",
        ]
    )
    run_source(source, f"<structure {name}>", scope)
    return {"__init__": scope["__init__"], "__eq__": scope["__eq__"]}


def _zero(structure: Structure, name: str) -> Any:
    return zero(hints(type(structure))[name])


def hints(cls: type[Structure]) -> Mapping[str, Wire]:
    """Return how each field of a structure is encoded; TypeError for one that cannot be.

    Annotations are looked at when they are first needed, so that a structure may name
    one that is defined after it.
    """
    found: Mapping[str, Wire] | None = cls.__dict__["wire_hints"]
    if found is None:
        annotations = typing.get_type_hints(cls, include_extras=True)
        found = {}
        for name in cls.wire_names:
            try:
                found[name] = resolve(annotations[name])
            except TypeError as error:
                raise TypeError(f"{cls.__name__}.{name}: {error}") from None
        cls.wire_hints = found
    return found


_ZEROS: Final[dict[type[Wire], Callable[[], Any]]] = {
    Pid: int,
    Text: str,
    Blob: bytes,
    Url: StationURL,
    ListOf: list,
    MapOf: dict,
    VariantOf: lambda: Variant(0),
}

_SCALAR_ZEROS: Final[dict[str, Callable[[], Any]]] = {"?": bool, "f": float, "d": float}


def zero(wire: Wire) -> Any:
    """Return a fresh zero of a type: what a field has that is not on the wire."""
    match wire:
        case Scalar(code=code, wrap=None):
            return _SCALAR_ZEROS.get(code, int)()
        case Scalar(wrap=wrap) if wrap is not None:
            return wrap(0)
        case StructOf(cls=cls):
            return zero_structure(cls)
        case _ if type(wire) in _ZEROS:
            return _ZEROS[type(wire)]()
        case _:
            raise TypeError("a data holder has no zero; give the field a default")


def zero_structure(cls: type[Structure]) -> Structure:
    """Return a structure with the defaults of its fields, and zeros where there is none."""
    structure = object.__new__(cls)
    wires = hints(cls)
    for spec in (spec for level in cls.wire_levels for spec in level.fields):
        value = zero(wires[spec.name]) if spec.default is MISSING else clone(spec.default)
        setattr(structure, spec.name, value)
    return structure


class Structure(metaclass=StructureMeta):
    """Base of all structures: a class body of annotations is a wire format.

        class RankingScoreData(Structure):
            category: UInt32
            groups: list[UInt8]
            param: UInt64 = 0

    The class has slots, a constructor that takes the fields in order or by name,
    equality, and a `repr` that leaves out secret fields. A subclass adds a level with a
    header of its own, as in the original C++ classes; a field that it redefines, with
    all that is to be said about it, keeps its place. Keywords of the class statement:

    - `key`: which per-protocol version decides about the fields, such as "matchmaking";
    - `same_level`: the added fields belong to the level of the base, for a game whose
      variant of a common structure is longer.
    """

    wire_levels: ClassVar[tuple[Level, ...]]
    wire_names: ClassVar[tuple[str, ...]]
    wire_hints: ClassVar[Mapping[str, Wire] | None]

    def __repr__(self) -> str:
        secret = {spec.name for level in self.wire_levels for spec in level.fields if spec.secret}
        parts = [
            f"{name}=<secret>" if name in secret else f"{name}={getattr(self, name)!r}"
            for name in self.wire_names
        ]
        return f"{type(self).__name__}({', '.join(parts)})"


class Data(Structure):
    """The base of most structures that travel in data holders: a level without fields."""
