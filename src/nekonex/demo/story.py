"""The story: a server on free ports with a temporary data directory, chapter after chapter."""

import asyncio
import contextlib
import logging
import re
import time
from collections.abc import Awaitable, Iterator, Sequence
from pathlib import Path
from typing import Final

from rich.box import SIMPLE_HEAD
from rich.console import Console as Terminal
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from nekonex import __version__
from nekonex.app import Server
from nekonex.app.addresses import format_address
from nekonex.demo.chapter import Chapter
from nekonex.demo.chapters import CHAPTERS
from nekonex.demo.clients import check_clients, error_name
from nekonex.demo.plugins import PLUGINS, plugin_folders
from nekonex.demo.stage import Stage, Step
from nekonex.nex.logs import LOGGER_NAME
from nekonex.testing import running_server

__all__ = ["CONFIG", "run_demo", "tell"]

CONFIG: Final = """\
[[game]]
title = "mario-kart-8"
server = "nekonex.demo.game:DemoGame"
auth_port = 0                # 0: any free port
secure_port = 0
guest = true

[game.prudp]                 # quick to notice who is gone
resend_timeout = 0.4
resend_limit = 2
ping_timeout = 0.8

[[game]]
title = "splatoon"
auth_port = 0
secure_port = 0
"""

_WIDTH: Final = 110


def run_demo(picture: Path | None = None) -> bool:
    """Tell the whole story on standard output; True if every step did what it should.

    With *picture* it is saved there too, as SVG. Raises MissingClientsError.
    """
    check_clients()
    terminal = Terminal(highlight=False, record=picture is not None, soft_wrap=True)
    if picture is not None or not terminal.is_terminal:
        terminal.width = _WIDTH
    steps = asyncio.run(tell(CHAPTERS, terminal))
    if picture is not None:
        picture.write_text(_without_fonts(terminal.export_svg(title="nekonex demo")), "utf-8")
    return bool(steps) and all(step.passed for step in steps)


async def tell(chapters: Sequence[Chapter], terminal: Terminal) -> list[Step]:
    """Play chapters on a new server, and return what came of their steps."""
    start = time.perf_counter()
    stage: Stage | None = None
    with _narrated(terminal) as narrator:
        async with running_server(CONFIG, plugin_folders=plugin_folders()) as server:
            stage = Stage(server, terminal)
            _introduce(server, terminal)
            async with stage.closing:
                for chapter in chapters:
                    await _begin(chapter, stage)
                for number, chapter in enumerate(chapters, 1):
                    narrator.silent = not chapter.narrated
                    await _play(chapter, number, stage)
            narrator.silent = False
            closing = time.perf_counter()
    stage.terminal.print(
        Text(f"\nThe server stopped in {time.perf_counter() - closing:.1f} s.", style="dim")
    )
    _summarize(stage.steps, terminal, time.perf_counter() - start)
    return stage.steps


async def _begin(chapter: Chapter, stage: Stage) -> None:
    if chapter.begin is None:
        return
    stage.chapter = chapter.title
    await _within_limit(chapter, chapter.begin(stage), stage)
    stage.chapter = ""


async def _play(chapter: Chapter, number: int, stage: Stage) -> None:
    stage.chapter = chapter.title
    stage.terminal.print()
    stage.terminal.print(
        Rule(Text(f" {number}. {chapter.title} ", style="bold"), align="left", style="dim")
    )
    stage.terminal.print(Text(f"  {chapter.about}", style="italic"))
    before = len(stage.steps)
    await _within_limit(chapter, chapter.play(stage), stage)
    if len(stage.steps) == before:
        _fail(stage, "the chapter", "it had no step")


async def _within_limit(chapter: Chapter, what: Awaitable[None], stage: Stage) -> None:
    """Wait for a part of a chapter; what goes wrong is a step that did."""
    try:
        async with asyncio.timeout(chapter.limit):
            await what
    except TimeoutError:
        _fail(stage, "the chapter", f"it was not over after {chapter.limit:g} seconds")
    except Exception as error:  # noqa: BLE001
        _fail(stage, "the chapter", error_name(error))


