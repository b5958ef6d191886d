"""`nekonex connect`: lines of a pipe or a terminal to a plugin, and what it answers."""

from __future__ import annotations

import io
import os
import socket
import ssl
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from nekonex.cli import main
from nekonex.cli._common import CommandError
from nekonex.cli._conversation import show
from nekonex.cli._input import InputLines, LineTooLongError
from nekonex.cli.connect import parse_address
from nekonex.connect import ConnectLimits, ConnectServer, Message
from tests.support.certificates import write_certificate
from tests.support.commands import Commands
from tests.support.plugin_server import PASSWORD, plugin_server_aside, write_plugin

VARIABLE = "NEKONEX_CONNECT__PASSWORD"

PARROT = """
    class Logic:
        def recv(self, ctx):
            if ctx.data == b"boom":
                ctx.close()
            else:
                ctx.send(ctx.data, ctx.op)
    """


def address_of(server: ConnectServer) -> str:
    host, port = server.address
    return f"{host}:{port}"


@pytest.fixture
def parrot(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ConnectServer]:
    """A server with the plugin ``parrot``, whose password is in the environment."""
    monkeypatch.setenv(VARIABLE, PASSWORD)
    with plugin_server_aside(write_plugin(tmp_path / "plugins", "parrot", PARROT)) as server:
        yield server


# -- a pipe --------------------------------------------------------------------------------


def test_lines_are_sent_and_answers_printed(run: Commands, parrot: ConnectServer) -> None:
    typed = "hello\n\nにゃー🐾\r\n/op 300\n/hex 00ff\n/hex\n//quit\n/join room\nlast\nboom".encode()
    out = run("connect", address_of(parrot), "parrot", "--op", 7, "--wait", 30, typed=typed)
    assert out.splitlines() == [
        "7 hello",
        "7",
        "7 にゃー🐾",
        "300 0x00ff",
        "300",
        "300 /quit",
        "300 /join room",
        "300 last",
    ]


def test_what_follows_quit_is_not_sent(run: Commands, parrot: ConnectServer) -> None:
    typed = b"one\nboom\n/quit\ntwo\n"
    assert run("connect", address_of(parrot), "parrot", "--wait", 30, typed=typed) == "0 one\n"
    assert parrot.stats.frames == 2


