"""Downloads over real sockets."""

from __future__ import annotations

import asyncio
import dataclasses
from pathlib import Path

import pytest

from nekonex.storage.objects.disk import OpenFile
from nekonex.web import HttpLimits
from tests.support.uploads import Site, site
from tests.support.waiting import until

CONTENT = bytes(range(256)) * 40


async def url_of(at: Site, key: str, lifetime: float = 60) -> str:
    return (await at.files.download(key, lifetime=lifetime)).url


async def test_a_file_comes_back_byte_by_byte(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        for key in ("ghosts/1/0.bin", "A ü+%2f?#&~.bin", "empty"):
            content = b"" if key == "empty" else CONTENT
            stored = await at.store(key, content)
            url = await url_of(at, key)
            answer = await at.request("GET", url)
            assert (answer.status, answer.body) == (200, content)
            assert answer.headers["content-length"] == str(len(content))
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["etag"] == stored.headers["etag"]
            head = await at.request("HEAD", url)
            assert (head.status, head.body) == (200, b"")
            assert {**head.headers, "date": ""} == {**answer.headers, "date": ""}


async def test_parts_of_a_file(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        await at.store("a", CONTENT)
        url = await url_of(at, "a")
        for asked, part, content in (
            ("bytes=0-9", "0-9", CONTENT[:10]),
            ("bytes=10000-", "10000-10239", CONTENT[10000:]),
            ("bytes=-5", "10235-10239", CONTENT[-5:]),
        ):
            answer = await at.request("GET", url, Range=asked)
            assert (answer.status, answer.body) == (206, content)
            assert answer.headers["content-range"] == f"bytes {part}/10240"
            assert answer.headers["content-length"] == str(len(content))
        answer = await at.request("GET", url, Range="bytes=10240-")
        assert (answer.status, answer.code) == (416, "InvalidRange")
        assert answer.headers["content-range"] == "bytes */10240"
        assert (await at.request("GET", url, Range="bytes=0-1,4-5")).status == 200


async def test_what_the_client_has_already(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        tag = (await at.store("a", CONTENT)).headers["etag"]
        url = await url_of(at, "a")
        answer = await at.request("GET", url, If_None_Match=f'"x", W/{tag}')
        assert (answer.status, answer.body) == (304, b"")
        assert (await at.request("GET", url, If_None_Match='"x"')).status == 200
        same = await at.request("GET", url, Range="bytes=0-1", If_Range=tag)
        assert (same.status, same.body) == (206, CONTENT[:2])
        await at.store("a", CONTENT)
        other = await at.request("GET", url, Range="bytes=0-1", If_Range=tag)
        assert (other.status, len(other.body)) == (200, len(CONTENT))


async def test_what_the_url_does_not_allow_is_refused(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        await at.store("a/b", CONTENT)
        await at.store("a/c", CONTENT)
        url = await url_of(at, "a/b")
        plain, _, query = url.partition("?")
        for changed in (
            plain,
            url[:-1],
            f"{url}0",
            url.replace("/a/b", "/a/c"),
            url.replace("/kart/", "/ink/"),
            url.replace("expires=", "expires=9"),
            f"{plain}?signature=x&expires=y",
            f"{plain}/?{query}",
            await url_of(at, "a/b", -2),
        ):
            answer = await at.request("GET", changed)
            assert answer.status in (400, 403), changed
            assert answer.code in ("AccessDenied", "InvalidURI")
        missing = await at.request("GET", await url_of(at, "missing"))
        assert (missing.status, missing.code) == (404, "NoSuchKey")


@pytest.mark.parametrize(
    "path",
    [
        "/objects/kart/../kart/a/b",
        "/objects/kart/a/../a/b",
        "/objects/kart/%2e%2e/kart+/a+/b",
        "/objects/kart/a%2fb",
        "/objects/kart/a%5cb",
        "/objects/kart/a/b%00",
        "/objects/kart//a/b",
        "/objects/kart/a//b",
        "/objects/kart//etc/passwd",
        "/objects/kart/.unfinished/x",
        "/objects/%2e%2e/a/b",
        "/objects/../nekonex.db",
        "/objects/kart%2f..%2fink/a",
    ],
)
async def test_tricks_with_paths_are_answered(tmp_path: Path, path: str) -> None:
    async with site(tmp_path) as at:
        await at.store("a/b", CONTENT)
        query = (await url_of(at, "a/b")).partition("?")[2]
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(
            f"GET {path}?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        )
        status = int((await reader.read()).split(b" ")[1])
        writer.close()
        assert status in (400, 403, 404)


async def test_a_file_stays_what_it_was_while_it_is_sent(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        size = 8_000_000
        await at.files.put("a", b"1" * size)
        path = (await url_of(at, "a")).partition(str(at.port))[2]
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        await at.files.put("a", b"2" * 10)
        await at.files.remove("a")
        assert set(await reader.readexactly(size)) == {ord("1")}
        writer.close()


async def test_who_does_not_take_it_is_dropped_and_the_file_closed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed: list[OpenFile] = []
    real = OpenFile.close

    def close(self: OpenFile) -> None:
        closed.append(self)
        real(self)

    monkeypatch.setattr(OpenFile, "close", close)
    limits = dataclasses.replace(HttpLimits(), send_timeout=0.05)
    async with site(tmp_path, limits=limits) as at:
        await at.files.put("a", bytes(20_000_000))
        path = (await url_of(at, "a")).partition(str(at.port))[2]
        for vanish in (False, True):
            closed.clear()
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port, limit=1000)
            writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
            await reader.readline()
            if vanish:
                writer.transport.abort()
            await until(lambda: len(closed) == 1)
            writer.close()


async def test_the_server_is_well(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        answer = await at.request("GET", "/healthz")
        assert (answer.status, answer.body) == (200, b"ok\n")
        assert (await at.request("GET", "/")).status == 404
