"""One server for a data directory."""

from __future__ import annotations

import stat
import subprocess
import sys
from pathlib import Path

import pytest

from nekonex.app import DataDirInUseError, StartError, exclusive


def test_it_is_made_for_its_owner_and_held(tmp_path: Path) -> None:
    data_dir = tmp_path / "deep" / "data"
    with exclusive(data_dir):
        assert stat.S_IMODE(data_dir.stat().st_mode) == 0o700
        with pytest.raises(DataDirInUseError, match="uses the data directory"), exclusive(data_dir):
            pass
        (data_dir / "something").touch()
    assert data_dir.is_dir()
    with exclusive(data_dir):
        pass


def test_one_that_stays_empty_is_removed_again(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), exclusive(tmp_path / "deep" / "data"):
        raise ZeroDivisionError
    assert list(tmp_path.iterdir()) == []


def test_one_that_was_there_stays(tmp_path: Path) -> None:
    with exclusive(tmp_path):
        pass
    assert tmp_path.is_dir()


def test_a_file_in_its_place_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "data"
    file.touch()
    with pytest.raises(StartError, match="cannot be used"), exclusive(file):
        pass
    assert file.exists()


def test_a_process_that_dies_lets_go(tmp_path: Path) -> None:
    program = (
        "import os, sys; from pathlib import Path; from nekonex.app import exclusive\n"
        "with exclusive(Path(sys.argv[1])): os._exit(9)"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], check=False)
    assert done.returncode == 9
    with exclusive(tmp_path):
        pass
