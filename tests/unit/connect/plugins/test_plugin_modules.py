"""A plugin's imports find its own folder first, and nobody else's."""

from __future__ import annotations

import gc
import importlib
import os
import pickle
import sys
import threading
import traceback
import typing
import weakref
from collections.abc import Callable, Iterator, Sequence
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import pytest

from nekonex.connect.plugins import ROOT_PACKAGE, LoadedPlugin, load_plugin
from tests.support.plugin_folders import make_plugin, spec_sheet

Load = Callable[..., LoadedPlugin]


def own_modules() -> set[str]:
    return {name for name in sys.modules if name.startswith(f"{ROOT_PACKAGE}.")}


@pytest.fixture
def load() -> Iterator[Load]:
    """Load plugins, which are unloaded at the end; no module may be left then."""
    loaded: list[LoadedPlugin] = []
    before = set(sys.modules)
    modules_before = own_modules()

    def load(folder: Path) -> LoadedPlugin:
        loaded.append(load_plugin(folder))
        return loaded[-1]

    yield load
    bare = {name for name in set(sys.modules) - before if name.partition(".")[0] in HELPERS}
    for plugin in loaded:
        plugin.unload()
    assert not bare
    assert own_modules() == modules_before
    assert not [name for name in vars(sys.modules[ROOT_PACKAGE]) if name[-1].isdigit()]


HELPERS = {"helper", "other", "logic", "context", "late", "rooms", "only_bare"}


def logic(body: str, head: str = "") -> str:
    """Return a logic file whose `recv` returns something."""
    lines = "\n".join(f"        {line}" for line in body.splitlines())
    return f"{head}\n\nclass Logic:\n    def recv(self, ctx):\n{lines}\n"


@pytest.mark.parametrize(
    ("head", "result"),
    [
        ("from . import helper", "helper.NAME"),
        ("from .helper import NAME", "NAME"),
        ("import helper", "helper.NAME"),
        ("import helper as h", "h.NAME"),
        ("from helper import NAME", "NAME"),
        ("from helper import *", "NAME"),
        ("import rooms.store", "rooms.store.NAME"),
        ("import rooms.store as s", "s.NAME"),
        ("from rooms import store", "store.NAME"),
        ("from rooms.store import NAME", "NAME"),
        ("from .rooms import store", "store.NAME"),
        ("import rooms", "rooms.NAME"),
        ("helper = __import__('helper')", "helper.NAME"),
        ("store = __import__('rooms.store', fromlist=['NAME'])", "store.NAME"),
        ("rooms = __import__('rooms.store')", "rooms.store.NAME"),
        ("rooms = __import__('rooms', globals(), locals(), ['store'], 1)", "rooms.store.NAME"),
        ("import importlib as i\nh = i.import_module('.helper', __package__)", "h.NAME"),
        ("scope = {}\nexec('import helper', scope)", "scope['helper'].NAME"),
        ("exec('from .helper import NAME')", "NAME"),
    ],
)
def test_forms_of_imports(tmp_path: Path, load: Load, head: str, result: str) -> None:
    files = {
        "helper": "NAME = 'mine'",
        "rooms____init__": "from . import store\nfrom .store import NAME",
        "rooms__store": "NAME = 'mine'",
    }
    text = logic(f"return {result}", head)
    assert load(make_plugin(tmp_path / "a", text, **files)).logic.recv(None) == "mine"
    if "import *" not in head and not head.startswith("exec("):
        text = logic(f"{head}\nreturn {result}")
        assert load(make_plugin(tmp_path / "b", text, **files)).logic.recv(None) == "mine"


@pytest.mark.parametrize("lazily", [False, True])
def test_two_plugins_with_helpers_of_one_name(tmp_path: Path, load: Load, lazily: bool) -> None:
    text = (
        logic("import helper\nfrom helper.deep import WHO\nreturn helper.WHO, WHO")
        if lazily
        else logic("return helper.WHO, WHO", "import helper\nfrom helper.deep import WHO")
    )
    plugins = [
        load(
            make_plugin(
                tmp_path / who,
                text,
                helper____init__=f"WHO = {who!r}",
                helper__deep=f"WHO = {who!r}",
            )
        )
        for who in ("one", "two")
    ]
    assert [plugin.logic.recv(None) for plugin in plugins] == [("one", "one"), ("two", "two")]


