"""What a class statement says about methods: ids, conditions, and which function is meant."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from nekonex.rmc.signature import Signature, inherit_signature, read_signature
from nekonex.settings import Version
from nekonex.wire import Condition, V

__all__ = ["MethodDefinition", "definitions_of", "method"]

_MARK = "__rmc_method__"
_RESERVED = frozenset({"bind", "client", "codecs", "definitions", "handle", "logout"})

_Function = TypeVar("_Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class _Mark:
    method_id: int
    when: Condition | None
    until: V | None


@dataclass(slots=True, kw_only=True)
class MethodDefinition:
    """One method of a protocol class, as that class or the nearest of its bases defines it."""

    method_id: int
    name: str
    owner: type
    """The class that has the function."""
    function: Callable[..., Any]
    when: Condition | None
    """Under which condition the method exists; None: always."""
    until: V | None
    """The version from which on it does not exist any more; None: it stays."""
    overrides: "MethodDefinition | None" = None
    """The method that supplies the wire format where the function itself does not."""
    _signature: Signature | None = field(default=None, repr=False)

    @property
    def signature(self) -> Signature:
        """Parameters and reply. TypeError if the annotations do not say what they are.

        NameError while an annotation names something that is not defined yet.
        """
        if self._signature is None:
            place = f"{self.owner.__name__}.{self.name}"
            if self.overrides is None:
                self._signature = read_signature(self.function, place)
            else:
                self._signature = inherit_signature(self.function, place, self.overrides.signature)
        return self._signature

    def exists(self, version_of: Callable[[str | None], Version]) -> bool:
        """Tell whether the method is there at a version."""
        if self.until is not None and self.until.holds(version_of):
            return False
        return self.when is None or self.when.need(version_of) is not None


def method(
    method_id: int, *, when: Condition | None = None, until: V | None = None
) -> Callable[[_Function], _Function]:
    """Make a function of a `Protocol` class the method with a number.

    It exists while ``when`` holds and before the version ``until``; by default
    always. ValueError for a number that does not fit: replies have 15 bits for it.
    """
    if not 0 <= method_id <= 0x7FFF:
        raise ValueError(f"a method id has 15 bits; {method_id} does not fit")

    def mark(function: _Function) -> _Function:
        vars(function)[_MARK] = _Mark(method_id, when, until)
        return function

    return mark


def definitions_of(
    cls: type, namespace: dict[str, Any], inherited: dict[str, MethodDefinition]
) -> dict[str, MethodDefinition]:
    """Collect the methods that a class body defines, overrides included, by name.

    Raises TypeError for a second method with the number of another one, unless
    their conditions may exclude each other, and for names that mean something
    else.
    """
    own: dict[str, MethodDefinition] = {}
    for name, value in namespace.items():
        if not inspect.isfunction(value):
            continue
        mark: _Mark | None = vars(value).get(_MARK)
        overridden = None
        if mark is None:
            overridden = inherited.get(name)
            if overridden is None:
                continue
            mark = _Mark(overridden.method_id, overridden.when, overridden.until)
        elif name in _RESERVED:
            raise TypeError(f"{cls.__name__}.{name}: every protocol has something of that name")
        own[name] = MethodDefinition(
            method_id=mark.method_id,
            name=name,
            owner=cls,
            function=value,
            when=mark.when,
            until=mark.until,
            overrides=overridden,
        )
    _check_numbers(cls, own)
    return own


def _check_numbers(cls: type, own: dict[str, MethodDefinition]) -> None:
    unconditional: dict[int, str] = {}
    for definition in own.values():
        if definition.when is not None or definition.until is not None:
            continue
        other = unconditional.setdefault(definition.method_id, definition.name)
        if other != definition.name:
            raise TypeError(
                f"{cls.__name__}: method {definition.method_id} is both {other} "
                f"and {definition.name}"
            )
