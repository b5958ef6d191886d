"""NekoConnect as a part of the server."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import logging
import socket
import ssl
import stat
import time
from pathlib import Path

import pytest

from nekonex.app import ConnectPort, StartError, connect_password, tls_context
from nekonex.app.connect import BACKLOG, connect_limits
from nekonex.app.ports import CLOSE_SECONDS
from nekonex.config import Config, load_config
from nekonex.connect import ConnectLimits, LoginRefusedError
from nekonex.storage import memory_stores, open_local
from nekonex.testing import running_server
from tests.support.certificates import certificate, private_key, write_certificate
from tests.support.connected import connected
from tests.support.players import playing
from tests.support.plugin_folders import make_plugin, spec_sheet
from tests.support.waiting import until

ONE = '[[game]]\nname = "one"\ntitle = "mario-kart-8"\nguest = true\n'


def configured(folder: Path, connect: str = "") -> Config:
    (folder / "nekonex.toml").write_text(f"[connect]\nport = 0\n{connect}\n", encoding="utf-8")
    return load_config(environ={}, folder=folder)


async def test_as_many_connections_wait_as_the_backlog_says(tmp_path: Path) -> None:
    """The loop does not come round while they connect, so none of them is accepted meanwhile."""
    async with running_server(folder=tmp_path) as server:
        assert server.connect is not None
        with contextlib.ExitStack() as stack:
            for _ in range(BACKLOG):
                waiting = socket.create_connection(server.connect.address, timeout=0.5)
                stack.enter_context(waiting)


async def test_installed_plugins_and_others_answer(tmp_path: Path) -> None:
    make_plugin(tmp_path / "plugins" / "echo")
    elsewhere = make_plugin(tmp_path / "mine", spec=spec_sheet(greet="mine"))
    async with running_server(
        folder=tmp_path, plugin_folders=[elsewhere, tmp_path / "plugins" / ".." / "mine"]
    ) as server:
        assert server.connect is not None
        host, port = server.addresses()["connect"]
        assert (host, port) == server.connect.address
        assert {each.greeter: each.state for each in server.connect.plugins()} == {
            "echo": "running",
            "mine": "running",
        }
        async with connected(server.connect) as client:
            assert await client.request("echo", b"neko", 7) == ("echo", 7, b"neko")
            assert await client.request("mine", b"nya", 8) == ("mine", 8, b"nya")
        with pytest.raises(LoginRefusedError, match="400"):
            async with connected(server.connect, password="guessed"):
                pass
        assert server.connect.stats is not None
        assert (server.connect.stats.logins, server.connect.stats.frames) == (1, 2)
        port_was = server.connect
    assert port_was.plugins() == []
    with pytest.raises(OSError):  # noqa: PT011
        await asyncio.open_connection(host, port)


async def test_a_password_is_made_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    config = load_config(environ={}, folder=tmp_path)
    found = set()
    with caplog.at_level(logging.INFO):
        for _ in range(2):
            async with running_server(folder=tmp_path) as server:
                assert server.connect is not None
                found.add(server.connect.password)
    async with open_local(tmp_path / "data") as stores:
        found.add(await connect_password(config, stores.secrets))
    (password,) = found
    assert password is not None
    assert len(password) == 24
    assert password.isalnum()
    assert not set(password) & set("0O1lI")
    file = tmp_path / "data" / "secrets" / "nekoconnect"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert file.read_bytes() == password.encode().hex().encode() + b"\n"
    assert caplog.text.count("nekonex connect --show-password shows it") == 1
    assert password not in caplog.text


async def test_a_password_of_ones_own_and_none(tmp_path: Path) -> None:
    secrets = memory_stores().secrets
    own = configured(tmp_path, 'password = "tuna"')
    assert await connect_password(own, secrets) == "tuna"
    assert await connect_password(configured(tmp_path, "allow_open = true"), secrets) is None
    config = "[connect]\nallow_open = true\n"
    async with running_server(config, folder=tmp_path) as server:
        async with connected(server.connect) as client:
            assert (await client.request("nobody", b"")).op == 404
        assert not (tmp_path / "data" / "secrets" / "nekoconnect").exists()


async def test_a_password_that_is_damaged_stops_it(tmp_path: Path) -> None:
    (tmp_path / "data" / "secrets").mkdir(parents=True)
    file = tmp_path / "data" / "secrets" / "nekoconnect"
    file.touch(0o600)
    for content, told in (("half", "holds no secret"), ("ff00\n", "holds no password")):
        file.write_text(content)
        with pytest.raises(StartError, match=told):
            async with running_server(ONE, folder=tmp_path):
                pass


async def test_a_port_that_cannot_be_had_is_one_sentence(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(StartError) as caught:
            async with running_server(f"[connect]\nport = {port}\n", folder=tmp_path):
                pass
    assert str(caught.value) == (
        f"{tmp_path / 'nekonex.toml'}: connect.port is {port}, which another program uses on "
        "127.0.0.1; give another port, or 0 for any free one"
    )
    assert not (tmp_path / "data").exists()
    told = r'connect\.host is "192.0.2.1", which cannot be listened on \([^()]+\); give'
    with pytest.raises(StartError, match=told):
        await ConnectPort.open(configured(tmp_path, 'host = "192.0.2.1"'))


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("file", "Not a directory"),
        ("file/plugins", "Not a directory"),
        ("loop", "Too many levels of symbolic links"),
    ],
)
async def test_a_folder_of_plugins_that_is_none_is_one_sentence(
    tmp_path: Path, path: str, reason: str
) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(StartError) as caught:
        await ConnectPort.open(configured(tmp_path, f'plugins_dir = "{path}"'))
    assert str(caught.value) == (
        f"{tmp_path / 'nekonex.toml'}: connect.plugins_dir is "
        f'"{tmp_path / path}", which cannot be read: {reason}'
    )


async def test_clients_come_in_by_tls(tmp_path: Path) -> None:
    make_plugin(tmp_path / "plugins" / "echo")
    cert, key = write_certificate(tmp_path)
    config = f'[connect.tls]\ncert = "{cert.name}"\nkey = "{key.name}"\n'
    trusting = ssl.create_default_context(cafile=cert)
    async with running_server(config, folder=tmp_path) as server:
        async with connected(server.connect, tls=trusting) as client:
            assert (await client.request("echo", b"neko")).data == b"neko"
        assert server.connect is not None
        old = ssl.create_default_context(cafile=cert)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        async with connected(server.connect, tls=old):
            pass
    context = tls_context(configured(tmp_path, config))
    assert context is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("file", "content", "told"),
    [
        ("cert", None, 'connect.tls.cert is "{cert}", which cannot be read: No such file'),
        ("key", None, 'connect.tls.key is "{key}", which cannot be read: No such file'),
        ("cert", b"", 'connect.tls.cert is "{cert}", which holds no certificate in PEM form'),
        ("cert", private_key(), "which holds no certificate in PEM form"),
        ("key", b"-----BEGIN", 'connect.tls.key is "{key}", which holds no private key in PEM'),
        ("key", certificate(), "which holds no private key in PEM form"),
        (
            "key",
            private_key(of_another=True),
            'connect.tls.key is "{key}", which is not the key of the certificate in connect.tls.',
        ),
        ("key", private_key(passphrase=b"tuna"), "which is locked by a passphrase; give a key"),
    ],
    ids=["no cert", "no key", "empty", "key for cert", "no PEM", "cert for key", "other", "locked"],
)
async def test_a_certificate_that_is_of_no_use_is_one_sentence(
    tmp_path: Path, file: str, content: bytes | None, told: str
) -> None:
    cert, key = write_certificate(tmp_path)
    path = {"cert": cert, "key": key}[file]
    path.unlink() if content is None else path.write_bytes(content)
    tls = f'tls = {{ cert = "{cert}", key = "{key}" }}'
    with pytest.raises(StartError) as caught:
        await ConnectPort.open(configured(tmp_path, tls))
    assert str(caught.value).startswith(f"{tmp_path / 'nekonex.toml'}: connect.tls.{file} is ")
    assert told.format(cert=cert, key=key) in str(caught.value)


async def test_it_can_be_switched_off(tmp_path: Path) -> None:
    make_plugin(tmp_path / "plugins" / "echo", "raise SystemExit")
    async with running_server("[connect]\nenabled = false\n", folder=tmp_path) as server:
        assert server.connect is None
        assert server.addresses()["connect"] is None
    assert not (tmp_path / "data" / "secrets" / "nekoconnect").exists()


HOST = """\
class Logic:
    def start(self, app):
        self.app = app
        app.db_store("games", ",".join(app.games()))

    def recv(self, ctx):
        ctx.send(",".join(str(each.pid) for each in self.app.players()).encode())

    def stop(self):
        self.app.db_store("players", str(len(self.app.players("one"))))