def test_a_plugin_does_not_see_another_ones_helper(tmp_path: Path, load: Load) -> None:
    load(make_plugin(tmp_path / "a", logic("return other", "import other"), other=""))
    plugin = load(make_plugin(tmp_path / "b", logic("import other")))
    with pytest.raises(ModuleNotFoundError, match=r"^No module named 'other'$"):
        plugin.logic.recv(None)


def test_relative_imports_do_not_lead_out_of_a_plugin(tmp_path: Path, load: Load) -> None:
    first = load(make_plugin(tmp_path / "a"))
    name = first.modules.package.rpartition(".")[2]
    plugin = load(make_plugin(tmp_path / "b", logic(f"from .. import {name}")))
    with pytest.raises(ImportError, match="beyond top-level package"):
        plugin.logic.recv(None)


def test_helpers_import_each_other(tmp_path: Path, load: Load) -> None:
    folder = make_plugin(
        tmp_path,
        logic("return helper.ask()", "import helper"),
        helper="import other\nNAME = 'helper'\ndef ask():\n    return other.ask()",
        other="import helper\nimport logic\ndef ask():\n    return helper.NAME, logic.Logic",
    )
    plugin = load(folder)
    assert plugin.logic.recv(None) == ("helper", type(plugin.logic))


def test_a_sub_package_finds_the_plugins_modules(tmp_path: Path, load: Load) -> None:
    folder = make_plugin(
        tmp_path,
        logic("return rooms.a.VALUE", "import rooms.a"),
        rooms____init__="",
        rooms__a="import helper\nfrom .. import helper as same\nVALUE = helper.X, same is helper",
        helper="X = 1",
    )
    assert load(folder).logic.recv(None) == (1, True)


@pytest.mark.parametrize("name", ["json", "time", "sys", "nekonex", "context"])
def test_a_helper_may_be_called_like_any_other_module(
    tmp_path: Path, load: Load, name: str
) -> None:
    text = logic(f"import {name}\nreturn {name}.WHO, WHO", f"from {name} import WHO")
    plugin = load(make_plugin(tmp_path / "a", text, **{name: "WHO = 'mine'"}))
    outside = load(make_plugin(tmp_path / "b", logic("import json\nreturn json")))
    assert plugin.logic.recv(None) == ("mine", "mine")
    assert outside.logic.recv(None) is sys.modules["json"]


def test_python_itself_still_finds_its_own_modules(tmp_path: Path, load: Load) -> None:
    # strptime, written in C, imports _strptime by way of the builtins of who calls it.
    text = logic("return time.strptime('2001', '%Y').tm_year, json.dumps([1])", "import time, json")
    folder = make_plugin(tmp_path, text, _strptime="", locale="", re="", decoder="", scanner="")
    assert load(folder).logic.recv(None) == (2001, "[1]")


def test_a_copy_of_the_stubs_beside_a_plugin(tmp_path: Path, load: Load) -> None:
    stubs = importlib.import_module("nekonex.connect.context")
    copied = Path(str(stubs.__file__)).read_text("utf-8")
    text = logic(
        "return ctx, ConnectionClosed", "from context import Context, ConnectionClosed, ctx"
    )
    found, error = load(make_plugin(tmp_path, text, context=copied)).logic.recv(None)
    assert found is not stubs.ctx
    assert error is stubs.ConnectionClosed


def test_a_bare_folder_comes_after_real_modules(tmp_path: Path, load: Load) -> None:
    folder = make_plugin(
        tmp_path,
        logic("import json, rooms.a\nreturn json.dumps([]), rooms.a.X"),
        rooms__a="X = 'mine'",
    )
    (folder / "json").mkdir()
    assert load(folder).logic.recv(None) == ("[]", "mine")


def test_the_logic_file_goes_before_a_package_of_its_name(tmp_path: Path, load: Load) -> None:
    folder = make_plugin(tmp_path, logic("return 'file'"), logic____init__="")
    assert load(folder).logic.recv(None) == "file"


@pytest.mark.parametrize("name", ["my-logic", "my.logic", "1st", "two words", "__init__", "猫"])
def test_names_of_logic_files(tmp_path: Path, load: Load, name: str) -> None:
    folder = make_plugin(tmp_path, spec=spec_sheet(logic=name), helper="X = 1", my="X = 2")
    (folder / "logic.py").rename(folder / f"{name}.py")
    text = logic("import helper\nfrom . import helper as same\nreturn helper.X, same is helper")
    (folder / f"{name}.py").write_text(text, encoding="utf-8")
    assert load(folder).logic.recv(None) == (1, True)


