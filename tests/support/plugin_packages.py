"""Folders and packages of plugins, sound ones and others."""

from __future__ import annotations

import io
import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

from nekonex.connect.packages import Package, read_package
from tests.support.plugin_folders import spec_sheet

__all__ = [
    "LOGIC",
    "package",
    "package_bytes",
    "patched",
    "spec_text",
    "tree",
    "write_plugin",
    "zip_of",
]

LOGIC = "class Logic:\n    def recv(self, ctx):\n        ctx.send(ctx.data)\n"


def spec_text(
    name: str = "Chat", *, greet: str = "chat", version: str = "1.0", logic: str = "logic"
) -> str:
    return spec_sheet(name, greet, logic, version)


def write_plugin(
    folder: Path, files: Mapping[str, str] | None = None, /, *, logic: str = LOGIC, **spec: str
) -> Path:
    """Write a plugin into a folder, with further files."""
    for path, text in {"spec.conf": spec_text(**spec), "logic.py": logic, **(files or {})}.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return folder


Entry = tuple[str | zipfile.ZipInfo, bytes | str]


def zip_of(
    entries: Mapping[str, bytes | str] | Iterable[Entry], compression: int = zipfile.ZIP_DEFLATED
) -> bytes:
    """Return a zip file of entries, whatever their names."""
    if isinstance(entries, Mapping):
        entries = list(entries.items())
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in entries:
            entry = name
            if isinstance(name, str):
                # The name as it is: the class would mend it.
                entry = zipfile.ZipInfo("x")
                entry.filename = entry.orig_filename = name
            archive.writestr(entry, content, compression)
    return buffer.getvalue()


def package_bytes(
    files: Mapping[str, bytes | str] | None = None, /, *, logic: str = LOGIC, **spec: str
) -> bytes:
    """Return a sound package, with further files."""
    name = spec.get("logic", "logic").removesuffix(".py")
    return zip_of({"spec.conf": spec_text(**spec), f"{name}.py": logic, **(files or {})})


def package(files: Mapping[str, bytes | str] | None = None, /, **spec: str) -> Package:
    """Return a sound package as it was read."""
    return read_package(package_bytes(files, **spec), "test.ncp")


def tree(folder: Path) -> dict[str, str]:
    """Return the files in a folder, by their paths."""
    return {
        path.relative_to(folder).as_posix(): path.read_text("utf-8")
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def patched(content: bytes, signature: bytes, offset: int, form: str, value: int) -> bytes:
    """Return a zip file with another number in all headers of a kind."""
    changed = bytearray(content)
    at = changed.find(signature)
    while at >= 0:
        struct.pack_into(form, changed, at + offset, value)
        at = changed.find(signature, at + 4)
    return bytes(changed)