"""


async def test_plugins_see_the_games_from_first_to_last(tmp_path: Path) -> None:
    make_plugin(tmp_path / "plugins" / "echo", HOST)
    async with (
        running_server(ONE, folder=tmp_path) as server,
        playing(server.game("one")),
        connected(server.connect) as client,
    ):
        assert (await client.request("echo", b"")).data == b"100"
    async with open_local(tmp_path / "data") as stores:
        assert await stores.cells.get("echo", "games") == "one"
        assert await stores.cells.get("echo", "players") == "0"


async def test_a_plugin_is_loaded_anew_when_it_is_edited(tmp_path: Path) -> None:
    folder = make_plugin(tmp_path / "mine")
    async with (
        running_server(folder=tmp_path, plugin_folders=[folder], watch=True) as server,
        connected(server.connect) as client,
    ):
        assert (await client.request("echo", b"neko")).data == b"neko"
        (folder / "logic.py").write_text(
            "class Logic:\n    def recv(self, ctx):\n        ctx.send(ctx.data.upper())\n"
        )
        answers = set()
        async with asyncio.timeout(5):
            while b"NEKO" not in answers:
                answers.add((await client.request("echo", b"neko")).data)
                await asyncio.sleep(0.02)
        assert answers <= {b"neko", b"NEKO"}


async def test_a_plugin_that_is_stuck_does_not_hold_up_the_stop(tmp_path: Path) -> None:
    logic = """\
        import asyncio
        class Logic:
            async def recv(self, ctx):
                await ctx.send(b"now")
                await asyncio.sleep(60)
            async def stop(self):
                await asyncio.sleep(60)
        """
    make_plugin(tmp_path / "plugins" / "echo", logic)
    async with running_server(folder=tmp_path) as server:
        async with connected(server.connect) as client:
            assert (await client.request("echo", b"")).data == b"now"
            start = time.monotonic()
            # The end of the server, while the client is still there.
            assert server.connect is not None
            await server.connect.close()
            assert (await client.recv()).op == 503
            with pytest.raises((EOFError, ConnectionError)):
                await client.recv()
        await until(lambda: server.connect is not None and not server.connect.plugins())
    assert time.monotonic() - start < CLOSE_SECONDS


def test_all_limits_of_the_configuration_count(tmp_path: Path) -> None:
    defaults = connect_limits(configured(tmp_path).connect)
    assert defaults == ConnectLimits()
    section = configured(tmp_path).connect
    names = {each.name for each in dataclasses.fields(ConnectLimits)} & set(
        type(section).model_fields
    )
    assert len(names) == 12
    changed = section.model_copy(update=dict.fromkeys(names, 7))
    limits = connect_limits(changed)
    assert {name: getattr(limits, name) for name in names} == dict.fromkeys(names, 7)
    assert limits.max_joined == ConnectLimits().max_joined
    large = connect_limits(section.model_copy(update={"max_data": 1 << 26}))
    assert large.max_joined == 1 << 26
