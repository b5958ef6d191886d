from pathlib import Path

from nekonex.testing import PluginRunner

FOLDER = Path(__file__).parent


def test_everybody_gets_a_number(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        client = plugin.client()
        assert client.request(b"neko", op=1).data == b"Hello neko, you are number 1!"
        assert client.request(b"mimi", op=1).data == b"Hello mimi, you are number 2!"
        plugin.restart()
        assert plugin.client().request(op=2).data == b"2"


def test_the_others_hear_who_comes(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        neko, mimi = plugin.client(), plugin.client()
        neko.request(b"neko", op=1)
        mimi.request(b"mimi", op=1)
        news = neko.recv()
        assert (news.op, news.data) == (3, b"mimi is here")
