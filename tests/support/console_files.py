"""Uploads and downloads as a console does them: with what it was told, and nothing else."""

from __future__ import annotations

import asyncio
import http.client
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

__all__ = ["download", "upload"]

_BOUNDARY = "--------console0123456789"
_SECONDS = 20.0


async def upload(info: Any, content: bytes) -> int:
    """POST the form of a reply (url, headers, form), the file last; return the status."""
    parts = [_part(f'name="{each.key}"', each.value.encode()) for each in info.form]
    file = 'name="file"; filename="file"\r\nContent-Type: application/octet-stream'
    body = b"".join([*parts, _part(file, content), f"--{_BOUNDARY}--\r\n".encode()])
    headers = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    status, _ = await _request("POST", info.url, headers | _headers(info.headers), body)
    return status


async def download(info: Any) -> tuple[int, bytes]:
    """GET what a reply (url, headers) says; return the status and the content."""
    return await _request("GET", info.url, _headers(info.headers))


def _headers(pairs: Iterable[Any]) -> dict[str, str]:
    return {each.key: each.value for each in pairs}


def _part(name: str, content: bytes) -> bytes:
    head = f"--{_BOUNDARY}\r\nContent-Disposition: form-data; {name}\r\n\r\n"
    return head.encode() + content + b"\r\n"


async def _request(
    verb: str, url: str, headers: dict[str, str], body: bytes | None = None
) -> tuple[int, bytes]:
    parts = urlsplit(url)
    assert parts.scheme == "http"
    assert parts.hostname is not None
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=_SECONDS)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path

    def ask() -> tuple[int, bytes]:
        try:
            connection.request(verb, target, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()

    return await asyncio.to_thread(ask)
