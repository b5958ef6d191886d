"""`nekonex.connect` is a function and a package, in whatever order both are used."""

from __future__ import annotations

import subprocess
import sys

import pytest

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

_USE = """
from nekonex import settings
for each in (connect, package):
    assert hasattr(each(settings.default(), "127.0.0.1", 9), "__aenter__")
assert package.Status(404).name == "NOT_FOUND"
"""


@pytest.mark.parametrize("beginning", [_FUNCTION_FIRST, _PACKAGE_FIRST])
def test_both_are_there(beginning: str) -> None:
    subprocess.run([sys.executable, "-c", beginning + _USE], check=True)
