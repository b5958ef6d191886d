"""`nekonex reports`: what consoles reported about their connections."""

import base64
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from nekonex.cli._common import (
    CommandError,
    ConfigOption,
    JsonOption,
    group,
    load,
    plain_table,
    print_json,
    print_table,
)
from nekonex.cli._services import open_services, run
from nekonex.cli._times import show_time
from nekonex.config import Config
from nekonex.domain import MAX_PID, Report

__all__ = ["register"]

reports = group("reports", "List and export the reports that consoles sent.")

PidOption = Annotated[
    int | None,
    typer.Option("--pid", metavar="PID", min=0, max=MAX_PID, help="Only those of this player."),
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(reports)


@reports.command("list")
def _list(pid: PidOption = None, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the reports, the oldest first."""
    found = run(_reports(load(config), pid))
    if as_json:
        print_json([_as_dict(report) for report in found])
        return
    table = plain_table("number", "time", "game", "PID", "report", "bytes")
    for report in found:
        table.add_row(
            str(report.number),
            show_time(report.created),
            report.game,
            str(report.pid),
            str(report.report_id),
            str(len(report.data)),
        )
    print_table(table)


@reports.command("export")
def _export(
    file: Annotated[
        Path | None,
        typer.Argument(metavar="FILE", help="Default: standard output.", show_default=False),
    ] = None,
    pid: PidOption = None,
    config: ConfigOption = None,
) -> None:
    """Write the reports as one JSON object a line, with their data in base64."""
    found = run(_reports(load(config), pid))
    lines = "".join(f"{_line(report)}\n" for report in found)
    if file is None:
        sys.stdout.write(lines)
        return
    try:
        file.write_text(lines, encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}") from None
    typer.echo(f"wrote {len(found)} reports to {file}")


async def _reports(config: Config, pid: int | None) -> list[Report]:
    async with open_services(config) as services:
        return [report async for report in services.reports.reports(pid)]


def _line(report: Report) -> str:
    data = base64.b64encode(report.data).decode("ascii")
    return json.dumps({**_as_dict(report), "data": data}, ensure_ascii=False)


def _as_dict(report: Report) -> dict[str, Any]:
    return {
        "number": report.number,
        "time": show_time(report.created),
        "game": report.game,
        "pid": report.pid,
        "report": report.report_id,
        "bytes": len(report.data),
    }