def test_without_any_input_there_is_nothing_to_send(
    parrot: ConnectServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", None)  # as where a shell says <&-
    assert main(["connect", address_of(parrot), "parrot", "--wait", "0"]) == 0
    assert capsys.readouterr() == ("", "")


def test_answers_are_waited_for_as_long_as_they_come(run: Commands, tmp_path: Path) -> None:
    slow = """
        import asyncio

        class Logic:
            async def recv(self, ctx):
                for number in range(4):
                    await asyncio.sleep(0.1)
                    await ctx.send(b"%d" % number, 1)
        """
    with plugin_server_aside(write_plugin(tmp_path, "slow", slow), password=None) as server:
        out = run(
            "connect", address_of(server), "slow", "--no-password", "--wait", 0.35, typed=b"x\n"
        )
    assert out == "1 0\n1 1\n1 2\n1 3\n"


def test_help_is_printed(run: Commands, parrot: ConnectServer) -> None:
    out = run("connect", address_of(parrot), "parrot", "--wait", 0, typed=b"/help\n")
    for command in ("/op N", "/hex DIGITS", "/quit", "//TEXT"):
        assert command in out


def test_statuses_are_reported_and_end_in_a_failure(run: Commands, parrot: ConnectServer) -> None:
    text = run.fails(1, "connect", address_of(parrot), "nobody", "--wait", 0.5, typed=b"hello\n")
    assert text == "status 404 (no plugin has that greeter)"


@pytest.mark.parametrize(
    ("typed", "complaint"),
    [
        (b"/op x\n", "line 1: /op takes a number from 0 to 18446744073709551615, not 'x'"),
        (b"/op\n", "line 1: /op takes"),
        (b"/op -1\n", "line 1: /op takes"),
        (b"/op 18446744073709551616\n", "line 1: /op takes"),
        (b"/op 1" + b"0" * 5000 + b"\n", "line 1: /op takes"),
        (b"/hex 0\n", "line 1: /hex takes pairs"),
        (b"/hex \xff\n", "line 1: /hex takes pairs"),
    ],
)
def test_a_line_that_makes_no_sense_ends_it(
    run: Commands, parrot: ConnectServer, typed: bytes, complaint: str
) -> None:
    text = run.fails(2, "connect", address_of(parrot), "parrot", typed=typed)
    assert text.startswith(complaint)


def test_a_line_that_is_too_long_ends_it(run: Commands, parrot: ConnectServer) -> None:
    typed = b"x" * ((1 << 20) + 1) + b"\n"
    text = run.fails(2, "connect", address_of(parrot), "parrot", typed=typed)
    assert text == "a line has more than 1048576 bytes"


def test_a_status_and_the_end_are_told_once_each(
    run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    with plugin_server_aside(limits=ConnectLimits(max_data=10)) as server:
        typed = b"x" * 11 + b"\n"
        status, out, err = run.attempt("connect", address_of(server), "echo", typed=typed)
    assert (status, out) == (1, "")
    assert err.splitlines() == [
        "nekonex: status 413 (a frame is larger than allowed)",
        "nekonex: the server has closed the connection",
    ]


def test_a_plugin_may_close_when_all_is_said(run: Commands, parrot: ConnectServer) -> None:
    typed = b"hello\nboom\n"
    started = time.monotonic()
    assert run("connect", address_of(parrot), "parrot", "--wait", 30, typed=typed) == "0 hello\n"
    assert time.monotonic() - started < 10.0


def test_a_server_that_ends_the_connection_is_a_failure(run: Commands, tmp_path: Path) -> None:
    reader, writer = os.pipe()
    with plugin_server_aside(write_plugin(tmp_path, "parrot", PARROT), password=None) as server:
        os.write(writer, b"boom\n")
        with open(reader, "rb") as pipe:  # noqa: PTH123 - it is a pipe
            run._monkeypatch.setattr("sys.stdin", io.TextIOWrapper(pipe))
            status = main(["connect", address_of(server), "parrot", "--no-password"])
    os.close(writer)
    assert status == 1
    assert run._capsys.readouterr().err == "nekonex: the server has closed the connection\n"


# -- why there is no connection ------------------------------------------------------------


def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
    return port


def test_where_there_is_no_server(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    where = f"127.0.0.1:{closed_port()}"
    text = run.fails(3, "connect", where, "echo", "--no-password")
    assert text == f"there is no server at {where}: the connection was refused"

    def nowhere(*arguments: object, **options: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    text = run.fails(3, "connect", "neko.example", "echo", "--no-password")
    assert text == "neko.example:10390 cannot be looked up: Name or service not known"


def test_a_wrong_password(
    run: Commands, parrot: ConnectServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    where = address_of(parrot)
    text = run.fails(1, "connect", where, "parrot", "--no-password")
    assert text == f"{where} does not let you in: it asks for a password"
    monkeypatch.setenv(VARIABLE, "guessed")
    text = run.fails(1, "connect", where, "parrot")
    assert text == f"{where} does not let you in: the password is wrong"


def test_an_open_server_where_a_password_is_expected(
    run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, PASSWORD)
    with plugin_server_aside(password=None) as server:
        text = run.fails(1, "connect", address_of(server), "echo")
    assert "the server does not know the password" in text


def test_what_is_no_nekoconnect_server(run: Commands) -> None:
    def answer(data: bytes) -> None:
        client, _ = sock.accept()
        with client:
            client.recv(1000)
            client.sendall(data)

    for data, sentence in (
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", "what answered the login is no NekoConnect server"),
        (b"", "has closed the connection instead of a login; if it uses TLS, say --tls"),
    ):
        with socket.create_server(("127.0.0.1", 0)) as sock:
            thread = threading.Thread(target=answer, args=(data,))
            thread.start()
            where = f"127.0.0.1:{sock.getsockname()[1]}"
            assert sentence in run.fails(1, "connect", where, "echo", "--no-password")
            thread.join()


def test_tls(run: Commands, tmp_path: Path) -> None:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    cert, key = write_certificate(tmp_path)
    context.load_cert_chain(cert, key)
    options = ("--no-password", "--wait", 30)
    folder = write_plugin(tmp_path, "echo", PARROT)
    with plugin_server_aside(folder, password=None, tls=context) as server:
        where = address_of(server)
        typed = b"x\nboom\n"
        assert run("connect", where, "echo", "--ca", cert, *options, typed=typed) == "0 x\n"
        untrusted = run.fails(1, "connect", where, "echo", "--tls", *options)
        assert untrusted.startswith(f"the certificate of {where} is not trusted: self-signed")
        assert untrusted.endswith("; --ca FILE trusts those in a file")
        named = ("--ca", cert, "--server-name", "neko.example")
        told = run.fails(1, "connect", where, "echo", *named, *options)
        assert told.endswith("for 'neko.example'; --server-name NAME says whom it is for")
        assert "if it uses TLS, say --tls" in run.fails(1, "connect", where, "echo", *options)
    with plugin_server_aside(password=None) as server:
        text = run.fails(1, "connect", address_of(server), "echo", "--ca", cert, *options)
        assert text == f"TLS with {address_of(server)} has failed: what answers speaks no TLS"
    text = run.fails(2, "connect", where, "echo", "--ca", key, *options)
    assert text == f"{key} holds no certificate in PEM form"
    text = run.fails(2, "connect", where, "echo", "--ca", "missing.pem", *options)
    assert text == "missing.pem cannot be read: No such file or directory"
    text = run.fails(2, "connect", where, "echo", "--server-name", "x", *options)
    assert "--tls" in text


# -- arguments and passwords ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("neko.example", ("neko.example", 10390)),
        ("neko.example:1", ("neko.example", 1)),
        ("127.0.0.1:65535", ("127.0.0.1", 65535)),
        ("[::1]:5", ("::1", 5)),
        ("[::1]", ("::1", 10390)),
        ("::1", ("::1", 10390)),
        ("[fe80::1%eth0]:5", ("fe80::1%eth0", 5)),
    ],
)
def test_addresses(text: str, expected: tuple[str, int]) -> None:
    assert parse_address(text) == expected


@pytest.mark.parametrize(
    "text", ["", ":1", "a:", "a:b", "a:0", "a:65536", "a:\u0661", "a:-1", "[::1", "[::1]5", "[]:5"]
)
def test_what_is_no_address(text: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse_address(text)
    assert caught.value.code == 2


def test_what_is_missing_or_does_not_fit(run: Commands) -> None:
    assert run.fails(2, "connect").startswith("missing HOST:PORT and GREETER")
    assert run.fails(2, "connect", "127.0.0.1").startswith("missing GREETER")
    for greeter in ("", "g" * 256):
        text = run.fails(2, "connect", "127.0.0.1", greeter, "--no-password")
        assert text.startswith("a greeter has 1 to 255 bytes")
    assert "--show-password" in run.fails(2, "connect", "127.0.0.1", "--show-password")
    assert "--op" in run.fails(2, "connect", "127.0.0.1", "echo", "--op", 2**64)


def test_a_password_that_nobody_gave(run: Commands) -> None:
    text = run.fails(2, "connect", "127.0.0.1", "echo")
    assert VARIABLE in text
    assert "--no-password" in text


def test_the_password_of_the_own_server(run: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    text = run.fails(1, "connect", "--show-password")
    assert text == "there is no password yet: the server makes one when it first starts"
    assert list(run.folder.iterdir()) == [], "and none is made by looking"
    secrets = run.folder / "data" / "secrets"
    secrets.mkdir(parents=True)
    (secrets / "nekoconnect").touch(0o600)
    (secrets / "nekoconnect").write_text(b"made by the server".hex() + "\n")
    assert run("connect", "--show-password") == "made by the server\n"
    (secrets / "nekoconnect").write_text("no secret")
    assert "holds no secret" in run.fails(2, "connect", "--show-password")
    monkeypatch.setenv(VARIABLE, "configured")
    assert run("connect", "--show-password") == "configured\n"
    monkeypatch.delenv(VARIABLE)
    monkeypatch.setenv("NEKONEX_CONNECT__ALLOW_OPEN", "true")
    assert "asks for no password" in run.fails(1, "connect", "--show-password")
    assert stat.S_IMODE((secrets / "nekoconnect").stat().st_mode) == 0o600


# -- a terminal ----------------------------------------------------------------------------


def test_at_a_terminal_lines_are_sent_as_they_are_typed(
    parrot: ConnectServer, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    keyboard, terminal = os.openpty()
    printed: list[str] = []

    def type_lines() -> None:
        expected = "Connected."
        for line, answer in (
            ("hello", "0 hello"),
            ("/op x", "/op takes a number"),
            ("/op 5", ""),
            ("more", "5 more"),
            ("/quit", ""),
        ):
            deadline = time.monotonic() + 5.0
            while expected not in "".join(printed) and time.monotonic() < deadline:
                time.sleep(0.005)
            assert expected in "".join(printed)
            os.write(keyboard, f"{line}\n".encode())
            expected = answer

    monkeypatch.setattr("typer.echo", lambda text: printed.append(f"{text}\n"))
    monkeypatch.setattr("nekonex.cli._conversation.report", printed.append)
    thread = threading.Thread(target=type_lines)
    with open(terminal, encoding="utf-8") as stream:  # noqa: PTH123 - it is a descriptor
        monkeypatch.setattr("sys.stdin", stream)
        thread.start()
        assert main(["connect", address_of(parrot), "parrot", "--wait", "60"]) == 0
        thread.join()
    os.close(keyboard)
    assert "5 more\n" in printed


def test_a_terminal_is_asked_for_the_password(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def prompt(text: str, **options: object) -> str:
        assert options["hide_input"] is True
        asked.append(text)
        return PASSWORD

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("typer.prompt", prompt)
    keyboard, terminal = os.openpty()
    with plugin_server_aside(write_plugin(tmp_path, "parrot", PARROT)) as server:
        os.write(keyboard, b"/quit\n")
        with open(terminal, encoding="utf-8") as stream:  # noqa: PTH123 - it is a descriptor
            monkeypatch.setattr("sys.stdin", stream)
            assert main(["connect", address_of(server), "parrot"]) == 0
        assert server.stats.logins == 1
    os.close(keyboard)
    assert asked == ["Password"]


# -- how messages are shown ----------------------------------------------------------------


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"hello", "5 hello"),
        (b"", "5"),
        (b"two\nlines\n", "5 two\n  lines"),
        (b"two\r\nlines\r\n", "5 two\n  lines"),
        (b"a\tb", "5 a\tb"),
        ("にゃー".encode(), "5 にゃー"),
        (b"\x1b[31mred\x1b[0m", "5 \\x1b[31mred\\x1b[0m"),
        ("\u202egnp".encode(), "5 \\u202egnp"),
        ("a\u2028b".encode(), "5 a\\u2028b"),
        (b"over\rwritten", "5 over\\rwritten"),
        (b"\x9b31m", "5 0x9b33316d"),
        ("\x9b31m".encode(), "5 \\x9b31m"),
        (b"bell\x07", "5 0x62656c6c07"),
        (b"\x00\x01", "5 0x0001"),
        (b"\x7f", "5 \\x7f"),
        (b"\xff", "5 0xff"),
    ],
)
def test_nothing_that_a_terminal_obeys_is_printed(data: bytes, expected: str) -> None:
    shown = show(Message("echo", 5, data))
    assert shown == expected
    assert all(each.isprintable() or each in "\n\t" for each in shown)


# -- lines of standard input ---------------------------------------------------------------


async def lines_of(lines: InputLines) -> list[bytes]:
    found = []
    while (line := await lines.next()) is not None:
        found.append(line)
    return found


@pytest.mark.parametrize("kind", ["file", "pipe", "memory"])
async def test_lines_come_of_anything(tmp_path: Path, kind: str) -> None:
    content = b"one\ntwo\r\n\n" + b"x" * 100_000 + b"\nlast"
    expected = [b"one", b"two", b"", b"x" * 100_000, b"last"]
    if kind == "memory":
        assert await lines_of(InputLines(io.BytesIO(content), 200_000)) == expected
    elif kind == "file":
        path = tmp_path / "input"
        path.write_bytes(content)
        with path.open("rb") as file:
            assert await lines_of(InputLines(file, 200_000)) == expected
    else:
        reader, writer = os.pipe()
        thread = threading.Thread(target=feed, args=(writer, content))
        thread.start()
        with open(reader, "rb") as pipe:  # noqa: ASYNC230, PTH123 - it is a pipe
            assert await lines_of(InputLines(pipe, 200_000)) == expected
        thread.join()


def feed(writer: int, content: bytes) -> None:
    with open(writer, "wb") as pipe:
        pipe.write(content)


async def test_a_line_may_not_grow_for_ever() -> None:
    for rest in (b"x" * 101, b"x" * 101 + b"\n", b"x" * 300_000):
        lines = InputLines(io.BytesIO(b"x" * 100 + b"\n" + rest), 100)
        assert await lines.next() == b"x" * 100
        with pytest.raises(LineTooLongError):
            await lines.next()
