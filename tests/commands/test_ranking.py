"""`nekonex ranking`, with no server anywhere."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import pytest

from nekonex.app.data_dir import exclusive
from nekonex.app.records import make_rankings
from nekonex.config import load_config
from nekonex.domain.matchmaking import MatchmakingLimits
from nekonex.domain.matchmaking.relations.friends import FriendBook
from nekonex.domain.ranking import Rankings
from nekonex.events import EventBus
from nekonex.storage import open_local
from tests.support.commands import Commands
from tests.support.score_stores import uploaded

pytestmark = pytest.mark.usefixtures("two_games")

LONG_AGO = 1_000_000_000.0


class Time:
    """A clock that goes on by a second whenever somebody looks at it."""

    def __init__(self) -> None:
        self._seconds: Iterator[int] = iter(range(1000))

    def __call__(self) -> float:
        return LONG_AGO + next(self._seconds)


def upload(run: Commands, *scores: tuple[int, int], game: str = "kart", **fields: Any) -> None:
    """Upload scores of players."""
    config = load_config(run.folder / "nekonex.toml")
    of_game = config.game(game)

    async def upload() -> None:
        async with open_local(config.server.data_dir) as stores:
            friends = FriendBook(None, limits=MatchmakingLimits(), clock=lambda: 0.0)
            rankings: Rankings = make_rankings(
                of_game, stores.scores(game), friends, events=EventBus(), clock=Time()
            )
            await rankings.start()
            for pid, score in scores:
                await uploaded(rankings, pid, score, **fields)

    asyncio.run(upload())


def in_json(run: Commands, *arguments: object) -> Any:
    return json.loads(run("ranking", *arguments, "--json"))


def pids(run: Commands, *arguments: object) -> list[int]:
    return [each["pid"] for each in in_json(run, "top", *arguments)]


def test_no_score_at_all(run: Commands) -> None:
    assert in_json(run, "list") == []
    assert run("ranking", "list").split() == ["game", "category", "order", "scores"]
    assert run.fails(1, "ranking", "top", 5) == "there is no category 5 in any game"
    assert run.fails(1, "ranking", "top", 5, "--game", "ink") == "there is no category 5 in ink"
    assert "there is no category 5" in run.fails(1, "ranking", "remove", 5, 7)
    assert "no game 'x'" in run.fails(2, "ranking", "list", "--game", "x")


def test_what_there_are_scores_of(run: Commands) -> None:
    upload(run, (1, 30), (2, 20), category=7)
    upload(run, (1, 30), category=3)
    upload(run, (9, 5), game="ink", category=4, descending=True)
    assert in_json(run, "list") == [
        {"game": "kart", "category": 3, "order": "ascending", "scores": 1},
        {"game": "kart", "category": 7, "order": "ascending", "scores": 2},
        {"game": "ink", "category": 4, "order": "descending", "scores": 1},
    ]
    lines = run("ranking", "list", "--game", "kart").splitlines()
    assert [line.split() for line in lines[1:]] == [
        ["kart", "3", "ascending", "1"],
        ["kart", "7", "ascending", "2"],
    ]


def test_the_best_of_a_category(run: Commands) -> None:
    upload(run, (1, 30), (2, 20), category=7, unique_id=2**64 - 1, groups=(7, 1), param=2**63)
    upload(run, (3, 30), (4, 40), category=7)
    assert in_json(run, "top", 7, "--count", 1) == [
        {
            "game": "kart",
            "rank": 1,
            "pid": 2,
            "unique_id": 2**64 - 1,
            "score": 20,
            "groups": [7, 1],
            "param": 2**63,
            "updated": "2001-09-09T01:46:41Z",
        }
    ]
    lines = run("ranking", "top", 7).splitlines()
    assert lines[0].split() == ["rank", "PID", "unique", "id", "score", "groups", "updated"]
    assert [line.split()[:4] for line in lines[1:]] == [
        ["1", "2", str(2**64 - 1), "20"],
        ["2", "1", str(2**64 - 1), "30"],
        ["2", "3", "0", "30"],
        ["4", "4", "0", "40"],
    ]
    assert run.attempt("ranking", "top", 7, "--count", 0)[0] == 2


def test_two_games_with_the_same_category(run: Commands) -> None:
    upload(run, (1, 30), category=7)
    upload(run, (2, 30), game="ink", category=7)
    told = "kart and ink have a category 7 each; say which with --game"
    assert run.fails(1, "ranking", "top", 7) == told
    assert run.fails(1, "ranking", "remove", 7, 1) == told
    assert pids(run, 7, "--game", "ink") == [2]


def test_scores_are_removed(run: Commands) -> None:
    upload(run, (1, 30), (2, 20), category=7, unique_id=5)
    upload(run, (1, 31), (3, 40), category=7)
    assert run("ranking", "remove", 7, 2) == "removed the score 20 of player 2 from kart 7\n"
    assert pids(run, 7) == [1, 1, 3]
    told = run.fails(1, "ranking", "remove", 7, 1, "--unique-id", 6)
    assert told == "the player 1 has no score in category 7 of kart under the unique id 6"
    assert "the score 30" in run("ranking", "remove", 7, 1, "--unique-id", 5)
    assert pids(run, 7) == [1, 3]
    upload(run, (1, 29), category=7, unique_id=6)
    removed = run("ranking", "remove", 7, 1, "--game", "kart")
    assert removed == "removed the 2 scores 29, 31 of player 1 from kart 7\n"
    assert pids(run, 7) == [3]
    told = "the player 1 has no score in category 7 of kart"
    assert run.fails(1, "ranking", "remove", 7, 1) == told


def test_nobody_else_may_have_the_data_directory(run: Commands) -> None:
    upload(run, (1, 30), category=7)
    with exclusive(run.folder / "data"):
        for command in (("list",), ("top", 7), ("remove", 7, 1)):
            assert "uses the data directory" in run.fails(2, "ranking", *command)
