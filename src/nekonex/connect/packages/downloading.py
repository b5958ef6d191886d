"""Fetching what other servers offer, over https, or http on this machine.

`urllib` of the standard library does it: a download now and then needs no client of its own, and
its redirects, proxies and certificates can be taken in hand one by one.
"""

from __future__ import annotations

import contextlib
import http.client
import io
import socket
import ssl
import string
import time
import urllib.error
import urllib.request
from ipaddress import ip_address
from typing import IO, Any, Final
from urllib.parse import quote, urljoin, urlsplit

from nekonex.connect.packages.errors import DownloadError, UnsafeUrlError
from nekonex.connect.packages.limits import DEFAULT_LIMITS, PackageLimits
from nekonex.connect.packages.names import quoted

__all__ = ["check_url", "download", "follow"]

MAX_REDIRECTS: Final = 5
"""Redirects of one download."""

_CHUNK: Final = 64 * 1024
_AGENT: Final = "nekonex"


def check_url(url: str) -> str:
    """Return a URL as it is fetched, if it may be: https, or http on this machine.

    What it may have only in another form, such as blanks, gets that form. Raises UnsafeUrlError.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host or not parts.netloc.isascii() or any(_is_in_no_url(each) for each in url):
        raise UnsafeUrlError(f"{quoted(url)} is no URL")
    if parts.scheme not in ({"http", "https"} if _is_here(host) else {"https"}):
        raise UnsafeUrlError(f"{quoted(url)} is not https (http only on this machine)")
    if "@" in parts.netloc:
        raise UnsafeUrlError(f"the URL for {host} has a user name, which is not supported")
    return quote(url, safe=string.punctuation)


def follow(base: str, url: str) -> str:
    """Return where a URL leads that another server has given, relative to ``base``.

    Raises UnsafeUrlError where it may not be fetched; only this machine may refer to itself.
    """
    try:
        found = check_url(urljoin(base, url))
    except ValueError:
        raise UnsafeUrlError(f"{quoted(url)} is no URL") from None
    if _is_here(urlsplit(found).hostname or "") and not _is_here(urlsplit(base).hostname or ""):
        raise UnsafeUrlError(f"{quoted(base)} refers to this machine, {quoted(found)}")
    return found


def download(
    url: str, size: int, limits: PackageLimits = DEFAULT_LIMITS, *, seconds: float | None = None
) -> bytes:
    """Return what is at a URL. Blocks, for ``seconds`` at most (default: `download_timeout`).

    Raises UnsafeUrlError if it may not be fetched, DownloadError for anything else, such as a
    redirect to one that may not, or more than ``size`` bytes.
    """
    url = check_url(url)
    patience = _Patience(limits.stall_timeout, seconds or limits.download_timeout)
    request = urllib.request.Request(url, headers={"User-Agent": _AGENT})  # noqa: S310 - checked
    try:
        with _opener(url, patience).open(request, timeout=patience.stall) as response:
            return _read(response, url, size)
    except urllib.error.HTTPError as error:
        with contextlib.closing(error):
            raise DownloadError(f"{url} answers {error.code} {error.reason}") from None
    except urllib.error.URLError as error:
        raise DownloadError(f"{url} cannot be reached: {_reason(error.reason)}") from None
    except http.client.IncompleteRead:
        raise DownloadError(f"{url} broke off") from None
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise DownloadError(f"{url} cannot be read: {_reason(error)}") from None


def _read(response: http.client.HTTPResponse, url: str, size: int) -> bytes:
    announced = response.length
    if announced is not None and announced > size:
        raise DownloadError(f"{url} has more than {size} bytes")
    content = bytearray()
    while chunk := response.read1(_CHUNK):
        content += chunk
        if len(content) > size:
            raise DownloadError(f"{url} has more than {size} bytes")
    if announced is not None and len(content) < announced:
        raise DownloadError(f"{url} broke off after {len(content)} of {announced} bytes")
    return bytes(content)


class _TooLongError(TimeoutError):
    """Bytes come, but not fast enough."""


class _Patience:
    """How long a download is waited for, from now on."""

    def __init__(self, stall: float, seconds: float) -> None:
        self.stall = stall
        self._seconds = seconds
        self._end = time.monotonic() + seconds

    def left(self) -> float:
        """Return how long the next bytes may take; _TooLongError if there was time enough."""
        left = self._end - time.monotonic()
        if left <= 0:
            raise _TooLongError(f"it takes longer than {self._seconds:g} seconds")
        return min(left, self.stall)


class _Bytes(io.RawIOBase):
    """What comes over a connection. A byte now and then does not keep one waiting for ever."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, patience: _Patience) -> None:
        self._raw = raw
        self._sock = sock
        self._patience = patience

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int | None:
        self._sock.settimeout(self._patience.left())
        try:
            return self._raw.readinto(buffer)
        except TimeoutError:
            self._patience.left()
            raise

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Http(urllib.request.HTTPHandler, urllib.request.HTTPSHandler):
    """Opens connections, over TLS too, whose answers are waited for with patience."""

    def __init__(self, patience: _Patience) -> None:
        super().__init__()

        class Answer(http.client.HTTPResponse):
            def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
                super().__init__(sock, *arguments, **options)
                self.fp = io.BufferedReader(_Bytes(self.fp.detach(), sock, patience))

        class Plain(http.client.HTTPConnection):
            response_class = Answer

        class Secure(http.client.HTTPSConnection):
            response_class = Answer

        self._plain = Plain
        self._secure = Secure

    def http_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._plain, req)

    def https_open(self, req: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._secure, req, context=ssl.create_default_context())


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects as far as the first URL could have led."""

    max_redirections = MAX_REDIRECTS
    inf_msg = "too many redirects: "

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: http.client.HTTPMessage,
        newurl: str,
    ) -> urllib.request.Request | None:
        # Else all of the answer would be read, however long it is.
        fp.close()
        try:
            follow(req.full_url, newurl)
        except UnsafeUrlError as error:
            raise DownloadError(f"{req.full_url} leads where it may not: {error}") from None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def _opener(url: str, patience: _Patience) -> urllib.request.OpenerDirector:
    """Return an opener that knows http and https only, and no proxy for this machine."""
    proxies: dict[str, str] | None = {} if _is_here(urlsplit(url).hostname or "") else None
    opener = urllib.request.OpenerDirector()
    for handler in (
        urllib.request.ProxyHandler(proxies),
        _Http(patience),
        urllib.request.HTTPDefaultErrorHandler(),
        _Redirects(),
        urllib.request.HTTPErrorProcessor(),
    ):
        opener.add_handler(handler)
    return opener


def _is_in_no_url(character: str) -> bool:
    return character < " " or "\ud800" <= character <= "\udfff"


def _is_here(host: str) -> bool:
    """Tell whether a host is this machine by its loopback address."""
    if host.rstrip(".") == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _reason(error: object) -> str:
    if isinstance(error, TimeoutError) and not isinstance(error, _TooLongError):
        return "it does not answer in time"
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return str(error) or type(error).__name__
