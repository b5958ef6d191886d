"""What `nekonex connect` does with a connection: lines out, messages in."""

import asyncio
from typing import Final

import typer

from nekonex.cli._common import EXIT_USAGE, CommandError, report, visible
from nekonex.cli._input import InputLines, LineTooLongError
from nekonex.connect import Client, DisconnectedError, Message
from nekonex.connect.client import status_text
from nekonex.connect.protocol.frames import MAX_OP

__all__ = ["HELP", "MAX_LINE", "Conversation", "show"]

MAX_LINE: Final = 1024 * 1024
"""Bytes of a line that is sent."""

HELP: Final = """\
A line is sent as it is, with the op code that is set. Lines that begin so are not:
  /op N        set the op code, 0 to 2^64 - 1
  /hex DIGITS  send these bytes, two hexadecimal digits each; none for no data
  /quit        end
  /help        show this
  //TEXT       send /TEXT, such as //quit for /quit"""

_TEXT_CONTROLS: Final = "\t\n\r\x1b"


class Conversation:
    """Sends a plugin what is typed, and prints what it answers."""

    def __init__(
        self, client: Client, greeter: str, op: int, lines: InputLines, *, interactive: bool
    ) -> None:
        self._client = client
        self._greeter = greeter
        self._op = op
        self._lines = lines
        self._interactive = interactive
        self._number = 0
        self._statuses = 0
        self._last = 0.0

    def introduce(self) -> None:
        """Tell whoever sits there what can be typed."""
        if self._interactive:
            typer.echo(f"Connected. What you type goes to {visible(self._greeter)}; /help, /quit.")

    async def run(self, wait: float) -> int:
        """Go on until there are no more lines, and until answers have stopped for so long.

        At a terminal it does not wait. Return the exit status: 1 where the server has answered
        with statuses, and nobody was there to see them. Raises CommandError for lines that make
        no sense, and DisconnectedError where the server is gone too early.
        """
        printing = asyncio.create_task(self._print())
        typing = asyncio.create_task(self._type())
        try:
            await asyncio.wait({printing, typing}, return_when=asyncio.FIRST_COMPLETED)
            all_sent = typing.done() and typing.result()
            if typing.done():
                await self._silence(printing, wait if all_sent else None)
            if printing.done() and not (all_sent and _is_end(printing.exception())):
                printing.result()
        finally:
            printing.cancel()
            typing.cancel()
            await asyncio.gather(printing, typing, return_exceptions=True)
        return 1 if self._statuses and not self._interactive else 0

    async def _silence(self, printing: asyncio.Task[None], wait: float | None) -> None:
        """Wait until nothing was printed for so long; None: until the connection is over."""
        if self._interactive and wait is not None:
            return
        loop = asyncio.get_running_loop()
        self._last = loop.time()
        while not printing.done():
            left = None if wait is None else self._last + wait - loop.time()
            if left is not None and left <= 0:
                return
            await asyncio.wait({printing}, timeout=left)

    async def _print(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            message = await self._client.recv()
            self._last = loop.time()
            if message.is_status:
                self._statuses += 1
                report(status_text(message.op))
            else:
                typer.echo(show(message))

    async def _type(self) -> bool:
        """Send line after line; False if the connection is over before the last."""
        while True:
            try:
                line = await self._lines.next()
            except LineTooLongError as error:
                raise CommandError(str(error), EXIT_USAGE) from None
            self._number += 1
            if line is None:
                return True
            try:
                if not await self._obey(line):
                    return True
            except DisconnectedError:
                return False
            except ValueError as error:
                self._complain(str(error))

    async def _obey(self, line: bytes) -> bool:
        """Do what a line says; False if that is to end. ValueError for what makes no sense."""
        command, _, rest = line.partition(b" ")
        match command:
            case b"/quit":
                return False
            case b"/help":
                typer.echo(HELP)
            case b"/op":
                self._op = _op(rest.decode("utf-8", "replace").strip())
            case b"/hex":
                await self._send(_bytes(rest))
            case _:
                await self._send(line[1:] if line.startswith(b"//") else line)
        return True

    async def _send(self, data: bytes) -> None:
        await self._client.send(self._greeter, self._op, data)

    def _complain(self, text: str) -> None:
        """Say what is wrong with a line; nobody can correct one that was not typed."""
        if not self._interactive:
            raise CommandError(f"line {self._number}: {text}", EXIT_USAGE)
        report(text)


def show(message: Message) -> str:
    """Return a message for a terminal: op code, and text, or hexadecimal digits if it is none."""
    text = _text(message.data)
    if text is None:
        return f"{message.op} 0x{message.data.hex()}"
    indent = "\n" + " " * len(f"{message.op} ")
    lines = text.removesuffix("\n").split("\n")
    shown = indent.join("\t".join(map(visible, each.rstrip("\r").split("\t"))) for each in lines)
    return f"{message.op} {shown}".rstrip()


def _text(data: bytes) -> str | None:
    """Return data as text, None if it is none: has control characters that terminals ignore."""
    try:
        text = data.decode()
    except UnicodeDecodeError:
        return None
    is_text = all(each >= " " or each in _TEXT_CONTROLS for each in text)
    return text if is_text else None


def _op(text: str) -> int:
    if text.isascii() and text.isdecimal() and len(text) <= 20 and int(text) <= MAX_OP:
        return int(text)
    raise ValueError(f"/op takes a number from 0 to {MAX_OP}, not {visible(text)!r}")


def _bytes(digits: bytes) -> bytes:
    try:
        return bytes.fromhex(digits.decode("ascii"))
    except ValueError:
        raise ValueError("/hex takes pairs of hexadecimal digits") from None


def _is_end(error: BaseException | None) -> bool:
    """Return whether a server has ended the connection as it may when all was said."""
    return isinstance(error, DisconnectedError) and error.was_closed and error.status is None
