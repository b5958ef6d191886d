"""The demo, as somebody sees it who has just cloned the repository."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from tests.support.server_process import clean_environment


def run_demo(folder: Path, *arguments: str, prelude: str = "") -> subprocess.CompletedProcess[str]:
    program = f"import sys; {prelude}\nfrom nekonex.cli import main; sys.exit(main(sys.argv[1:]))"
    return subprocess.run(
        [sys.executable, "-c", program, "demo", *arguments],
        cwd=folder,
        env=clean_environment(TMPDIR=str(folder), TERM="dumb"),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_every_step_does_what_it_should_and_nothing_is_left(tmp_path: Path) -> None:
    done = run_demo(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "steps did what they should" in done.stdout.splitlines()[-1]
    for told in (
        "Mario Kart 8",
        "mistypes his password",
        "Boo's plug",
        "Knock, knock.",
        "12 and 12",
        "the room of one is gone",
        "RendezVous::MatchmakeSessionUserPasswordUnmatch",
        "community 1, Toad's",
        "participation is closed",
        "1 Rosalina 1:31.532, and 5 more",
    ):
        assert told in done.stdout
    chatted = re.search(r"(\d+) lines, in (\d+) chapters", done.stdout)
    assert chatted is not None
    assert int(chatted[2]) > 8
    assert "✗" not in done.stdout
    assert list(tmp_path.iterdir()) == []


def test_without_the_clients_it_says_how_to_get_them(tmp_path: Path) -> None:
    done = run_demo(tmp_path, prelude="sys.modules['nintendo'] = None")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "NintendoClients, which is not installed" in done.stderr
    assert done.stdout == ""
