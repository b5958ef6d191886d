"""Commands about rules, players and reports, with no server anywhere."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.commands import Commands

CONFIG = '[[game]]\nname = "kart"\ntitle = "mario-kart-8"\n'


@pytest.fixture(autouse=True)
def _configuration(run: Commands) -> None:
    (run.folder / "nekonex.toml").write_text(CONFIG)


@pytest.mark.parametrize("command", [("players",), ("players", "--json"), ("kick", "7")])
def test_who_is_online_only_a_server_knows(run: Commands, command: tuple[str, ...]) -> None:
    error = run.fails(3, *command)
    assert error == f"no server runs with the data directory {run.folder / 'data'}"


def test_bans_are_kept_and_lifted(run: Commands) -> None:
    assert run("ban", 7, "--reason", "rude") == "banned 7\n"
    assert run("ban", 7, "--game", "kart", "--until", "2999-01-01T00:00Z") == "banned 7\n"
    everywhere, kart = json.loads(run("ban", "list", "--json"))
    del everywhere["created"], kart["created"]
    assert everywhere == {"pid": 7, "game": None, "until": None, "reason": "rude"}
    assert kart == {"pid": 7, "game": "kart", "until": "2999-01-01T00:00:00Z", "reason": ""}
    lines = run("ban", "list").splitlines()
    assert lines[1].split()[:4] == ["7", "all", "for", "ever"]
    assert lines[2].split()[:3] == ["7", "kart", "2999-01-01T00:00:00Z"]
    run("unban", 7)
    assert run.fails(1, "unban", 7) == "7 is not banned from all games"
    run("unban", 7, "--game", "kart")
    assert run("ban", "list", "--json") == "[]\n"


def test_bans_are_listed_for_one_game(run: Commands) -> None:
    (run.folder / "nekonex.toml").write_text(
        CONFIG + '[[game]]\nname = "ink"\ntitle = "splatoon"\nauth_port = 0\nsecure_port = 0\n'
    )
    run("ban", 7, "--reason", "two\nlines")
    run("ban", 8, "--game", "kart")
    run("ban", 9, "--game", "ink")
    bans = json.loads(run("ban", "list", "--game", "kart", "--json"))
    assert [(ban["pid"], ban["reason"]) for ban in bans] == [(7, "two lines"), (8, "")]


def test_maintenance_is_announced_begun_and_ended(run: Commands) -> None:
    assert run("maintenance", "status") == "no maintenance\n"
    run("maintenance", "on")
    assert run("maintenance", "status") == "all games: under maintenance\n"
    announced = ("--from", "2999-01-01T00:00Z", "--until", "2999-01-02T00:00+00:00")
    run("maintenance", "on", *announced, "--game", "kart")
    assert run("maintenance", "status").splitlines()[-1] == (
        "kart: maintenance from 2999-01-01T00:00:00Z until 2999-01-02T00:00:00Z"
    )
    everywhere, kart = json.loads(run("maintenance", "status", "--json"))
    assert (everywhere["game"], everywhere["until"], everywhere["now"]) == (None, None, True)
    assert (kart["game"], kart["from"], kart["now"]) == ("kart", "2999-01-01T00:00:00Z", False)
    run("maintenance", "off")
    run("maintenance", "off", "--game", "kart")
    assert run("maintenance", "status") == "no maintenance\n"


def test_a_whitelist_outlives_being_switched_off(run: Commands) -> None:
    assert run("whitelist", "list") == "no whitelist\n"
    run("whitelist", "add", 7, 8, 100)
    run("whitelist", "on")
    run("whitelist", "remove", 8)
    assert run("whitelist", "list") == "all games: on; 7, 100\n"
    run("whitelist", "off")
    assert json.loads(run("whitelist", "list", "--json")) == [
        {"game": None, "on": False, "pids": [7, 100]}
    ]


@pytest.mark.parametrize(
    ("command", "told"),
    [
        ("ban neko", "'neko' is neither a PID nor the word list"),
        ("ban 2", "no player can have the PID 2"),
        ("ban 7 --game cart", "there is no game 'cart'; configured: kart"),
        ("ban 7 --until yesterday", "--until is 'yesterday'; allowed: a date such as"),
        ("ban 7 --until 2001-01-01", "--until is in the past"),
        ("ban list --until 2h", "--reason and --until belong to a ban, not to list"),
        ("ban list --game cart", "there is no game 'cart'; configured: kart"),
        ("maintenance status --until 2h", "--from and --until belong to on, not to status"),
        ("maintenance maybe", "maintenance"),
        ("maintenance off --until 2h", "belong to on"),
        ("maintenance on --from 2h --until 1h", "before the maintenance begins"),
        ("whitelist add", "whitelist add needs a PID"),
        ("whitelist on 7", "whitelist on takes no PID"),
        ("whitelist add 1", "no player can have the PID 1"),
        ("kick 7 --game cart", "there is no game 'cart'"),
    ],
)
def test_bad_use_is_one_sentence(run: Commands, command: str, told: str) -> None:
    assert told in run.fails(2, *command.split())


def test_stores_that_there_are_not_yet_are_not_mistaken_for_the_local_ones(
    run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NEKONEX_STORAGE__DOCUMENTS", "mongodb://localhost/x")
    assert 'storage.documents is "mongodb", which' in run.fails(2, "ban", "list")
    assert not Path("data").exists()


def test_without_reports_there_is_nothing_to_list(run: Commands) -> None:
    assert run("reports", "list", "--json") == "[]\n"
    assert run("reports", "export") == ""
    assert run("reports", "export", "reports.jsonl") == "wrote 0 reports to reports.jsonl\n"
    assert "cannot be written" in run.fails(1, "reports", "export", "missing/reports.jsonl")


def test_backups_that_are_none_are_refused(run: Commands) -> None:
    assert "there is nothing to back up" in run.fails(1, "backup", "all.tar.gz")
    assert run.fails(2, "restore", "all.tar.gz") == "all.tar.gz is no file"
    Path("all.tar.gz").write_text("nonsense")
    assert "is not a sound backup" in run.fails(1, "restore", "all.tar.gz")
    assert not Path("data").exists()


def test_a_restore_replaces_only_when_told_to(run: Commands) -> None:
    pid = run.add("--name", "neko")
    run("backup", "all.tar.gz")
    run("account", "remove", pid)
    assert run.fails(1, "restore", "all.tar.gz").endswith("--force does so")
    assert "what was there is in" in run("restore", "all.tar.gz", "--force")
    assert [each["pid"] for each in json.loads(run("account", "list", "--json"))] == [pid]


def test_a_server_that_does_not_start_leaves_no_ready_file(run: Commands) -> None:
    ready = Path("ready.json")
    ready.write_text("stale")
    Path("nekonex.toml").write_text("[sever]\n")
    assert "unknown key sever" in run.fails(2, "serve", "--ready-file", ready)
    assert not ready.exists()


@pytest.mark.parametrize(
    "command",
    [
        ("kick", 1 << 32),
        ("unban", 1 << 64),
        ("whitelist", "remove", 1 << 64),
        ("reports", "list", "--pid", -1),
        ("account", "remove", 10**30),
    ],
)
def test_a_number_that_is_no_pid_is_bad_use(run: Commands, command: tuple[object, ...]) -> None:
    assert "Input should be" in run.fails(2, *command)


@pytest.mark.parametrize("command", [("ban", "list"), ("account", "list"), ("reports", "list")])
def test_a_file_in_place_of_the_data_directory(run: Commands, command: tuple[str, ...]) -> None:
    (run.folder / "data").write_text("")
    error = run.fails(1, *command)
    assert error == f"the data directory {run.folder / 'data'} cannot be used: File exists"


def test_a_backup_is_no_folder(run: Commands) -> None:
    run("ban", 7)
    assert run.fails(2, "backup", ".") == ". is a directory"
