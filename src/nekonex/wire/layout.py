"""What a structure looks like in one context: versions, PID width and conditions applied."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from dataclasses import field as dataclass_field
from typing import Any, Final

from nekonex.settings import Version
from nekonex.wire.structure import MISSING, FieldSpec, Level, clone, hints, is_mutable, zero
from nekonex.wire.types import (
    WIDER,
    Blob,
    Holder,
    ListOf,
    MapOf,
    Pid,
    Scalar,
    StructOf,
    Text,
    Url,
    VariantOf,
    Wire,
)

__all__ = [
    "Layout",
    "LayoutField",
    "LayoutLevel",
    "Traits",
    "layout_of",
    "level_layout",
    "verify",
    "verify_level",
]

HEADER_SIZE: Final = 5
"""A structure header: u8 revision, u32 length."""

SCALAR_SIZE: Final = {
    "B": 1,
    "b": 1,
    "?": 1,
    "H": 2,
    "h": 2,
    "I": 4,
    "i": 4,
    "f": 4,
    "Q": 8,
    "q": 8,
    "d": 8,
}


@dataclass(frozen=True, slots=True)
class Traits:
    """What a context decides about encodings, and what was found out with that.

    Hundreds of methods share a few dozen structures, each of which is worked out once.
    """

    version_of: Callable[[str | None], Version]
    pid_size: int
    struct_header: bool
    layouts: dict[type[Any], Layout] = dataclass_field(
        default_factory=dict, repr=False, compare=False
    )
    sizes: dict[type[Any], int] = dataclass_field(default_factory=dict, repr=False, compare=False)
    verified: set[type[Any]] = dataclass_field(default_factory=set, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class LayoutField:
    """One field as it is in this context."""

    name: str
    wire: Wire
    default: Any
    present: bool
    """Whether it is on the wire at all."""
    floor: int
    """The lowest received revision that has it."""
    tail: bool
    """Whether the input may end before it, because it and all after it came later."""
    group: object
    """Tail fields with the same group are there together or not at all."""
    optional: bool

    @property
    def has_default(self) -> bool:
        """Whether a default was given, and is not only the zero of the type."""
        return self.default is not MISSING

    def make_default(self) -> Any:
        """Return the value of the field where it is not on the wire."""
        return zero(self.wire) if self.default is MISSING else clone(self.default)

    @property
    def shares_default(self) -> bool:
        """Whether one default value serves all structures."""
        return not is_mutable(self.make_default())


@dataclass(frozen=True, slots=True)
class LayoutLevel:
    """One level of a structure: its fields and the revision that is written."""

    name: str
    revision: int
    fields: tuple[LayoutField, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A structure: its levels, base first."""

    cls: type[Any]
    levels: tuple[LayoutLevel, ...]

    @property
    def field_count(self) -> int:
        """How many fields are on the wire."""
        return sum(field.present for level in self.levels for field in level.fields)


def concrete(wire: Wire, traits: Traits) -> Wire:
    """Replace PIDs by the integers that they are in this context."""
    match wire:
        case Pid():
            return Scalar("Q", "pid") if traits.pid_size == 8 else Scalar("I", "pid")
        case ListOf(item=item):
            return ListOf(concrete(item, traits))
        case MapOf(key=key, value=value):
            return MapOf(concrete(key, traits), concrete(value, traits))
        case _:
            return wire


def level_layout(
    level: Level, wires: Sequence[Wire], traits: Traits, *, header: bool
) -> LayoutLevel:
    """Apply a context to the fields of a level, whose types are `wires`."""

    def version_of(key: str | None) -> Version:
        return traits.version_of(level.key if key is None else key)

    fields: list[LayoutField] = []
    revision = 0
    tail = True
    for spec, wire in reversed(list(zip(level.fields, wires, strict=True))):
        need = 0 if spec.when is None else spec.when.need(version_of)
        floor = 0 if spec.when is None else spec.when.floor(version_of)
        dropped = spec.until is not None and spec.until.holds(version_of)
        present = need is not None and not dropped and (header or floor == 0)
        if present and need is not None:
            tail = tail and (spec.when is not None or spec.optional)
            revision = max(revision, need)
        fields.append(
            LayoutField(
                name=spec.name,
                wire=concrete(_widened(spec, wire, level, version_of), traits),
                default=spec.default,
                present=present,
                floor=floor or 0,
                tail=tail,
                group=spec.name if spec.optional else (spec.when, spec.until),
                optional=spec.optional,
            )
        )
    return LayoutLevel(level.name, revision, tuple(reversed(fields)))


