"""Arguments of any kind for methods, from their annotations."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

from nekonex.rmc import Protocol
from nekonex.rmc.codecs import MethodCodec
from nekonex.wire import WireContext
from nekonex.wire.layout import concrete, layout_of
from nekonex.wire.types import Blob, ListOf, Scalar, StructOf, Text, Wire, resolve

__all__ = ["arguments"]

_BITS = {"B": 8, "H": 16, "I": 32, "Q": 64}


def arguments(
    protocol: type[Protocol], codec: MethodCodec, context: WireContext
) -> st.SearchStrategy[list[Any]]:
    """Return a strategy for the arguments of a method: small numbers mostly, and all others."""
    [definition] = [each for each in protocol.definitions() if each.name == codec.name]
    traits = context._traits
    wires = [
        concrete(resolve(parameter.annotation), traits)
        for parameter in definition.signature.parameters
    ]
    return st.tuples(*[_values(wire, context) for wire in wires]).map(list)


def _values(wire: Wire, context: WireContext) -> st.SearchStrategy[Any]:
    match wire:
        case Scalar(code="?"):
            return st.booleans()
        case Scalar(code=code, wrap=None) if code in _BITS:
            return st.one_of(st.integers(0, 3), st.integers(0, (1 << _BITS[code]) - 1))
        case Scalar(code=code, wrap=None):
            return st.integers(-3, 3)
        case Scalar(wrap=wrap) if wrap is not None:
            return st.builds(wrap, st.integers(0, (1 << 32) - 1))
        case Blob():
            return st.binary(max_size=300)
        case Text():
            return st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
        case ListOf(item=item):
            return st.lists(_values(item, context), max_size=4)
        case StructOf(cls=cls):
            fields = {
                field.name: _values(field.wire, context)
                for level in layout_of(cls, context._traits).levels
                for field in level.fields
                if field.present
            }
            return st.builds(cls, **fields)
        case _:
            raise NotImplementedError(wire)
