"""The tests that docs/how-to/testing.md shows: a plugin in the real server."""

# --8<-- [start:plugin]
from pathlib import Path

from nekonex.domain.ranking import ScoreUpload
from nekonex.testing import PluginRunner

FOLDER = Path(__file__).parent


def test_it_remembers_a_word(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        client = plugin.client()
        client.send(b"fish", op=1)
        assert client.request(op=2).data == b"fish"
        assert plugin.log[0].text == "a word to remember"
        plugin.restart()
        assert plugin.client().request(op=2).data == b"fish"


def test_what_is_no_text_is_not_remembered(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        client = plugin.client()
        client.send(b"\xff", op=1)
        assert client.recv().op == 500
        assert isinstance(plugin.failures.pop(), UnicodeDecodeError)
        assert plugin.cells.names() == []


# --8<-- [end:plugin]
# --8<-- [start:games]
CONFIG = """
[[game]]
name = "my-game"
title = "mario-kart-8"
"""


def test_it_knows_the_best_score(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER, config=CONFIG) as plugin:
        client = plugin.client()
        assert client.request(op=3).data == b""
        rankings = plugin.server.game("my-game").services.rankings
        score = ScoreUpload(category=1, score=91_532, descending=False)
        plugin.run(rankings.upload(1_000_000_000, score))
        assert client.request(op=3).data == b"91532"


# --8<-- [end:games]
