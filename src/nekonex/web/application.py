"""What the HTTP port answers, as an ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from nekonex.web.downloads import Downloads
from nekonex.web.limits import HttpLimits
from nekonex.web.stats import HttpStats
from nekonex.web.transfers import Transfers
from nekonex.web.uploads import Uploads

__all__ = ["make_application"]


def make_application(
    transfers: Transfers, *, limits: HttpLimits | None = None, stats: HttpStats | None = None
) -> Starlette:
    """Return an application with uploads, downloads and `/healthz`, which counts in ``stats``."""
    stats = stats or HttpStats()
    uploads = Uploads(transfers, limits or HttpLimits(), stats)
    downloads = Downloads(transfers, stats)

    async def stray(_request: Request, error: Exception) -> Response:
        if not isinstance(error, HTTPException):
            raise error
        stats.strays += 1
        return PlainTextResponse(error.detail, error.status_code, error.headers)

    routes = [
        Route("/healthz", _healthz, methods=["GET"]),
        Route("/objects/{game}", uploads.__call__, methods=["POST"]),
        Route("/objects/{game}/{key:path}", downloads.__call__, methods=["GET"]),
    ]
    application = Starlette(routes=routes, exception_handlers={HTTPException: stray})
    application.router.redirect_slashes = False
    return application


async def _healthz(_request: Request) -> Response:
    return PlainTextResponse("ok\n")
