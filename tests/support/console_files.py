"""Uploads and downloads as a console does them: with what it was told, and nothing else."""

from __future__ import annotations

import asyncio
from typing import Any

from nekonex.demo import files

__all__ = ["download", "upload"]


async def upload(info: Any, content: bytes) -> int:
    """POST the form of a reply (url, headers, form), the file last; return the status."""
    assert info.url.startswith("http://")
    return await asyncio.to_thread(files.upload, info.url, info.form, content, info.headers)


async def download(info: Any) -> tuple[int, bytes]:
    """GET what a reply (url, headers) says; return the status and the content."""
    assert info.url.startswith("http://")
    return await asyncio.to_thread(files.download, info.url, info.headers)
