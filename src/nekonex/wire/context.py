"""The context that gives annotations their meaning: versions, PID width, headers, names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, TypeVar, overload

from nekonex.settings import STRUCT_HEADER_SINCE, Version, format_version, parse_version
from nekonex.wire.codec import Codec, RecordCodec
from nekonex.wire.conditions import Condition
from nekonex.wire.holders import HolderRegistry
from nekonex.wire.holding import HolderCodec
from nekonex.wire.layout import Traits, concrete, level_layout, verify, verify_level
from nekonex.wire.scope import Scope
from nekonex.wire.structure import MISSING, FieldSpec, Level, Structure
from nekonex.wire.types import StructOf, Wire, resolve

__all__ = ["RecordField", "WireContext"]

S = TypeVar("S", bound=Structure)


@dataclass(frozen=True, slots=True)
class RecordField:
    """One parameter or reply value of a method.

    A conditional field at the end that has a default may be missing from the input; every
    other field that the version has must be there.
    """

    name: str
    annotation: Any
    when: Condition | None = None
    default: Any = MISSING


class WireContext:
    """What one server speaks: the source of its codecs. Immutable.

    `versions` overrides the NEX version for single protocols, by the key that structures
    are declared with. `struct_header` is derived from the version where it is None:
    structures have headers from NEX 3.5 on. `holders` are the structures that data
    holders may contain.
    """

    def __init__(
        self,
        version: int | str | tuple[int, ...] = "3.5.4",
        *,
        versions: Mapping[str, int | str | tuple[int, ...]] = MappingProxyType({}),
        pid_size: int = 4,
        struct_header: bool | None = None,
        holders: HolderRegistry | None = None,
    ) -> None:
        if pid_size not in {4, 8}:
            raise ValueError(f"a PID has 4 or 8 bytes, not {pid_size}")
        self._version = parse_version(version)
        self._versions = {key: parse_version(value) for key, value in versions.items()}
        self._pid_size = pid_size
        if struct_header is None:
            struct_header = self._version >= STRUCT_HEADER_SINCE
        self._struct_header = struct_header
        self._holders = HolderRegistry() if holders is None else holders
        self._traits = Traits(self.version_of, pid_size, struct_header)
        self._codecs: dict[Wire, Codec[Any]] = {}
        self._variants: dict[bool, WireContext] = {struct_header: self}
        self._holder_codec = HolderCodec(self._holders, self.codec, headers=struct_header)

    @property
    def version(self) -> Version:
        """The main NEX version."""
        return self._version

    @property
    def versions(self) -> Mapping[str, Version]:
        """The versions that differ from the main one, by key."""
        return MappingProxyType(self._versions)

    @property
    def pid_size(self) -> int:
        """Bytes of a PID: 4 or 8."""
        return self._pid_size

    @property
    def struct_header(self) -> bool:
        """Whether structures have headers."""
        return self._struct_header

    @property
    def holders(self) -> HolderRegistry:
        """The structures that data holders may contain."""
        return self._holders

    def version_of(self, key: str | None) -> Version:
        """Return the version that decides for a key; the main one for None and unknown keys."""
        return self._version if key is None else self._versions.get(key, self._version)

    def with_(self, *, struct_header: bool) -> WireContext:
        """Return the same context with or without headers; the same object every time."""
        if struct_header not in self._variants:
            other = WireContext(
                self._version,
                versions=self._versions,
                pid_size=self._pid_size,
                struct_header=struct_header,
                holders=self._holders,
            )
            other._variants = self._variants
            self._variants[struct_header] = other
        return self._variants[struct_header]

    @overload
    def codec(self, tp: type[S]) -> Codec[S]: ...

    @overload
    def codec(self, tp: Any) -> Codec[Any]: ...

    def codec(self, tp: Any) -> Codec[Any]:
        """Return the codec of a structure or of any other annotation.

        Raise TypeError if it cannot be sent.
        """
        wire = concrete(resolve(tp), self._traits)
        found = self._codecs.get(wire)
        if found is None:
            verify(wire, self._traits)
            title = wire.cls.__name__ if isinstance(wire, StructOf) else _title(tp)
            found = Codec[Any](title, wire, self._traits, self._new_scope)
            self._codecs[wire] = found
        return found

    def record(
        self, name: str, fields: Sequence[RecordField], key: str | None = None
    ) -> RecordCodec:
        """Return a codec for values that follow each other, called `name` in errors.

        `key` is the version key that the conditions of the fields compare with. Raise
        TypeError for a field that cannot be sent. Keep the codec: it is not cached here.
        """
        level = Level(
            name,
            key,
            tuple(FieldSpec(field.name, field.default, field.when) for field in fields),
        )
        wires = [resolve(field.annotation) for field in fields]
        layout = level_layout(level, wires, self._traits, header=False)
        verify_level(layout, self._traits)
        return RecordCodec(name, layout, self._traits, self._new_scope)

    def _new_scope(self) -> Scope:
        return Scope(self.codec, self._holder_codec)

    def __repr__(self) -> str:
        header = "with" if self._struct_header else "without"
        return (
            f"<WireContext NEX {format_version(self._version)}, {self._pid_size}-byte PIDs, "
            f"{header} structure headers>"
        )


def _title(tp: Any) -> str:
    return tp.__name__ if isinstance(tp, type) else str(tp).removeprefix("typing.")
