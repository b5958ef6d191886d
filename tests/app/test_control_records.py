"""What the control socket does with scores, and with players who are removed, in a server."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest

from nekonex.app import RefusedCommandError, Server, ask
from nekonex.app.records import Records, records_of
from nekonex.domain.datastore import Caller, Draft
from nekonex.domain.matchmaking.ports import Privacy
from nekonex.domain.ranking import Board, RankQuery
from nekonex.testing import running_server
from nekonex.values import ServiceUnavailable
from tests.support.rooms import console
from tests.support.score_stores import uploaded
from tests.support.server_process import command
from tests.support.waiting import until

INK = '[[game]]\nname = "ink"\ntitle = "splatoon"\nguest = true\n'
BOTH = INK + '[[game]]\nname = "kart"\ntitle = "mario-kart-8"\nauth_port = 0\nsecure_port = 0\n'


@pytest.fixture(autouse=True)
def _no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith("NEKONEX_"):
            monkeypatch.delenv(name)


async def asked(server: Server, name: str, **arguments: Any) -> Any:
    return await asyncio.to_thread(ask, server.data_dir, name, **arguments)


async def refused(server: Server, name: str, **arguments: Any) -> str:
    with pytest.raises(RefusedCommandError) as caught:
        await asked(server, name, **arguments)
    return str(caught.value)


def records(server: Server, game: str = "ink") -> Records:
    return records_of(server.game(game).services)


async def test_a_leaderboard_is_cleaned_while_it_is_played(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with running_server(BOTH, folder=tmp_path) as server:

        async def typed(*arguments: object) -> str:
            capsys.readouterr()
            config = tmp_path / "nekonex.toml"
            assert await command("ranking", *arguments, "--config", config) == 0
            return capsys.readouterr().out

        rankings = records(server).rankings
        for pid, score in ((1, 10), (2, 20), (3, 5)):
            await uploaded(rankings, pid, score)
        query = RankQuery(Board(1), count=9)
        assert len((await rankings.cached_top(query)).page.entries) == 3
        assert json.loads(await typed("list", "--json")) == [
            {"game": "ink", "category": 1, "order": "ascending", "scores": 3}
        ]
        assert await typed("remove", 1, 3) == "removed the score 5 of player 3 from ink 1\n"
        best = json.loads(await typed("top", 1, "--json"))
        assert [(each["rank"], each["pid"], each["score"]) for each in best] == [
            (1, 1, 10),
            (2, 2, 20),
        ]
        assert len((await rankings.cached_top(query)).page.entries) == 2


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("top_scores", {"category": 1}),
        ("top_scores", {"category": -1, "count": 1}),
        ("top_scores", {"category": 1, "count": 10**9}),
        ("remove_scores", {"category": True, "pid": 1}),
        ("remove_scores", {"category": 1, "pid": "1"}),
        ("remove_scores", {"category": 1, "pid": 1, "unique_id": 2**64}),
        ("forget", {}),
        ("forget", {"pid": -1}),
        ("forget", {"pid": 1.0}),
    ],
)
async def test_arguments_are_looked_at(
    tmp_path: Path, name: str, arguments: dict[str, Any]
) -> None:
    async with running_server(INK, folder=tmp_path) as server:
        assert "a whole number" in await refused(server, name, **arguments)


async def test_a_player_is_forgotten_while_it_plays(tmp_path: Path) -> None:
    async with running_server(INK, folder=tmp_path) as server:
        of_game = records(server)
        async with console(server, "neko") as (_, pid):
            await uploaded(of_game.rankings, pid, 10)
            await of_game.data_store.posting.post_meta_binary(Caller(pid), Draft())
            await of_game.unique_ids.acquire(pid, with_password=False)
            preferences = of_game.matchmaking.preferences
            await preferences.set_privacy(pid, Privacy(online_status=False))
            assert await asked(server, "forget", pid=pid) == [
                {"game": "ink", "scores": 1, "objects": 1, "unique_ids": 1, "communities": 0}
            ]
            await until(lambda: server.game("ink").players.count == 0)
        assert await of_game.rankings.top(1, 9) == []
        assert await of_game.data_store.shelf.store.count() == 0
        assert await preferences.privacy(pid) == Privacy()
        assert await asked(server, "forget", pid=pid) == [
            {"game": "ink", "scores": 0, "objects": 0, "unique_ids": 0, "communities": 0}
        ]


async def test_an_outage_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def down(*_: object) -> int:
        raise ServiceUnavailable("the disk is gone")

    async with running_server(INK, folder=tmp_path) as server:
        await uploaded(records(server).rankings, 7, 10)
        monkeypatch.setattr(records(server).unique_ids, "forget", down)
        told = await refused(server, "forget", pid=7)
        assert told == "not all of it could be removed: the disk is gone"
        monkeypatch.setattr(records(server).rankings.store, "page", down)
        assert "cannot be read" in await refused(server, "top_scores", category=1, count=1)
        await uploaded(records(server).rankings, 7, 10)
        monkeypatch.setattr(records(server).rankings.store, "change", down)
        assert "cannot be changed" in await refused(server, "remove_scores", category=1, pid=7)
        monkeypatch.setattr(records(server).rankings.store, "categories", down)
        assert "cannot be read" in await refused(server, "rankings")
