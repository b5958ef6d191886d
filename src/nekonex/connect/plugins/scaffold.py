"""The files that a new plugin begins with."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Final

from nekonex.connect.plugins.spec import (
    MAX_GREETER,
    RESERVED_GREETERS,
    SPEC_FILE,
    SpecError,
    parse_spec,
)

__all__ = ["PluginExistsError", "ScaffoldError", "write_scaffold"]

_GIT_SECONDS: Final = 10.0
_GIT_PLACES: Final = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR")
"""Variables that would have git work on another repository, as in a hook of that one."""

_SPEC: Final = """\
The spec sheet of this plugin. A line that begins with a dollar sign is a directive, and its ; ends
it. Everything else, like this text, is a comment. Values have no double quotes in them.

What people see, for example in `nekonex plugin list`:
$name {{"{name}"}};
$version {{"0.1.0"}};

The greeter is what clients put into a frame to reach this plugin. No two plugins of a server may
have the same:
$greet {{"{greeter}"}};

The Python file, without .py, that has the class Logic:
$logic {{"logic"}};
"""

_LOGIC: Final = '''\
"""{name}: a plugin that greets, and remembers whom it greeted last.

While `nekonex dev` runs in this folder, a change is taken up as soon as it is saved.
"""

from nekonex.connect.context import Context

GREET = 1
"""Op code of a client's frame: its data is a name, the answer a greeting."""
LAST = 2
"""Op code of a client's frame: the answer is the name that was greeted last."""


class Logic:
    """One object serves all clients. What belongs to one of them goes into `ctx.state`."""

    def recv(self, ctx: Context) -> None:
        """Handle one frame. Not every frame needs an answer."""
        if ctx.op == GREET:
            name = ctx.data.decode(errors="replace")
            ctx.state["greetings"] = ctx.state.get("greetings", 0) + 1
            ctx.db_store("last", name)
            ctx.log(f"greeting number {{ctx.state['greetings']}} for {{ctx.address[0]}}")
            ctx.send(f"Hello {{name}}!".encode(), GREET)
        elif ctx.op == LAST:
            ctx.send(ctx.db_get("last").encode(), LAST)
        else:
            ctx.warn(f"nothing is known of op {{ctx.op}}")
            ctx.send(b"unknown op", 400)
'''

_TEST: Final = '''\
"""Run it with `pytest`: it starts a real server with this plugin for each test."""

from pathlib import Path

FOLDER = Path(__file__).parent


def test_it_answers(nekonex_plugin):
    with nekonex_plugin(FOLDER) as plugin:
        client = plugin.client()
        assert client.request(b"neko", op=1).data == b"Hello neko!"


def test_it_remembers_whom_it_greeted_last(nekonex_plugin):
    with nekonex_plugin(FOLDER) as plugin:
        plugin.client().request(b"neko", op=1)
        assert plugin.client().request(b"", op=2).data == b"neko"
'''

_GITIGNORE: Final = """\
.nekonex/
nekonex.toml
build/
__pycache__/
.pytest_cache/
.venv/
"""


class ScaffoldError(Exception):
    """A plugin cannot be made here; the text says why in one sentence."""


class PluginExistsError(ScaffoldError):
    """The folder has a spec sheet already."""


def write_scaffold(folder: Path, name: str | None = None) -> list[Path]:
    """Make a plugin that works; return the files that were written.

    With a name it goes into a folder of that name in ``folder``, which is made if need be (the
    name may also be a path, whose last part then is the name); without one into ``folder``, whose
    name it takes. Files that are there already stay as they are. The folder becomes a git
    repository where git is installed and it is in none. Raises ScaffoldError, and leaves nothing
    behind then.
    """
    target = Path(os.path.abspath(folder / (name or "")))  # noqa: PTH100 - keeps links
    files = _files(target)
    if os.path.lexists(target / SPEC_FILE):
        raise PluginExistsError("this folder already has a NekoConnect plugin.")
    made = [target, *target.parents]
    made = [each for each in made if not os.path.lexists(each)]
    written: list[Path] = []
    try:
        target.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            with contextlib.suppress(FileExistsError):
                _write_new(path, text, written)
    except OSError as error:
        _undo(written, made)
        raise ScaffoldError(f"{target} cannot be written: {error.strerror or error}") from None
    _git_init(target)
    return written


def _files(target: Path) -> dict[Path, str]:
    """Return the texts of a plugin's files. Raises ScaffoldError if it cannot be called so."""
    name = target.name
    greeter = _greeter(name)
    spec = _SPEC.format(name=name, greeter=greeter)
    reason = ""
    if re.search(r'["\r\n]', name):
        reason = "name must not contain double quotes or line ends"
    else:
        try:
            parse_spec(spec, SPEC_FILE)
        except SpecError as error:
            reason = error.text
    if reason:
        raise ScaffoldError(f"a plugin cannot be called {name!r}: {reason}")
    files = {target / SPEC_FILE: spec, target / ".gitignore": _GITIGNORE}
    logic = target / "logic.py"
    if not os.path.lexists(logic):
        # The author's own logic would not pass the test of ours.
        files[logic] = _LOGIC.format(name=name)
        files[target / f"test_{re.sub(r'[^0-9a-z]', '_', greeter)}.py"] = _TEST
    return files


def _greeter(name: str) -> str:
    """Derive a greeter: lower case, with a dash for whatever is no letter or digit."""
    words = re.findall(r"[^\W_]+", name.lower())
    greeter = "-".join(words).encode()[:MAX_GREETER].decode(errors="ignore") or "plugin"
    return f"{greeter}-plugin" if greeter in RESERVED_GREETERS else greeter


def _write_new(path: Path, text: str, written: list[Path]) -> None:
    with path.open("x", encoding="utf-8", newline="\n") as file:
        written.append(path)
        file.write(text)


def _undo(written: list[Path], made: list[Path]) -> None:
    """Remove the files that were written, and the folders that were made and are empty."""
    for path in written:
        with contextlib.suppress(OSError):
            path.unlink()
    for folder in made:
        with contextlib.suppress(OSError):
            folder.rmdir()


def _git_init(folder: Path) -> None:
    """Make a git repository, unless there is no git or the folder is part of one."""
    git = shutil.which("git")
    if git is None or any((each / ".git").exists() for each in (folder, *folder.parents)):
        return
    environment = {name: value for name, value in os.environ.items() if name not in _GIT_PLACES}
    with contextlib.suppress(OSError, subprocess.SubprocessError):
        subprocess.run(  # noqa: S603
            [git, "init", "--quiet", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env=environment,
            timeout=_GIT_SECONDS,
            check=False,
        )
