"""What the pages about NekoConnect show: frames byte by byte, and what plugins are given."""

from __future__ import annotations

import ast
import inspect
import json
import struct
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from docs._gen.tables import attribute_docstrings, one_line, table
from nekonex.connect import context

__all__ = ["VECTORS", "app_members", "context_members", "frame_dump", "plugin_values"]

VECTORS: Final = Path(__file__).parents[2] / "tests" / "vectors" / "nekoconnect.json"

HEADER: Final = (
    ("packet_len", 4),
    ("op_len", 1),
    ("greeter_len", 1),
    ("data_len", 4),
    ("hash_len", 1),
    ("random_len", 1),
)
BODY: Final = ("greeter", "op", "random", "data", "hash")
NUMBERS: Final = frozenset({"op", *(name for name, _ in HEADER)})
WIDTH: Final = 16


def frame_dump(step: int) -> Iterator[str]:
    """Yield a frame of the first conversation of the vectors, with the meaning of every byte."""
    (conversation, *_) = json.loads(VECTORS.read_text(encoding="utf-8"))["conversations"]
    frame = bytes.fromhex(conversation["steps"][step]["bytes"])
    yield "```text"
    yield f"{'at':>3}  {'bytes':{3 * WIDTH}} {'field':12} value"
    at, op = 0, 0
    for name, size in _fields(frame):
        part = frame[at : at + size]
        number = int.from_bytes(part, "big")
        op = number if name == "op" else op
        for start in range(0, size, WIDTH):
            line = part[start : start + WIDTH]
            shown = name if start == 0 else ""
            value = str(number) if name in NUMBERS or number == op else _text(line)
            yield f"{at + start:3}  {line.hex(' '):{3 * WIDTH}} {shown:12} {value}"
        at += size
    yield "```"


def _fields(frame: bytes) -> Iterator[tuple[str, int]]:
    """Yield the name and the size of each field."""
    yield from HEADER
    _, op, greeter, data, hash_, random = struct.unpack_from(">IBBIBB", frame)
    yield from zip(BODY, (greeter, op, random, data, hash_), strict=True)


def _text(part: bytes) -> str:
    return f'"{part.decode("ascii")}"'


def context_members() -> Iterator[str]:
    """Yield the table of what ``ctx`` has."""
    return _members(context.Context, context.AsyncContext)


def app_members() -> Iterator[str]:
    """Yield the table of what ``app`` has."""
    return _members(context.App, context.AsyncApp)


def plugin_values() -> Iterator[str]:
    """Yield the table of the fields of what queries return."""
    rows = []
    for cls in (context.OnlinePlayer, context.OpenGathering, context.TopScore):
        texts = attribute_docstrings(cls)
        for name, kind in inspect.get_annotations(cls).items():
            field = f"`{name}: {getattr(kind, '__forward_arg__', kind)}`"
            rows.append((f"`{cls.__name__}`", field, _prose(texts.get(name, ""))))
    yield from table(("value", "field", "meaning"), rows)


def _members(plain: type, waiting: type) -> Iterator[str]:
    """Yield a row for each member of a stub class; those that all stubs have come last."""
    common, *others = (cls for cls in reversed(plain.__mro__) if cls.__module__ == context.__name__)
    rows = []
    for cls in (*others, common):
        texts = attribute_docstrings(cls)
        for name, kind in inspect.get_annotations(cls).items():
            rows.append((f"`{name}: {kind}`", "", _prose(texts[name])))
        for name, member in vars(cls).items():
            if name.startswith("_"):
                continue
            other = inspect.getattr_static(waiting, name)
            awaited = "yes" if inspect.iscoroutinefunction(other) else ""
            meaning = _prose(inspect.getdoc(member) or "")
            rows.append((f"`{_declaration(name, member)}`", awaited, meaning))
    yield from table(("member", "awaited", "meaning"), rows)


def _declaration(name: str, member: Any) -> str:
    """Return a property or a method as it stands in the file, without ``self``."""
    if isinstance(member, property):
        return f"{name}: {inspect.get_annotations(member.fget)['return']}"  # type: ignore[arg-type]
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(member))).body
    if not isinstance(definition, ast.FunctionDef) or definition.returns is None:
        raise TypeError(f"{member!r} is no typed method")
    del definition.args.args[0]
    parameters = ast.unparse(definition.args).replace("=", " = ").replace("'", '"')
    return f"{name}({parameters}) -> {ast.unparse(definition.returns)}".replace("_E", "E")


def _prose(text: str) -> str:
    return one_line(text).replace("``", "`")
