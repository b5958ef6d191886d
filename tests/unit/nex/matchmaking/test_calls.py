"""The match making servers: what is refused whatever the call, and reading calls."""

from __future__ import annotations

from typing import Any

import pytest

from nekonex.nex import structures as wire
from nekonex.nex.matchmaking import MatchMaking, MatchMakingExt
from nekonex.nex.structures import ResultRange
from nekonex.values import RMCError, ServiceUnavailable, StationURL
from nekonex.wire import UInt32
from tests.support.matchlab import MatchConsole, match_lab

URL = StationURL("prudp", address="10.0.0.1", port=1)
EVERYTHING = ResultRange(0, 10)
NOBODY_KNOWS = [0, 1, 0x3FFFFFFF, 0x40000000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF]

ABOUT_ONE: dict[str, tuple[Any, ...]] = {
    "unregister_gathering": (),
    "invite": ([1001], ""),
    "accept_invitation": ("",),
    "decline_invitation": ("",),
    "cancel_invitation": ([1001], ""),
    "get_invitations_sent": (),
    "participate": ("",),
    "cancel_participation": ("",),
    "get_participants": (),
    "add_participants": ([1001], ""),
    "get_detailed_participants": (),
    "get_participants_urls": (),
    "find_by_single_id": (),
    "launch_session": ("",),
    "update_session_url": ("",),
    "get_session_url": (),
    "get_state": (),
    "set_state": (1,),
    "report_stats": ([],),
    "get_stats": ([], []),
    "delete_gathering": (),
    "migrate_gathering_ownership_v1": ([1001],),
    "register_local_url": (URL,),
    "register_local_urls": ([URL],),
    "update_session_host_v1": (),
    "get_session_urls": (),
    "update_session_host": (True,),
    "update_gathering_ownership": (True,),
    "migrate_gathering_ownership": ([1001], False),
}
"""Calls of protocol 21 that begin with a gid, and what comes after it."""

ABOUT_ONE_EXT: dict[str, tuple[Any, ...]] = {
    "end_participation": ("",),
    "get_participants": (False,),
    "get_detailed_participants": (True,),
    "get_gathering_relations": ("",),
}

OTHERS: dict[str, tuple[Any, ...]] = {
    "register_gathering": (wire.MatchmakeSession(),),
    "unregister_gatherings": ([1],),
    "update_gathering": (wire.MatchmakeSession(id=1),),
    "get_invitations_received": (),
    "find_by_type": ("MatchmakeSession", EVERYTHING),
    "find_by_description": ("", EVERYTHING),
    "find_by_description_like": ("", EVERYTHING),
    "find_by_id": ([1],),
    "find_by_owner": (1, EVERYTHING),
    "find_by_participants": ([1],),
    "find_invitations": (EVERYTHING,),
    "get_pending_deletions": (0, EVERYTHING),
    "delete_from_deletions": ([1],),
}
OTHERS_EXT: dict[str, tuple[Any, ...]] = {
    "get_participants_urls": ([1],),
    "delete_from_deletions": ([1], 1000),
}
NOT_SERVED = {"find_by_description_regex", "find_by_sql_query"}


def calls(console: MatchConsole, gid: int) -> list[tuple[str, Any]]:
    """Return all calls about a gathering, to be awaited, with their names."""
    made = [(name, getattr(console.mm, name)(gid, *rest)) for name, rest in ABOUT_ONE.items()]
    made += [(name, getattr(console.ext, name)(gid, *rest)) for name, rest in ABOUT_ONE_EXT.items()]
    return made


def test_the_tables_have_every_method() -> None:
    assert {each.name for each in MatchMaking.definitions()} == {*ABOUT_ONE, *OTHERS, *NOT_SERVED}
    assert {each.name for each in MatchMakingExt.definitions()} == {*ABOUT_ONE_EXT, *OTHERS_EXT}


@pytest.mark.parametrize("gid", NOBODY_KNOWS)
async def test_unknown_gatherings(gid: UInt32) -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001):
        made = await lab.make(one)
        for name, call in calls(one, gid):
            with pytest.raises(RMCError) as caught:
                await call
            assert (name, caught.value.name) == (name, "RendezVous::SessionVoid")
        for call in (
            one.mm.update_gathering(wire.Gathering(id=gid)),
            one.mm.unregister_gatherings([made.gid, gid]),
        ):
            with pytest.raises(RMCError, match="RendezVous::SessionVoid"):
                await call
        assert await lab.all() == [made]
        assert await one.heard() == []


async def test_consoles_that_did_not_register() -> None:
    async with (
        match_lab() as lab,
        lab.console(1000) as one,
        lab.console(1001, register=False) as two,
    ):
        made = await lab.make(one)
        made_calls = calls(two, made.gid)
        made_calls += [(name, getattr(two.mm, name)(*rest)) for name, rest in OTHERS.items()]
        made_calls += [(name, getattr(two.ext, name)(*rest)) for name, rest in OTHERS_EXT.items()]
        for name, call in made_calls:
            with pytest.raises(RMCError) as caught:
                await call
            assert (name, caught.value.name) == (name, "RendezVous::NotAuthenticated")
        assert await lab.all() == [made]


