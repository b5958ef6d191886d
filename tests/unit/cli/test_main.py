"""How a command ends: exit statuses and the one place where failures are printed."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from nekonex import cli
from nekonex.cli._common import EXIT_NO_SERVER, CommandError, print_json


class Failing:
    """A command module whose command raises."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def register(self, app: typer.Typer) -> None:
        @app.command("fail")
        def fail() -> None:
            raise self.error


@pytest.mark.parametrize(
    ("error", "status", "printed"),
    [
        (CommandError("it broke"), 1, "nekonex: it broke\n"),
        (CommandError("no server\nruns", EXIT_NO_SERVER), 3, "nekonex: no server runs\n"),
        (typer.Exit(4), 4, ""),
        (typer.Abort(), 130, ""),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_every_way_to_end_has_its_status(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    status: int,
    printed: str,
) -> None:
    monkeypatch.setattr(cli, "COMMANDS", (*cli.COMMANDS, Failing(error)))
    assert cli.main(["fail"]) == status
    assert capsys.readouterr().err.lstrip("\n") == printed


def test_a_bug_is_not_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cli, "COMMANDS", (Failing(ZeroDivisionError()), *cli.COMMANDS))
    with pytest.raises(ZeroDivisionError):
        cli.main(["fail"])


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full")
@pytest.mark.parametrize("command", [["titles", "list"], ["plugin", "list", "--json"], ["--help"]])
def test_a_full_disk_is_one_sentence(command: list[str]) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "nekonex", *command],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            check=False,
        )
    sentence = "nekonex: the output cannot be written: No space left on device\n"
    assert (done.returncode, done.stderr) == (1, sentence)


def test_json_has_nothing_that_a_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"about": "a\u009b2J\u202e\x1b\x7f", "folder": "b\udcff", "name": "ねこ"})
    shown = capsys.readouterr().out
    assert all(line.isprintable() for line in shown.split("\n"))
    assert "ねこ" in shown
    assert json.loads(shown)["about"] == "a\u009b2J\u202e\x1b\x7f"
    assert json.loads(shown)["folder"] == "b\udcff"
