from __future__ import annotations

import asyncio
import gzip
import hashlib
import io
import json
import os
import stat
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from nekonex.domain import Account
from nekonex.domain.cells import CellLimits, CellUsage
from nekonex.domain.matchmaking.model import Community, Participant
from nekonex.domain.matchmaking.ports import Privacy
from nekonex.storage import StorageError, backup, open_local, restore
from nekonex.storage.sqlite import connect

NOW = 1_700_000_000.0
COMMUNITY = Community(owner=5, description="c", participants=(Participant(5), Participant(6)))


def account(pid: int) -> Account:
    return Account(pid, str(pid), {0: bytes(16)}, 0.0)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory with an account, a secret and objects."""

    async def fill(path: Path) -> None:
        async with open_local(path) as stores:
            await stores.accounts.add([account(5)])
            await stores.secrets.get_or_create("name", lambda: b"secret")
            await stores.communities("mk8").create(COMMUNITY)
            await stores.preferences("mk8").change_block_list(5, add=[6], limit=1)
            await stores.preferences("mk8").set_privacy(5, Privacy(online_status=False))
            await stores.cells.store("chat", "a\0", "x" * 100_000, CellLimits())

    path = tmp_path / "data"
    asyncio.run(fill(path))
    for name, content in (("a/b/1", b"one"), ("2", bytes(100_000)), ("a/.half-written", b"x")):
        file = path / "objects" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    (path / "nekonex.log").write_text("not part of a backup")
    return path


@pytest.fixture
def archive(data_dir: Path, tmp_path: Path) -> Path:
    path = tmp_path / "backup.tar.gz"
    backup(data_dir, path, now=NOW)
    return path


def names(directory: Path) -> set[str]:
    return {
        path.relative_to(directory).as_posix() for path in directory.rglob("*") if path.is_file()
    }


async def test_what_was_backed_up_is_restored(archive: Path, tmp_path: Path) -> None:
    target = tmp_path / "new" / "data"
    summary = restore(archive, target)
    assert (summary.files, summary.created, summary.replaced) == (4, NOW, None)
    assert names(target) == {"nekonex.db", "secrets/name", "objects/a/b/1", "objects/2"}
    assert (target / "objects/a/b/1").read_bytes() == b"one"
    async with open_local(target) as stores:
        assert await stores.accounts.get(5) == account(5)
        assert await stores.secrets.get_or_create("name", bytes) == b"secret"
        assert list(await stores.communities("mk8").of_owner(5, 0, 9)) == [
            replace(COMMUNITY, gid=1)
        ]
        assert list(await stores.preferences("mk8").block_list(5)) == [6]
        assert await stores.preferences("mk8").privacy(5) == Privacy(online_status=False)
        assert await stores.cells.get("chat", "a\0") == "x" * 100_000
        assert await stores.cells.usage() == [CellUsage("chat", 1, 100_002)]


@pytest.mark.skipif(os.name != "posix", reason="modes are POSIX's")
def test_only_the_owner_may_read_an_archive_and_what_is_restored(
    data_dir: Path, tmp_path: Path
) -> None:
    before = os.umask(0)
    try:
        backup(data_dir, tmp_path / "b.tar.gz")
        restore(tmp_path / "b.tar.gz", tmp_path / "new")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "b.tar.gz").stat().st_mode) == 0o600
    modes = {
        (path.is_dir(), stat.S_IMODE(path.stat().st_mode)) for path in (tmp_path / "new").rglob("*")
    }
    assert modes == {(True, 0o700), (False, 0o600)}


async def test_a_backup_of_a_running_server_is_of_one_moment(tmp_path: Path) -> None:
    async with open_local(tmp_path / "data") as stores:
        await stores.accounts.add([account(pid) for pid in range(200, 400)])
        writing = asyncio.Event()

        async def write() -> None:
            for pid in range(1000, 3000, 2):
                await stores.accounts.add([account(pid), account(pid + 1)])
                if pid == 1010:
                    writing.set()

        writer = asyncio.create_task(write())
        await writing.wait()
        await asyncio.to_thread(backup, tmp_path / "data", tmp_path / "b.tar.gz")
        writer.cancel()
        with pytest.raises(asyncio.CancelledError):
            await writer
    await asyncio.to_thread(restore, tmp_path / "b.tar.gz", tmp_path / "new")
    async with open_local(tmp_path / "new") as restored:
        count = await restored.accounts.count()
        assert count > 200
        assert count % 2 == 0


def test_an_earlier_archive_is_replaced_only_by_a_whole_one(
    archive: Path, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = archive.read_bytes()

    def full(*_: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        backup(data_dir, archive)
    assert archive.read_bytes() == before
    monkeypatch.undo()
    backup(data_dir, archive)
    assert sorted(path.name for path in archive.parent.iterdir()) == ["backup.tar.gz", "data"]


@pytest.mark.parametrize("missing", [True, False])
def test_nothing_to_back_up(tmp_path: Path, missing: bool) -> None:
    if not missing:
        (tmp_path / "data").mkdir()
    with pytest.raises(StorageError, match="nothing to back up"):
        backup(tmp_path / "data", tmp_path / "b.tar.gz")
    assert not (tmp_path / "b.tar.gz").exists()


def test_a_database_that_is_none_cannot_be_backed_up(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "nekonex.db").write_bytes(b"no database" * 500)
    with pytest.raises(StorageError, match="cannot be copied"):
        backup(tmp_path / "data", tmp_path / "b.tar.gz")
    assert [path.name for path in tmp_path.iterdir()] == ["data"]


def test_links_in_the_objects_are_not_followed(data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("private")
    (data_dir / "objects" / "link").symlink_to(tmp_path / "outside")
    (data_dir / "objects" / "links").symlink_to(tmp_path)
    backup(data_dir, tmp_path / "b.tar.gz")
    with tarfile.open(tmp_path / "b.tar.gz") as tar:
        assert not [name for name in tar.getnames() if "link" in name or "outside" in name]


def test_a_directory_that_is_not_empty_is_refused(archive: Path, data_dir: Path) -> None:
    before = names(data_dir)
    with pytest.raises(StorageError, match="not empty"):
        restore(archive, data_dir)
    assert names(data_dir) == before


async def test_force_moves_what_is_replaced_aside(archive: Path, data_dir: Path) -> None:
    async with open_local(data_dir) as stores:
        await stores.accounts.add([account(6)])
    (data_dir / "objects" / "new").write_text("later")
    summary = restore(archive, data_dir, force=True, now=NOW)
    assert summary.replaced is not None
    assert summary.replaced.name.startswith("before-restore-20231114T221320Z-")
    assert (summary.replaced / "objects" / "new").read_text() == "later"
    assert not (data_dir / "objects" / "new").exists()
    assert (data_dir / "nekonex.log").exists()
    async with open_local(data_dir) as stores:
        assert await stores.accounts.get(6) is None
    with connect(summary.replaced / "nekonex.db") as connection:
        assert connection.execute("SELECT count(*) FROM accounts").fetchone() == (2,)
    connection.close()


Change = Callable[[dict[str, bytes]], None]


def rewritten(archive: Path, change: Change, *, manifest: bool = False) -> Path:
    """Return a copy of an archive whose files were changed, with a manifest that fits or not."""
    with tarfile.open(archive) as tar:
        files = {}
        for member in tar:
            content = tar.extractfile(member)
            assert content is not None
            files[member.name] = content.read()
    change(files)
    if manifest:
        document = json.loads(files.pop("manifest.json"))
        document["files"] = {
            name: {"size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
            for name, content in files.items()
        }
        files["manifest.json"] = json.dumps(document).encode()
    path = archive.with_name("changed.tar.gz")
    with tarfile.open(path, "w:gz") as tar:
        for name, data in files.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
    return path


def flip(files: dict[str, bytes]) -> None:
    files["secrets/name"] = b"f" + files["secrets/name"][1:]


def drop(files: dict[str, bytes]) -> None:
    del files["objects/a/b/1"]


def extra(files: dict[str, bytes]) -> None:
    files["objects/extra"] = b"x"


def no_manifest(files: dict[str, bytes]) -> None:
    del files["manifest.json"]


def later_format(files: dict[str, bytes]) -> None:
    files["manifest.json"] = b'{"format": 2}'


def no_date(files: dict[str, bytes]) -> None:
    document = json.loads(files["manifest.json"])
    del document["created"]
    files["manifest.json"] = json.dumps(document).encode()


def list_for_manifest(files: dict[str, bytes]) -> None:
    files["manifest.json"] = b"[]"


def text_for_manifest(files: dict[str, bytes]) -> None:
    files["manifest.json"] = b"manifest"


@pytest.mark.parametrize(
    "change",
    [flip, drop, extra, no_manifest, later_format, no_date, list_for_manifest, text_for_manifest],
)
def test_an_archive_that_was_changed_is_refused(
    archive: Path, tmp_path: Path, change: Change
) -> None:
    with pytest.raises(StorageError, match="not a sound backup"):
        restore(rewritten(archive, change), tmp_path / "new")
    assert names(tmp_path / "new") == set()
    assert list((tmp_path / "new").iterdir()) == []


@pytest.mark.parametrize(
    "name",
    [
        "../evil",
        "objects/../../evil",
        "/evil",
        "evil",
        "nekonex.db/evil",
        "secrets/../evil",
        ".",
        "secrets",
    ],
)
def test_an_entry_elsewhere_is_refused_even_with_a_fitting_manifest(
    archive: Path, tmp_path: Path, name: str
) -> None:
    def add(files: dict[str, bytes]) -> None:
        files[name] = b"evil"

    with pytest.raises(StorageError, match="not a sound backup"):
        restore(rewritten(archive, add, manifest=True), tmp_path / "deep" / "new")
    assert not list(tmp_path.rglob("evil"))
    assert list((tmp_path / "deep" / "new").iterdir()) == []


def test_links_and_devices_are_refused(tmp_path: Path) -> None:
    for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE):
        path = tmp_path / "links.tar.gz"
        with tarfile.open(path, "w:gz") as tar:
            info = tarfile.TarInfo("objects/x")
            info.type, info.linkname = kind, "/etc/passwd"
            tar.addfile(info)
        with pytest.raises(StorageError, match="not a sound backup"):
            restore(path, tmp_path / "new")


def test_every_cut_of_an_archive_is_refused(archive: Path, tmp_path: Path) -> None:
    content = archive.read_bytes()
    cut = tmp_path / "cut.tar.gz"
    ends = {*range(0, len(content), max(1, len(content) // 40))}
    for end in ends | {len(content) - missing for missing in (1, 4, 8, 9, 20)}:
        cut.write_bytes(content[:end])
        with pytest.raises(StorageError, match="not a sound backup"):
            restore(cut, tmp_path / "new")


@pytest.mark.parametrize(
    "content",
    [b"", b"no archive", gzip.compress(b"no archive", mtime=0)],
    ids=["empty", "text", "gzip"],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "b.tar.gz").write_bytes(content)
    with pytest.raises(StorageError, match="not a sound backup"):
        restore(tmp_path / "b.tar.gz", tmp_path / "new")
    with pytest.raises(StorageError, match="not a sound backup"):
        restore(tmp_path / "missing.tar.gz", tmp_path / "new")


def test_a_damaged_database_is_refused(archive: Path, tmp_path: Path) -> None:
    def damage(files: dict[str, bytes]) -> None:
        database = bytearray(files["nekonex.db"])
        database[4096:8192] = b"\xff" * 4096
        files["nekonex.db"] = bytes(database)

    with pytest.raises(StorageError, match=r"damaged|cannot be used"):
        restore(rewritten(archive, damage, manifest=True), tmp_path / "new")
    assert list((tmp_path / "new").iterdir()) == []
