"""Run it with `pytest`: each test starts a real server with this plugin."""

from pathlib import Path

from nekonex.testing import PluginRunner

FOLDER = Path(__file__).parent


def test_a_frame_comes_back_as_it_was_sent(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        client = plugin.client()
        for op, data in [(0, b"hello"), (255, b""), (2**64 - 1, bytes(range(256)))]:
            answer = client.request(data, op)
            assert (answer.op, answer.data) == (op, data)


def test_answers_come_in_the_order_of_the_frames(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        client = plugin.client()
        for number in range(100):
            client.send(b"%d" % number)
        assert [client.recv().data for _ in range(100)] == [b"%d" % each for each in range(100)]
