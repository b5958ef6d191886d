"""What the HTTP port answers, as an ASGI application."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from nekonex.web.downloads import Downloads
from nekonex.web.limits import HttpLimits
from nekonex.web.transfers import Transfers
from nekonex.web.uploads import Uploads

__all__ = ["make_application"]


def make_application(transfers: Transfers, *, limits: HttpLimits | None = None) -> Starlette:
    """Return an application with uploads, downloads and `/healthz`."""
    routes = [
        Route("/healthz", _healthz, methods=["GET"]),
        Route(
            "/objects/{game}", Uploads(transfers, limits or HttpLimits()).__call__, methods=["POST"]
        ),
        Route("/objects/{game}/{key:path}", Downloads(transfers).__call__, methods=["GET"]),
    ]
    application = Starlette(routes=routes)
    application.router.redirect_slashes = False
    return application


async def _healthz(_request: Request) -> Response:
    return PlainTextResponse("ok\n")
