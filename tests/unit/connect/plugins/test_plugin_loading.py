"""Loading a plugin gives a `Logic` object, or one line that says where and why not."""

from __future__ import annotations

import asyncio
import inspect
import sys
import threading
from pathlib import Path

import pytest

from nekonex.connect.plugins import (
    ROOT_PACKAGE,
    LoadedPlugin,
    PluginLoadError,
    SpecError,
    load_plugin,
)
from nekonex.connect.plugins.errors import MAX_REASON
from tests.support.plugin_folders import make_plugin, spec_sheet

CLASS = "class Logic:\n"
RECV = "    def recv(self, ctx): pass\n"


def refused(folder: Path) -> PluginLoadError:
    before = set(sys.modules)
    with pytest.raises(PluginLoadError) as caught:
        load_plugin(folder)
    new = set(sys.modules) - before
    assert not [name for name in new if name.startswith(f"{ROOT_PACKAGE}.") or name == "helper"]
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_plugin_is_loaded_with_its_spec(tmp_path: Path) -> None:
    folder = make_plugin(
        tmp_path, f"{CLASS}    threads = 4\n    async def recv(self, ctx): return 7"
    )
    plugin = load_plugin(folder)
    assert plugin.folder == folder
    assert plugin.spec.greeter == "echo"
    assert plugin.logic.threads == 4
    assert inspect.iscoroutinefunction(plugin.logic.recv)
    assert asyncio.run(plugin.logic.recv(None)) == 7
    plugin.unload()


@pytest.mark.parametrize(
    "body",
    [
        "    def recv(self, ctx): pass",
        "    async def recv(self, ctx): pass",
        "    def recv(self, context, more=1): pass",
        "    def recv(*anything): pass",
        "    @staticmethod\n    def recv(ctx): pass",
        "    @classmethod\n    def recv(cls, ctx): pass",
        "    recv = print",
        "    def __init__(self, port=1): self.recv = lambda ctx: port",
        "    def recv(self, ctx): pass\n    start = stop = connected = disconnected = None",
        """\
    def recv(self, ctx): pass
    async def start(self, app): pass
    def stop(self): pass
    def connected(self, ctx): pass
    async def disconnected(self, ctx): pass""",
    ],
)
def test_forms_of_logic(tmp_path: Path, body: str) -> None:
    load_plugin(make_plugin(tmp_path, CLASS + body)).unload()


def test_logic_may_come_from_another_module(tmp_path: Path) -> None:
    folder = make_plugin(tmp_path, "from helper import Base as Logic", helper="""\
        class Base:
            def recv(self, ctx): return 1
    """)  # fmt: skip
    plugin = load_plugin(folder)
    assert plugin.logic.recv(None) == 1
    plugin.unload()


