"""Values for structures, and the same values as NintendoClients' objects."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from nintendo.nex import (
    authentication,
    common,
    datastore,
    friends,
    matchmaking,
    notification,
    ranking,
    secure,
    settings,
    streams,
    utility,
)

from nekonex.nex import structures
from nekonex.values import DateTime, Result, StationURL
from nekonex.wire import Structure, Variant, WireContext
from nekonex.wire.layout import Layout, layout_of
from nekonex.wire.types import (
    Blob,
    Holder,
    ListOf,
    MapOf,
    Scalar,
    StructOf,
    Text,
    Url,
    VariantOf,
    Wire,
)

MODULES = (
    common,
    authentication,
    secure,
    notification,
    matchmaking,
    ranking,
    friends,
    datastore,
    utility,
)

HELD = (
    structures.NullData,
    structures.AuthenticationInfo,
    structures.NintendoLoginData,
    structures.AccountExtraInfo,
)

INTEGERS = {
    "B": (0, 2**8 - 1),
    "H": (0, 2**16 - 1),
    "I": (0, 2**32 - 1),
    "Q": (0, 2**64 - 1),
    "b": (-(2**7), 2**7 - 1),
    "h": (-(2**15), 2**15 - 1),
    "i": (-(2**31), 2**31 - 1),
    "q": (-(2**63), 2**63 - 1),
}

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
URLS = st.builds(
    lambda scheme, params: StationURL.parse(
        f"{scheme}:/" + ";".join(f"{key}={value}" for key, value in params.items())
    ),
    st.sampled_from(["prudp", "prudps", "udp"]),
    st.fixed_dictionaries(
        {},
        optional={
            "address": st.sampled_from(["192.0.2.1", "example.net", ""]),
            "port": st.integers(0, 65535),
            "PID": st.integers(0, 2**32 - 1),
            "type": st.integers(0, 3),
            "unknown": st.sampled_from(["", "a b", "0x1F"]),
        },
    ),
)
# NintendoClients writes an int as u64, or as s64 if it is negative.
VARIANTS = st.one_of(
    st.just(Variant(0)),
    st.builds(Variant, st.just(1), st.integers(-(2**63), -1)),
    st.builds(Variant, st.just(2), st.floats(allow_nan=False)),
    st.builds(Variant, st.just(3), st.booleans()),
    st.builds(Variant, st.just(4), TEXT),
    st.builds(Variant, st.just(5), st.builds(DateTime, st.integers(0, 2**64 - 1))),
    st.builds(Variant, st.just(6), st.integers(0, 2**64 - 1)),
)


def layout(cls: type[Structure], context: WireContext) -> Layout:
    """Return what a structure looks like in a context."""
    return layout_of(cls, context._traits)


def present_fields(cls: type[Structure], context: WireContext) -> dict[str, Wire]:
    """Return the fields that are on the wire, optional ones apart."""
    return {
        field.name: field.wire
        for level in layout(cls, context).levels
        for field in level.fields
        if field.present and not field.optional
    }


SIMPLE: dict[type[Wire], st.SearchStrategy[Any]] = {
    Text: TEXT,
    Url: URLS,
    Blob: st.binary(max_size=20),
    VariantOf: VARIANTS,
}

NUMBERS: dict[str, st.SearchStrategy[Any]] = {
    "?": st.booleans(),
    "f": st.floats(width=32, allow_nan=False),
    "d": st.floats(allow_nan=False),
    **{code: st.integers(*limits) for code, limits in INTEGERS.items()},
}


def values(wire: Wire, context: WireContext) -> st.SearchStrategy[Any]:
    """Return a strategy for values of a type."""
    match wire:
        case Scalar(code=code, wrap=None):
            return NUMBERS[code]
        case Scalar(code=code, wrap=wrap) if wrap is not None:
            return st.builds(wrap, NUMBERS[code])
        case ListOf(item=item):
            return st.lists(values(item, context), max_size=3)
        case MapOf(key=key, value=value):
            return st.dictionaries(values(key, context), values(value, context), max_size=3)
        case StructOf(cls=cls):
            return instances(cls, context)
        case Holder():
            return st.one_of([instances(cls, context) for cls in HELD])
        case _:
            return SIMPLE[type(wire)]


NARROWED: dict[tuple[type[Structure], str], st.SearchStrategy[Any]] = {
    (structures.DataStoreRatingInfoWithSlot, "slot"): st.integers(0, 127),
    (structures.DataStoreRatingTarget, "slot"): st.integers(0, 127),
}
"""Fields that are signed on one side only."""


def instances(cls: type[Structure], context: WireContext) -> st.SearchStrategy[Any]:
    """Return a strategy for structures whose absent fields have their defaults."""
    fields = present_fields(cls, context)
    missing = [
        spec.name
        for level in cls.wire_levels
        for spec in level.fields
        if spec.is_required and spec.name not in fields
    ]
    assert not missing
    drawn = {
        name: NARROWED[cls, name] if (cls, name) in NARROWED else values(wire, context)
        for name, wire in fields.items()
    }
    return st.builds(cls, **drawn)


class Twin:
    """NintendoClients in the same configuration as a context."""

    def __init__(self, context: WireContext) -> None:
        self.context = context
        major, minor, patch = context.version
        self.settings = settings.default()
        self.settings["nex.version"] = major * 10000 + minor * 100 + patch
        self.settings["nex.struct_header"] = int(context.struct_header)
        self.settings["nex.pid_size"] = context.pid_size
        # Its table is global, and importing a game's module replaces entries.
        for name in ("NullData", "AuthenticationInfo", "MatchmakeSession", "PersistentGathering"):
            common.DataHolder.register(self.class_named(name), name)
        for name in ("NintendoLoginData", "AccountExtraInfo", "Gathering"):
            common.DataHolder.register(self.class_named(name), name)

    @staticmethod
    def class_named(name: str) -> Any:
        """Return NintendoClients' class of a structure."""
        for module in MODULES:
            if hasattr(module, name):
                return getattr(module, name)
        raise LookupError(name)

    def copy(self, value: Any) -> Any:
        """Return NintendoClients' form of a value."""
        match value:
            case DateTime():
                return common.DateTime(value.value)
            case Result():
                return common.Result(value.code)
            case StationURL():
                return common.StationURL.parse(str(value))
            case Variant():
                return self.copy(value.value)
            case list():
                return [self.copy(item) for item in value]
            case dict():
                return {self.copy(key): self.copy(item) for key, item in value.items()}
            case Structure():
                made = self.class_named(type(value).__name__)()
                for name in present_fields(type(value), self.context):
                    setattr(made, name, self.copy(getattr(value, name)))
                return made
            case _:
                return value

    def encode(self, value: Any) -> bytes:
        """Encode with NintendoClients."""
        stream = streams.StreamOut(self.settings)
        stream.add(value)
        return bytes(stream.get())

    def decode(self, cls_name: str, data: bytes) -> Any:
        """Decode with NintendoClients; all bytes must be taken."""
        stream = streams.StreamIn(data, self.settings)
        value = stream.extract(self.class_named(cls_name))
        assert stream.eof()
        return value


def plain(value: Any) -> Any:
    """Turn NintendoClients' objects into something that compares by value."""
    match value:
        case list():
            return [plain(item) for item in value]
        case dict():
            return {plain(key): plain(item) for key, item in value.items()}
        case common.DateTime():
            return ("DateTime", value.value())
        case common.Result():
            return ("Result", value.code())
        case common.StationURL():
            return ("StationURL", repr(value))
        case common.Structure():
            fields = {name: plain(item) for name, item in vars(value).items()}
            return (type(value).__name__, fields)
        case _:
            return value
