"""Uploads to the real program, which is killed or stopped meanwhile."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

from nekonex.storage.objects import LocalFileStore, open_objects
from tests.support.server_process import ServerProcess
from tests.support.uploads import BOUNDARY, encode_form
from tests.support.waiting import until

SIZE = 200_000


async def upload(
    ready: dict[str, Any], files: LocalFileStore, key: str, sent: int
) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """Send so many bytes of an upload."""
    form = await files.upload_form(key, SIZE, lifetime=60)
    body = encode_form(form.fields, bytes(SIZE))
    reader, writer = await asyncio.open_connection(*ready["http"])
    head = (
        f"POST /objects/kart HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
    )
    writer.write(head.encode() + body[:sent])
    await writer.drain()
    return reader, writer


async def test_what_was_confirmed_is_there_and_nothing_else(folder: Path) -> None:
    root, unfinished = folder / "data/objects", folder / "data/objects/.unfinished"
    server = ServerProcess(folder)
    try:
        ready = await asyncio.to_thread(server.wait_ready)
        secret = bytes.fromhex((folder / "data/secrets/object-store").read_text())
        async with open_objects(root, secret) as objects:
            files = objects.files("kart", lambda _: "http://localhost")
            reader, writer = await upload(ready, files, "whole", 2 * SIZE)
            assert await reader.readline() == b"HTTP/1.1 204 No Content\r\n"
            writer.close()
            _, half = await upload(ready, files, "half", SIZE // 2)
            await until(lambda: any(unfinished.iterdir()))
            server.process.kill()
            await asyncio.to_thread(server.wait)
            half.close()
            assert [(each.key, each.size) async for each in files.keys("")] == [("whole", SIZE)]
            assert any(unfinished.iterdir())

            server = ServerProcess(folder)
            ready = await asyncio.to_thread(server.wait_ready)
            assert not any(unfinished.iterdir())
            _, half = await upload(ready, files, "half", SIZE // 2)
            await until(lambda: any(unfinished.iterdir()))
            status, seconds = await asyncio.to_thread(server.stop)
            assert (status, seconds < 5) == (0, True), server.log_text()
            half.close()
            assert not any(unfinished.iterdir())
            assert [each.key async for each in files.keys("")] == ["whole"]
            assert "Traceback" not in server.log_text()
    finally:
        server.kill()
