"""What is fetched, and what is not."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from nekonex.connect.packages import DownloadError, PackageLimits, UnsafeUrlError, download
from nekonex.connect.packages.downloading import MAX_REDIRECTS, check_url, follow
from tests.support.certificates import write_certificate
from tests.support.file_server import Answer, FileServer, serving

IMPATIENT = PackageLimits(stall_timeout=0.1)
HASTY = PackageLimits(download_timeout=0.1)


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    """Name one that nobody answers at, which is not for this machine."""
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    monkeypatch.delenv("no_proxy", raising=False)


@pytest.fixture
def site() -> Iterator[FileServer]:
    with serving() as server:
        yield server


# -- which URLs -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        *("https://example.org/x.ncp", "https://example.org:8443/a?b=c#d", "HTTPS://example.org"),
        *("http://localhost/x", "http://127.0.0.1:80/x", "http://[::1]:8000/x", "http://127.8.9.1"),
    ],
)
def test_urls_that_may_be_fetched(url: str) -> None:
    assert check_url(url) == url


def test_a_url_gets_the_form_that_it_is_fetched_in() -> None:
    assert check_url("https://example.org/a b/ねこ%20.ncp") == (
        "https://example.org/a%20b/%E3%81%AD%E3%81%93%20.ncp"
    )


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.org/x", "is not https"),
        ("http://10.0.0.1/x", "is not https"),
        ("http://localhost.example.org/x", "is not https"),
        ("http://127.0.0.1.example.org/x", "is not https"),
        ("http://0.0.0.0/x", "is not https"),
        ("ftp://example.org/x", "is not https"),
        ("file://localhost/etc/passwd", "is not https"),
        ("file:///etc/passwd", "is no URL"),
        ("data:text/plain,x", "is no URL"),
        ("x.ncp", "is no URL"),
        ("", "is no URL"),
        ("https://", "is no URL"),
        ("https://[::1", "is no URL"),
        ("https://example.org:port/", "is no URL"),
        ("https://example.org:99999/", "is no URL"),
        ("https://exämple.org/", "is no URL"),
        ("https://example.org/a\nb", "is no URL"),
        ("https://example.org/a\udcff", "is no URL"),
        ("https://neko:secret@example.org/", "has a user name"),
    ],
)
def test_urls_that_may_not(url: str, reason: str) -> None:
    with pytest.raises(UnsafeUrlError, match=reason) as caught:
        download(url, 100)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    ("base", "url", "found"),
    [
        ("https://a.org/p/index.json", "x.ncp", "https://a.org/p/x.ncp"),
        ("https://a.org/p/index.json", "../x.ncp", "https://a.org/x.ncp"),
        ("https://a.org/p/index.json", "//b.org/x.ncp", "https://b.org/x.ncp"),
        ("https://a.org/p/index.json", "https://b.org/x.ncp", "https://b.org/x.ncp"),
        ("http://localhost:1/index.json", "x.ncp", "http://localhost:1/x.ncp"),
        ("http://localhost:1/index.json", "https://b.org/x", "https://b.org/x"),
        ("http://localhost:1/index.json", "http://127.0.0.1:2/x", "http://127.0.0.1:2/x"),
    ],
)
def test_where_a_reference_leads(base: str, url: str, found: str) -> None:
    assert follow(base, url) == found


@pytest.mark.parametrize(
    ("base", "url", "reason"),
    [
        ("https://a.org/", "http://b.org/x", "is not https"),
        ("https://a.org/", "http://a.org/x", "is not https"),
        ("https://a.org/", "http://localhost/x", "refers to this machine"),
        ("https://a.org/", "https://127.0.0.1/x", "refers to this machine"),
        ("https://a.org/", "file:///etc/passwd", "is no URL"),
        ("http://localhost/", "http://b.org/x", "is not https"),
        ("https://a.org/", "//[x", "is no URL"),
    ],
)
def test_where_none_may_lead(base: str, url: str, reason: str) -> None:
    with pytest.raises(UnsafeUrlError, match=reason):
        follow(base, url)


# -- fetching ---------------------------------------------------------------------------------


def test_a_download(site: FileServer) -> None:
    content = bytes(range(256)) * 1000
    assert download(site.put("/a", content), len(content)) == content
    assert download(site.put("/empty", b""), 100) == b""
    assert download(site.put("/open", Answer(content, length=-1)), len(content)) == content
    assert site.headers["User-Agent"] == "nekonex"


def test_more_than_asked_for(site: FileServer) -> None:
    with pytest.raises(DownloadError, match="/a has more than 99 bytes"):
        download(site.put("/a", bytes(100)), 99)
    endless = Answer(bytes(200_000), length=-1)
    with pytest.raises(DownloadError, match="/b has more than 99 bytes"):
        download(site.put("/b", endless), 99)


def test_what_is_not_there(site: FileServer) -> None:
    with pytest.raises(DownloadError, match=r"/none answers 404 Not Found$"):
        download(f"{site.url}/none", 100)
    with pytest.raises(DownloadError, match="/broken answers 500 Internal Server Error"):
        download(site.put("/broken", Answer(b"oh no", 500)), 100)


def test_a_download_that_breaks_off(site: FileServer) -> None:
    with pytest.raises(DownloadError, match="broke off after 10 of 50 bytes"):
        download(site.put("/a", Answer(bytes(10), length=50)), 100)


def test_nobody_is_there() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(DownloadError, match="cannot be reached: Connection refused"):
        download(f"http://127.0.0.1:{port}/", 100)


def test_somebody_who_says_nothing() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
        with pytest.raises(DownloadError, match="does not answer in time"):
            download(url, 100, IMPATIENT)


def test_somebody_who_speaks_something_else() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"SSH-2.0-OpenSSH\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(DownloadError, match="cannot be read"):
            download(f"http://127.0.0.1:{listener.getsockname()[1]}/", 100)
        thread.join()


def test_a_download_that_stalls(site: FileServer) -> None:
    enough = threading.Event()
    url = site.put("/a", Answer(bytes(10), length=50, then=lambda: enough.wait(10)))
    try:
        with pytest.raises(DownloadError, match="does not answer in time"):
            download(url, 100, IMPATIENT)
    finally:
        enough.set()


@pytest.mark.parametrize("begin", [b"", b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\n\r\n"])
def test_a_download_that_never_ends(begin: bytes) -> None:
    """A byte now and then keeps nobody waiting."""
    enough = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            connection, _ = listener.accept()
            with connection, contextlib.suppress(ConnectionError):
                connection.recv(1000)
                connection.sendall(begin)
                while not enough.wait(0.02):
                    connection.sendall(b"x")

        thread = threading.Thread(target=answer)
        thread.start()
        try:
            with pytest.raises(DownloadError, match=r"it takes longer than 0\.1 seconds"):
                download(f"http://127.0.0.1:{listener.getsockname()[1]}/", 100, HASTY)
        finally:
            enough.set()
            thread.join()


# -- redirects --------------------------------------------------------------------------------


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect(site: FileServer, status: int) -> None:
    site.put("/b/c", b"content")
    assert download(site.redirect("/a", "b/c", status), 100) == b"content"
    assert site.requests == ["/a", "/b/c"]


@pytest.mark.parametrize(
    "to",
    ["http://example.org/x", "ftp://example.org/x", "file:///etc/passwd", "http://10.1.2.3/"],
)
def test_a_redirect_to_where_nothing_may_be_fetched(site: FileServer, to: str) -> None:
    # What another server says is no wrong use of ours, and the URL is not one that was typed.
    with pytest.raises(DownloadError, match=f"{site.url}/a .*{to}"):
        download(site.redirect("/a", to), 100)
    assert site.requests == ["/a"]


def test_redirects_without_end(site: FileServer) -> None:
    with pytest.raises(DownloadError, match="answers 302 too many redirects"):
        download(site.redirect("/a", "/a"), 100)
    assert len(site.requests) <= MAX_REDIRECTS + 1


def test_what_comes_with_a_redirect_is_not_read(site: FileServer) -> None:
    site.put("/b", b"content")
    assert download(site.redirect("/a", "/b", body=bytes(1 << 22)), 100) == b"content"


# -- TLS --------------------------------------------------------------------------------------


def test_certificates_are_verified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cert, key = write_certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    with serving(context) as site:
        url = site.put("/a", b"content")
        with pytest.raises(DownloadError, match="certificate verify failed"):
            download(url, 100)
        monkeypatch.setenv("SSL_CERT_FILE", str(cert))
        assert download(url, 100) == b"content"
