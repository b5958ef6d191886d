"""A console's HTTP: what it sends for a form, and what comes back, over plain sockets."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from nekonex.app.sockets import bind
from nekonex.storage.objects import LocalFileStore, LocalObjects, open_objects
from nekonex.web import (
    BACKLOG,
    RECEIVE_BUFFER,
    HttpLimits,
    HttpListener,
    HttpStats,
    make_application,
)

__all__ = ["BOUNDARY", "Answer", "Site", "encode_form", "site"]

BOUNDARY = "----a-console"
SECRET = bytes(range(32))


def encode_form(
    fields: Iterable[tuple[str, str]], content: bytes, *, file_head: str = 'name="file"'
) -> bytes:
    """Return the body of a form: the fields in their order, then the file."""
    parts = [
        f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in fields
    ]
    head = f"--{BOUNDARY}\r\nContent-Disposition: form-data; {file_head}\r\n\r\n".encode()
    return b"".join([*parts, head, content, f"\r\n--{BOUNDARY}--\r\n".encode()])


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request was answered."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def code(self) -> str:
        """The error code of a refusal; empty if it is none."""
        return self.body.decode().partition("<Code>")[2].partition("</Code>")[0]


@dataclass(frozen=True, slots=True)
class Site:
    """The object store of a game behind an HTTP port."""

    objects: LocalObjects
    files: LocalFileStore
    port: int
    root: Path
    listener: HttpListener
    stats: HttpStats

    async def request(self, method: str, url: str, body: bytes = b"", **headers: str) -> Answer:
        """Make one request, over a connection of its own; underscores of headers are dashes."""
        return await asyncio.to_thread(self._request, method, url, body, headers)

    def _request(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        parts = urlsplit(url)
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with contextlib.closing(connection):
            path = parts.path + (f"?{parts.query}" if parts.query else "")
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(method, path, body or None, named)
            response = connection.getresponse()
            found = {name.lower(): value for name, value in response.getheaders()}
            return Answer(response.status, found, response.read())

    async def upload(
        self,
        fields: Iterable[tuple[str, str]],
        content: bytes,
        *,
        game: str = "kart",
        file_head: str = 'name="file"',
    ) -> Answer:
        """Upload with the fields of a form."""
        body = encode_form(fields, content, file_head=file_head)
        kind = f"multipart/form-data; boundary={BOUNDARY}"
        return await self.request("POST", f"/objects/{game}", body, Content_Type=kind)

    async def store(self, key: str, content: bytes) -> Answer:
        """Upload as it should be."""
        form = await self.files.upload_form(key, len(content), lifetime=60)
        answer = await self.upload(form.fields, content)
        assert answer.status == 204, answer
        return answer

    async def begin_upload(
        self, fields: Iterable[tuple[str, str]], content: bytes, sent: int
    ) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """Send the head of an upload and so many bytes of its body, and no more."""
        body = encode_form(fields, content)
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        head = (
            f"POST /objects/kart HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n"
        )
        writer.write(head.encode() + body[:sent])
        await writer.drain()
        return reader, writer

    def unfinished(self) -> list[Path]:
        """Return what is on the disk that has no key."""
        return [path for path in self.root.rglob(".*") if path.is_file()]

    async def stored(self) -> dict[str, int]:
        """Return the sizes of all files by their keys."""
        return {each.key: each.size async for each in self.files.keys("")}


@contextlib.asynccontextmanager
async def site(
    root: Path, *, limits: HttpLimits | None = None, reserve: int = 0
) -> AsyncIterator[Site]:
    """Serve the object store in a directory on a free port."""
    async with open_objects(root / "objects", SECRET, reserve=reserve) as objects:
        bound = await bind("127.0.0.1", 0, backlog=BACKLOG, receive_buffer=RECEIVE_BUFFER)
        port = bound.getsockname()[1]
        stats = HttpStats()
        application = make_application(objects, limits=limits, stats=stats)
        listener = HttpListener(application, bound, limits=limits, stats=stats)
        await listener.start()
        files = objects.files("kart", lambda _: f"http://127.0.0.1:{port}")
        try:
            yield Site(objects, files, port, root / "objects", listener, stats)
        finally:
            await listener.close()
