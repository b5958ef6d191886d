"""`GET /objects/<game>/<key>`: a console downloads a file with a URL that it was given."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from email.utils import formatdate
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from nekonex.domain.datastore.files import TransferError, valid_key
from nekonex.values.unavailable import ServiceUnavailable
from nekonex.web.answers import refusal, refused
from nekonex.web.ranges import UnsatisfiableError, find_range
from nekonex.web.stats import HttpStats, RefusedTransfer, refused_by
from nekonex.web.transfers import Outgoing, Transfers

__all__ = ["Downloads"]

_READ: Final = 64 * 1024
"""Bytes that are read, and wait to be sent, at a time."""
_TRICKS: Final = re.compile(rb"%(2f|5c|00)", re.IGNORECASE)
"""A slash, backslash or NUL that hides."""


class Downloads:
    """Sends files."""

    def __init__(self, transfers: Transfers, stats: HttpStats) -> None:
        self._transfers = transfers
        self._stats = stats

    async def __call__(self, request: Request) -> Response:
        """Answer GET or HEAD of one file, or of a part of it."""
        game, key = request.path_params["game"], request.path_params["key"]
        if not valid_key(key) or _TRICKS.search(request.scope.get("raw_path", b"")):
            self._stats.downloads_refused[RefusedTransfer.BAD_PATH] += 1
            return refused(400, "InvalidURI", "the path is not one of a file")
        try:
            file = await self._transfers.send(game, key, request.query_params)
        except TransferError as error:
            self._stats.downloads_refused[refused_by(error.refusal)] += 1
            return refusal(error.refusal, str(error))
        except ServiceUnavailable as error:
            self._stats.downloads_refused[RefusedTransfer.UNAVAILABLE] += 1
            return refused(503, "ServiceUnavailable", str(error))
        return _FileResponse(file, request, self._stats)


class _FileResponse(Response):
    """Sends a file, all or a part, and lets go of it whatever happens."""

    def __init__(self, file: Outgoing, request: Request, stats: HttpStats) -> None:
        self._file = file
        self._request = request
        self._stats = stats
        self._left = 0
        """Bytes that are still to be sent."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            response = self._describe()
            await response(scope, receive, send)
        finally:
            if self._left:
                self._stats.downloads_refused[RefusedTransfer.BROKEN_OFF] += 1
            await self._file.close()

    def _describe(self) -> Response:
        file, request = self._file, self._request
        tag = f'"{file.tag}"'
        headers = {
            "Accept-Ranges": "bytes",
            "ETag": tag,
            "Last-Modified": formatdate(file.modified, usegmt=True),
            # What players upload is nothing that a browser may take for a page of this server.
            "X-Content-Type-Options": "nosniff",
        }
        if tag in _tags(request.headers.get("if-none-match", "")):
            return Response(status_code=304, headers=headers)
        wanted = request.headers.get("range")
        if request.headers.get("if-range", tag) != tag:
            wanted = None
        try:
            part = find_range(wanted, file.size)
        except UnsatisfiableError:
            headers["Content-Range"] = f"bytes */{file.size}"
            self._stats.downloads_refused[RefusedTransfer.BAD_RANGE] += 1
            return refused(
                416, "InvalidRange", "the file has nothing of what was asked for", headers
            )
        start, end = part or (0, file.size)
        headers["Content-Length"] = str(end - start)
        if part:
            headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
        status, kind = 206 if part else 200, "application/octet-stream"
        if request.method == "HEAD":
            return Response(None, status, headers, kind)
        self._left = end - start
        return StreamingResponse(self._content(start, end), status, headers, kind)

    async def _content(self, start: int, end: int) -> AsyncIterator[bytes]:
        while start < end:
            chunk = await self._file.read(start, min(_READ, end - start))
            if not chunk:
                raise RuntimeError("a file became shorter while it was sent")
            start += len(chunk)
            yield chunk
            self._left -= len(chunk)
            self._stats.sent += len(chunk)
        self._stats.downloads += 1


def _tags(header: str) -> list[str]:
    return [each.strip().removeprefix("W/") for each in header.split(",")]
