"""What the match making servers have in common."""

from __future__ import annotations

from typing import Any

import pytest

from nekonex.domain.matchmaking import MatchmakingLimits
from nekonex.nex.structures import ResultRange
from nekonex.settings import default
from nekonex.values import RMCError
from tests.support.matchlab import match_lab


async def test_ranges() -> None:
    limits = MatchmakingLimits(max_results=50, max_offset=100)
    async with match_lab(limits=limits) as lab:
        read = lab.server.result_range
        assert read(ResultRange(0, 10)) == (0, 10)
        assert read(ResultRange(0, 0)) == (0, 0)
        assert read(ResultRange(100, 51)) == (100, 50)
        assert read(ResultRange(101, 10)) == (100, 0)
        assert read(ResultRange(0xFFFFFFFE, 10)) == (100, 0)
        assert read(ResultRange(0xFFFFFFFF, 0xFFFFFFFF)) == (0, 50)
        assert read(ResultRange(3, 20), at_most=20) == (3, 20)
        for size in (21, 0xFFFFFFFF):
            with pytest.raises(RMCError, match="Core::InvalidArgument"):
                read(ResultRange(0, size), at_most=20)


async def test_lists() -> None:
    async with match_lab(limits=MatchmakingLimits(max_pids=3)) as lab:
        assert lab.server.check_list([3, 1, 3]) == [3, 1]
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            lab.server.check_list([1, 1, 1, 1])


async def test_one_logout_does_for_all_servers() -> None:
    async with match_lab() as lab:
        gone: list[tuple[int, int]] = []
        really = lab.matchmaking.player_gone

        async def player_gone(pid: int, connection_id: int) -> None:
            gone.append((pid, connection_id))
            await really(pid, connection_id)

        lab.matchmaking.player_gone = player_gone  # type: ignore[method-assign]
        async with lab.console(1000) as one:
            made = await lab.make(one)
            assert gone == []
        assert gone == [(1000, one.cid)]
        assert made.gid not in [each.gid for each in await lab.all()]


async def test_a_logout_that_failed_is_done_by_the_next_server() -> None:
    async with match_lab() as lab:
        tries: list[int] = []
        really = lab.matchmaking.player_gone

        async def player_gone(pid: int, connection_id: int) -> None:
            tries.append(pid)
            if len(tries) == 1:
                raise ValueError("once")
            await really(pid, connection_id)

        lab.matchmaking.player_gone = player_gone  # type: ignore[method-assign]
        async with lab.console(1000) as one:
            await lab.make(one)
        assert tries == [1000, 1000]
        assert await lab.all() == []


@pytest.mark.parametrize("which", ["server", "ext"])
async def test_settings_out_of_range(which: str) -> None:
    async with match_lab() as lab:
        bad = default()
        bad["prudp.transport"] = 1
        with pytest.raises(ValueError, match="transport"):
            _cls(getattr(lab, which))(bad, matchmaking=lab.matchmaking)


def _cls(server: Any) -> Any:
    return type(server)
