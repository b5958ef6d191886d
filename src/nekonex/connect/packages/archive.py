"""Building the package of a plugin's folder."""

from __future__ import annotations

import contextlib
import io
import secrets
import stat
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from nekonex.connect.packages.errors import BadSpecError, BuildError, PackageTooLargeError
from nekonex.connect.packages.ignoring import BUILD_FOLDER, package_files
from nekonex.connect.packages.limits import DEFAULT_LIMITS, PackageLimits
from nekonex.connect.packages.logic import check_compiles
from nekonex.connect.packages.unpacking import read_package
from nekonex.connect.plugins import SPEC_FILE, PluginSpec, SpecError, read_spec

__all__ = ["PACKAGE_SUFFIX", "build_package", "package_name"]

PACKAGE_SUFFIX: Final = ".ncp"

_TIME: Final = (1980, 1, 1, 0, 0, 0)
_MODE: Final = stat.S_IFREG | 0o644
_UNIX: Final = 3
_LEVEL: Final = 9


def build_package(folder: Path, limits: PackageLimits = DEFAULT_LIMITS) -> Path:
    """Make ``build/<name>-<version>.ncp`` in a plugin's folder, and return its path.

    The author's code is compiled but not run. The same files make the same bytes, whenever and
    wherever they are built with the same Python. One that is there is replaced when the new one
    is whole. Raises PackageError: BadSpecError and LogicError begin with file, line and column.
    """
    try:
        spec = read_spec(folder)
    except SpecError as error:
        raise BadSpecError(str(error)) from None
    logic = f"{spec.logic}.py"
    target = folder / BUILD_FOLDER / package_name(spec)
    try:
        check_compiles((folder / logic).read_bytes(), str(folder / logic))
        paths = package_files(folder, (SPEC_FILE, logic), limits.max_files)
        content = _pack(_read(folder, paths, limits))
        # What is built can be installed: both go by one set of rules.
        read_package(content, target.name, limits)
        _write(target, content)
    except OSError as error:
        # A full disk has no name; and a package has its own only when it is whole.
        file = error.filename2 or error.filename or target
        raise BuildError(
            f"the package of {folder} cannot be built: {error.strerror}: {file}"
        ) from None
    return target


def package_name(spec: PluginSpec) -> str:
    """Return the file name of a plugin's package: lower case, an underscore for each blank."""
    return f"{spec.name}-{spec.version}".lower().replace(" ", "_") + PACKAGE_SUFFIX


def _read(folder: Path, paths: list[str], limits: PackageLimits) -> dict[str, bytes]:
    files = {}
    left = limits.max_unpacked
    for path in paths:
        with (folder / path).open("rb") as file:
            files[path] = file.read(left + 1)
        left -= len(files[path])
        if left < 0:
            raise PackageTooLargeError(
                f"{folder} has more than {limits.max_unpacked} bytes for a package"
            )
    return files


def _pack(files: Mapping[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for path, content in files.items():
            entry = zipfile.ZipInfo(path, _TIME)
            entry.create_system = _UNIX
            entry.external_attr = _MODE << 16
            archive.writestr(entry, content, zipfile.ZIP_DEFLATED, _LEVEL)
    return buffer.getvalue()


def _write(target: Path, content: bytes) -> None:
    made = not target.parent.exists()
    target.parent.mkdir(exist_ok=True)
    beside = target.with_name(f".building-{secrets.token_hex(8)}")
    try:
        beside.write_bytes(content)
        beside.replace(target)
    except OSError:
        beside.unlink(missing_ok=True)
        if made:
            with contextlib.suppress(OSError):
                target.parent.rmdir()
        raise
