"""The HTTP port of the server as a whole."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from pathlib import Path
from typing import Any

import pytest

from nekonex.app import StartError, ask
from nekonex.app.addresses import ExternalAddress
from nekonex.app.http import HttpPort
from nekonex.app.ports import CLOSE_SECONDS
from nekonex.app.server import Server
from nekonex.config import load_config
from nekonex.testing import running_server
from nekonex.values import ServiceUnavailable
from nekonex.web import listener
from nekonex.web.listener import CUT_SECONDS, GRACE_SECONDS
from tests.support.uploads import BOUNDARY, encode_form
from tests.support.waiting import until

ONE = '[[game]]\nname = "one"\ntitle = "mario-kart-8"\n'


async def exchange(server: Server, request: bytes) -> bytes:
    """Send a request, and return all of the answer."""
    assert server.http is not None
    reader, writer = await asyncio.open_connection(*server.http.address)
    writer.write(request)
    answer = await reader.read()
    writer.close()
    return answer


async def upload(server: Server, fields: Any, content: bytes) -> bytes:
    body = encode_form(fields, content)
    head = (
        f"POST /objects/one HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
        f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return await exchange(server, head.encode() + body)


async def test_consoles_upload_and_download(tmp_path: Path) -> None:
    async with running_server(ONE, folder=tmp_path) as server:
        host, port = server.addresses()["http"]
        assert host == "127.0.0.1"
        (game,) = server.games
        form = await game.files.upload_form("a/b", 5, lifetime=60, viewer="127.0.0.1")
        assert form.url == f"http://127.0.0.1:{port}/objects/one"
        assert (await upload(server, form.fields, b"hello")).startswith(b"HTTP/1.1 204 ")
        url = (await game.files.download("a/b", lifetime=60)).url
    # Another start has the same secret, and another port.
    leftover = tmp_path / "data/objects/.unfinished/.x"
    leftover.write_bytes(b"half")
    async with running_server(ONE, folder=tmp_path) as server:
        assert not leftover.exists()
        path = url.partition(f":{port}")[2]
        answer = await exchange(
            server, f"GET {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode()
        )
        assert answer.endswith(b"\r\n\r\nhello")
    assert (tmp_path / "data/secrets/object-store").stat().st_mode & 0o077 == 0


async def test_without_http_nothing_can_be_stored(tmp_path: Path) -> None:
    async with running_server(f"[http]\nenabled = false\n{ONE}", folder=tmp_path) as server:
        assert server.addresses()["http"] is None
        (game,) = server.games
        with pytest.raises(ServiceUnavailable):
            await game.files.upload_form("a", 1, lifetime=60)


async def test_a_port_in_use_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartError) as caught:
            async with running_server(f"[http]\nport = {port}\n{ONE}", folder=tmp_path):
                pass
        environ = {"NEKONEX_HTTP__PORT": str(port)}
        with pytest.raises(StartError) as by_variable:
            await HttpPort.open(load_config(environ=environ, folder=tmp_path))
    taken = f"http.port is {port}, which another program uses on 127.0.0.1; "
    assert str(caught.value) == (
        f"{tmp_path / 'nekonex.toml'}: {taken}give another port, or 0 for any free one"
    )
    assert str(by_variable.value).startswith(f"environment variable NEKONEX_HTTP__PORT: {taken}")


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
async def test_a_host_that_is_not_this_machine(tmp_path: Path, host: str) -> None:
    with pytest.raises(StartError, match=f'http.host is "{host}", which cannot be listened on'):
        async with running_server(f'[http]\nhost = "{host}"\n{ONE}', folder=tmp_path):
            pass


async def test_a_damaged_object_store_stops_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "objects").write_bytes(b"")
    with pytest.raises(StartError, match=r"objects cannot be used: .*Not a directory"):
        async with running_server(ONE, folder=tmp_path):
            pass


async def urls(tmp_path: Path, http: str, external: str, *viewers: str | None) -> list[str]:
    (tmp_path / "nekonex.toml").write_text(f"[http]\nport = 0\n{http}\n")
    port = await HttpPort.open(load_config(environ={}, folder=tmp_path))
    try:
        url_of = port.url_for(ExternalAddress("game", external, "0.0.0.0"))
        return [url_of(each).replace(str(port.address[1]), "PORT") for each in viewers]
    finally:
        await port.close()


async def test_consoles_are_told_a_url_that_they_reach(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    public = 'public_url = "https://nex.example.org/kart/"\nhost = "0.0.0.0"'
    assert await urls(tmp_path, public, "203.0.113.9", None) == ["https://nex.example.org/kart"]
    any_host = 'host = "0.0.0.0"'
    assert await urls(tmp_path, any_host, "203.0.113.9", None, "192.0.2.7") == (
        ["http://203.0.113.9:PORT"] * 2
    )
    (own,) = await urls(tmp_path, any_host, "auto", "127.0.0.1")
    assert own == "http://127.0.0.1:PORT"
    assert await urls(tmp_path, 'host = "localhost"', "auto", None, "127.0.0.1") == (
        ["http://localhost:PORT"] * 2
    )
    assert caplog.records == []
    with caplog.at_level(logging.WARNING):
        found = await urls(tmp_path, "", "203.0.113.9", "203.0.113.5", "203.0.113.5")
    assert found == ["http://127.0.0.1:PORT"] * 2
    assert len(caplog.records) == 1
    assert "loopback" in caplog.records[0].message


async def test_a_stop_does_not_wait_for_consoles_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert GRACE_SECONDS + CUT_SECONDS < CLOSE_SECONDS
    monkeypatch.setattr(listener, "GRACE_SECONDS", 0.2)
    async with running_server(ONE, folder=tmp_path) as server:
        (game,) = server.games
        form = await game.files.upload_form("a", 100_000, lifetime=60)
        assert server.http is not None
        _, idle = await asyncio.open_connection(*server.http.address)
        _, busy = await asyncio.open_connection(*server.http.address)
        body = encode_form(form.fields, bytes(100_000))
        busy.write(
            f"POST /objects/one HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n"
            f"Content-Type: multipart/form-data; boundary={BOUNDARY}\r\n\r\n".encode()
            + body[:5000]
        )
        await busy.drain()
        unfinished = tmp_path / "data/objects/.unfinished"
        await until(lambda: list(unfinished.iterdir()))
        start = time.monotonic()
    assert 0.2 < time.monotonic() - start < 2
    assert list(unfinished.iterdir()) == []
    idle.close()
    busy.close()


async def test_the_control_socket_tells_what_is_counted(tmp_path: Path) -> None:
    async with running_server(ONE, folder=tmp_path) as server:
        await exchange(server, b"GET /elsewhere HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        told = await asyncio.to_thread(ask, server.data_dir, "stats")
        assert list(told["games"]) == ["one"]
        assert (told["http"]["connections"], told["http"]["strays"]) == (1, 1)
        assert told["http"]["closed"]["too_many"] == told["http"]["uploads_refused"]["denied"] == 0
    async with running_server(f"[http]\nenabled = false\n{ONE}", folder=tmp_path) as server:
        assert (await asyncio.to_thread(ask, server.data_dir, "stats"))["http"] is None
