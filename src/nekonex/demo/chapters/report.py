"""A report about a bad connection."""

from typing import Final

from nekonex.demo.chapter import Chapter
from nekonex.demo.stage import Stage

__all__ = ["CHAPTER"]

_REPORT: Final = bytes(range(256)) * 8


async def play(stage: Stage) -> None:
    """Send a report, and find it again."""
    yoshi = await stage.console("yoshi")
    pid = await stage.pid_of(yoshi)
    with stage.step("Yoshi's console sends 2,048 bytes", "they are stored as they came") as step:
        async with yoshi.online() as online:
            await online.secure.send_report(7, _REPORT)
        found = [report async for report in stage.kart.services.reports.reports(pid)]
        step.expect(len(found) == 1, f"there are {len(found)} reports")
        step.expect(found[0].data == _REPORT, "they are not the same bytes")
        step.saw(f"report {found[0].report_id} of {pid}, {len(found[0].data)} bytes")


CHAPTER: Final = Chapter(
    "A report", "Consoles report on their connections; nekonex reports list shows them.", play
)