def test_a_logic_file_that_is_the_package_runs_once(tmp_path: Path, load: Load) -> None:
    folder = make_plugin(
        tmp_path,
        spec=spec_sheet(logic="__init__"),
        __init__=logic("return helper.RUNS", "import helper\nhelper.RUNS.append(1)"),
        helper="RUNS = []",
    )
    assert load(folder).logic.recv(None) == [1]


def test_a_plugin_may_be_a_package(tmp_path: Path, load: Load) -> None:
    folder = make_plugin(
        tmp_path,
        logic("from . import SET\nreturn SET, helper.X", "from . import helper"),
        __init__="SET = 'by the package'",
        helper="from . import SET\nX = SET",
    )
    assert load(folder).logic.recv(None) == ("by the package", "by the package")


@pytest.mark.parametrize("greet", ["ex-plug", "猫", "7up", "a/../b", "x" * 255, "...", "logic"])
def test_any_greeter_and_folder_will_do(tmp_path: Path, load: Load, greet: str) -> None:
    text = logic("import helper\nreturn helper.X", "from . import helper")
    folder = tmp_path / "a folder. with é - and 1"
    plugin = load(make_plugin(folder, text, spec=spec_sheet(greet=greet), helper="X = 1"))
    assert plugin.logic.recv(None) == 1


def test_two_loads_share_nothing(tmp_path: Path, load: Load) -> None:
    folder = make_plugin(
        tmp_path, logic("helper.CALLS.append(1)\nreturn helper.CALLS", "import helper"),
        helper="CALLS = []",
    )  # fmt: skip
    first, second = load(folder), load(folder)
    first.logic.recv(None)
    first.logic.recv(None)
    assert second.logic.recv(None) == [1]
    assert type(first.logic) is not type(second.logic)


