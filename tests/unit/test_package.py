"""What the package is by itself, and `nekonex.connect`: a function and a package in one."""

from __future__ import annotations

import subprocess
import sys

import pytest

import nekonex

_FUNCTION_FIRST = """
import sys, nekonex
from nekonex import connect
assert "nekonex.connect" not in sys.modules
import nekonex.connect as package
"""

_PACKAGE_FIRST = """
import nekonex.connect as package
from nekonex import connect
assert connect is package
"""

_AT_ONCE = """
import nekonex
load = nekonex.import_module
def load_while_another_thread_imports_the_package(name):
    import nekonex.connect
    return load(name)
nekonex.import_module = load_while_another_thread_imports_the_package
from nekonex import connect
import nekonex.connect
package = nekonex.connect
"""

_USE = """
from nekonex import settings
for each in (connect, package):
    assert hasattr(each(settings.default(), "127.0.0.1", 9), "__aenter__")
assert package.Status(404).name == "NOT_FOUND"
"""


@pytest.mark.parametrize("beginning", [_FUNCTION_FIRST, _PACKAGE_FIRST, _AT_ONCE])
def test_both_are_there(beginning: str) -> None:
    subprocess.run([sys.executable, "-c", beginning + _USE], check=True)


def test_every_name_is_there_and_no_other() -> None:
    namespace: dict[str, object] = {}
    exec("from nekonex import *", namespace)
    assert namespace.keys() - {"__builtins__"} == set(nekonex.__all__)
    assert set(nekonex.__all__) <= set(dir(nekonex))
    assert namespace["Game"] is nekonex.Game
    with pytest.raises(AttributeError, match="module 'nekonex' has no attribute 'Gane'"):
        _ = nekonex.Gane


def test_who_only_talks_to_plugins_loads_no_game_server() -> None:
    check = (
        "import sys, nekonex.connect\nassert not {'nekonex.nex', 'nekonex.game'} & {*sys.modules}"
    )
    subprocess.run([sys.executable, "-c", check], check=True)
