"""What the operator makes with a command while the server runs is there for consoles at once."""

from __future__ import annotations

import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from nekonex.nex import MatchmakeExtension, MatchMaking, MatchMakingExt
from nekonex.nex.structures import PersistentGathering, ResultRange
from nekonex.testing import running_server
from nekonex.values import DateTime
from tests.support.roomlab import refused
from tests.support.rooms import console
from tests.support.server_process import command

KART = '[[game]]\nname = "kart"\ntitle = "mario-kart-8"\n'
HOUR = 3600.0

Typed = Callable[..., Awaitable[str]]


@pytest.fixture
def typed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Typed:
    monkeypatch.chdir(tmp_path)

    async def type_in(*arguments: object) -> str:
        capsys.readouterr()
        assert await command("community", *arguments) == 0
        return capsys.readouterr().out

    return type_in


async def official(console: Any) -> list[PersistentGathering]:
    """Return the official communities that a console can join now."""
    found: list[PersistentGathering] = await console.find_official_community(
        True, ResultRange(0, 100)
    )
    return found


async def test_consoles_find_join_and_leave_what_the_operator_made(
    tmp_path: Path, typed: Typed
) -> None:
    async with (
        running_server(KART, folder=tmp_path) as server,
        console(server, "peach") as (session, pid),
        console(server, "toad") as (other, _),
    ):
        peach, toad = MatchmakeExtension.client(session), MatchmakeExtension.client(other)
        assert await official(peach) == []
        await typed("add", "--game", "kart", "Later", "--from", "2h")
        gid = int(
            await typed(
                *("add", "--game", "kart", "Friday Cup", "--max", 1, "--attribute", "3=9"),
                *("--until", "2h"),
            )
        )
        (cup,) = await official(peach)
        assert (cup.id, cup.owner, cup.type, cup.description) == (gid, 2, 2, "Friday Cup")
        assert (cup.attribs, cup.max_participants) == ([0, 0, 0, 9, 0, 0], 1)
        assert cup.participation_start == DateTime(0)
        assert abs(cup.participation_end.timestamp() - time.time() - 2 * HOUR) < 60

        await peach.join_community(gid, "hello", "")
        assert json.loads(await typed("members", gid, "--json")) == [
            {"pid": pid, "visits": 0, "message": "hello"}
        ]
        assert await refused(toad.join_community(gid, "", "")) == "RendezVous::SessionFull"
        changed = PersistentGathering(id=gid, description="mine", attribs=[0] * 6)
        assert await refused(peach.update_community(changed)) == "RendezVous::PermissionDenied"
        ending = MatchMaking.client(session).unregister_gathering(gid)
        assert await refused(ending) == "RendezVous::PermissionDenied"

        # Unlike a community that players found, it outlives its last member.
        await MatchMakingExt.client(session).end_participation(gid, "bye")
        await toad.join_community(gid, "", "")
        assert await typed("remove", gid) == f"removed {gid}, which had 1 member\n"
        assert await official(peach) == []
        assert await refused(peach.join_community(gid, "", "")) == "RendezVous::SessionVoid"


async def test_an_owner_may_end_it_but_not_change_it(tmp_path: Path, typed: Typed) -> None:
    async with (
        running_server(KART, folder=tmp_path) as server,
        console(server, "peach") as (session, pid),
    ):
        peach = MatchmakeExtension.client(session)
        gid = int(await typed("add", "--game", "kart", "Cup", "--owner", pid))
        changed = PersistentGathering(id=gid, description="mine", attribs=[0] * 6)
        assert await refused(peach.update_community(changed)) == "RendezVous::PermissionDenied"
        assert await MatchMaking.client(session).unregister_gathering(gid)
        assert json.loads(await typed("list", "--json")) == []


async def test_what_players_founded_is_listed_and_removed_too(tmp_path: Path, typed: Typed) -> None:
    async with (
        running_server(KART, folder=tmp_path) as server,
        console(server, "peach") as (session, pid),
    ):
        peach = MatchmakeExtension.client(session)
        founded = PersistentGathering(description="ours", attribs=[0] * 6)
        gid = await peach.create_community(founded, "")
        assert json.loads(await typed("list", "--json")) == []
        (row,) = json.loads(await typed("list", "--all", "--json"))
        assert (row["gid"], row["type"], row["owner"], row["members"]) == (gid, "open", pid, 1)
        await typed("remove", gid)
        assert await peach.find_community_by_gathering_id([gid]) == []