def test_threads_import_their_own_plugins_modules(tmp_path: Path, load: Load) -> None:
    text = logic("import late\nfrom . import late as same\nctx.append((late.WHO, same is late))")
    plugins = [
        load(make_plugin(tmp_path / who, text, late=f"WHO = {who!r}")) for who in ("one", "two")
    ]
    results: list[list[Any]] = [[], []]
    threads = [
        threading.Thread(target=plugins[number % 2].logic.recv, args=(results[number % 2],))
        for number in range(16)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [[("one", True)] * 8, [("two", True)] * 8]


# ------------------------------------------------------------------ what looks modules up


def test_what_looks_modules_up_by_name_finds_the_plugins_own(tmp_path: Path, load: Load) -> None:
    text = """\
        from __future__ import annotations
        import dataclasses, enum, logging, pickle
        from helper import Place

        class Kind(enum.Enum):
            CAT = 1

        @dataclasses.dataclass
        class Room:
            place: Place
            kind: Kind = Kind.CAT
            number: dataclasses.InitVar[int] = 0

        class Logic:
            room = Room
            logger = logging.getLogger(__name__)
            def recv(self, ctx):
                return pickle.loads(pickle.dumps(Room(Place(1, 2))))
    """
    helper = """\
        from typing import NamedTuple
        class Place(NamedTuple):
            x: int
            y: int
    """
    plugins = [load(make_plugin(tmp_path / name, text, helper=helper)) for name in ("a", "b")]
    for plugin in plugins:
        room = plugin.logic.recv(None)
        cls = plugin.logic.room
        assert type(room) is cls
        assert [field.name for field in cls.__dataclass_fields__.values()][:2] == ["place", "kind"]
        assert typing.get_type_hints(cls)["place"] is type(room.place)
        assert pickle.loads(pickle.dumps(room)) == room
        assert plugin.logic.logger.name == f"{plugin.modules.package}.logic"


def test_modules_know_their_files(tmp_path: Path, load: Load) -> None:
    text = logic("return __file__, helper.__file__, __package__, __spec__.origin", "import helper")
    folder = make_plugin(tmp_path, text, helper="")
    plugin = load(folder)
    own, helper, package, origin = plugin.logic.recv(None)
    assert own == origin == str(folder / "logic.py")
    assert helper == str(folder / "helper.py")
    assert package == plugin.modules.package


def test_a_relative_folder_is_taken_as_it_is_now(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_plugin(tmp_path / "here", logic("import late\nreturn late.__file__"), late="")
    monkeypatch.chdir(tmp_path)
    plugin = load(Path("here"))
    monkeypatch.chdir("/")
    assert plugin.logic.recv(None) == str(tmp_path / "here" / "late.py")


def test_sources_may_be_in_other_encodings(tmp_path: Path, load: Load) -> None:
    folder = make_plugin(tmp_path, logic("return helper.X, other.X", "import helper, other"))
    (folder / "helper.py").write_bytes("# -*- coding: latin-1 -*-\nX = 'é'\n".encode("latin-1"))
    (folder / "other.py").write_bytes(b"\xef\xbb\xbfX = '\xc3\xa9'\r\n")
    assert load(folder).logic.recv(None) == ("é", "é")


def test_tracebacks_show_the_source_that_ran(tmp_path: Path, load: Load) -> None:
    folder = make_plugin(tmp_path, logic("x = 1\nraise ValueError  # the first"))
    plugin = load(folder)

    def shown(each: LoadedPlugin) -> str:
        try:
            each.logic.recv(None)
        except ValueError as error:
            return "".join(traceback.format_exception(error))
        return ""

    make_plugin(folder, "# one line more\n" + logic("x = 1\nraise ValueError  # the second"))
    assert "raise ValueError  # the first" in shown(plugin)
    second = load(folder)
    assert "raise ValueError  # the second" in shown(second)
    second.unload()
    assert "raise ValueError  # the first" in shown(plugin)


# ------------------------------------------------------------------ bytecode


def test_an_edit_within_the_same_second_and_of_the_same_size_counts(
    tmp_path: Path, load: Load
) -> None:
    folder = make_plugin(tmp_path, logic("return helper.X", "import helper"), helper="X = 1")
    for value in (1, 2, 3):
        (folder / "helper.py").write_text(f"X = {value}", encoding="utf-8")
        os.utime(folder / "helper.py", (1_000_000_000, 1_000_000_000))
        assert load(folder).logic.recv(None) == value


def test_bytecode_that_is_there_is_not_used(tmp_path: Path, load: Load) -> None:
    folder = make_plugin(tmp_path, logic("return helper.X", "import helper"), helper="X = 1")
    os.utime(folder / "helper.py", (1_000_000_000, 1_000_000_000))
    compiled = importlib.import_module("py_compile").compile(str(folder / "helper.py"))
    assert Path(compiled).is_file()
    (folder / "helper.py").write_text("X = 2", encoding="utf-8")
    os.utime(folder / "helper.py", (1_000_000_000, 1_000_000_000))
    assert load(folder).logic.recv(None) == 2


def test_nothing_is_written_into_the_folder(
    tmp_path: Path, load: Load, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    folder = make_plugin(
        tmp_path,
        logic("import late\nreturn 1", "import rooms.a"),
        rooms____init__="",
        rooms__a="",
        late="",
    )
    before = sorted(folder.rglob("*"))
    load(folder).logic.recv(None)
    assert sorted(folder.rglob("*")) == before


def test_imports_at_run_time_do_not_search_the_folder_again(tmp_path: Path, load: Load) -> None:
    plugin = load(make_plugin(tmp_path, logic("import json, late\nreturn json, late"), late=""))
    first = plugin.logic.recv(None)
    plugin.modules.find = None  # type: ignore[assignment,method-assign]
    assert plugin.logic.recv(None) == first


def test_a_module_that_is_made_at_run_time_is_found(tmp_path: Path, load: Load) -> None:
    folder = make_plugin(
        tmp_path,
        logic("""\
try:
    import late
except ModuleNotFoundError:
    Path(__file__).with_name("late.py").write_text("X = 1")
    import late
return late.X""", "from pathlib import Path"),
    )  # fmt: skip
    assert load(folder).logic.recv(None) == 1


# ------------------------------------------------------------------ unloading


def test_unloading_drops_the_plugins_modules_and_no_others(tmp_path: Path, load: Load) -> None:
    text = logic("return helper.X", "import helper, rooms.a")
    files = {"helper": "X = 1", "rooms____init__": "", "rooms__a": ""}
    first = load(make_plugin(tmp_path / "a", text, **files))
    second = load(make_plugin(tmp_path / "b", text, **files))
    package = first.modules.package
    assert {f"{package}.{name}" for name in ("logic", "helper", "rooms", "rooms.a")} < set(
        sys.modules
    )
    first.unload()
    first.unload()
    assert not [name for name in sys.modules if name.startswith(package)]
    assert second.logic.recv(None) == 1
    assert f"{second.modules.package}.rooms.a" in sys.modules
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"{package}.logic")


def test_an_old_version_can_be_collected(tmp_path: Path) -> None:
    text = logic("return helper.make()", "import helper\nBIG = type('Big', (), {})()")
    folder = make_plugin(tmp_path, text, helper="class Thing: pass\ndef make(): return Thing()")
    plugin = load_plugin(folder)
    module = sys.modules[f"{plugin.modules.package}.logic"]
    alive = [
        weakref.ref(each)
        for each in (module, module.BIG, plugin.logic, plugin.logic.recv(None), plugin.modules)
    ]
    plugin.unload()
    del plugin, module
    gc.collect()
    assert [each() for each in alive] == [None] * 5


def test_what_still_runs_after_unloading_keeps_its_modules(tmp_path: Path, load: Load) -> None:
    folder = make_plugin(
        tmp_path,
        logic(
            "import helper, rooms.a, json\nfrom . import helper as same\n"
            "from rooms.a import X\nfrom .rooms import a\n"
            "return helper is same, X, rooms.a is a, json.dumps([])",
            "import helper, rooms.a",
        ),
        helper="",
        rooms____init__="",
        rooms__a="X = 1",
        late="",
    )
    plugin = load(folder)
    plugin.unload()
    assert plugin.logic.recv(None) == (True, 1, True, "[]")
    assert own_modules() == set()


@pytest.mark.parametrize("statement", ["import late", "from . import late", "from .late import X"])
def test_what_was_not_imported_before_unloading_is_not_any_more(
    tmp_path: Path, load: Load, statement: str
) -> None:
    # It may belong to another version by now.
    plugin = load(make_plugin(tmp_path, logic(statement), late="X = 1"))
    plugin.unload()
    with pytest.raises(ImportError):
        plugin.logic.recv(None)
    assert own_modules() == set()


@pytest.mark.parametrize("statement", ["import late", "from . import late", "from .late import X"])
@pytest.mark.parametrize("replaces_itself", [False, True])
def test_unloading_while_a_thread_imports(
    tmp_path: Path, load: Load, statement: str, replaces_itself: bool
) -> None:
    late = "import helper, sys\nhelper.begun.set()\nhelper.done.wait(5)\nX = 1\n"
    if replaces_itself:
        late += "helper.X = 1\nsys.modules[__name__] = helper"
    folder = make_plugin(
        tmp_path,
        logic(statement, "import helper"),
        helper="import threading\nbegun, done = threading.Event(), threading.Event()",
        late=late,
    )
    plugin = load(folder)
    helper: Any = sys.modules[f"{plugin.modules.package}.helper"]
    results: list[object] = []

    def receive() -> None:
        try:
            results.append(plugin.logic.recv(None))
        except Exception as error:  # noqa: BLE001
            results.append(type(error))

    thread = threading.Thread(target=receive)
    thread.start()
    assert helper.begun.wait(5)
    plugin.unload()
    helper.done.set()
    thread.join()
    assert results == [ImportError]
    assert own_modules() == set()


def test_unloading_between_finding_a_module_and_running_it(tmp_path: Path, load: Load) -> None:
    folder = make_plugin(
        tmp_path,
        logic("import late", "import helper"),
        helper="RUNS = []",
        late="import helper\nhelper.RUNS.append(1)",
    )
    plugin = load(folder)
    helper: Any = sys.modules[f"{plugin.modules.package}.helper"]
    find = plugin.modules.find

    def find_and_unload(name: str, path: Sequence[str] | None) -> ModuleSpec | None:
        spec = find(name, path)
        found.append(name)
        if len(found) == 2:  # the first is whether there is such a module at all
            plugin.unload()
        return spec

    found: list[str] = []
    plugin.modules.find = find_and_unload  # type: ignore[method-assign]
    with pytest.raises(ImportError, match="the plugin was unloaded"):
        plugin.logic.recv(None)
    assert len(found) == 2
    assert helper.RUNS == []
    assert own_modules() == set()
