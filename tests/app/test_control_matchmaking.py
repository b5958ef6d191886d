"""What the control socket and `nekonex game` tell about gatherings of a server that runs."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from nekonex.app import RefusedCommandError
from nekonex.app.gathering_log import gatherings_logged
from nekonex.events import EventBus, GatheringClosed, GatheringCreated
from nekonex.logs import configure_logging
from nekonex.nex import MatchmakeExtension
from nekonex.testing import running_server
from nekonex.values import RMCError, ServiceUnavailable
from tests.support.operating import Typed, asked
from tests.support.rooms import auto_matchmake, console, open_session

INK = '[[game]]\nname = "ink"\ntitle = "splatoon"\nguest = true\n'
BOTH = INK + '[[game]]\nname = "kart"\ntitle = "mario-kart-8"\nauth_port = 0\nsecure_port = 0\n'
NOBODY = 4_000_000_000


@pytest.fixture
def typed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Typed:
    return Typed("game", tmp_path, capsys)


async def test_gatherings_are_listed(tmp_path: Path, typed: Typed) -> None:
    async with (
        running_server(BOTH, folder=tmp_path) as server,
        console(server, "peach") as (peach, pid),
    ):
        assert await asked(server, "gatherings") == []
        assert (await typed.text("gatherings")).split() == [
            *("game", "gid", "kind", "owner", "host", "places", "mode", "attributes", "flags")
        ]
        gid = await open_session(
            peach, attribs=[1, 2, 3, 4, 5, 6], participation_policy=98, description="fun"
        )
        await MatchmakeExtension.client(peach).close_participation(gid)
        (found,) = await asked(server, "gatherings", game="ink")
        assert 0 <= found.pop("seconds") < 60
        assert found == {
            "game": "ink",
            "gid": gid,
            "kind": "MatchmakeSession",
            "owner": pid,
            "host": pid,
            "places_taken": 1,
            "max_participants": 4,
            "participants": [pid],
            "policy": 98,
            "description": "fun",
            "game_mode": 2,
            "attributes": [1, 2, 3, 4, 5, 6],
            "matchmake_system": 1,
            "open": False,
            "password": False,
            "progress_score": found["progress_score"],
        }
        assert await asked(server, "gatherings", game="kart") == []
        _, row = (await typed.text("gatherings", "--game", "ink")).splitlines()
        assert row.split() == [
            *("ink", str(gid), "MatchmakeSession", str(pid), str(pid)),
            *("1/4", "2", "1,2,3,4,5,6", "closed,friends"),
        ]
        assert json.loads(await typed.text("gatherings", "--json"))[0]["gid"] == gid
        stats = (await asked(server, "stats"))["games"]
        assert (stats["ink"]["gatherings"], stats["ink"]["participants"]) == (1, 1)
        assert stats["kart"]["gatherings"] == stats["ink"]["communities"] == 0
        assert stats["ink"]["nat_traversal"]["probes"] == 0
        assert stats["ink"]["nat_traversal"]["ignored"]["stranger"] == 0


async def test_a_search_that_found_nothing_is_explained(tmp_path: Path, typed: Typed) -> None:
    async with (
        running_server(INK, folder=tmp_path) as server,
        console(server, "peach") as (peach, _),
        console(server, "daisy") as (daisy, _),
        console(server, "toad") as (toad, pid),
    ):
        near = await open_session(peach, game_mode=3)
        far = await open_session(daisy, game_mode=4, max_participants=1)
        own = (await auto_matchmake(toad, game_mode="2", attribs=["", "5", "", "", "", ""])).id
        told = await asked(server, "explain", pid=pid)
        assert 0 <= told["search"].pop("seconds_ago") < 60
        assert told["search"] == {
            "joining": True,
            "found": 0,
            "queries": [
                {
                    "game_mode": "2",
                    "attributes": {"1": "5"},
                    "places": 1,
                    "open_only": True,
                    "hosted_only": True,
                    "without_user_password": True,
                    "without_system_password": True,
                    "selection": told["search"]["queries"][0]["selection"],
                }
            ],
        }
        assert (told["game"], told["pid"], told["sessions"], told["fitting"]) == ("ink", pid, 3, 0)
        by_gid = {each["gid"]: each["reasons"] for each in told["candidates"]}
        texts = {gid: [reason["text"] for reason in why] for gid, why in by_gid.items()}
        assert texts[near] == ["game mode is 3, not 2", "attribute 1 is 0, not 5"]
        assert texts[far] == [
            "game mode is 4, not 2",
            "attribute 1 is 0, not 5",
            "0 places are free, not 1",
        ]
        assert "the player is in it already" in texts[own]
        assert [len(each["reasons"]) for each in told["candidates"]] == [2, 2, 3]
        assert told["failed"] == {
            "attribute 1": 3,
            "game mode": 2,
            "free places": 1,
            "already in": 1,
        }
        out = (await typed.text("explain", pid)).splitlines()
        assert out[0].startswith(f"PID {pid} in ink searched for a session to join ")
        assert out[0].endswith(", and found none")
        assert out[1].startswith("wanted: game mode 2; attribute 1 5; places 1; open only;")
        assert out[2] == (
            "of 3 sessions now, none would do; failed: attribute 1 (3), game mode (2), "
            "already in (1), free places (1)"
        )
        assert f"- gid {near}, 1/4: game mode is 3, not 2; attribute 1 is 0, not 5" in out
        assert len(out) == 6
        short = (await typed.text("explain", pid, "--limit", 1)).splitlines()
        assert short[-1] == "and 2 more, which are farther from it"
        assert json.loads(await typed.text("explain", pid, "--json"))["sessions"] == 3


async def test_a_search_by_rating_that_names_none_is_told(tmp_path: Path, typed: Typed) -> None:
    async with (
        running_server(INK, folder=tmp_path) as server,
        console(server, "peach") as (peach, _),
        console(server, "toad") as (toad, pid),
    ):
        await open_session(peach, game_mode=2)
        await auto_matchmake(toad, selection_method=1, attribs=[""] * 6)
        told = await asked(server, "explain", pid=pid)
        assert told["search"]["queries"][0]["rating"] is None
        assert told["failed"]["rating"] == 2
        out = await typed.text("explain", pid)
        assert "; nearest first; no rating\n" in out
        assert "1/4: the search names no rating to start from\n" in out


async def test_a_session_that_would_do_by_now_is_told(tmp_path: Path, typed: Typed) -> None:
    async with (
        running_server(INK, folder=tmp_path) as server,
        console(server, "peach") as (peach, _),
        console(server, "toad") as (toad, pid),
    ):
        own = (await auto_matchmake(toad, game_mode="2")).id
        extension = MatchmakeExtension.client(toad)
        await extension.close_participation(own)
        out = await typed.text("explain", pid)
        assert "of 1 session now, none would do; failed: already in (1)" in out
        gid = await open_session(peach)
        out = await typed.text("explain", pid)
        assert f"- gid {gid}, 1/4: it fits\n" in out
        summary = "1 would do; failed: already in (1), open participation (1)"
        assert f"of 2 sessions now, {summary}\n" in out


async def test_a_join_is_explained(tmp_path: Path, typed: Typed) -> None:
    async with (
        running_server(INK, folder=tmp_path) as server,
        console(server, "peach") as (peach, owner),
        console(server, "toad") as (_, pid),
    ):
        gid = await open_session(
            peach, max_participants=1, participation_policy=98, user_password="hush"
        )
        extension = MatchmakeExtension.client(peach)
        await extension.close_participation(gid)
        await extension.add_to_block_list([pid])
        told = await asked(server, "explain", pid=pid, gid=gid)
        assert told["gathering"]["gid"] == gid
        assert [reason["criterion"] for reason in told["reasons"]] == [
            *("full", "closed", "not friend", "blocked by participant"),
        ]
        out = (await typed.text("explain", pid, "--gid", gid)).splitlines()
        assert out[0] == (
            f"gathering {gid} in ink: MatchmakeSession of PID {owner}, 1/1 places taken"
        )
        assert "- no place is free: 1 of 1 are taken" in out
        assert "- participation is closed" in out
        own = (await typed.text("explain", owner, "--gid", gid)).splitlines()
        assert own[1:] == ["- the player is in it already", "- participation is closed"]
        other = await open_session(peach)
        await extension.clear_my_block_list()
        assert f"nothing keeps PID {pid} from joining it" in await typed.text(
            "explain", pid, "--gid", other
        )


async def test_what_cannot_be_explained_is_one_sentence(tmp_path: Path, typed: Typed) -> None:
    async with (
        running_server(BOTH, folder=tmp_path) as server,
        console(server, "toad") as (_, pid),
    ):
        for arguments, sentence in (
            ((NOBODY,), f"the player {NOBODY} is not online"),
            ((pid, "--game", "kart"), f"the player {pid} is not online"),
            ((pid,), f"the player {pid} has not searched for sessions"),
            ((pid, "--gid", 77), "there is no gathering 77 in ink"),
        ):
            assert await typed("explain", *arguments) == (1, "", f"nekonex: {sentence}\n")
        wrong: list[tuple[object, ...]]
        wrong = [(pid, "--gid", 2**32), (pid, "--limit", 0), (pid, "--game", "x"), ()]
        for bad in wrong:
            status, out, err = await typed("explain", *bad)
            assert (status, out, err.count("\n")) == (2, "", 1)
        async with console(server, "toad", server.game("kart")):
            status, _, err = await typed("explain", pid)
            assert (status, err) == (
                1,
                f"nekonex: the player {pid} is online in ink, kart; say which game\n",
            )
        for arguments_of_anybody in ({}, {"pid": "x"}, {"pid": True}, {"pid": 1, "gid": -1}):
            with pytest.raises(RefusedCommandError, match="whole number"):
                await asked(server, "explain", **arguments_of_anybody)


async def test_a_store_that_is_out_of_order_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object, **__: object) -> None:
        raise ServiceUnavailable("the disk is gone")

    async with (
        running_server(INK, folder=tmp_path) as server,
        console(server, "toad") as (toad, pid),
    ):
        gid = await open_session(toad)
        matchmaking = server.games[0].matchmaking
        monkeypatch.setattr(matchmaking.gatherings.communities, "count", fail)
        monkeypatch.setattr(matchmaking.blocking, "of", fail)
        stats = (await asked(server, "stats"))["games"]
        assert (stats["ink"]["gatherings"], stats["ink"]["communities"]) == (1, None)
        with pytest.raises(RefusedCommandError, match="stores cannot be read: the disk is gone"):
            await asked(server, "explain", pid=pid, gid=gid)


@pytest.mark.parametrize("arguments", [("gatherings",), ("explain", 5)])
async def test_without_a_server_there_is_nothing_to_tell(
    tmp_path: Path, typed: Typed, arguments: tuple[object, ...]
) -> None:
    (tmp_path / "nekonex.toml").write_text(BOTH)
    status, out, err = await typed(*arguments)
    assert (status, out) == (3, "")
    assert err == f"nekonex: no server runs with the data directory {tmp_path / 'data'}\n"


# -- the log -------------------------------------------------------------------


@pytest.mark.usefixtures("restored_logging")
async def test_the_debug_log_says_why(tmp_path: Path) -> None:
    stream = io.StringIO()
    configure_logging("debug", "json", stream)
    async with (
        running_server(INK, folder=tmp_path) as server,
        console(server, "peach") as (peach, owner),
        console(server, "toad") as (toad, pid),
    ):
        gid = await open_session(peach, game_mode=3)
        await auto_matchmake(toad, game_mode="2")
        await MatchmakeExtension.client(peach).close_participation(gid)
        with pytest.raises(RMCError, match="PermissionDenied"):
            await MatchmakeExtension.client(toad).join_matchmake_session(gid, "")
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    lines = [line for line in lines if line["logger"] == "nekonex.matchmaking"]
    told = [{k: v for k, v in line.items() if k not in {"time", "logger"}} for line in lines]
    about = {"level": "debug", "game": "ink"}
    assert {**about, "event": "no session found", "pid": pid, "sessions": 1} in told
    reason = "game mode is 3, not 2"
    passed = {**about, "event": "session passed over", "pid": pid, "gid": gid, "reason": reason}
    assert passed in told
    refused = {"event": "join refused", "pid": pid, "gid": gid, "reason": "participation is closed"}
    assert {**about, **refused} in told
    kind = "MatchmakeSession"
    assert {**about, "event": "gathering created", "pid": owner, "gid": gid, "kind": kind} in told
    assert {**about, "event": "gathering closed", "gid": gid} in told


@pytest.mark.usefixtures("restored_logging")
async def test_the_log_costs_nothing_where_nobody_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from nekonex.domain.matchmaking.search.searching import SearchService

    monkeypatch.setattr(SearchService, "explain", None)
    stream = io.StringIO()
    configure_logging("info", "text", stream)
    events = EventBus()
    with gatherings_logged(events):
        assert events._subscribers == {}
    async with running_server(INK, folder=tmp_path) as server, console(server, "toad") as (toad, _):
        await auto_matchmake(toad, game_mode="2")
    assert "session" not in stream.getvalue()


@pytest.mark.usefixtures("restored_logging")
def test_gatherings_are_logged_as_text_too_and_only_meanwhile() -> None:
    stream = io.StringIO()
    configure_logging("debug", "text", stream)
    events = EventBus()
    with gatherings_logged(events):
        events.publish(GatheringCreated("ink", 5, "Gathering", 1000))
        events.publish(GatheringClosed("ink", 5))
    events.publish(GatheringClosed("ink", 6))
    lines = [line[20:] for line in stream.getvalue().splitlines()]
    assert lines == [
        "debug   gathering created game=ink pid=1000 gid=5 kind=Gathering",
        "debug   gathering closed game=ink gid=5",
    ]
