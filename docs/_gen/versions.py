"""The tables of what depends on the NEX version, from the declarations themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from docs._gen.tables import table
from nekonex.nex import (
    Authentication,
    CrossplayAuthentication,
    DataStore,
    Health,
    MatchmakeExtension,
    MatchMaking,
    MatchMakingExt,
    NATTraversal,
    Notifications,
    Ranking,
    SecureConnection,
    Utility,
    structures,
)
from nekonex.rmc import MethodDefinition, Protocol
from nekonex.settings import format_version
from nekonex.wire import Condition, Structure, V

__all__ = ["field_versions", "method_versions"]

PROTOCOLS: Final[tuple[type[Protocol], ...]] = (
    Authentication,
    CrossplayAuthentication,
    SecureConnection,
    NATTraversal,
    Notifications,
    MatchMaking,
    MatchMakingExt,
    MatchmakeExtension,
    Utility,
    Ranking,
    DataStore,
    Health,
)
MAIN: Final = "the game's"


def field_versions() -> Iterator[str]:
    """Yield the table of the fields that not every version has."""
    rows = []
    for cls in _structures():
        level = cls.wire_levels[-1]
        for spec in level.fields:
            parts = [_told(spec.when)] if spec.when is not None else []
            if spec.until is not None:
                parts.append(f"before NEX {format_version(spec.until.version)}")
            if spec.wide_since is not None:
                since = format_version(spec.wide_since.version)
                parts.append(f"of twice the width from NEX {since} on")
            if spec.optional:
                parts.append("at the end of a message, where it differs from its default")
            if parts:
                key = _key(spec.when) or level.key
                rows.append(
                    (
                        f"`{cls.__name__}`",
                        f"`{spec.name}`",
                        "; ".join(parts),
                        f"`{key}`" if key else MAIN,
                    )
                )
    yield from table(("structure", "field", "on the wire", "version of"), rows)


def method_versions() -> Iterator[str]:
    """Yield the table of the methods, parameters and reply values that not every version has."""
    rows = []
    for protocol in PROTOCOLS:
        for definition in protocol.definitions():
            if definition.owner is not protocol and definition.owner in PROTOCOLS:
                continue
            name = f"{protocol.PROTOCOL_ID}.{definition.method_id}"
            when = _when(definition)
            if when:
                rows.append((name, f"`{protocol.__name__}.{definition.name}`", when))
            rows.extend(
                (name, f"`{protocol.__name__}.{definition.name}`: {value}", text)
                for value, text in _values(definition)
            )
    yield from table(("number", "what", "exists"), rows)


def _structures() -> Iterator[type[Structure]]:
    for name in structures.__all__:
        found = getattr(structures, name)
        if isinstance(found, type) and issubclass(found, Structure) and found.wire_levels:
            yield found


def _when(definition: MethodDefinition) -> str:
    parts = [_told(definition.when)] if definition.when is not None else []
    if definition.until is not None:
        parts.append(f"before NEX {format_version(definition.until.version)}")
    return "; ".join(parts)


def _values(definition: MethodDefinition) -> Iterator[tuple[str, str]]:
    """Yield the parameters and reply values that have conditions, and these."""
    signature = definition.signature
    for parameter in signature.parameters:
        if parameter.when is not None:
            yield f"parameter `{parameter.name}`", _told(parameter.when)
    for part in signature.parts:
        if part.when is not None:
            several = len(signature.parts) > 1
            yield (f"reply value `{part.name}`" if several else "the reply"), _told(part.when)


def _told(condition: Any) -> str:
    return f"from {condition} on"


def _key(condition: Condition | None) -> str | None:
    return condition.key if isinstance(condition, V) else None
