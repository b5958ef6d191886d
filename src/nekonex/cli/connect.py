"""`nekonex connect`: talk to a plugin of NekoConnect, here or elsewhere."""

import asyncio
import io
import os
import socket
import ssl
import sys
from pathlib import Path
from typing import Annotated, Final

import typer

from nekonex.app.connect_password import SECRET_NAME, connect_password
from nekonex.cli._common import (
    EXIT_NO_SERVER,
    EXIT_USAGE,
    CommandError,
    ConfigOption,
    load,
)
from nekonex.cli._conversation import MAX_LINE, Conversation
from nekonex.cli._input import InputLines
from nekonex.cli._services import run
from nekonex.config import Config
from nekonex.connect import (
    Client,
    DisconnectedError,
    ImpostorError,
    LoginRefusedError,
    Status,
)
from nekonex.connect.client import DEFAULT_PORT
from nekonex.connect.protocol.frames import MAX_FIELD, MAX_OP
from nekonex.storage import SECRETS_NAME
from nekonex.storage.secrets import FileSecretStore

__all__ = ["parse_address", "register"]

PASSWORD_VARIABLE: Final = "NEKONEX_CONNECT__PASSWORD"  # noqa: S105

MAX_PORT: Final = 65_535

_REFUSALS: Final[dict[int, str]] = {
    Status.BAD_FRAME: "the password is wrong",
    Status.TOO_MANY: "too many logins of this address have failed; try again in a minute",
    Status.UNAVAILABLE: "the server is full, or it stops",
}

_OF_ANOTHER_NAME: Final = frozenset({62, 64})
"""What OpenSSL's verification says, as a number, of another host name and of another address."""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("connect")(_connect)


def _connect(
    address: Annotated[
        str | None,
        typer.Argument(
            metavar="[HOST[:PORT]]",
            help=f"Where the server is; an IPv6 address with a port in brackets. "
            f"Default port: {DEFAULT_PORT}.",
            show_default=False,
        ),
    ] = None,
    greeter: Annotated[
        str | None,
        typer.Argument(metavar="[GREETER]", help="The plugin to talk to.", show_default=False),
    ] = None,
    op: Annotated[
        int,
        typer.Option("--op", metavar="N", min=0, max=MAX_OP, help="The op code of what is sent."),
    ] = 0,
    wait: Annotated[
        float,
        typer.Option(
            "--wait",
            metavar="SECONDS",
            min=0,
            help="Where input is no terminal: how long nothing may have come until it ends.",
        ),
    ] = 1.0,
    tls: Annotated[
        bool, typer.Option("--tls", help="Use TLS, and verify the server's certificate.")
    ] = False,
    ca: Annotated[
        Path | None,
        typer.Option(
            "--ca",
            metavar="FILE",
            help="Use TLS, and trust the certificates in this file (PEM) only.",
        ),
    ] = None,
    server_name: Annotated[
        str | None,
        typer.Option(
            "--server-name", metavar="NAME", help="Whom the certificate is for. Default: HOST."
        ),
    ] = None,
    no_password: Annotated[
        bool, typer.Option("--no-password", help="The server asks for none.")
    ] = False,
    show_password: Annotated[
        bool,
        typer.Option(
            "--show-password",
            help="Print the password of the server of this configuration, and connect to nothing.",
        ),
    ] = False,
    config: ConfigOption = None,
) -> int:
    """Send a plugin what is typed, a line at a time, and print what it answers.

    The password is that of the configuration, so it can be given in NEKONEX_CONNECT__PASSWORD;
    else it is asked for. /help tells what can be typed besides. Exit status 3 if there is no
    server, 1 if it does not let you in or ends the connection.
    """
    if show_password:
        if address is not None:
            raise CommandError("--show-password goes without HOST and GREETER", EXIT_USAGE)
        typer.echo(_own_password(load(config)))
        return 0
    if address is None or greeter is None:
        missing = "HOST:PORT and GREETER" if address is None else "GREETER"
        raise CommandError(f"missing {missing} (nekonex connect --help tells more)", EXIT_USAGE)
    host, port = parse_address(address)
    _check_greeter(greeter)
    context = _tls(ca) if tls or ca is not None else False
    if server_name is not None and not context:
        raise CommandError("--server-name is about TLS: give --tls or --ca too", EXIT_USAGE)
    stdin = sys.stdin or io.TextIOWrapper(io.BytesIO())  # Python has None for a closed one
    interactive = stdin.isatty()
    password = "" if no_password else _password(load(config), interactive=interactive)
    try:
        client = Client(host, port, password, tls=context, server_hostname=server_name)
    except UnicodeEncodeError:
        raise CommandError("the password is not UTF-8", EXIT_USAGE) from None
    lines = InputLines(stdin.buffer, MAX_LINE)
    conversation = Conversation(client, greeter, op, lines, interactive=interactive)
    return asyncio.run(_talk(client, conversation, wait, has_password=bool(password)))