def _widened(
    spec: FieldSpec, wire: Wire, level: Level, version_of: Callable[[str | None], Version]
) -> Wire:
    if spec.wide_since is None:
        return wire
    if not isinstance(wire, Scalar) or wire.code not in WIDER or wire.wrap is not None:
        raise TypeError(
            f"{level.name}.{spec.name}: wide_since needs an unsigned integer of up to 32 bits"
        )
    if not spec.wide_since.holds(version_of):
        return wire
    code, name = WIDER[wire.code]
    return replace(wire, code=code, name=name)


def layout_of(cls: type[Any], traits: Traits) -> Layout:
    """Apply a context to a structure; TypeError for a field that cannot be sent."""
    known = traits.layouts.get(cls)
    if known is not None:
        return known
    wires = hints(cls)
    levels = tuple(
        level_layout(
            level, [wires[spec.name] for spec in level.fields], traits, header=traits.struct_header
        )
        for level in cls.wire_levels
    )
    layout = traits.layouts[cls] = Layout(cls, levels)
    return layout


def minimum_size(wire: Wire, traits: Traits, within: tuple[type[Any], ...] = ()) -> int:
    """Return the smallest number of bytes that a value can take.

    A list that claims more items than its bytes could hold is refused by it. Raise
    TypeError for a structure that contains itself without a list between.
    """
    match wire:
        case Scalar(code=code):
            return SCALAR_SIZE[code]
        case Text() | Url():
            return 2
        case Blob(code=code):
            return SCALAR_SIZE[code]
        case ListOf() | MapOf():
            return 4
        case Holder():
            return 10
        case VariantOf():
            return 1
        case StructOf(cls=cls):
            if cls in within:
                raise TypeError(f"{cls.__name__} contains itself")
            size = traits.sizes.get(cls)
            if size is None:
                levels = layout_of(cls, traits).levels
                size = sum(_level_minimum(level, traits, (*within, cls)) for level in levels)
                traits.sizes[cls] = size
            return size
        case _:
            raise TypeError(f"{wire} has no size")


def _level_minimum(level: LayoutLevel, traits: Traits, within: tuple[type[Any], ...]) -> int:
    size = HEADER_SIZE if traits.struct_header else 0
    for field in level.fields:
        skippable = field.optional or (field.tail and traits.struct_header)
        if field.present and not skippable:
            size += minimum_size(field.wire, traits, within)
    return size


def verify(wire: Wire, traits: Traits) -> None:
    """Raise TypeError for a type that cannot be compiled, now and not at the first message."""
    seen: set[type[Any]] = set()
    _verify(wire, traits, seen)
    traits.verified.update(seen)


def verify_level(level: LayoutLevel, traits: Traits) -> None:
    """Do the same for the fields of a record."""
    seen: set[type[Any]] = set()
    _verify_level(level, traits, seen)
    traits.verified.update(seen)


def _verify(wire: Wire, traits: Traits, seen: set[type[Any]]) -> None:
    match wire:
        case ListOf(item=item):
            _verify(item, traits, seen)
        case MapOf(key=key, value=value):
            _verify(key, traits, seen)
            _verify(value, traits, seen)
        case StructOf(cls=cls) if cls not in seen and cls not in traits.verified:
            seen.add(cls)
            minimum_size(wire, traits)
            for level in layout_of(cls, traits).levels:
                _verify_level(level, traits, seen)


def _verify_level(level: LayoutLevel, traits: Traits, seen: set[type[Any]]) -> None:
    optional = False
    for field in level.fields:
        if optional and field.present and not field.optional:
            raise TypeError(f"{level.name}.{field.name}: it follows an optional field")
        optional = optional or field.optional
        try:
            if field.floor or field.tail or not field.present:
                field.make_default()
        except TypeError as error:
            raise TypeError(f"{level.name}.{field.name}: {error}") from None
        _verify(field.wire, traits, seen)
