"""The server of what was added to match making."""

from __future__ import annotations

import pytest

from nekonex.domain.matchmaking import GatheringFlag, MatchmakingLimits, Participant
from nekonex.values import RMCError
from tests.support.matchlab import match_lab
from tests.support.nexlab import lab_settings

LONG = "x" * 257


@pytest.mark.parametrize(("version", "minor"), [("3.3.0", 0), ("3.5.4", 4)])
async def test_leaving(version: str, minor: int) -> None:
    async with (
        match_lab(lab_settings(version)) as lab,
        lab.console(1000, minor_version=minor) as one,
        lab.console(1001, minor_version=minor) as two,
    ):
        made = await lab.make(one, two)
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await two.ext.end_participation(made.gid, LONG)
        assert await lab.all() == [made]
        assert await two.ext.end_participation(made.gid, "x" * 256) is True
        assert await one.heard() == [(3008, 1001, made.gid, 1001, 0, "x" * 256)]
        assert await two.heard() == []
        with pytest.raises(RMCError, match="RendezVous::NotParticipatedGathering"):
            await two.ext.end_participation(made.gid, "")
        assert await one.ext.end_participation(made.gid, "") is True
        assert await lab.all() == []


async def test_the_owner_leaves() -> None:
    async with (
        match_lab() as lab,
        lab.console(1000) as one,
        lab.console(1001) as two,
        lab.console(1002) as three,
    ):
        flags = GatheringFlag.MIGRATE_OWNER | GatheringFlag.NOTIFY_ALL
        made = await lab.make(one, two, three, flags=flags)
        await one.ext.end_participation(made.gid, "bye")
        expected = [
            (4000, 1000, made.gid, 1001, 0, ""),
            (110000, 1000, made.gid, 0, 0, ""),
            (3008, 1000, made.gid, 1000, 0, "bye"),
        ]
        assert (await two.heard(), await three.heard()) == (expected, expected)
        ending = await lab.make(one, two)
        await one.ext.end_participation(ending.gid, "")
        assert await two.heard() == [(109000, 1000, ending.gid, 0, 0, "")]
        assert (await one.heard(), await three.heard()) == ([], [])


async def test_participants() -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        participants = (Participant(1000, one.cid), Participant(7, 0, 3, "away"))
        made = await lab.make(1000, participants=participants)
        assert await one.ext.get_participants(made.gid, False) == [1000, 7]
        assert await one.ext.get_participants(made.gid, True) == [1000]
        for only_active, expected in [
            (False, [(1000, "1000", "", 1), (7, "7", "away", 3)]),
            (True, [(1000, "1000", "", 1)]),
        ]:
            details = await one.ext.get_detailed_participants(made.gid, only_active)
            found = [(each.pid, each.name, each.message, each.participants) for each in details]
            assert found == expected
        for call in (two.ext.get_participants, two.ext.get_detailed_participants):
            with pytest.raises(RMCError, match="RendezVous::PermissionDenied"):
                await call(made.gid, False)


async def test_the_urls_of_several_gatherings() -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        mine, both, theirs = await lab.make(one), await lab.make(one, two), await lab.make(two)
        found = await two.ext.get_participants_urls([theirs.gid, 0, mine.gid, both.gid, both.gid])
        assert [(each.gid, [url["PID"] for url in each.urls]) for each in found] == [
            (theirs.gid, [1001, 1001]),
            (both.gid, [1000, 1000, 1001, 1001]),
        ]
        assert await two.ext.get_participants_urls([]) == []
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await two.ext.get_participants_urls([mine.gid] * 301)


async def test_only_so_many_urls() -> None:
    async with (
        match_lab(limits=MatchmakingLimits(max_results=5)) as lab,
        lab.console(1000) as one,
        lab.console(1001) as two,
        lab.console(1002) as three,
    ):
        made = [await lab.make(one, two), await lab.make(one, two), await lab.make(one)]
        found = await one.ext.get_participants_urls([each.gid for each in made])
        assert [len(each.urls) for each in found] == [4, 1, 0]
        large = await lab.make(one, two, three)
        assert len(await one.mm.get_participants_urls(large.gid)) == 5


async def test_the_rest() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        made = await lab.make(one)
        assert await one.ext.get_gathering_relations(made.gid, "what") == ""
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await one.ext.get_gathering_relations(made.gid, LONG)
        assert await one.ext.delete_from_deletions([1, 2], 1000) is None
        assert await lab.all() == [made]
