"""Run it with `pytest`: each test starts a real server with this plugin and a game."""

import json
from pathlib import Path
from typing import Any

from nekonex.domain.ranking import ScoreUpload
from nekonex.testing import PluginClient, PluginRunner, RunningPlugin

FOLDER = Path(__file__).parent

WATCH, UNWATCH, GAMES = range(1, 4)
REFUSED = 400

CONFIG = """
[[game]]
name = "kart"
title = "mario-kart-8"
"""
TRACK = 12


def ask(client: PluginClient, op: int, **request: Any) -> Any:
    """Send a request, and return the answer."""
    answer = client.request(json.dumps(request).encode(), op)
    assert answer.op == op, answer
    return json.loads(answer.data)


def refused(client: PluginClient, op: int, data: bytes) -> str:
    """Send a request that is refused, and return why."""
    answer = client.request(data, op)
    assert answer.op == REFUSED, answer
    return str(json.loads(answer.data)["error"])


def upload(plugin: RunningPlugin, pid: int, score: int, category: int = TRACK) -> None:
    """Have a player upload a time; the shorter the better."""
    rankings = plugin.server.game("kart").services.rankings
    new = ScoreUpload(category=category, score=score, descending=False)
    plugin.run(rankings.upload(pid, new))


def pushed(client: PluginClient) -> list[tuple[int, str, int]]:
    """Return rank, name and score of the next board that a client is told of."""
    message = client.recv()
    assert message.op == WATCH, message
    return rows(json.loads(message.data))


def rows(board: dict[str, Any]) -> list[tuple[int, str, int]]:
    """Return rank, name and score of what is on a board."""
    return [(each["rank"], each["name"], each["score"]) for each in board["scores"]]


def test_who_watches_is_told_of_every_change(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER, config=CONFIG) as plugin:
        neko = plugin.run(plugin.server.accounts.add("neko", "secret")).pid
        mimi = plugin.run(plugin.server.accounts.add("mimi", "secret")).pid
        client = plugin.client()
        assert ask(client, WATCH, game="kart", category=TRACK) == {
            "game": "kart",
            "category": TRACK,
            "scores": [],
        }
        upload(plugin, neko, 93_007)
        assert pushed(client) == [(1, "neko", 93_007)]
        upload(plugin, neko, 99_999)  # slower than before: nothing changes
        upload(plugin, mimi, 91_532)
        assert pushed(client) == [(1, "mimi", 91_532), (2, "neko", 93_007)]


def test_a_watch_begins_with_the_scores_that_there_are(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER, config=CONFIG) as plugin:
        for pid, score in [(1001, 30), (1002, 10), (1003, 20)]:
            upload(plugin, pid, score)
        first, second = plugin.client(), plugin.client()
        assert rows(ask(first, WATCH, game="kart", category=TRACK, count=2)) == [
            (1, "", 10),
            (2, "", 20),
        ]
        assert rows(ask(second, WATCH, game="kart", category=TRACK)) == [
            (1, "", 10),
            (2, "", 20),
            (3, "", 30),
        ]
        upload(plugin, 1004, 40)  # is not among the best two
        assert len(pushed(second)) == 4
        upload(plugin, 1004, 5)
        assert pushed(second)[0] == (1, "", 5)
        assert pushed(first) == [(1, "", 5), (2, "", 10)]


def test_only_what_is_watched_is_told(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER, config=CONFIG) as plugin:
        client = plugin.client()
        assert ask(client, GAMES) == ["kart"]
        ask(client, WATCH, game="kart", category=1)
        ask(client, WATCH, game="kart", category=2)
        assert ask(client, UNWATCH, game="kart", category=1) == {"game": "kart", "category": 1}
        upload(plugin, 1001, 10, category=1)
        upload(plugin, 1001, 20, category=3)
        upload(plugin, 1001, 30, category=2)
        assert pushed(client) == [(1, "", 30)]
        ask(client, WATCH, game="kart", category=1, count=1)
        answer = ask(client, WATCH, game="kart", category=1, count=5)  # in place of the other
        assert rows(answer) == [(1, "", 10)]


def test_what_makes_no_sense_is_refused(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER, config=CONFIG) as plugin:
        client = plugin.client()
        for op, data, why in [
            (WATCH, b"", "a request is JSON"),
            (WATCH, b"\xff", "a request is JSON"),
            (WATCH, b"[1]", "a request is a JSON object"),
            (WATCH, b"[" * 500, "a request is JSON"),
            (WATCH, b" " * 513, "a request has at most 512 bytes"),
            (WATCH, b"{}", 'a request has the name of a "game"'),
            (WATCH, b'{"game": "kart"}', '"category" is a whole number from 0 to 4294967295'),
            (
                WATCH,
                b'{"game": "kart", "category": true}',
                '"category" is a whole number from 0 to 4294967295',
            ),
            (
                WATCH,
                b'{"game": "kart", "category": 1, "count": 0}',
                '"count" is a whole number from 1 to 100',
            ),
            (
                WATCH,
                b'{"game": "chess", "category": 1}',
                "there is no such game here; op 3 lists them",
            ),
            (UNWATCH, b'{"game": "kart", "category": 1}', "you do not watch this"),
            (9, b"", "there is no op 9"),
        ]:
            assert refused(client, op, data) == why


def test_one_client_watches_ten_boards_at_most(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER, config=CONFIG) as plugin:
        client = plugin.client()
        for category in range(10):
            ask(client, WATCH, game="kart", category=category)
        more = b'{"game": "kart", "category": 10}'
        assert refused(client, WATCH, more) == "a client may watch 10 boards"
        ask(client, UNWATCH, game="kart", category=3)
        ask(client, WATCH, game="kart", category=10)
