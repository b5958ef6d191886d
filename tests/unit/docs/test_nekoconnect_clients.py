"""The clients that docs/how-to/nekoconnect-clients.md shows work, and fall for no impostor."""

from __future__ import annotations

import asyncio
import importlib.util
import os
import shutil
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from nekonex.connect import Client
from nekonex.connect.protocol import FrameDecoder, Status, encode_frame
from tests.support.certificates import write_certificate
from tests.support.plugin_server import plugin_server, write_plugin

HOW_TO = Path(__file__).parents[3] / "docs" / "how-to"
PASSWORD = "geheim, schön geheim"
# An op code of five bytes, so that it is not only the short ones that work.
ECHO = """\
class Logic:
    async def recv(self, ctx):
        await ctx.send(ctx.data, ctx.op + 2**32)
"""


@pytest.fixture(params=["node nekoconnect_client.js", "perl nekoconnect_client.pl"])
def command(request: pytest.FixtureRequest) -> list[str]:
    """Return the command of a client; where its language is missing, the test is skipped."""
    language, file = request.param.split()
    program = shutil.which(language)
    if program is None:
        reason = f"this machine has no {language}"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return [program, str(HOW_TO / file)]


async def run(
    command: list[str], address: tuple[str, int], greeter: str, text: str, password: str = PASSWORD
) -> tuple[int | None, str, str]:
    """Run a client; return its exit status and what it printed."""
    process = await asyncio.create_subprocess_exec(
        *command, address[0], str(address[1]), greeter, text,
        env=os.environ | {"NEKOCONNECT_PASSWORD": password},
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    output, errors = await process.communicate()
    return process.returncode, output.decode(), errors.decode()


async def test_it_is_let_in_and_answered(command: list[str], tmp_path: Path) -> None:
    text = "hallo ねこ " + 20_000 * "long "
    async with plugin_server(write_plugin(tmp_path, "echo", ECHO), password=PASSWORD) as server:
        status, output, errors = await run(command, server.address, "echo", text)
    assert (status, output, errors) == (0, f"echo {2**32 + 1} {text}\n", "")


async def test_it_tells_why_there_is_no_answer(command: list[str]) -> None:
    async with plugin_server(password=PASSWORD) as server:
        refused = await run(command, server.address, "echo", "hello", password="wrong")
        unknown = await run(command, server.address, "echo", "hello")
    assert refused[0] not in {0, None}
    assert refused[1:] == ("", "not let in: 400\n")
    assert unknown[0] not in {0, None}
    assert unknown[1:] == ("", "status 404\n")


@asynccontextmanager
async def impostor(received: bytearray) -> AsyncIterator[tuple[str, int]]:
    """Run a server that sends the client's own hash back, and notes all that comes."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        decoder = FrameDecoder(1024)
        while data := await reader.read(65_536):
            received.extend(data)
            decoder.feed(data)
            if frame := decoder.next_frame():
                echo = encode_frame(
                    b"nekoconnect-server", Status.OK, b"r" * 16, b"\xc8", frame.hash
                )
                writer.write(echo)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()


async def test_it_sends_an_impostor_nothing_but_its_login(command: list[str]) -> None:
    received = bytearray()
    async with impostor(received) as address:
        status, output, errors = await run(command, address, "echo", "hello")
    assert status not in {0, None}
    assert (output, errors) == ("", "the server does not know the password\n")
    decoder = FrameDecoder(1024)
    decoder.feed(bytes(received))
    first = decoder.next_frame()
    assert first is not None
    assert first.greeter == "auth"
    assert decoder.buffered == 0


async def test_the_client_of_the_security_page_trusts_its_certificate(tmp_path: Path) -> None:
    spec = importlib.util.spec_from_file_location("nekoconnect_tls", HOW_TO / "nekoconnect_tls.py")
    assert spec is not None
    assert spec.loader is not None
    program = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(program)
    certificate, key = write_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(certificate, key)
    folder = write_plugin(tmp_path, "greetings")
    async with plugin_server(folder, password=PASSWORD, tls=context) as server:
        assert await program.greet(*server.address, PASSWORD, str(certificate)) == b"neko"
        # The system's own authorities know nothing of it.
        with pytest.raises(ssl.SSLCertVerificationError):
            async with Client(*server.address, PASSWORD, tls=True):
                pass
