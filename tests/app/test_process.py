"""The ready file and what systemd is told."""

from __future__ import annotations

import json
import socket
from pathlib import Path

import pytest

from nekonex.app import ReadyFile, StartError
from nekonex.app.process import notify_systemd


def test_the_ready_file_appears_whole_and_goes(tmp_path: Path) -> None:
    path = tmp_path / "ready.json"
    path.write_text("stale")
    ready = ReadyFile(path)
    ready.remove()
    assert list(tmp_path.iterdir()) == []
    ready.write({"games": []})
    assert json.loads(path.read_text()) == {"games": []}
    assert list(tmp_path.iterdir()) == [path]
    ready.remove()
    ready.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_ready_file_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    ready = ReadyFile(tmp_path / "missing" / "ready.json")
    ready.remove()
    with pytest.raises(StartError, match=r"ready file .* cannot be written: No such file"):
        ready.write({})


def test_a_folder_in_place_of_the_ready_file_is_one_sentence(tmp_path: Path) -> None:
    ready = ReadyFile(tmp_path)
    ready.remove()
    with pytest.raises(StartError, match=r"ready file .* cannot be written: Is a directory"):
        ready.write({})
    ReadyFile(Path(__file__) / "ready.json").remove()


def test_without_a_ready_file_nothing_is_written() -> None:
    ready = ReadyFile(None)
    ready.write({})
    ready.remove()


def test_an_abstract_socket_of_systemd_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"nekonex-test-{id(monkeypatch)}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(f"\0{name}")
        manager.settimeout(5)
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        notify_systemd("READY=1")
        assert manager.recv(100) == b"READY=1"


def test_a_service_manager_that_is_gone_does_no_harm(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "nobody"))
    notify_systemd("READY=1")
    assert "cannot be told READY=1" in caplog.text
    monkeypatch.delenv("NOTIFY_SOCKET")
    notify_systemd("READY=1")
