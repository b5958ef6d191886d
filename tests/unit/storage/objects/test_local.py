"""Files on the disk: nothing half-written, nothing left behind, nothing on the loop's thread."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from nekonex.domain.datastore.files import TransferError, TransferRefusal
from nekonex.storage import backup, restore
from nekonex.storage.objects import LocalFileStore, LocalObjects, disk, open_objects
from nekonex.storage.objects.disk import UNFINISHED
from nekonex.storage.objects.withdrawn import Withdrawn
from nekonex.values import ServiceUnavailable

SECRET = bytes(32)
CHUNK = b"x" * 1000


def files_below(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.rglob("*") if path.is_file())


def of_game(objects: LocalObjects, game: str = "kart") -> LocalFileStore:
    return objects.files(game, lambda _: "http://localhost")


async def begin(files: LocalFileStore, objects: LocalObjects, size: int, key: str = "a") -> Any:
    form = await files.upload_form(key, size, lifetime=60)
    return await objects.receive("kart", dict(form.fields))


async def test_what_is_written_has_no_name_before_it_is_whole(tmp_path: Path) -> None:
    root = tmp_path / "objects"
    async with open_objects(root, SECRET, reserve=0) as objects:
        files = of_game(objects)
        await files.put("a", b"old")
        incoming = await begin(files, objects, 2000)
        await incoming.write(CHUNK)
        assert await files.read("a", 9) == b"old"
        with pytest.raises(TransferError) as caught:
            await incoming.finish()
        assert caught.value.refusal is TransferRefusal.TOO_SMALL
        await incoming.write(CHUNK)
        assert await incoming.finish()
        assert await files.size("a") == 2000
        await incoming.discard()
        assert files_below(root) == ["kart+/a"]
        for path in (root, root / UNFINISHED, root / "kart+", root / "kart+/a"):
            assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0


async def test_too_much_is_refused_and_nothing_stays(tmp_path: Path) -> None:
    async with open_objects(tmp_path, SECRET, reserve=0) as objects:
        incoming = await begin(of_game(objects), objects, 999)
        with pytest.raises(TransferError) as caught:
            await incoming.write(CHUNK)
        assert caught.value.refusal is TransferRefusal.TOO_LARGE
        await incoming.discard()
        await incoming.discard()
        assert files_below(tmp_path) == []
        with pytest.raises(ValueError, match="finished or discarded"):
            await incoming.write(b"")


async def test_games_do_not_meet(tmp_path: Path) -> None:
    async with open_objects(tmp_path, SECRET, reserve=0) as objects:
        kart, ink = of_game(objects, "kart"), of_game(objects, "Kart")
        await kart.put("a", b"1")
        assert await ink.size("a") is None
        await ink.put("a", b"22")
        assert [each.key async for each in kart.keys("")] == ["a"]
        assert [each.key async for each in objects.walk("")] in (
            [["kart/a", "Kart/a"], ["Kart/a", "kart/a"]]
        )
        form = dict((await kart.upload_form("a", 1, lifetime=60)).fields)
        with pytest.raises(TransferError):
            await objects.receive("Kart", form)
        with pytest.raises(ValueError, match="cannot be the key"):
            objects.files("..", None)


async def test_directories_that_are_empty_go(tmp_path: Path) -> None:
    async with open_objects(tmp_path, SECRET, reserve=0) as objects:
        files = of_game(objects)
        await files.put("a/b/c", b"")
        await files.put("a/d", b"")
        await files.remove("a/b/c")
        assert sorted(each.name for each in (tmp_path / "kart+").rglob("*")) == ["a+", "d"]
        await files.move("a/d", "e")
        assert [each.name for each in (tmp_path / "kart+").rglob("*")] == ["e"]
        await files.remove("e")
        assert not (tmp_path / "kart+").exists()


async def test_making_and_removing_directories_at_once(tmp_path: Path) -> None:
    async with open_objects(tmp_path, SECRET, reserve=0) as objects:
        files = of_game(objects)

        async def come_and_go(number: int) -> None:
            for _ in range(5):
                await files.put(f"a/b/{number}", b"x")
                assert await files.remove(f"a/b/{number}")

        await asyncio.gather(*map(come_and_go, range(8)))
        assert files_below(tmp_path) == []


async def test_leftovers_of_a_crash_are_swept(tmp_path: Path) -> None:
    async with open_objects(tmp_path, SECRET, reserve=0) as objects:
        old, new = (tmp_path / UNFINISHED / name for name in (".old", ".new"))
        for path in (old, new):
            path.write_bytes(b"half")
        os.utime(old, (1, 1))
        assert await objects.sweep(time.time() - 3600) == 1
        assert files_below(tmp_path) == [f"{UNFINISHED}/.new"]
        incoming = await begin(of_game(objects), objects, 0)
        assert await objects.sweep() == 1
        await incoming.finish()
        assert files_below(tmp_path) == ["kart+/a"]


async def test_what_other_programs_put_there_is_no_file_of_ours(tmp_path: Path) -> None:
    async with open_objects(tmp_path, SECRET, reserve=0) as objects:
        files = of_game(objects)
        await files.put("a", b"x")
        (tmp_path / "kart+" / "Thumbs.db").write_bytes(b"")
        (tmp_path / "kart+" / "lost").mkdir()
        (tmp_path / "kart+" / "link").symlink_to("/etc/passwd")
        (tmp_path / "kart+" / "dir").mkdir()
        assert [each.key async for each in files.keys("")] == ["a"]
        assert await files.size("link") is None
        assert await files.size("dir") is None
        assert not await files.move("link", "b")
        with pytest.raises(ServiceUnavailable):
            await files.read("link", 100)
        assert await files.read("dir", 100) is None


async def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, "No space left on device")

    async with open_objects(tmp_path, SECRET, reserve=0) as objects:
        files = of_game(objects)
        incoming = await begin(files, objects, 1000)
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            with pytest.raises(TransferError) as caught:
                await incoming.write(CHUNK)
            assert caught.value.refusal is TransferRefusal.NO_ROOM
            with pytest.raises(ServiceUnavailable):
                await files.put("b", b"x")
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", full)
            await incoming.write(CHUNK)
            with pytest.raises(TransferError):
                await incoming.finish()
        await incoming.discard()
        assert files_below(tmp_path) == []


async def test_uploads_leave_room_for_the_rest(tmp_path: Path) -> None:
    async with open_objects(tmp_path, SECRET, reserve=2**60) as objects:
        with pytest.raises(TransferError) as caught:
            await begin(of_game(objects), objects, 1)
        assert caught.value.refusal is TransferRefusal.NO_ROOM
        assert files_below(tmp_path) == []


async def test_a_disk_that_fails_is_an_outage(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_objects(tmp_path / "objects", SECRET, reserve=0) as objects:
        files = of_game(objects)

        def broken(*_: object) -> None:
            raise OSError(errno.EIO, "Input/output error")

        monkeypatch.setattr(os, "fsync", broken)
        with pytest.raises(ServiceUnavailable):
            await files.put("a", b"x")
        monkeypatch.undo()
        assert files_below(tmp_path / "objects") == []
    (tmp_path / "file").write_bytes(b"")
    caplog.clear()
    with pytest.raises(ServiceUnavailable, match=r"file.objects cannot be used: .*[Dd]irectory"):
        async with open_objects(tmp_path / "file" / "objects", SECRET):
            pass
    assert not caplog.records


async def test_names_are_synchronised_before_anybody_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[Path] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        synced.append(Path(f"/proc/self/fd/{descriptor}").readlink())
        real(descriptor)

    async with open_objects(tmp_path, SECRET, reserve=0) as objects:
        files = of_game(objects)
        monkeypatch.setattr(os, "fsync", fsync)
        await files.put("a/b", b"x")
        assert [path.name for path in synced[1:]] == [tmp_path.name, "kart+", "a+"]
        assert synced[0].parent.name == UNFINISHED
        synced.clear()
        await files.move("a/b", "c/d")
        assert [path.name for path in synced] == ["kart+", "c+", "a+"]
        synced.clear()
        await files.remove("c/d")
        assert [path.name for path in synced] == ["c+"]


async def test_nothing_touches_the_disk_on_the_loop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: set[str] = set()
    for name in ("open", "write", "fsync", "read", "close", "scandir"):
        real = getattr(os, name)

        def spy(*args: Any, _real: Any = real, **kwargs: Any) -> Any:
            threads.add(threading.current_thread().name)
            return _real(*args, **kwargs)

        monkeypatch.setattr(os, name, spy)
    async with open_objects(tmp_path, SECRET, reserve=0) as objects:
        files = of_game(objects)
        incoming = await begin(files, objects, 1000)
        await incoming.write(CHUNK)
        await incoming.finish()
        await files.read("a", 10)
        await files.move("a", "b")
        assert [each.key async for each in files.keys("")] == ["b"]
        await files.remove("b")
    assert threads
    assert all(name.startswith("nekonex-files") for name in threads)


async def test_whoever_stops_waiting_leaves_nothing_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = threading.Event()
    real = disk.ObjectDirectory.begin

    def slow(self: disk.ObjectDirectory, key: str, size: int) -> disk.Unfinished:
        gate.wait(5)
        return real(self, key, size)

    async with open_objects(tmp_path, SECRET, reserve=0) as objects:
        monkeypatch.setattr(disk.ObjectDirectory, "begin", slow)
        task = asyncio.create_task(begin(of_game(objects), objects, 10))
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()
    assert files_below(tmp_path) == []


async def test_without_http_consoles_cannot_transfer(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with open_objects(tmp_path, SECRET, reserve=0) as objects:
        files = objects.files("kart", None)
        for _ in range(2):
            with pytest.raises(ServiceUnavailable):
                await files.upload_form("a", 1, lifetime=1)
        with pytest.raises(ServiceUnavailable):
            await files.download("a", lifetime=1)
        await files.put("a", b"x")
    assert [record.message for record in caplog.records] == [
        "consoles want to upload or download, but [http] is not enabled"
    ]


async def test_a_backup_has_the_files_and_not_what_is_unfinished(tmp_path: Path) -> None:
    data, again = tmp_path / "data", tmp_path / "again"
    data.mkdir()
    async with open_objects(data / "objects", SECRET, reserve=0) as objects:
        files = of_game(objects)
        await files.put("Ghosts/1.bin", b"content")
        incoming = await begin(files, objects, 10)
        assert backup(data, tmp_path / "archive").files == 1
        await incoming.discard()
    restore(tmp_path / "archive", again)
    async with open_objects(again / "objects", SECRET, reserve=0) as objects:
        assert await of_game(objects).read("Ghosts/1.bin", 100) == b"content"


async def test_many_files_are_listed_in_batches(tmp_path: Path) -> None:
    async with open_objects(tmp_path, SECRET, reserve=0) as objects:
        files = of_game(objects)
        await files.put("a/0", b"")
        for number in range(1, 600):
            (tmp_path / "kart+" / "a+" / str(number)).touch()
        assert {each.key async for each in files.keys("a/")} == {f"a/{n}" for n in range(600)}
        assert len([each async for each in files.keys("a/59")]) == 11


async def test_a_form_that_was_withdrawn_is_good_for_nothing(tmp_path: Path) -> None:
    async with open_objects(tmp_path, SECRET, reserve=0) as objects:
        files = of_game(objects)
        old = dict((await files.upload_form("a", 1000, lifetime=60)).fields)
        under_way = await objects.receive("kart", old)
        await under_way.write(CHUNK)
        files.withdraw("a")
        for upload in (under_way.finish(), objects.receive("kart", old)):
            with pytest.raises(TransferError) as caught:
                await upload
            assert caught.value.refusal is TransferRefusal.DENIED
        await under_way.discard()
        assert files_below(tmp_path) == []
        # Another key, or another game, has nothing to do with it; nor has a newer form.
        for each, game in ((files, "kart"), (of_game(objects, "ink"), "ink")):
            form = await each.upload_form("b" if game == "kart" else "a", 0, lifetime=60)
            assert await (await objects.receive(game, dict(form.fields))).finish()
        new = dict((await files.upload_form("a", 0, lifetime=60)).fields)
        assert await (await objects.receive("kart", new)).finish()
        with pytest.raises(TransferError):
            await objects.receive("kart", old)


def test_the_oldest_that_was_withdrawn_gives_way() -> None:
    withdrawn = Withdrawn(most=2)
    for key in ("a", "b", "a", "c"):
        withdrawn.add(key)
    assert [withdrawn.admits(key, 1) for key in "abc"] == [False, True, False]
