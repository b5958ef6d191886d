"""The match making server: what becomes of gatherings, and who is told."""

from __future__ import annotations

from typing import Any

import pytest

from nekonex.domain.matchmaking import (
    Community,
    CommunityType,
    GatheringFlag,
    MatchmakeSession,
    MatchmakingHooks,
    MatchmakingLimits,
    Participant,
    ParticipationPolicy,
    SessionRule,
    TitleRules,
)
from nekonex.nex import structures as wire
from nekonex.values import RMCError
from nekonex.wire import UnknownData
from tests.support.matchlab import MatchLab, match_lab
from tests.support.nexlab import lab_settings

LONG = "x" * 257
MIGRATE = GatheringFlag.MIGRATE_OWNER
VERSIONS = [("3.3.0", 0), ("3.5.4", 4)]


async def community(lab: MatchLab, owner: int = 1000, **fields: Any) -> Community:
    members = (Participant(owner), Participant(1001))
    return await lab.communities.create(
        Community(**{"owner": owner, "participants": members, "password": "secret", **fields})
    )


# -- making and ending ---------------------------------------------------------------------


@pytest.mark.parametrize(("version", "minor"), VERSIONS)
async def test_registering_a_session(version: str, minor: int) -> None:
    async with (
        match_lab(lab_settings(version)) as lab,
        lab.console(1000, minor_version=minor) as one,
    ):
        template = wire.MatchmakeSession(
            id=7, owner=5, host=6, max_participants=4, game_mode=3, session_key=b"mine", state=9
        )
        gid = await one.mm.register_gathering(template)
        made = await lab.get(gid)
        assert isinstance(made, MatchmakeSession)
        assert (made.owner, made.host, made.state, made.participants) == (1000, 1000, 0, ())
        assert (made.game_mode, made.max_participants) == (3, 4)
        assert len(made.session_key) == 32
        assert made.started_time == lab.matchmaking.gatherings.now()
        assert await one.heard() == []
    assert await lab.all() == []


async def test_registering_a_plain_gathering() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        gid = await one.mm.register_gathering(wire.Gathering(description="meet", flags=0x10))
        made = await lab.get(gid)
        assert type(made).__name__ == "Gathering"
        assert (made.owner, made.host, made.flags, made.description) == (1000, 1000, 0x10, "meet")


async def test_registering_a_community() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        gid = await one.mm.register_gathering(
            wire.PersistentGathering(attribs=[0] * 6, description="club")
        )
        made = await lab.get(gid)
    assert isinstance(made, Community)
    assert (made.owner, made.host, made.pids) == (1000, 0, (1000,))
    assert (await lab.get(gid)).pids == (1000,)


async def test_registering_leaves_no_other_session() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        old = await lab.make(one)
        await one.mm.register_gathering(wire.MatchmakeSession())
        assert (await lab.get(old.gid)).pids == (1000,)


@pytest.mark.parametrize(
    "template",
    [
        wire.MatchmakeSession(description=LONG),
        wire.MatchmakeSession(attribs=[0] * 5),
        wire.MatchmakeSession(progress_score=101),
        wire.MatchmakeSession(application_data=bytes(513)),
        wire.MatchmakeSession(session_key=bytes(513)),
        wire.MatchmakeSession(min_participants=5, max_participants=4),
        wire.MatchmakeSession(max_participants=257),
        wire.Gathering(description=LONG),
        wire.PersistentGathering(attribs=[0] * 6, type=CommunityType.OFFICIAL),
        wire.PersistentGathering(attribs=[0] * 6, password="x" * 33),
        wire.NullData(),
        UnknownData("SomethingElse", b"12345"),
    ],
)
async def test_bad_templates(template: Any) -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await one.mm.register_gathering(template)
        assert await lab.all() == []


async def test_rules_and_hooks_see_what_is_registered() -> None:
    class Hooks(MatchmakingHooks):
        def validate(self, player: Any, gathering: Any) -> bool:
            return bool(gathering.description != "bad")

    rules = TitleRules(created=SessionRule(open_participation=True))
    async with match_lab(hooks=Hooks(), rules=rules) as lab, lab.console(1000) as one:
        gid = await one.mm.register_gathering(wire.MatchmakeSession(open_participation=False))
        made = await lab.get(gid)
        assert isinstance(made, MatchmakeSession)
        assert made.open_participation
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await one.mm.register_gathering(wire.Gathering(description="bad"))
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await one.mm.update_gathering(wire.Gathering(id=gid, description="bad"))


async def test_a_player_owns_only_so_many() -> None:
    limits = MatchmakingLimits(max_owned=2)
    async with match_lab(limits=limits) as lab, lab.console(1000) as one:
        for _ in range(2):
            await one.mm.register_gathering(wire.Gathering())
        with pytest.raises(RMCError, match="RendezVous::LimitExceeded"):
            await one.mm.register_gathering(wire.Gathering())
        assert len(await lab.all()) == 2


