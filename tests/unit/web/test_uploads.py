"""Uploads over real sockets."""

from __future__ import annotations

import asyncio
import dataclasses
import errno
import os
import tracemalloc
from pathlib import Path

import pytest

from nekonex.web import HttpLimits
from tests.support.uploads import Site, encode_form, site
from tests.support.waiting import until

LIMITS = HttpLimits(limit_loopback=True)
CONTENT = bytes(range(256)) * 40


def _is_cut_off(writer: asyncio.StreamWriter) -> bool:
    writer.write(bytes(100_000))
    return writer.is_closing()


async def nothing_left(at: Site) -> None:
    await until(lambda: not at.unfinished())


async def test_an_upload_is_stored_under_its_key(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        for key in ("ghosts/1/0.bin", "A ü+%2f?#&.bin", "x" * 200):
            answer = await at.store(key, CONTENT)
            assert answer.headers["etag"].startswith('"')
            assert "server" not in answer.headers
            assert await at.files.read(key, 1 << 20) == CONTENT
        await at.store("empty", b"")
        assert (await at.stored())["empty"] == 0
        assert at.unfinished() == []


@pytest.mark.parametrize("head", ['name="file"; filename="a.bin"', 'name="content"; filename="a"'])
async def test_forms_of_any_console(tmp_path: Path, head: str) -> None:
    async with site(tmp_path) as at:
        form = await at.files.upload_form("a", 3, lifetime=60)
        more = [("Content-Type", "application/octet-stream"), ("x-unknown", "1")]
        for fields in ([*form.fields, *more], [*more, *reversed(form.fields)]):
            assert (await at.upload(fields, b"abc", file_head=head)).status == 204
        for wanted, status in (("200", 200), ("201", 201), ("500", 204)):
            fields = [("success_action_status", wanted), *form.fields]
            assert (await at.upload(fields, b"abc", file_head=head)).status == status


async def test_what_the_form_does_not_allow_is_refused(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        await at.store("a", b"old")
        fields = dict((await at.files.upload_form("a", 3, lifetime=60)).fields)
        other = dict((await at.files.upload_form("b", 3, lifetime=60)).fields)
        expired = dict((await at.files.upload_form("a", 3, lifetime=-1)).fields)
        for changed in (
            {**fields, "key": "b"},
            {**fields, "key": "../a"},
            {**fields, "policy": other["policy"]},
            {**fields, "x-nekonex-signature": "0" * 64},
            {"key": "a"},
            {},
            expired,
        ):
            answer = await at.upload(changed.items(), b"new")
            assert (answer.status, answer.code) == (403, "AccessDenied")
        assert (await at.upload(fields.items(), b"new", game="ink")).status == 403
        assert (await at.upload(fields.items(), b"ne")).code == "EntityTooSmall"
        assert (await at.upload(fields.items(), b"")).code == "EntityTooSmall"
        assert (await at.upload(fields.items(), b"news")).code == "EntityTooLarge"
        assert await at.files.read("a", 10) == b"old"
        assert list(await at.stored()) == ["a"]
        assert at.unfinished() == []


async def test_what_is_no_form_is_refused(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        kind = "multipart/form-data; boundary=b"
        for body in (b"x", b"--b\r\n", b"--b--\r\n", b"--b\r\n\r\n\r\n--b--"):
            answer = await at.request("POST", "/objects/kart", body, Content_Type=kind)
            assert (answer.status, answer.code) == (400, "MalformedPOSTRequest")
        answer = await at.request("POST", "/objects/kart", b"x", Content_Type="text/plain")
        assert answer.code == "MalformedPOSTRequest"
        answer = await at.request("POST", "/objects/kart", Content_Length="0")
        assert answer.code == "MalformedPOSTRequest"
        assert (await at.request("PUT", "/objects/kart/a", b"x")).status == 405
        assert (await at.request("POST", "/elsewhere", b"x")).status == 404
        assert at.unfinished() == []


async def test_a_console_may_ask_before_it_sends(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        form = await at.files.upload_form("a", 5, lifetime=60)
        body = encode_form(form.fields, b"hello")
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(
            f"POST /objects/kart HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
            "Expect: 100-continue\r\n"
            "Content-Type: multipart/form-data; boundary=----a-console\r\n\r\n".encode()
        )
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 100 ")
        writer.write(body)
        assert await reader.readline() == b"HTTP/1.1 204 No Content\r\n"
        writer.close()


async def test_a_length_is_needed(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        answer = await at.request("POST", "/objects/kart", b"", Transfer_Encoding="chunked")
        assert (answer.status, answer.code) == (411, "MissingContentLength")


async def test_what_is_far_too_large_is_not_even_read(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        length = HttpLimits().max_file * 2
        writer.write(
            f"POST /objects/kart HTTP/1.1\r\nHost: x\r\nContent-Length: {length}\r\n\r\n".encode()
        )
        answer = await reader.readuntil(b"</Error>\n")
        assert answer.startswith(b"HTTP/1.1 413 ")
        assert b"EntityTooLarge" in answer
        writer.close()


async def test_more_than_allowed_is_cut_off_early(tmp_path: Path) -> None:
    limits = dataclasses.replace(LIMITS, discard_bytes=1000)
    async with site(tmp_path, limits=limits) as at:
        form = await at.files.upload_form("a", 10, lifetime=60)
        reader, writer = await at.begin_upload(form.fields, bytes(5_000_000), 600_000)
        assert b"EntityTooLarge" in await reader.readuntil(b"</Error>\n")
        await until(lambda: _is_cut_off(writer))
        writer.close()
        await nothing_left(at)


async def test_a_refused_upload_that_is_not_long_leaves_the_connection_usable(
    tmp_path: Path,
) -> None:
    async with site(tmp_path) as at:
        body = encode_form([("key", "a")], bytes(100_000))
        kind = "multipart/form-data; boundary=----a-console"
        head = f"POST /objects/kart HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        request = f"{head}Content-Type: {kind}\r\n\r\n".encode() + body
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        for _ in range(3):
            writer.write(request)
            assert await reader.readline() == b"HTTP/1.1 403 Forbidden\r\n"
            await reader.readuntil(b"</Error>\n")
        writer.close()


async def test_a_client_that_pauses_or_takes_for_ever_is_dropped(tmp_path: Path) -> None:
    limits = dataclasses.replace(LIMITS, upload_idle=0.05)
    async with site(tmp_path, limits=limits) as at:
        form = await at.files.upload_form("a", len(CONTENT), lifetime=60)
        reader, writer = await at.begin_upload(form.fields, CONTENT, 5000)
        assert b"RequestTimeout" in await reader.readuntil(b"</Error>\n")
        writer.close()
        await nothing_left(at)
    limits = dataclasses.replace(LIMITS, upload_timeout=0.1)
    async with site(tmp_path, limits=limits) as at:
        reader, writer = await at.begin_upload(form.fields, CONTENT, 5000)
        for _ in range(10):
            writer.write(b"\0")
            await asyncio.sleep(0.015)
        assert b"RequestTimeout" in await reader.readuntil(b"</Error>\n")
        writer.close()
        await nothing_left(at)


async def test_headers_have_to_come_in_time_and_be_short(tmp_path: Path) -> None:
    limits = dataclasses.replace(LIMITS, header_timeout=0.05)
    async with site(tmp_path, limits=limits) as at:
        for begun in (b"", b"POST /objects/kart HTTP/1.1\r\nHost: x\r\n"):
            reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
            writer.write(begun)
            with pytest.raises((ConnectionResetError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.close()
    limits = dataclasses.replace(LIMITS, header_bytes=2000)
    async with site(tmp_path, limits=limits) as at:
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        writer.write(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 5000)
        assert (await reader.read()).startswith(b"HTTP/1.1 400 ")
        writer.close()


async def test_a_client_that_vanishes_leaves_nothing_behind(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        form = await at.files.upload_form("a", len(CONTENT), lifetime=60)
        whole = len(encode_form(form.fields, CONTENT))
        for sent in (0, 100, 1000, 5000, whole - 3):
            _, writer = await at.begin_upload(form.fields, CONTENT, sent)
            if sent == 5000:
                await until(lambda: bool(at.unfinished()))
            writer.transport.abort()
        await nothing_left(at)
        assert await at.stored() == {}
        await at.store("a", CONTENT)


async def test_uploads_to_one_key_at_once_are_never_mixed(tmp_path: Path) -> None:
    async with site(tmp_path) as at:
        size = 300_000
        form = await at.files.upload_form("a", size, lifetime=60)
        contents = [bytes([number]) * size for number in range(6)]
        answers = await asyncio.gather(*(at.upload(form.fields, each) for each in contents))
        assert {answer.status for answer in answers} == {204}
        assert await at.files.read("a", size) in contents
        # The one that is finished later wins.
        _, writer = await at.begin_upload(form.fields, contents[0], size)
        await at.upload(form.fields, contents[1])
        assert await at.files.read("a", size) == contents[1]
        writer.write(encode_form(form.fields, contents[0])[size:])
        await until(lambda: (at.root / "kart+" / "a").read_bytes() == contents[0])
        writer.close()
        assert at.unfinished() == []


async def test_uploads_at_a_time_are_limited(tmp_path: Path) -> None:
    for limits in (
        dataclasses.replace(LIMITS, max_uploads=2),
        dataclasses.replace(LIMITS, max_uploads_per_address=2),
    ):
        async with site(tmp_path, limits=limits) as at:
            form = await at.files.upload_form("a", len(CONTENT), lifetime=60)
            writers = [(await at.begin_upload(form.fields, CONTENT, 5000))[1] for _ in range(2)]
            await until(lambda: len(at.unfinished()) == 2)
            answer = await at.upload(form.fields, CONTENT)
            assert (answer.status, answer.code) == (503, "SlowDown")
            assert answer.headers["retry-after"] == "5"
            for writer in writers:
                writer.transport.abort()
            await nothing_left(at)
            await at.store("a", CONTENT)


async def test_this_machine_is_not_one_address(tmp_path: Path) -> None:
    limits = HttpLimits(max_uploads_per_address=1)
    async with site(tmp_path, limits=limits) as at:
        form = await at.files.upload_form("a", len(CONTENT), lifetime=60)
        _, writer = await at.begin_upload(form.fields, CONTENT, 5000)
        await until(lambda: len(at.unfinished()) == 1)
        await at.store("b", CONTENT)
        writer.transport.abort()
        await nothing_left(at)


async def test_a_full_disk_is_told_and_nothing_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = os.write

    def full(descriptor: int, content: bytes) -> int:
        if len(content) > 1000:
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, content)

    async with site(tmp_path) as at:
        form = await at.files.upload_form("a", len(CONTENT), lifetime=60)
        with monkeypatch.context() as patched:
            patched.setattr(os, "write", full)
            answer = await at.upload(form.fields, CONTENT)
        assert (answer.status, answer.code) == (507, "InsufficientStorage")
        assert at.unfinished() == []
        await at.store("a", CONTENT)
    async with site(tmp_path, reserve=2**60) as at:
        assert (await at.upload(form.fields, CONTENT)).status == 507


async def test_a_broken_disk_is_an_outage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    async with site(tmp_path) as at:
        form = await at.files.upload_form("a", len(CONTENT), lifetime=60)
        with monkeypatch.context() as patched:
            patched.setattr(os, "fsync", broken)
            answer = await at.upload(form.fields, CONTENT)
        assert (answer.status, answer.code) == (503, "ServiceUnavailable")
        assert at.unfinished() == []


async def test_large_files_take_little_memory(tmp_path: Path) -> None:
    size = 32 * 1024 * 1024
    block = bytes(range(256)) * 1024
    async with site(tmp_path) as at:
        form = await at.files.upload_form("a", size, lifetime=60)
        empty = encode_form(form.fields, b"")
        place = empty.index(b"\r\n\r\n", empty.index(b'name="file"')) + 4
        reader, writer = await asyncio.open_connection("127.0.0.1", at.port)
        tracemalloc.start()
        writer.write(
            f"POST /objects/kart HTTP/1.1\r\nHost: x\r\nContent-Length: {len(empty) + size}\r\n"
            "Content-Type: multipart/form-data; boundary=----a-console\r\n\r\n".encode()
            + empty[:place]
        )
        for _ in range(size // len(block)):
            writer.write(block)
            await writer.drain()
        writer.write(empty[place:])
        assert await reader.readline() == b"HTTP/1.1 204 No Content\r\n"
        await reader.readuntil(b"\r\n\r\n")
        path = (await at.files.download("a", lifetime=60)).url.partition(str(at.port))[2]
        writer.write(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        await reader.readuntil(b"\r\n\r\n")
        for _ in range(size // len(block)):
            assert await reader.readexactly(len(block)) == block
        writer.close()
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < size // 10
