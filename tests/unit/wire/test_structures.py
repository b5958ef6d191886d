"""Structures as Python classes."""

from __future__ import annotations

import copy
import pickle
import types
from typing import Any, ClassVar

import pytest

from nekonex.values import DateTime, StationURL
from nekonex.wire import (
    PID,
    AnyData,
    Data,
    String,
    Structure,
    UInt8,
    UInt16,
    UInt32,
    V,
    Variant,
    WireContext,
    field,
)


class Point(Structure):
    x: UInt32
    y: UInt32 = 7


class Everything(Point):
    numbers: list[UInt8] = field(default=[1, 2])
    names: dict[String, UInt8] = field(default={"a": 1})
    nested: list[list[UInt8]] = field(default=[[1]])
    point: Point = field(default=Point(5, 6))
    station: StationURL = field(default=StationURL("prudp", port=1))
    since: DateTime = field(default=DateTime(3))
    token: String = field(default="", secret=True)


class Later(Structure):
    number: UInt32 = field(when=V("4.0"))
    text: String = field(when=V("4.0"))
    flag: bool = field(when=V("4.0"))
    raw: bytes = field(when=V("4.0"))
    items: list[UInt8] = field(when=V("4.0"))
    pairs: dict[String, UInt8] = field(when=V("4.0"))
    station: StationURL = field(when=V("4.0"))
    date: DateTime = field(when=V("4.0"))
    point: Point = field(when=V("4.0"))
    variant: Variant = field(when=V("4.0"))
    pid: PID = field(when=V("4.0"))


def test_constructor() -> None:
    assert (Point(1).x, Point(1).y) == (1, 7)
    assert Point(1, 2) == Point(y=2, x=1)
    with pytest.raises(TypeError, match="'x'"):
        Point()  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="z"):
        Point(1, z=2)  # type: ignore[call-arg]


def test_inherited_fields_come_first() -> None:
    value = Everything(1, 2, [3])
    assert (value.x, value.y, value.numbers) == (1, 2, [3])


def test_slots() -> None:
    value = Everything(1)
    assert not hasattr(value, "__dict__")
    with pytest.raises(AttributeError):
        value.other = 1  # type: ignore[attr-defined]


@pytest.mark.parametrize("name", ["numbers", "names", "nested", "point", "station"])
def test_defaults_are_fresh(name: str) -> None:
    first, second = Everything(1), Everything(1)
    assert getattr(first, name) == getattr(second, name)
    assert getattr(first, name) is not getattr(second, name)


def test_defaults_do_not_share_what_is_in_them() -> None:
    first = Everything(1)
    first.nested[0].append(9)
    first.point.x = 9
    first.station["port"] = 9
    second = Everything(1)
    assert second.nested == [[1]]
    assert second.point == Point(5, 6)
    assert second.station["port"] == 1


def test_equality() -> None:
    assert Point(1) == Point(1)
    assert Point(1) != Point(2)
    assert Point(1, 7) != Everything(1, 7)
    other: object = 1
    assert Point(1) != other
    with pytest.raises(TypeError, match="unhashable"):
        hash(Point(1))


def test_repr_hides_secrets() -> None:
    assert repr(Point(1)) == "Point(x=1, y=7)"
    text = repr(Everything(1, token="hunter2"))
    assert "hunter2" not in text
    assert "token=<secret>" in text


def test_zero_where_no_default_is_given() -> None:
    class Simple(Structure):
        later: UInt32 = field(when=V("4.0"))
        earlier: UInt8 = field(until=V("3.0"))

    value = Simple()  # type: ignore[call-arg]
    assert (value.later, value.earlier) == (0, 0)
    later = WireContext("3.5").codec(Later).decode(bytes(5))
    assert later == Later()  # type: ignore[call-arg]
    assert (later.number, later.text, later.flag, later.raw) == (0, "", False, b"")
    assert (later.items, later.pairs, later.station) == ([], {}, StationURL())
    assert (later.date, later.variant, later.pid) == (DateTime(0), Variant(0), 0)
    assert later.point == Point(0, 7)
    assert later.items is not WireContext("3.5").codec(Later).decode(bytes(5)).items


def test_copies() -> None:
    value = Everything(1, token="t")
    assert copy.deepcopy(value) == value
    assert copy.deepcopy(value).numbers is not value.numbers
    assert pickle.loads(pickle.dumps(value)) == value


def test_matching() -> None:
    match Point(1, 2):
        case Point(x, y):
            assert (x, y) == (1, 2)