async def test_strangers() -> None:
    """What participants and owners alone may do, nobody else does."""
    open_to_all = {
        *("participate", "find_by_single_id", "get_state", "report_stats", "get_stats"),
        *("get_invitations_sent", "cancel_invitation", "get_gathering_relations"),
    }
    not_there = {"cancel_participation", "end_participation"}
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        made = await lab.make(one)
        for name, call in calls(two, made.gid):
            if name in open_to_all:
                call.close()
                continue
            with pytest.raises(RMCError) as caught:
                await call
            expected = "NotParticipatedGathering" if name in not_there else "PermissionDenied"
            assert (name, caught.value.name) == (name, f"RendezVous::{expected}")
        assert await lab.all() == [made]
        assert (await one.heard(), await two.heard()) == ([], [])


class _Broken:
    """A store whose server is down."""

    def __getattr__(self, name: str) -> Any:
        async def call(*args: Any, **kwargs: Any) -> Any:
            raise ServiceUnavailable(name)

        return call


async def test_a_store_that_is_down() -> None:
    async with match_lab(communities=_Broken()) as lab, lab.console(1000) as one:
        made = await lab.make(one)
        # Gids of communities, so that each call gets there.
        for name, call in calls(one, 5):
            with pytest.raises(RMCError) as caught:
                await call
            assert (name, caught.value.name) == (name, "Core::SystemError")
        for call in (
            one.mm.find_by_owner(1000, EVERYTHING),
            one.mm.find_by_id([5]),
            one.mm.register_gathering(wire.PersistentGathering(attribs=[0] * 6)),
        ):
            with pytest.raises(RMCError, match="Core::SystemError"):
                await call
        assert await one.mm.get_participants(made.gid) == [1000]


async def test_preferences_that_are_down() -> None:
    async with (
        match_lab(preferences=_Broken()) as lab,
        lab.console(1000) as one,
        lab.console(1001) as two,
    ):
        made = await lab.make(one)
        with pytest.raises(RMCError, match="Core::SystemError"):
            await two.mm.participate(made.gid, "")
        assert (await lab.get(made.gid)).pids == (1000,)


# -- calls that only read --------------------------------------------------------------------


async def test_participants() -> None:
    async def names(pid: int) -> str | None:
        return {1000: "Alice"}.get(pid)

    async with match_lab(names=names) as lab, lab.console(1000) as one:
        made = await lab.make(one)
        async with lab.console(1001) as two:
            await two.mm.participate(made.gid, "hi")
            assert await one.mm.get_participants(made.gid) == [1000, 1001]
            details = await two.mm.get_detailed_participants(made.gid)
            assert [(each.pid, each.name, each.message, each.participants) for each in details] == [
                (1000, "Alice", "", 1),
                (1001, "1001", "hi", 1),
            ]
            urls = await two.mm.get_participants_urls(made.gid)
            assert [(url["address"], url["RVCID"]) for url in urls] == [
                ("192.168.0.232", one.cid),
                ("192.0.2.1", one.cid),
                ("192.168.0.233", two.cid),
                ("192.0.2.1", two.cid),
            ]


@pytest.mark.parametrize("names", [None, lambda pid: f"player {pid}"])
async def test_names(names: Any) -> None:
    async with match_lab(names=names) as lab, lab.console(1000) as one:
        made = await lab.make(one)
        (only,) = await one.mm.get_detailed_participants(made.gid)
        assert only.name == ("1000" if names is None else "player 1000")


async def test_names_that_cannot_be_found_out() -> None:
    async def names(pid: int) -> str:
        raise ServiceUnavailable("accounts")

    async with match_lab(names=names) as lab, lab.console(1000) as one:
        made = await lab.make(one)
        with pytest.raises(RMCError, match="Core::SystemError"):
            await one.mm.get_detailed_participants(made.gid)


async def test_the_state() -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        made = await lab.make(one)
        assert await one.mm.set_state(made.gid, 0xFFFFFFFF) is True
        reply = await two.mm.get_state(made.gid)
        assert (reply.result, reply.state) == (True, 0xFFFFFFFF)


async def test_statistics_and_deletions() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        made = await lab.make(one)
        stats = [wire.GatheringStats(1000, 1, [1.0, 2.0])]
        assert await one.mm.report_stats(made.gid, stats) is True
        kept = await one.mm.get_stats(made.gid, [1000], [0, 1])
        assert (kept.result, kept.stats) == (True, [])
        pending = await one.mm.get_pending_deletions(1, EVERYTHING)
        assert (pending.result, pending.deletions) == (True, [])
        assert await one.mm.delete_from_deletions([1, 2]) is True
        assert await lab.all() == [made]
