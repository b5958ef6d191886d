from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from nekonex.storage import StorageError
from nekonex.storage import secrets as secrets_module
from nekonex.storage.secrets import FileSecretStore
from nekonex.values import ServiceUnavailable

posix_only = pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    return tmp_path / "secrets"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def names(directory: Path) -> list[str]:
    return [path.name for path in directory.iterdir()]


@pytest.fixture
def damaged(directory: Path, request: pytest.FixtureRequest) -> Path:
    directory.mkdir()
    file = directory / "name"
    file.write_bytes(request.param)
    return file


@pytest.fixture
def in_the_way(directory: Path) -> Path:
    directory.write_text("a file")
    return directory


@posix_only
async def test_only_the_owner_may_read_them_whatever_the_umask(directory: Path) -> None:
    before = os.umask(0)
    try:
        await FileSecretStore(directory).get_or_create("name", lambda: b"secret")
    finally:
        os.umask(before)
    assert mode(directory) == 0o700
    assert names(directory) == ["name"]
    assert mode(directory / "name") == 0o600


@posix_only
async def test_one_that_others_could_read_is_closed_to_them(
    directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = FileSecretStore(directory)
    await store.get_or_create("name", lambda: b"secret")
    (directory / "name").chmod(0o644)
    assert await store.get_or_create("name", bytes) == b"secret"
    assert mode(directory / "name") == 0o600
    assert "readable by others" in caplog.text


async def test_the_file_is_hexadecimal_and_kept(directory: Path) -> None:
    await FileSecretStore(directory).get_or_create("name", lambda: b"\x00\xff")
    assert (directory / "name").read_text() == "00ff\n"
    assert await FileSecretStore(directory).get_or_create("name", bytes) == b"\x00\xff"


@pytest.mark.parametrize("damaged", [b"", b"00f", b"00ff", b"xy\n", b"\xff\n"], indirect=True)
async def test_a_damaged_file_is_not_replaced(damaged: Path) -> None:
    for _ in range(2):
        with pytest.raises(StorageError, match="holds no secret"):
            await FileSecretStore(damaged.parent).get_or_create("name", bytes)


async def test_of_two_processes_the_faster_one_makes_it(directory: Path) -> None:
    async def make(secret: bytes) -> bytes:
        return await FileSecretStore(directory).get_or_create("name", lambda: secret)

    def slow() -> bytes:
        # The other process comes in between: looked and found none, wrote first.
        secrets_module._create(directory / "name", b"01\n")
        return b"\x02"

    assert await FileSecretStore(directory).get_or_create("name", slow) == b"\x01"
    assert await make(b"\x03") == b"\x01"
    assert names(directory) == ["name"]


async def test_a_file_system_without_links(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*_: object) -> None:
        raise PermissionError("no links here")

    monkeypatch.setattr(os, "link", no_links)
    assert await FileSecretStore(directory).get_or_create("name", lambda: b"x") == b"x"
    assert await FileSecretStore(directory).get_or_create("name", bytes) == b"x"
    assert names(directory) == ["name"]


async def test_a_directory_that_cannot_be_made_is_an_outage(
    in_the_way: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(ServiceUnavailable, match="'name'"):
        await FileSecretStore(in_the_way).get_or_create("name", lambda: b"x")
    assert "could not be read" in caplog.text