def test_class_variables_are_no_fields() -> None:
    class Constants(Structure):
        limit: ClassVar[int] = 5
        x: UInt8 = 0

    assert Constants(3).x == 3
    assert Constants.limit == 5


def test_methods_may_be_added() -> None:
    class Named(Point):
        @property
        def total(self) -> int:
            return self.x + self.y

    assert Named(1, 2).total == 3


def test_a_default_before_a_required_field() -> None:
    with pytest.raises(TypeError, match=r"Made.b: a field without a default follows"):
        _structure(a=(UInt8, 0), b=UInt8)


def test_two_bases() -> None:
    with pytest.raises(TypeError, match="one base"):

        class Wrong(Point, Data):
            pass


def test_private_names() -> None:
    with pytest.raises(TypeError, match="begins with a letter"):

        class Wrong(Structure):
            _a: UInt8 = 0


def test_optional_needs_a_default() -> None:
    with pytest.raises(TypeError, match="optional field needs a default"):
        field(optional=True)  # type: ignore[call-overload]


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: _structure(a=int), r"Made.a: .*an int needs a width"),
        (lambda: _structure(a=(String, field(default="", wide_since=V("3.0")))), "wide_since"),
        (lambda: _structure(a=(AnyData, field(when=V("4.0")))), r"Made.a: a data holder has no"),
        (
            lambda: _structure(a=(UInt8, field(default=0, optional=True)), b=(UInt8, 0)),
            r"Made.b: it follows an optional field",
        ),
    ],
)
def test_wrong_declarations_are_found_when_the_codec_is_made(make: Any, reason: str) -> None:
    with pytest.raises(TypeError, match=reason):
        WireContext("3.5").codec(make())


def _structure(**fields: Any) -> type[Structure]:
    """Make a structure as a class statement would, out of the type checker's sight."""
    body: dict[str, Any] = {"__module__": __name__, "__annotations__": {}}
    for name, value in fields.items():
        annotation = value
        if isinstance(value, tuple):
            annotation, body[name] = value
        body["__annotations__"][name] = annotation
    return types.new_class("Made", (Structure,), exec_body=lambda space: space.update(body))


class Tree(Structure):
    label: UInt8
    children: list[Tree]


class Endless(Structure):
    label: UInt8
    inner: Endless


def test_structures_that_contain_themselves() -> None:
    codec = WireContext("3.4").codec(Tree)
    tree = Tree(1, [Tree(2, []), Tree(3, [Tree(4, [])])])
    assert codec.encode(tree).hex() == "0102000000" + "0200000000" + "0301000000" + "0400000000"
    assert codec.decode(codec.encode(tree)) == tree
    with pytest.raises(TypeError, match="Endless contains itself"):
        WireContext().codec(Endless)


class Sized(Structure, key="ranking"):
    narrow: UInt8 = field(default=1, wide_since=V("3.0"))
    medium: UInt16 = field(default=1, wide_since=V("3.0"))
    large: UInt32 = field(default=1, wide_since=V("3.0"))
    old: UInt8 = field(default=5, until=V("4.0"))


def test_width_and_until() -> None:
    assert WireContext("2.4").codec(Sized).encode(Sized()).hex() == "0101000100000005"
    assert WireContext("3.0").codec(Sized).encode(Sized()).hex() == "010001000000010000000000000005"
    context = WireContext("2.4", versions={"ranking": "4.0"})
    assert len(context.codec(Sized).encode(Sized())) == 14
    context = WireContext("4.0", versions={"matchmaking": "2.0"}, struct_header=False)
    assert len(context.codec(Sized).encode(Sized())) == 14


class Base(Structure, key="matchmaking"):
    a: UInt8 = 1
    b: UInt8 = 2


class Override(Base):
    a: UInt16 = 3
    c: UInt8 = 4


class Longer(Base, same_level=True):
    c: UInt8 = 4


def test_a_game_overrides_a_field_in_place() -> None:
    assert WireContext("3.4").codec(Override).encode(Override()).hex() == "03000204"
    assert WireContext("3.5").codec(Override).encode(Override()).hex() == (
        "0003000000030002000100000004"
    )
    assert WireContext("3.5").codec(Base).encode(Base()).hex() == "00020000000102"


def test_a_game_adds_to_the_level_of_the_base() -> None:
    assert WireContext("3.5").codec(Longer).encode(Longer()).hex() == "0003000000010204"


def test_the_key_is_inherited() -> None:
    assert [level.key for level in Override.wire_levels] == ["matchmaking", "matchmaking"]
