"""The program of the tutorial does what its page says."""

import importlib.util
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).parents[3] / "docs" / "tutorial"


async def test_the_guestbook_prints_what_its_page_says(capsys: pytest.CaptureFixture[str]) -> None:
    spec = importlib.util.spec_from_file_location("guestbook", TUTORIAL / "guestbook.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)

    await module.main()

    page = (TUTORIAL / "own-protocol.md").read_text(encoding="utf-8")
    assert page.split("```text\n")[1].split("```")[0] == capsys.readouterr().out
