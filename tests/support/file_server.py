"""A web server of this machine, with the answers that it is told to give."""

from __future__ import annotations

import contextlib
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

__all__ = ["Answer", "FileServer", "serving"]


@dataclass(frozen=True)
class Answer:
    """What a path is answered with."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    length: int | None = None
    """What the server says of the length; None: the truth."""
    then: Callable[[], object] = lambda: None
    """Called when all is sent, before the connection is closed."""


@dataclass
class FileServer:
    """Answers by path, without the query; what is not there is answered 404."""

    url: str
    answers: dict[str, Answer] = field(default_factory=dict)
    requests: list[str] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    """Those of the last request."""

    def put(self, path: str, body: bytes | Answer) -> str:
        """Give an answer at a path, and return its URL."""
        self.answers[path] = body if isinstance(body, Answer) else Answer(body)
        return f"{self.url}{path}"

    def redirect(self, path: str, to: str, status: int = 302, body: bytes = b"") -> str:
        """Redirect a path, and return its URL."""
        return self.put(path, Answer(body, status, {"Location": to}))


@contextlib.contextmanager
def serving(tls: ssl.SSLContext | None = None) -> Iterator[FileServer]:
    """Serve on a free port of 127.0.0.1."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            site.requests.append(self.path)
            site.headers = dict(self.headers)
            answer = site.answers.get(self.path.partition("?")[0], Answer(b"not here", 404))
            self.send_response(answer.status)
            length = len(answer.body) if answer.length is None else answer.length
            if length >= 0:
                self.send_header("Content-Length", str(length))
            for name, value in answer.headers.items():
                self.send_header(name, value)
            self.end_headers()
            with contextlib.suppress(ConnectionError):
                self.wfile.write(answer.body)
                self.wfile.flush()
                answer.then()

        def log_message(self, *_: Any) -> None:
            pass

    class Server(HTTPServer):
        def handle_error(self, *_: Any) -> None:
            """Say nothing of a client that has enough."""

    with Server(("127.0.0.1", 0), Handler) as server:
        if tls is not None:
            server.socket = tls.wrap_socket(server.socket, server_side=True)
        scheme = "http" if tls is None else "https"
        site = FileServer(f"{scheme}://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, args=(0.005,))
        thread.start()
        try:
            yield site
        finally:
            server.shutdown()
            thread.join()
