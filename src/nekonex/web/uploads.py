"""`POST /objects/<game>`: a console uploads a file with a form that it was given."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from nekonex.domain.datastore.files import TransferError, TransferRefusal
from nekonex.values.unavailable import ServiceUnavailable
from nekonex.web.answers import refusal, refused
from nekonex.web.limits import HttpLimits
from nekonex.web.multipart import Field, FileData, FormError, FormReader
from nekonex.web.slots import NoSlotError, Slots
from nekonex.web.stats import HttpStats, RefusedTransfer, refused_by
from nekonex.web.transfers import Incoming, Transfers

__all__ = ["Uploads"]

_logger = logging.getLogger(__name__)

_WRITE: Final = 256 * 1024
"""Bytes that are collected before they are written."""
_STATUSES: Final = {"200": 200, "201": 201}


class Uploads:
    """Receives files."""

    def __init__(self, transfers: Transfers, limits: HttpLimits, stats: HttpStats) -> None:
        self._transfers = transfers
        self._limits = limits
        self._stats = stats
        self._slots = Slots(
            limits.max_uploads,
            limits.max_uploads_per_address,
            limit_loopback=limits.limit_loopback,
        )

    async def __call__(self, request: Request) -> Response:
        """Answer one upload: 204, or what S3 would say."""
        length = request.headers.get("content-length")
        if length is None or "transfer-encoding" in request.headers:
            self._count(RefusedTransfer.NO_LENGTH)
            return refused(411, "MissingContentLength", "the length has to be given")
        if int(length) > self._limits.max_file + self._limits.form_bytes:
            self._count(RefusedTransfer.TOO_LARGE)
            return refused(413, "EntityTooLarge", "the upload is too large")
        game = request.path_params["game"]
        address = request.client.host if request.client else ""
        try:
            with self._slots.taken(address):
                async with asyncio.timeout(self._limits.upload_timeout):
                    return await self._receive(request, game)
        except NoSlotError:
            self._count(RefusedTransfer.SLOW_DOWN)
            return refused(503, "SlowDown", "too many uploads at a time", {"Retry-After": "5"})
        except TransferError as error:
            self._count(refused_by(error.refusal))
            response = refusal(error.refusal, str(error))
        except FormError as error:
            self._count(RefusedTransfer.MALFORMED)
            response = refusal(TransferRefusal.MALFORMED, str(error))
        except ServiceUnavailable as error:
            self._count(RefusedTransfer.UNAVAILABLE)
            return refused(503, "ServiceUnavailable", str(error))
        except TimeoutError:
            self._count(RefusedTransfer.TIMEOUT)
            response = refused(400, "RequestTimeout", "the upload takes too long")
        except ClientDisconnect:
            self._count(RefusedTransfer.BROKEN_OFF)
            response = refused(400, "IncompleteBody", "the upload broke off")
        _logger.info(
            "upload refused",
            extra={"game": game, "address": address, "status": response.status_code},
        )
        return response

    def _count(self, reason: RefusedTransfer) -> None:
        self._stats.uploads_refused[reason] += 1

    async def _receive(self, request: Request, game: str) -> Response:
        reader = FormReader(request.headers.get("content-type", ""), self._limits)
        fields: dict[str, str] = {}
        file: Incoming | None = None
        waiting = bytearray()
        try:
            async for chunk in self._chunks(request):
                for event in reader.feed(chunk):
                    if isinstance(event, Field):
                        fields.setdefault(event.name, event.value)
                        continue
                    if file is None:
                        file = await self._transfers.receive(game, fields)
                    if isinstance(event, FileData):
                        waiting += event.content
                        self._stats.received += len(event.content)
                if file is not None and len(waiting) >= _WRITE:
                    await file.write(bytes(waiting))
                    waiting.clear()
            reader.close()
            if file is None:
                raise FormError("the form has no file")
            await file.write(bytes(waiting))
            tag = await file.finish()
            self._stats.uploads += 1
        finally:
            if file is not None:
                await file.discard()
        _logger.debug("file uploaded", extra={"game": game, "key": file.key, "size": file.size})
        return _success(fields, tag)

    async def _chunks(self, request: Request) -> AsyncIterator[bytes]:
        """Yield a body as it comes in; TimeoutError if nothing comes for too long."""
        stream = request.stream()
        while True:
            async with asyncio.timeout(self._limits.upload_idle):
                chunk = await anext(stream, None)
            if chunk is None:
                return
            yield chunk


def _success(fields: dict[str, str], tag: str) -> Response:
    status = _STATUSES.get(fields.get("success_action_status", ""), 204)
    return Response(status_code=status, headers={"ETag": f'"{tag}"'})