@pytest.mark.parametrize(
    ("logic", "line", "reason"),
    [
        ("x = (\n\ny", 1, "SyntaxError: '(' was never closed"),
        ("if 1:\nx = 1", 2, "IndentationError: expected an indented block after"),
        ("\n\n1 / 0", 3, "ZeroDivisionError: division by zero"),
        ("def f():\n    raise ValueError('a\\n  b')\nf()", 2, "ValueError: a b"),
        ("raise ValueError", 1, "ValueError"),
        (f"raise ValueError('x' * {2 * MAX_REASON})", 1, "ValueError: xxx"),
        ("import json\n\njson.loads('{')", 3, "JSONDecodeError: Expecting property name"),
        ("import nothing.at_all", 1, "ModuleNotFoundError: No module named 'nothing'"),
        ("from . import nothing", 1, "ImportError: cannot import name 'nothing' from '.'"),
        ("import helper.nothing", 1, "ModuleNotFoundError: No module named 'helper.nothing'"),
        ("from helper import nothing", 1, "ImportError: cannot import name 'nothing' from 'helpe"),
        ("class E(Exception):\n    def __str__(self): 1 / 0\nraise E", 3, "E"),
        ("import sys\nsys.exit('bye')", 2, "SystemExit: bye"),
        ("raise GeneratorExit", 1, "GeneratorExit"),
        ("import asyncio\nraise asyncio.CancelledError", 2, "CancelledError"),
        ("def f(): f()\nf()", 1, "RecursionError: maximum recursion depth exceeded"),
        ("", 1, "there is no class Logic"),
        ("Logic = 1", 1, "there is no class Logic"),
        ("x = 1\n\nclass Logic:\n    pass", 3, "class Logic has no method recv(self, ctx)"),
        (f"{CLASS}    recv = 5", 1, "Logic.recv is not a method"),
        (
            f"\n{CLASS}    x = 1\n    def recv(self): pass",
            4,
            "Logic.recv must be recv(self, ctx): too many positional arguments",
        ),
        (
            f"{CLASS}    async def recv(self, ctx, data): pass",
            2,
            "Logic.recv must be recv(self, ctx): missing a required argument: 'data'",
        ),
        (f"{CLASS}    def recv(ctx): pass", 2, "Logic.recv must be recv(self, ctx): too many"),
        (f"{CLASS}    def recv(self, ctx): yield", 2, "Logic.recv has a yield, so calling it"),
        (f"{CLASS}    async def recv(self, ctx): yield", 2, "Logic.recv has a yield, so calling"),
        (f"{CLASS}{RECV}    def start(self): pass", 3, "Logic.start must be start(self, app): too"),
        (f"{CLASS}{RECV}    def stop(self, app): pass", 3, "Logic.stop must be stop(self): mis"),
        (f"{CLASS}{RECV}    connected = True", 1, "Logic.connected is not a method"),
        (
            f"{CLASS}{RECV}    def __init__(self, port): pass",
            1,
            "Logic() must work without arguments: missing a required argument: 'port'",
        ),
        (f"{CLASS}{RECV}    def __init__(self):\n        1 / 0", 4, "ZeroDivisionError: division"),
        (
            f"import abc\nclass Logic(abc.ABC):\n{RECV}    @abc.abstractmethod\n    def x(self): 1",
            2,
            "TypeError: Can't instantiate abstract class Logic with",
        ),
        (
            f"{CLASS}    @property\n    def recv(self):\n        raise ValueError('no')",
            4,
            "ValueError: no",
        ),
    ],
)  # fmt: skip
def test_why_a_plugin_cannot_be_used(tmp_path: Path, logic: str, line: int, reason: str) -> None:
    error = refused(make_plugin(tmp_path, logic, helper=""))
    assert (error.file, error.line) == (str(tmp_path / "logic.py"), line)
    assert error.reason.startswith(reason)
    assert len(error.reason) <= MAX_REASON
    assert str(error) == f"{tmp_path}/logic.py:{line}: {error.reason}"


@pytest.mark.parametrize("value", ["0", "-1", "True", "'4'", "None", "1.0"])
def test_threads_are_a_number(tmp_path: Path, value: str) -> None:
    error = refused(make_plugin(tmp_path, f"{CLASS}{RECV}    threads = {value}"))
    text = f"Logic.threads must be a whole number above 0, not {value}"
    assert str(error) == f"{tmp_path}/logic.py:1: {text}"


def test_the_line_is_that_of_the_helper_that_is_to_blame(tmp_path: Path) -> None:
    folder = make_plugin(tmp_path, "import rooms.a", rooms__a="\n\nimport json\njson.loads('{')")
    error = refused(folder)
    assert (error.file, error.line) == (str(folder / "rooms" / "a.py"), 4)
    assert "json.loads('{')" in error.details
    assert ROOT_PACKAGE not in error.reason
    folder = make_plugin(tmp_path / "b", "from . import helper", helper="\nx = = 1")
    error = refused(folder)
    assert (error.file, error.line) == (str(folder / "helper.py"), 2)
    folder = make_plugin(tmp_path / "c", "from . import helper")
    (folder / "helper.py").write_bytes(b"\nx = '\xff'\n")
    assert refused(folder).reason.startswith("SyntaxError: ")