@pytest.mark.parametrize("method", ["unregister_gathering", "delete_gathering"])
async def test_ending_a_gathering(method: str) -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        made = await lab.make(one, two)
        with pytest.raises(RMCError, match="RendezVous::PermissionDenied"):
            await getattr(two.mm, method)(made.gid)
        assert await lab.all() == [made]
        assert await getattr(one.mm, method)(made.gid) is True
        told = [(109000, 1000, made.gid, 0, 0, "")]
        assert (await one.heard(), await two.heard()) == (told, told)
        assert await lab.all() == []


async def test_ending_several_or_none() -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        mine = [await lab.make(one), await lab.make(one)]
        other = await lab.make(two)
        gids = [each.gid for each in mine]
        with pytest.raises(RMCError, match="RendezVous::PermissionDenied"):
            await one.mm.unregister_gatherings([*gids, other.gid])
        with pytest.raises(RMCError, match="RendezVous::SessionVoid"):
            await one.mm.unregister_gatherings([*gids, 1])
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await one.mm.unregister_gatherings(gids * 151)
        assert await lab.all() == [*mine, other]
        assert await one.mm.unregister_gatherings([*gids, *gids]) is True
        assert await lab.all() == [other]


async def test_updating() -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        made = await lab.make(one, two, game_mode=5, session_key=b"key")
        changed = wire.MatchmakeSession(
            id=made.gid, owner=9, host=9, state=9, game_mode=9, session_key=b"other",
            min_participants=2, max_participants=3, participation_policy=98, policy_argument=4,
            flags=0x400, description="new",
        )  # fmt: skip
        with pytest.raises(RMCError, match="RendezVous::PermissionDenied"):
            await two.mm.update_gathering(changed)
        assert await lab.all() == [made]
        assert await one.mm.update_gathering(changed) is True
        now = await lab.get(made.gid)
        assert isinstance(now, MatchmakeSession)
        assert (now.owner, now.host, now.state, now.game_mode, now.session_key) == (
            1000, 1000, 0, 5, b"key",
        )  # fmt: skip
        assert (now.min_participants, now.max_participants, now.policy) == (2, 3, 98)
        assert (now.policy_argument, now.flags, now.description) == (4, 0x400, "new")
        assert now.pids == (1000, 1001)
        # A plain structure will do.
        assert await one.mm.update_gathering(wire.Gathering(id=made.gid, description="plain"))
        assert (await lab.get(made.gid)).description == "plain"


@pytest.mark.parametrize(
    "fields",
    [{"description": LONG}, {"min_participants": 3, "max_participants": 2}],
)
async def test_bad_updates(fields: dict[str, Any]) -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        made = await lab.make(one)
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await one.mm.update_gathering(wire.Gathering(id=made.gid, **fields))
        assert await lab.all() == [made]


async def test_an_official_community_is_not_updated() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        made = await community(lab, type=CommunityType.OFFICIAL)
        with pytest.raises(RMCError, match="RendezVous::PermissionDenied"):
            await one.mm.update_gathering(wire.Gathering(id=made.gid, description="mine"))
        assert await lab.all() == [made]


# -- coming and going ------------------------------------------------------------------------


@pytest.mark.parametrize(("version", "minor"), VERSIONS)
async def test_participating(version: str, minor: int) -> None:
    async with (
        match_lab(lab_settings(version)) as lab,
        lab.console(1000, minor_version=minor) as one,
        lab.console(1001, minor_version=minor) as two,
    ):
        made = await lab.make(one)
        assert await two.mm.participate(made.gid, "hi") is True
        assert (await lab.get(made.gid)).participants == (
            Participant(1000, one.cid),
            Participant(1001, two.cid, 1, "hi"),
        )
        places = 2 if version == "3.5.4" else 0
        assert await one.heard() == [(3001, 1001, made.gid, 1001, places, "hi")]
        assert await two.heard() == []


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"max_participants": 1}, "RendezVous::SessionFull"),
        ({"open_participation": False}, "RendezVous::PermissionDenied"),
        ({"policy": ParticipationPolicy.FRIENDS}, "RendezVous::NotFriend"),
        ({"user_password_enabled": True}, "RendezVous::PermissionDenied"),
        ({"system_password": "x"}, "RendezVous::PermissionDenied"),
    ],
)
async def test_who_may_not_participate(fields: dict[str, Any], error: str) -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        made = await lab.make(one, **fields)
        with pytest.raises(RMCError, match=error):
            await two.mm.participate(made.gid, "")
        assert await lab.all() == [made]
        assert await one.heard() == []


async def test_participating_twice_and_with_a_long_message() -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        made = await lab.make(one)
        with pytest.raises(RMCError, match="RendezVous::AlreadyParticipatedGathering"):
            await one.mm.participate(made.gid, "")
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await two.mm.participate(made.gid, LONG)
        assert await lab.all() == [made]


async def test_a_block_list_counts() -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        made = await lab.make(one)
        await lab.matchmaking.blocking.add(1000, [1001])
        with pytest.raises(RMCError, match="RendezVous::DeniedByParticipants"):
            await two.mm.participate(made.gid, "")