def parse_address(text: str) -> tuple[str, int]:
    """Return the host and the port of an address; CommandError for what is none."""
    if text.startswith("["):
        host, bracket, rest = text[1:].partition("]")
        is_right = bool(bracket) and rest[:1] in {"", ":"}
        port = rest[1:] if rest else str(DEFAULT_PORT)
    elif text.count(":") > 1:
        host, port, is_right = text, str(DEFAULT_PORT), True
    else:
        host, colon, rest = text.partition(":")
        port, is_right = (rest if colon else str(DEFAULT_PORT)), True
    if not is_right or not host or not (port.isascii() and port.isdecimal() and len(port) <= 5):
        raise CommandError(f"{text!r} is no HOST:PORT", EXIT_USAGE)
    if not 1 <= int(port) <= MAX_PORT:
        raise CommandError(f"the port of {text!r} is not 1 to {MAX_PORT}", EXIT_USAGE)
    return host, int(port)


def _check_greeter(greeter: str) -> None:
    try:
        size = len(greeter.encode())
    except UnicodeEncodeError:
        raise CommandError("the greeter is not UTF-8", EXIT_USAGE) from None
    if not 1 <= size <= MAX_FIELD:
        raise CommandError(f"a greeter has 1 to {MAX_FIELD} bytes, not {size}", EXIT_USAGE)


# -- passwords and certificates ------------------------------------------------------------


def _own_password(config: Config) -> str:
    """Return the password of the server of a configuration; CommandError if it has none."""
    folder = config.server.data_dir / SECRETS_NAME
    try:
        is_known = bool(config.connect.password) or (folder / SECRET_NAME).exists()
    except OSError as error:
        raise CommandError(f"{folder} cannot be read: {error.strerror}") from None
    if not is_known and not config.connect.allow_open:
        raise CommandError("there is no password yet: the server makes one when it first starts")
    password = run(connect_password(config, FileSecretStore(folder)))
    if password is None:
        raise CommandError("the server asks for no password: connect.allow_open is true")
    return password


def _password(config: Config, *, interactive: bool) -> str:
    section = config.connect
    if section.password or section.allow_open:
        return section.password
    if not interactive:
        raise CommandError(
            f"there is no terminal to ask for a password; give it in {PASSWORD_VARIABLE}, or "
            "say --no-password",
            EXIT_USAGE,
        )
    return str(typer.prompt("Password", default="", show_default=False, hide_input=True, err=True))


def _tls(ca: Path | None) -> ssl.SSLContext:
    """Return what trusts the certificates of a file, or those that the system trusts."""
    if ca is None:
        return ssl.create_default_context()
    try:
        return ssl.create_default_context(cafile=str(ca))
    except ssl.SSLError:
        raise CommandError(f"{ca} holds no certificate in PEM form", EXIT_USAGE) from None
    except OSError as error:
        raise CommandError(f"{ca} cannot be read: {error.strerror}", EXIT_USAGE) from None


# -- the connection ------------------------------------------------------------------------


async def _talk(
    client: Client, conversation: Conversation, wait: float, *, has_password: bool
) -> int:
    try:
        await client.connect()
    except OSError as error:
        raise _refusal(client, error, has_password=has_password) from error
    try:
        conversation.introduce()
        return await conversation.run(wait)
    except DisconnectedError as error:
        # A status was reported when it came.
        text = str(error) if error.status is None else "the server has closed the connection"
        raise CommandError(text) from None
    finally:
        await client.close()


def _refusal(client: Client, error: OSError, *, has_password: bool) -> CommandError:
    """Return why there is no connection, in one sentence."""
    where = client.address
    match error:
        case LoginRefusedError():
            reason = _of_login(error.status, has_password=has_password)
            return CommandError(f"{where} does not let you in: {reason}")
        case ImpostorError():
            return CommandError(f"{where} has proven nothing, and was told nothing: {error}")
        case DisconnectedError():
            hint = "" if client.uses_tls else "; if it uses TLS, say --tls"
            return CommandError(f"{where} has closed the connection instead of a login{hint}")
        case ssl.SSLCertVerificationError():
            return CommandError(f"the certificate of {where} is not trusted: {_distrust(error)}")
        case ssl.SSLError():
            return CommandError(f"TLS with {where} has failed: {_of_tls(error)}")
        case socket.gaierror():
            text = f"{where} cannot be looked up: {error.strerror}"
        case ConnectionRefusedError():
            text = f"there is no server at {where}: the connection was refused"
        case TimeoutError():
            text = f"there is no server at {where}, or it does not answer"
        case _:
            reason = os.strerror(error.errno) if error.errno else str(error)
            text = f"{where} cannot be reached: {reason}"
    return CommandError(text, EXIT_NO_SERVER)


def _of_login(status: int, *, has_password: bool) -> str:
    """Return why a server does not let anybody in."""
    if status == Status.BAD_FRAME and not has_password:
        return "it asks for a password"
    return _REFUSALS.get(status) or f"the server answered {status}"


def _of_tls(error: ssl.SSLError) -> str:
    """Return what went wrong between the two ends of TLS."""
    if error.reason == "WRONG_VERSION_NUMBER":
        return "what answers speaks no TLS"
    return (error.reason or str(error)).replace("_", " ").lower()


def _distrust(error: ssl.SSLCertVerificationError) -> str:
    """Return why a certificate is not trusted, and what to say if it is to be."""
    reason = error.verify_message.rstrip(".")
    if error.verify_code in _OF_ANOTHER_NAME:
        return f"{reason}; --server-name NAME says whom it is for"
    return f"{reason}; --ca FILE trusts those in a file"
