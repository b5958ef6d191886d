"""Uploading and downloading as a console does it: a form as it was told, and a plain GET."""

import http.client
from collections.abc import Iterable, Iterator
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

__all__ = ["KeyValue", "download", "upload"]

_BOUNDARY: Final = "----console-form-boundary"
_SECONDS: Final = 10.0


class KeyValue(Protocol):
    """A form field or header, as the data store's structures have it."""

    @property
    def key(self) -> Any:
        """The name."""

    @property
    def value(self) -> Any:
        """The value."""


def upload(
    url: str, form: Iterable[KeyValue], content: bytes, headers: Iterable[KeyValue] = ()
) -> int:
    """Send a form whose last part is the file, and return the status; blocks.

    Raises OSError or HTTPException if the server does not answer.
    """
    body = b"".join(_parts(form, content))
    kind = {"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"}
    return _ask("POST", url, body, kind | _plain(headers))[0]


def download(url: str, headers: Iterable[KeyValue] = ()) -> tuple[int, bytes]:
    """Fetch a file and return the status and what came; blocks.

    Raises OSError or HTTPException if the server does not answer.
    """
    return _ask("GET", url, None, _plain(headers))


def _plain(headers: Iterable[KeyValue]) -> dict[str, str]:
    return {each.key: each.value for each in headers}


def _ask(method: str, url: str, body: bytes | None, headers: dict[str, str]) -> tuple[int, bytes]:
    target = urlsplit(url)
    connection = http.client.HTTPConnection(target.netloc, timeout=_SECONDS)
    try:
        connection.request(method, target._replace(scheme="", netloc="").geturl(), body, headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _parts(form: Iterable[KeyValue], content: bytes) -> Iterator[bytes]:
    head = f"--{_BOUNDARY}\r\nContent-Disposition: form-data"
    for field in form:
        yield f'{head}; name="{field.key}"\r\n\r\n{field.value}\r\n'.encode()
    yield f'{head}; name="file"; filename="file"\r\n'.encode()
    yield b"Content-Type: application/octet-stream\r\n\r\n"
    yield content
    yield f"\r\n--{_BOUNDARY}--\r\n".encode()
