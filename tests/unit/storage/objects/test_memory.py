"""A console's part in front of the files in memory."""

from __future__ import annotations

import pytest

from nekonex.domain.datastore.files import TransferError, TransferRefusal
from nekonex.storage.objects import MemoryFileStore


async def test_upload_and_download() -> None:
    now = [1000.0]
    files = MemoryFileStore(clock=lambda: now[0])
    form = await files.upload_form("a/b c", 3, lifetime=10)
    download = await files.download("a/b c", lifetime=10)
    with pytest.raises(TransferError) as caught:
        files.fetch(download)
    assert caught.value.refusal is TransferRefusal.MISSING
    for content, why in (
        (b"12", TransferRefusal.TOO_SMALL),
        (b"1234", TransferRefusal.TOO_LARGE),
    ):
        with pytest.raises(TransferError) as caught:
            files.upload(form, content)
        assert caught.value.refusal is why
    files.upload(form, b"123")
    assert files.fetch(download) == b"123"
    now[0] = 1011.0
    with pytest.raises(TransferError) as caught:
        files.upload(form, b"123")
    assert caught.value.refusal is TransferRefusal.EXPIRED
    with pytest.raises(TransferError):
        files.fetch(download)