async def test_joining_a_community() -> None:
    async with match_lab() as lab, lab.console(1002) as one:
        made = await community(lab, password="")
        closed = await community(lab)
        assert await one.mm.participate(made.gid, "hi") is True
        with pytest.raises(RMCError, match="RendezVous::InvalidGatheringPassword"):
            await one.mm.participate(closed.gid, "")
    members = (await lab.get(made.gid)).participants
    assert members[-1] == Participant(1002, 0, 1, "hi")
    assert (await lab.get(closed.gid)).pids == (1000, 1001)


async def test_cancelling_participation() -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        made = await lab.make(one, two)
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await two.mm.cancel_participation(made.gid, LONG)
        assert await lab.all() == [made]
        assert await two.mm.cancel_participation(made.gid, "bye") is True
        assert await one.heard() == [(3002, 1001, made.gid, 1001, 0, "bye")]
        assert (await lab.get(made.gid)).pids == (1000,)
        with pytest.raises(RMCError, match="RendezVous::NotParticipatedGathering"):
            await two.mm.cancel_participation(made.gid, "")


async def test_bringing_others_in() -> None:
    async with (
        match_lab() as lab,
        lab.console(1000) as one,
        lab.console(1001) as two,
        lab.console(1002) as three,
    ):
        await lab.make(one, two, three)
        made = await lab.make(one, open_participation=False, system_password="x")
        assert await one.mm.add_participants(made.gid, [1001, 1002, 1001, 1000], "come") is True
        assert (await lab.get(made.gid)).participants[1:] == (
            Participant(1001, two.cid, 1, "come"),
            Participant(1002, three.cid, 1, "come"),
        )
        assert await two.heard() == [(122000, 1000, made.gid, 1001, 0, "")]
        assert await three.heard() == [(122000, 1000, made.gid, 1002, 0, "")]
        assert await one.heard() == [
            (3001, 1001, made.gid, 1001, 3, "come"),
            (3001, 1002, made.gid, 1002, 3, "come"),
        ]
        assert await one.mm.add_participants(made.gid, [], "") is True


async def test_whom_one_cannot_bring() -> None:
    async with (
        match_lab() as lab,
        lab.console(1000) as one,
        lab.console(1001) as two,
        lab.console(1002),
    ):
        common = await lab.make(one, two)
        made = await lab.make(one)
        full = await lab.make(one, max_participants=1)
        club = await community(lab)
        for caller, gid, pids, error in [
            (two, made.gid, [1001], "RendezVous::PermissionDenied"),
            (one, club.gid, [1001], "RendezVous::PermissionDenied"),
            (one, made.gid, [1001, 1002], "RendezVous::NotParticipatedGathering"),
            (one, made.gid, [1001, 1003], "RendezVous::UserIsOffline"),
            (one, common.gid, [1001], "RendezVous::AlreadyParticipatedGathering"),
            (one, full.gid, [1001], "RendezVous::SessionFull"),
            (one, made.gid, range(2000, 2301), "Core::InvalidArgument"),
            (one, made.gid, range(2000, 2065), "Core::InvalidArgument"),
        ]:
            with pytest.raises(RMCError, match=error):
                await caller.mm.add_participants(gid, list(pids), "")
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await one.mm.add_participants(made.gid, [1001], LONG)
        await lab.matchmaking.blocking.add(1001, [1000])
        with pytest.raises(RMCError, match="RendezVous::DeniedByParticipants"):
            await one.mm.add_participants(made.gid, [1001], "")
        assert await lab.all() == [common, made, full, club]
        assert await two.heard() == []


# -- leaving without a goodbye -----------------------------------------------------------------


async def test_a_console_vanishes() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        async with lab.console(1001) as two:
            made = await lab.make(two, one, flags=MIGRATE)
        assert await one.heard() == [
            (4000, 1001, made.gid, 1000, 0, ""),
            (110000, 1001, made.gid, 0, 0, ""),
            (3007, 1001, made.gid, 1001, 0, ""),
        ]
        now = await lab.get(made.gid)
        assert (now.owner, now.host, now.pids) == (1000, 1000, (1000,))


async def test_a_console_that_never_registered_takes_nobody_out() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        made = await lab.make(one)
        async with lab.console(1000, register=False):
            pass
        async with lab.pipe.client(pid=None):
            pass
        assert await lab.all() == [made]


async def test_what_was_registered_ends_with_its_owner() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        async with lab.console(1001) as two:
            gid = await two.mm.register_gathering(wire.Gathering())
            await one.mm.participate(gid, "")
        assert await one.heard() == [(109000, 1001, gid, 0, 0, "")]
        assert await lab.all() == []


async def test_a_second_login_takes_the_first_one_out() -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as old:
        made = await lab.make(one, old)
        async with lab.console(1001) as new:
            assert await one.heard() == [(3007, 1001, made.gid, 1001, 0, "")]
            await new.mm.participate(made.gid, "")
            assert (await lab.get(made.gid)).participants[-1] == Participant(1001, new.cid)
            # What is left of the old connection does no harm.
            await lab.server.logout(old.own)
            await lab.matchmaking.player_gone(1001, old.cid)
            assert (await lab.get(made.gid)).pids == (1000, 1001)
