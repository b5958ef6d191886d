"""How the demo tells of steps that go wrong, and of chapters that do not end."""

from __future__ import annotations

import asyncio
import io

from rich.console import Console as Terminal

from nekonex.demo import Chapter, Stage, tell


async def told(*chapters: Chapter) -> tuple[list[tuple[str, bool, str]], str]:
    output = io.StringIO()
    steps = await tell(chapters, Terminal(file=output, width=120))
    return [(step.title, step.passed, step.seen) for step in steps], output.getvalue()


async def test_what_goes_wrong_is_told_and_the_story_goes_on() -> None:
    async def first(stage: Stage) -> None:
        with stage.step("one", "two is more") as step:
            step.expect([], "two is less")
        with stage.step("a refusal", "no") as step, step.refusal("Core::Nothing"):
            pass
        with stage.step("an accident", "nothing") as step:
            raise ZeroDivisionError("by nought")

    async def endless(stage: Stage) -> None:
        with stage.step("waiting", "an end"):
            await asyncio.sleep(60)

    async def empty(stage: Stage) -> None:
        pass

    async def last(stage: Stage) -> None:
        with stage.step("good", "good") as step:
            step.saw("all is well")

    steps, text = await told(
        Chapter("First", "about it", first),
        Chapter("Endless", "about it", endless, limit=0.05),
        Chapter("Empty", "about it", empty),
        Chapter("Last", "about it", last),
    )
    assert steps == [
        ("one", False, "two is less"),
        ("a refusal", False, "it was let through instead of Core::Nothing"),
        ("an accident", False, "ZeroDivisionError: by nought"),
        ("waiting", False, "it was broken off"),
        ("the chapter", False, "it was not over after 0.05 seconds"),
        ("the chapter", False, "it had no step"),
        ("good", True, "all is well"),
    ]
    assert "6 of 7 steps went wrong." in text
    assert "✓ good  all is well" in text
    assert "expected: two is more" in text
