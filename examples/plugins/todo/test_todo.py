"""Run it with `pytest`: each test starts a real server with this plugin."""

import threading
from pathlib import Path

from nekonex.testing import PluginClient, PluginRunner

FOLDER = Path(__file__).parent

OPEN, SHOW, ADD, DONE, REMOVE = range(1, 6)
REFUSED = 400


def ask(client: PluginClient, op: int, text: str = "") -> list[str]:
    """Send a frame, and return the list as it is then."""
    answer = client.request(text.encode(), op)
    assert answer.op == op, answer
    return answer.data.decode().splitlines()


def refused(client: PluginClient, op: int, data: bytes) -> str:
    """Send a frame that is refused, and return why."""
    answer = client.request(data, op)
    assert answer.op == REFUSED, answer
    return answer.data.decode()


def test_a_list_has_what_was_added(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        client = plugin.client()
        assert ask(client, OPEN, "neko") == []
        assert ask(client, ADD, "buy milk") == ["1 [ ] buy milk"]
        assert ask(client, ADD, "sleep") == ["1 [ ] buy milk", "2 [ ] sleep"]
        assert ask(client, DONE, "2") == ["1 [ ] buy milk", "2 [x] sleep"]
        assert ask(client, REMOVE, "2") == ["1 [ ] buy milk"]
        assert ask(client, ADD, "eat") == ["1 [ ] buy milk", "3 [ ] eat"]
        assert ask(client, SHOW) == ["1 [ ] buy milk", "3 [ ] eat"]


def test_lists_outlive_the_server(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        client = plugin.client()
        ask(client, OPEN, "neko")
        ask(client, ADD, "buy milk")
        plugin.restart()
        assert ask(plugin.client(), OPEN, "neko") == ["1 [ ] buy milk"]
        assert ask(plugin.client(), OPEN, "mimi") == []


def test_an_empty_list_takes_no_place(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        client = plugin.client()
        ask(client, OPEN, "neko")
        ask(client, ADD, "buy milk")
        assert plugin.cells.names() == ["list/neko"]
        ask(client, REMOVE, "1")
        assert plugin.cells.names() == []


def test_no_entry_is_lost_when_many_write(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        clients = [plugin.client() for _ in range(8)]

        def add_ten(client: PluginClient, name: str) -> None:
            ask(client, OPEN, "everybody's")
            for number in range(10):
                ask(client, ADD, f"{name} {number}")

        threads = [
            threading.Thread(target=add_ten, args=(client, f"client {number}"))
            for number, client in enumerate(clients)
        ]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        entries = ask(clients[0], SHOW)
        assert [int(entry.split()[0]) for entry in entries] == list(range(1, 81))
        assert len({entry.partition("] ")[2] for entry in entries}) == 80


def test_what_makes_no_sense_is_refused(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        client = plugin.client()
        assert refused(client, SHOW, b"") == "open a list first: op 1 with its name"
        assert refused(client, OPEN, b"") == "the name of a list has 1 to 40 characters"
        ask(client, OPEN, "neko")
        for op, data, why in [
            (ADD, b"  ", "an entry has 1 to 200 characters"),
            (ADD, b"x" * 201, "an entry has 1 to 200 characters"),
            (ADD, b"\xff", "texts are UTF-8"),
            (ADD, b"\x1b[2J", "texts have no control characters"),
            (DONE, b"1", "there is no entry 1"),
            (DONE, b"first", "which entry? Send its number"),
            (REMOVE, "\u0661".encode(), "which entry? Send its number"),
            (REMOVE, b"9" * 5000, "which entry? Send its number"),
            (77, b"", "there is no op 77"),
        ]:
            assert refused(client, op, data) == why


def test_there_is_an_end_to_everything(nekonex_plugin: PluginRunner) -> None:
    with nekonex_plugin(FOLDER) as plugin:
        client = plugin.client()
        ask(client, OPEN, "long")
        for _ in range(200):
            ask(client, ADD, "x")
        assert refused(client, ADD, b"x") == "a list has at most 200 entries"
        for number in range(999):
            plugin.cells.store(f"list/{number}", plugin.cells.get("list/long"))
        ask(client, OPEN, "new")
        assert refused(client, ADD, b"x") == "there are 1000 lists already"
        ask(client, OPEN, "998")
        assert len(ask(client, REMOVE, "1")) == 199
