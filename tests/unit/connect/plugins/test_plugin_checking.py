"""What an author is told of a plugin that is wrong, or odd."""

from __future__ import annotations

import sys
from pathlib import Path

from nekonex.connect.plugins import ROOT_PACKAGE, check_plugin
from tests.support.plugin_folders import ECHO, make_plugin, spec_sheet


def test_a_plugin_that_is_fine(tmp_path: Path) -> None:
    report = check_plugin(make_plugin(tmp_path, f"import helper\n{ECHO}", helper=""))
    assert report.spec is not None
    assert report.spec.greeter == "echo"
    assert report.errors == report.warnings == ()
    assert not [name for name in sys.modules if name.startswith(f"{ROOT_PACKAGE}.")]


def test_unknown_directives_and_hidden_modules_are_warnings(tmp_path: Path) -> None:
    sheet = f'{spec_sheet()}prose\n$icon {{"cat.png"}};\n$\nhome {{""}};\n'
    folder = make_plugin(tmp_path, spec=sheet, json="", zlib="", test="", helper="", rooms__re="")
    report = check_plugin(folder)
    assert report.errors == ()
    assert report.warnings == (
        f"{folder}/spec.conf:6:1: $icon is unknown and ignored",
        f"{folder}/spec.conf:7:1: $home is unknown and ignored",
        f"{folder}/json.py: hides Python's own module json from this plugin",
        f"{folder}/zlib.py: hides Python's own module zlib from this plugin",
    )


def test_a_wrong_spec_sheet(tmp_path: Path) -> None:
    report = check_plugin(make_plugin(tmp_path, spec='$name {"x};'))
    assert report.spec is None
    text = 'expected " to close the value of $name before the end of the line'
    assert report.errors == (f"{tmp_path}/spec.conf:1:12: {text}",)
    assert report.warnings == ()


def test_a_directive_that_is_missing_is_looked_for_in_comments(tmp_path: Path) -> None:
    sheet = (
        '\ufeff$name {"x"}; $greet {"y"};\n  $ greet\t{ "y"};\n$greeting is prose\n $greet{x};\n'
    )
    report = check_plugin(make_plugin(tmp_path, spec=sheet.replace("$greeting", "A $greeting")))
    hint = "$greet is in a comment here; a directive begins at the first character of a line"
    assert report.errors == (
        f"{tmp_path}/spec.conf:5:1: missing $greet (required: name, greet, logic, version)",
    )
    assert report.warnings == (
        f"{tmp_path}/spec.conf:1:14: {hint}",
        f"{tmp_path}/spec.conf:2:3: {hint}",
    )


def test_no_plugin_at_all(tmp_path: Path) -> None:
    report = check_plugin(tmp_path / "nothing")
    (error,) = report.errors
    assert error.startswith(f"{tmp_path}/nothing/spec.conf:1:1: cannot be read: ")


def test_code_that_cannot_be_loaded(tmp_path: Path) -> None:
    folder = make_plugin(tmp_path, "import helper\nx = 1\nimport sys\nsys.exit()", helper="")
    report = check_plugin(folder)
    assert report.spec is not None
    assert report.errors == (f"{folder}/logic.py:4: SystemExit",)
    assert not [name for name in sys.modules if name.startswith(f"{ROOT_PACKAGE}.")]
