"""docs/tutorial/first-plugin.md, done from its first command to its last."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nekonex.connect import SyncClient
from tests.support.commands import Commands
from tests.support.server_process import ServerProcess

TUTORIAL = Path(__file__).parents[2] / "docs" / "tutorial"
PAGE = (TUTORIAL / "first-plugin.md").read_text(encoding="utf-8")
VARIABLE = "NEKONEX_CONNECT__PASSWORD"

GREET, NEWS = 1, 3


def shown(command: str, number: int = 0) -> str:
    """Return what the page shows of a command, the so manieth time that it shows it."""
    found: list[str] = []
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE):
            typed, _, rest = part.partition("\n")
            if typed == command:
                found.append(rest)
    return found[number]


def plain(text: str, folder: Path) -> str:
    """Take out of an output what is another every time."""
    text = text.replace(str(folder), "/home/you")
    text = re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:10390", text)
    return re.sub(r"\d+ bytes\nsha256 [0-9a-f]{64}", "# bytes\nsha256 #", text)


class Terminal:
    """Somebody who types what the page says, and compares."""

    def __init__(self, folder: Path, run: Commands) -> None:
        self.folder = folder
        self.run = run

    def type(self, command: str) -> None:
        program, *arguments = command.split()
        assert program == "nekonex"
        assert plain(self.run(*arguments), self.folder) == plain(shown(command), self.folder)

    def talk(self, address: str, command: str, number: int = 0, skip: int = 0) -> None:
        """Type the lines that the page shows between the answers, all at once."""
        lines = shown(command, number).splitlines()[skip:]
        typed = [line for line in lines if not re.match(r"\d+ |Connected\.", line)]
        answers = [line for line in lines if re.match(r"\d+ ", line)]
        arguments = command.replace("127.0.0.1", address).split()[1:]
        out = self.run(*arguments, "--wait", 0.3, typed="\n".join(typed).encode())
        assert out.splitlines() == answers


@pytest.fixture
def terminal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Terminal:
    monkeypatch.chdir(tmp_path)
    return Terminal(tmp_path, Commands(tmp_path, monkeypatch, capsys))


@pytest.fixture
def started() -> Iterator[list[ServerProcess]]:
    """Yield a list of servers that are gone afterwards."""
    servers: list[ServerProcess] = []
    yield servers
    for server in servers:
        server.kill()


def test_everything_happens_as_the_page_says(
    terminal: Terminal,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    started: list[ServerProcess],
) -> None:
    terminal.type("nekonex plugin new hello")
    hello = tmp_path / "hello"
    monkeypatch.chdir(hello)
    sheet = (hello / "spec.conf").read_text(encoding="utf-8")
    directives = [line for line in sheet.splitlines() if line.startswith("$")]
    assert directives == PAGE.split("```text\n")[1].split("```")[0].splitlines()

    logs = tmp_path / "logs"
    logs.mkdir()
    server = ServerProcess(logs, command="dev", cwd=hello, environment=FREE_PORTS)
    started.append(server)
    host, port = server.wait_ready()["connect"]
    address = f"{host}:{port}"
    ignored = (hello / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert (hello / ".nekonex").is_dir()
    assert ".nekonex/" in ignored  # the password is in there
    password = terminal.run("connect", "--show-password").strip()
    monkeypatch.setenv(VARIABLE, password)
    connect = "nekonex connect 127.0.0.1 hello --op 1"
    terminal.talk(address, connect)

    with SyncClient(host, port, password) as client:
        assert client.request("hello", GREET, b"neko").data == b"Hello neko!"
        shutil.copy(TUTORIAL / "hello" / "logic.py", hello)
        while (answer := client.request("hello", GREET, b"neko").data) == b"Hello neko!":
            pass
        told = PAGE.split("and your connection is still there:\n\n```console\nneko\n")[1]
        assert told.startswith(f"1 {answer.decode()}\n```")
        terminal.talk(address, connect, 1)
        news = client.recv()
        assert f"\n```text\n{news.op} {news.data.decode()}\n```" in PAGE
    assert plain(server.output_text(), tmp_path) == shown("nekonex dev")
    log = server.log_text()
    reloaded = next(line for line in log.splitlines() if "plugin reloaded" in line)
    assert plain(reloaded, tmp_path)[20:] in PAGE
    assert plain(log, tmp_path).count("Traceback") == 0

    for name in ("test_hello.py", "greet.py"):
        shutil.copy(TUTORIAL / "hello" / name, hello)
    tested = outcome(hello, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly")
    assert without_times(tested) == without_times(shown("pytest -q"))
    program = (hello / "greet.py").read_text(encoding="utf-8")
    here = program.replace('"127.0.0.1"', f'"127.0.0.1", {port}')
    assert outcome(hello, "-c", here) == shown("python greet.py")
    assert server.stop()[0] == 0

    terminal.type("nekonex plugin check")
    terminal.type("nekonex plugin build")
    folder = tmp_path / "server"
    folder.mkdir()
    shutil.copy(hello / "build" / "hello-0.1.0.ncp", folder)
    monkeypatch.chdir(folder)
    terminal.type("nekonex plugin install hello-0.1.0.ncp")
    assert (folder / "plugins" / "hello" / "logic.py").is_file()


FREE_PORTS = {
    "NEKONEX_GAME__COMMON__AUTH_PORT": "0",
    "NEKONEX_GAME__COMMON__SECURE_PORT": "0",
}


def outcome(folder: Path, *arguments: str) -> str:
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def without_times(text: str) -> str:
    return re.sub(r"\d+\.\d+s", "#s", text)
