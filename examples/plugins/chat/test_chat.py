"""Run it with `pytest`: each test starts a real server with this plugin."""

import itertools
import shutil
from pathlib import Path

from nekonex.testing import PluginClient, PluginRunner, RunningPlugin

FOLDER = Path(__file__).parent

SAY, NICK, JOIN, WHO, ROOMS = range(1, 6)
SAID, RENAMED, JOINED, PEOPLE, ROOM_LIST, LEFT, HISTORY = range(1, 8)
REFUSED = 400


def told(client: PluginClient) -> tuple[int, str]:
    """Return the next thing that a client is told."""
    message = client.recv()
    return message.op, message.data.decode()


def enter(plugin: RunningPlugin, nick: str) -> PluginClient:
    """Return somebody who has just come into the lobby."""
    client = plugin.client()
    client.send(nick.encode(), NICK)
    while told(client)[0] != RENAMED:
        pass
    return client


def history(client: PluginClient, room: str) -> list[str]:
    """Enter a room, and return what was said there before, without the times."""
    client.send(room.encode(), JOIN)
    while (answer := told(client))[0] != HISTORY:
        pass
    return [line.partition(" ")[2] for line in answer[1].splitlines()]


def test_who_comes_is_a_guest_in_the_lobby(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        first, second = plugin.client(), plugin.client()
        first.send(b"", WHO)
        assert [told(first) for _ in range(3)] == [
            (JOINED, "guest1 lobby"),
            (HISTORY, ""),
            (PEOPLE, "guest1"),
        ]
        second.send(b"hello", SAY)
        assert [told(second) for _ in range(3)] == [
            (JOINED, "guest2 lobby"),
            (HISTORY, ""),
            (SAID, "guest2: hello"),
        ]
        assert [told(first) for _ in range(2)] == [
            (JOINED, "guest2 lobby"),
            (SAID, "guest2: hello"),
        ]


def test_what_is_said_stays_in_the_room(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        neko, mimi = enter(plugin, "neko"), enter(plugin, "mimi")
        assert history(mimi, "Garden") == []
        mimi.send(b"just us", SAY)
        assert told(mimi) == (SAID, "mimi: just us")
        neko.send(b"", ROOMS)
        heard = [told(neko) for _ in range(4)]
        assert heard == [
            (JOINED, "guest1 lobby"),
            (RENAMED, "guest1 mimi"),
            (LEFT, "mimi"),
            (ROOM_LIST, "Garden 1\nlobby 1"),
        ]
        assert history(neko, "GARDEN") == ["mimi: just us"]
        assert told(mimi) == (JOINED, "neko Garden")


def test_who_goes_is_missed(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        neko, mimi = enter(plugin, "neko"), enter(plugin, "mimi")
        mimi.close()
        assert [told(neko)[0] for _ in range(2)] == [JOINED, RENAMED]
        assert told(neko) == (LEFT, "mimi")
        enter(plugin, "mimi")  # the name is free again


def test_a_name_is_one_persons(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        neko, mimi = enter(plugin, "neko"), enter(plugin, "mimi")
        mimi.send(b"NEKO", NICK)
        assert told(mimi) == (REFUSED, "NEKO is taken")
        mimi.send(b"Mimi", NICK)  # one's own, written in another way
        assert told(mimi) == (RENAMED, "mimi Mimi")
        neko.send(b"tom", NICK)
        assert told(mimi) == (RENAMED, "neko tom")
        mimi.send(b"neko", NICK)
        assert told(mimi) == (RENAMED, "Mimi neko")


def test_lines_can_be_typed(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        client = plugin.client()
        for line in ("/nick neko", "/join garden", "hello there", "/who", "/dance"):
            client.send(line.encode())
        assert [told(client) for _ in range(8)] == [
            (JOINED, "guest1 lobby"),
            (HISTORY, ""),
            (RENAMED, "guest1 neko"),
            (JOINED, "neko garden"),
            (HISTORY, ""),
            (SAID, "neko: hello there"),
            (PEOPLE, "neko"),
            (REFUSED, "there are the commands /nick, /join, /who, /rooms"),
        ]


def test_what_makes_no_sense_is_refused(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        client = enter(plugin, "neko")
        for data, op, why in [
            (b"\xff", SAY, "texts are UTF-8"),
            (b"a\x1b[2Jb", SAY, "texts have no control characters"),
            (b"", SAY, "a message has 1 to 500 characters"),
            (b"x" * 501, SAY, "a message has 1 to 500 characters"),
            (b"x" * 4097, SAY, "a frame has at most 4096 bytes of text"),
            (b"two words", NICK, "a name has 1 to 20 letters, digits, - and _"),
            (b"n" * 21, NICK, "a name has 1 to 20 letters, digits, - and _"),
            (b"", JOIN, "a name has 1 to 20 letters, digits, - and _"),
            (b"Lobby", JOIN, "you are in lobby already"),
            (b"", 99, "there is no op 99"),
        ]:
            client.send(data, op)
            assert told(client) == (REFUSED, why)


def test_a_message_is_one_line(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        client = enter(plugin, "neko")
        client.send("mimi: one\n  two\u2028three".encode(), SAY)
        assert told(client) == (SAID, "neko: mimi: one two three")


def test_a_room_remembers_its_last_messages(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        client = enter(plugin, "neko")
        history(client, "garden")
        for number in range(60):
            client.send(b"%d" % number, SAY)
            assert told(client) == (SAID, f"neko: {number}")
        plugin.restart()
        last = [f"neko: {number}" for number in range(10, 60)]
        assert history(enter(plugin, "mimi"), "garden") == last


def test_everybody_hears_everything_in_the_same_order(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        clients = [enter(plugin, f"cat{number}") for number in range(3)]
        for number, client in itertools.product(range(20), clients):
            client.send(b"%d" % number, SAY)
        heard = [said(client, 60) for client in clients]
        assert heard[0] == heard[1] == heard[2]
        for number in range(3):
            mine = [text for text in heard[0] if text.startswith(f"cat{number}:")]
            assert mine == [f"cat{number}: {each}" for each in range(20)]


def said(client: PluginClient, count: int) -> list[str]:
    """Return the next messages."""
    heard: list[str] = []
    while len(heard) < count:
        op, text = told(client)
        if op == SAID:
            heard.append(text)
    return heard


def test_no_more_rooms_than_there_may_be(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        client, other = enter(plugin, "neko"), enter(plugin, "mimi")
        for number in range(99):
            history(client, f"room{number}")
            client.send(b"I was here", SAY)
            assert told(client)[0] == SAID
        assert len(plugin.cells.names("room/")) == 99
        history(client, "one-more")  # the quietest empty room is forgotten for it
        assert len(plugin.cells.names("room/")) == 98
        assert "room/room0" not in plugin.cells.names("room/")
        history(other, "room98")
        client.send(b"", ROOMS)
        rooms = dict(line.rsplit(" ", 1) for line in told(client)[1].splitlines())
        assert len(rooms) == 100
        assert (rooms["lobby"], rooms["one-more"], rooms["room98"]) == ("0", "1", "1")


def test_everybody_is_back_after_a_reload(nekonex_plugin: PluginRunner, tmp_path: Path) -> None:
    folder = shutil.copytree(FOLDER, tmp_path / "chat")
    with nekonex_plugin(folder) as plugin:
        neko = enter(plugin, "neko")
        history(neko, "garden")
        neko.send(b"still here?", SAY)
        assert told(neko) == (SAID, "neko: still here?")
        with (folder / "logic.py").open("a", encoding="utf-8") as logic:
            logic.write("# changed\n")
        plugin.reload()
        neko.send(b"yes", SAY)
        assert told(neko) == (JOINED, "neko garden")
        assert told(neko)[1].endswith("neko: still here?")
        assert told(neko) == (SAID, "neko: yes")
