"""What every store of files promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from nekonex.domain.datastore.files import FileStore
from nekonex.storage.objects import MemoryFileStore, open_objects

Opener = Callable[[], AbstractAsyncContextManager[FileStore]]
BAD_KEYS = ["", "../x", "a//b", ".x", "a\0"]


@asynccontextmanager
async def _in_memory() -> AsyncIterator[FileStore]:
    yield MemoryFileStore()


@pytest.fixture(params=["memory", "local"])
def open_files(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    if request.param == "memory":
        return _in_memory

    @asynccontextmanager
    async def local() -> AsyncIterator[FileStore]:
        async with open_objects(tmp_path / "objects", bytes(32), reserve=0) as objects:
            yield objects.files("kart", lambda _: "http://localhost")

    return local


async def test_what_was_put_is_there(open_files: Opener) -> None:
    async with open_files() as files:
        assert await files.size("a/b") is None
        assert await files.read("a/b", 10) is None
        await files.put("a/b", b"hello")
        assert await files.size("a/b") == 5
        assert await files.read("a/b", 3) == b"hel"
        assert await files.read("a/b", 100) == b"hello"
        await files.put("a/b", b"")
        assert await files.size("a/b") == 0


async def test_a_key_may_be_a_folder_of_others_and_case_counts(open_files: Opener) -> None:
    async with open_files() as files:
        contents = {
            "a": b"1",
            "a/b": b"22",
            "A": b"333",
            "a/b/c": b"4444",
            "ä": b"",
            "a\u0308": b"5",
        }
        for key, content in contents.items():
            await files.put(key, content)
        for key, content in contents.items():
            assert await files.read(key, 10) == content
        found = {each.key: each.size async for each in files.keys("")}
        assert found == {key: len(content) for key, content in contents.items()}
        found = {each.key: each.size async for each in files.keys("a/")}
        assert found == {"a/b": 2, "a/b/c": 4}


async def test_moving_replaces(open_files: Opener) -> None:
    async with open_files() as files:
        await files.put("new", b"new")
        await files.put("x/old", b"old")
        assert await files.move("new", "x/old")
        assert await files.read("x/old", 10) == b"new"
        assert await files.size("new") is None
        assert not await files.move("new", "x/old")
        assert await files.read("x/old", 10) == b"new"
        assert await files.move("x/old", "x/old")
        assert await files.move("x/old", "elsewhere/deep/down")
        assert [each.key async for each in files.keys("")] == ["elsewhere/deep/down"]


async def test_removing(open_files: Opener) -> None:
    async with open_files() as files:
        await files.put("a/b", b"x")
        await files.put("a/b/c", b"x")
        assert await files.remove("a/b")
        assert not await files.remove("a/b")
        assert not await files.remove("a")
        assert [each.key async for each in files.keys("")] == ["a/b/c"]


async def test_what_is_no_key_is_refused(open_files: Opener) -> None:
    async with open_files() as files:
        for key in BAD_KEYS:
            for ask in (
                files.size(key),
                files.remove(key),
                files.move(key, "a"),
                files.move("a", key),
                files.put(key, b""),
                files.read(key, 1),
                files.upload_form(key, 1, lifetime=1),
                files.download(key, lifetime=1),
            ):
                with pytest.raises(ValueError, match="cannot be the key"):
                    await ask


async def test_forms_and_urls_are_of_one_key(open_files: Opener) -> None:
    async with open_files() as files:
        form = await files.upload_form("a/b c", 3, lifetime=60, viewer="192.0.2.1")
        assert dict(form.fields)["key"] == "a/b c"
        assert (form.headers, form.root_ca_cert) == ((), b"")
        download = await files.download("a/b c", lifetime=60)
        path, _, query = download.url.partition("?")
        assert path.endswith("/a/b%20c")
        assert {each.partition("=")[0] for each in query.split("&")} == {"expires", "signature"}