def test_files_are_told_as_the_folder_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_plugin(tmp_path / "a", "import helper", helper="1 / 0")
    make_plugin(tmp_path / "b", "Logic = 1")
    monkeypatch.chdir(tmp_path)
    assert str(refused(Path("a"))) == "a/helper.py:1: ZeroDivisionError: division by zero"
    assert str(refused(Path("b"))) == "b/logic.py:1: there is no class Logic"
    monkeypatch.chdir(tmp_path / "b")
    assert str(refused(Path())) == "logic.py:1: there is no class Logic"


def test_a_class_that_is_elsewhere_is_told_where_it_is(tmp_path: Path) -> None:
    folder = make_plugin(tmp_path, "from helper import Logic", helper="\nclass Logic: pass")
    error = refused(folder)
    assert str(error) == f"{folder}/helper.py:2: class Logic has no method recv(self, ctx)"


def test_a_wrong_spec_sheet_is_told_as_such(tmp_path: Path) -> None:
    make_plugin(tmp_path, spec=spec_sheet(logic="other"))
    with pytest.raises(SpecError, match=r"logic file other\.py not found"):
        load_plugin(tmp_path)


def test_ctrl_c_ends_loading_and_an_authors_own_does_not(tmp_path: Path) -> None:
    folder = make_plugin(tmp_path, "import helper\nraise KeyboardInterrupt", helper="")
    before = set(sys.modules)
    with pytest.raises(KeyboardInterrupt):
        load_plugin(folder)
    assert not [name for name in set(sys.modules) - before if name.startswith(f"{ROOT_PACKAGE}.")]
    caught: list[BaseException] = []

    def load() -> None:
        try:
            load_plugin(folder)
        except BaseException as error:  # noqa: BLE001
            caught.append(error)

    thread = threading.Thread(target=load)
    thread.start()
    thread.join()
    assert [str(each) for each in caught] == [f"{folder}/logic.py:2: KeyboardInterrupt"]


def test_an_error_without_a_file_is_its_reason() -> None:
    assert str(PluginLoadError("it took too long")) == "it took too long"


def test_a_failed_load_leaves_the_one_before_as_it_was(tmp_path: Path) -> None:
    text = f"import helper\n{CLASS}    def recv(self, ctx):\n        import late\n        return 1"
    folder = make_plugin(tmp_path, text, helper="", late="")
    plugin = load_plugin(folder)
    make_plugin(folder, f"{text}\n1 / 0")
    assert refused(folder).line == 6
    assert plugin.logic.recv(None) == 1
    plugin.unload()


def test_a_renewed_plugin_is_the_same_code_with_a_new_object(tmp_path: Path) -> None:
    text = f"MADE = []\n{CLASS}    def __init__(self): MADE.append(self)\n"
    text += "    def recv(self, ctx): return len(MADE)"
    plugin = load_plugin(make_plugin(tmp_path, text))
    make_plugin(tmp_path, "this is no Python")
    again: LoadedPlugin = plugin.renewed()
    assert again.logic is not plugin.logic
    assert type(again.logic) is type(plugin.logic)
    assert again.logic.recv(None) == 2
    again.unload()
    assert f"{plugin.modules.package}.logic" not in sys.modules


def test_a_plugin_that_cannot_be_renewed_says_why(tmp_path: Path) -> None:
    text = f"MADE = []\n{CLASS}{RECV}    def __init__(self):\n        MADE.append(1)\n"
    plugin = load_plugin(make_plugin(tmp_path, f"{text}        assert len(MADE) < 2, 'enough'"))
    with pytest.raises(PluginLoadError) as caught:
        plugin.renewed()
    assert str(caught.value) == f"{tmp_path}/logic.py:6: AssertionError: enough"
    assert f"{plugin.modules.package}.logic" in sys.modules
    plugin.unload()
