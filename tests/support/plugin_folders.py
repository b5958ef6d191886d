"""Folders with a plugin in them."""

from __future__ import annotations

import textwrap
from pathlib import Path

__all__ = ["ECHO", "make_plugin", "spec_sheet"]

ECHO = """\
class Logic:
    def recv(self, ctx):
        ctx.send(ctx.data, ctx.op)
"""


def spec_sheet(
    name: str = "An echo", greet: str = "echo", logic: str = "logic", version: str = "1.0"
) -> str:
    """Return the text of a spec sheet."""
    return (
        f'$name {{"{name}"}};\n$greet {{"{greet}"}};\n'
        f'$logic {{"{logic}"}};\n$version {{"{version}"}};\n'
    )


def make_plugin(
    folder: Path, logic: str = ECHO, /, *, spec: str | None = None, **modules: str
) -> Path:
    """Write a plugin: its logic file, and modules by their names, ``a__b`` for ``a/b.py``."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "spec.conf").write_text(spec_sheet() if spec is None else spec, encoding="utf-8")
    for name, text in {"logic": logic, **modules}.items():
        path = folder / f"{name if name.startswith('__') else name.replace('__', '/', 1)}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return folder
