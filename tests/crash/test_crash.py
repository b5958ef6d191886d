"""A few rounds of what `tests.crash.rounds` does at length."""

from __future__ import annotations

import pytest

from tests.crash.rounds import run


@pytest.mark.async_timeout(110)
async def test_what_was_acknowledged_survives_and_nothing_half_written_is_seen() -> None:
    assert await run(rounds=3, seed=20) == []
