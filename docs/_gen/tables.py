"""What the generators share: Markdown tables, and the texts that stand below definitions."""

from __future__ import annotations

import ast
import inspect
import itertools
import sys
import textwrap
from collections.abc import Iterable, Iterator
from types import ModuleType

__all__ = [
    "attribute_docstrings",
    "constant_docstrings",
    "instance_docstrings",
    "one_line",
    "table",
]


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """Yield a Markdown table; a column without a single entry is left out."""
    kept_rows = list(rows)
    kept = [i for i in range(len(head)) if any(row[i] for row in kept_rows)]
    yield "| " + " | ".join(head[i] for i in kept) + " |"
    yield "|" + " --- |" * len(kept)
    for row in kept_rows:
        yield "| " + " | ".join(_cell(row[i]) for i in kept) + " |"


def _cell(text: str) -> str:
    """Return a text without what would end its cell; between backticks nothing does."""
    parts = text.split("`")
    return "`".join(
        part if number % 2 else part.replace("|", "\\|") for number, part in enumerate(parts)
    )


def one_line(text: str) -> str:
    """Return a text without its line breaks."""
    return " ".join(text.split())


def attribute_docstrings(cls: type) -> dict[str, str]:
    """Return the texts below the annotated attributes of a class and of its own bases."""
    found: dict[str, str] = {}
    for each in reversed(cls.__mro__):
        if each.__module__.partition(".")[0] in sys.stdlib_module_names | {"pydantic"}:
            continue
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(each))).body
        found |= _texts_below(definition.body if isinstance(definition, ast.ClassDef) else [])
    return found


def instance_docstrings(cls: type) -> dict[str, str]:
    """Return the texts below the public attributes that the constructor of a class sets."""
    try:
        source = inspect.getsource(vars(cls)["__init__"])
    except (KeyError, OSError, TypeError):
        return {}  # it has none of its own, or one that was made at run time
    (definition,) = ast.parse(textwrap.dedent(source)).body
    found = _texts_below(definition.body if isinstance(definition, ast.FunctionDef) else [])
    return {name: text for name, text in found.items() if not name.startswith("_")}


def constant_docstrings(module: ModuleType) -> dict[str, str]:
    """Return the texts below the constants of a module."""
    return _texts_below(ast.parse(inspect.getsource(module)).body)


def _texts_below(body: list[ast.stmt]) -> dict[str, str]:
    found: dict[str, str] = {}
    for statement, below in itertools.pairwise(body):
        match statement, below:
            case (
                ast.AnnAssign(target=ast.Name(id=name) | ast.Attribute(attr=name))
                | ast.Assign(targets=[ast.Name(id=name) | ast.Attribute(attr=name)]),
                ast.Expr(value=ast.Constant(value=str(text))),
            ):
                found[name] = text
    return found