def _fail(stage: Stage, title: str, problem: str) -> None:
    with stage.step(title, "it is played to its end") as step:
        step.expect(False, problem)


class _Narrator(logging.Handler):
    """Prints what the server logs beside what the consoles do."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(logging.INFO)
        self.silent = False
        self._terminal = terminal

    def emit(self, record: logging.LogRecord) -> None:
        """Print a line."""
        if self.silent:
            return
        told = [
            str(value)
            for key in ("game", "user", "pid", "error", "reason")
            if (value := getattr(record, key, None)) not in (None, "")
        ]
        line = f"      server │ {record.getMessage()}: {', '.join(told)}"
        self._terminal.print(
            Text(line, style="dim"), soft_wrap=False, no_wrap=True, overflow="ellipsis"
        )


@contextlib.contextmanager
def _narrated(terminal: Terminal) -> Iterator[_Narrator]:
    """Print the log of logins, and nothing else: what fails is told by the steps."""
    logins, root = logging.getLogger(LOGGER_NAME), logging.getLogger()
    narrator, silence = _Narrator(terminal), logging.NullHandler()
    level, propagate = logins.level, logins.propagate
    logins.addHandler(narrator)
    logins.setLevel(logging.INFO)
    logins.propagate = False
    root.addHandler(silence)
    try:
        yield narrator
    finally:
        logins.removeHandler(narrator)
        logins.setLevel(level)
        logins.propagate = propagate
        root.removeHandler(silence)


def _introduce(server: Server, terminal: Terminal) -> None:
    lines = [
        Text.assemble(
            (f"{game.config.title:<14}", "bold"),
            f"NEX {game.config.nex_version:<8}",
            ("login ", "dim"),
            format_address(game.auth.address),
            ("   play ", "dim"),
            format_address(game.secure.address),
        )
        for game in server.games
    ]
    if server.connect is not None:
        plugins = ("   plugins ", "dim"), " and ".join(PLUGINS)
        where = ("at    ", "dim"), format_address(server.connect.address)
        lines.append(Text.assemble(("NekoConnect   ", "bold"), f"{'':<12}", *where, *plugins))
    about = Text(
        "A real server on free UDP ports, and simulated consoles that log in to it with\n"
        "NintendoClients, an independent client. Nothing is left behind.\n",
        style="italic",
    )
    body = Text("\n").join([about, *lines])
    terminal.print(
        Panel(body, title=f"[bold]nekonex[/] {__version__}", border_style="cyan", padding=(1, 2))
    )


def _summarize(steps: Sequence[Step], terminal: Terminal, seconds: float) -> None:
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("step")
    table.add_column("what should happen")
    table.add_column("did it", justify="center", no_wrap=True)
    table.add_column("time", justify="right", no_wrap=True)
    chapter = ""
    for step in steps:
        if step.chapter != chapter:
            chapter = step.chapter
            table.add_row(Text(chapter, style="bold"))
        did = Text("yes", style="green") if step.passed else Text("NO", style="bold red")
        table.add_row(f"  {step.title}", step.expectation, did, f"{step.seconds:.2f} s")
    terminal.print()
    terminal.print(table)
    failed = sum(not step.passed for step in steps)
    if failed:
        verdict = Text(f"{failed} of {len(steps)} steps went wrong.", style="bold red")
    else:
        verdict = Text(
            f"All {len(steps)} steps did what they should, in {seconds:.1f} s.", style="bold green"
        )
    terminal.print(verdict)


def _without_fonts(svg: str) -> str:
    """Leave out the fonts that rich would have the reader's browser fetch from elsewhere."""
    return re.sub(r"\s*@font-face \{[^}]*\}", "", svg)
