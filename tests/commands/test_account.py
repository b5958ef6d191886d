"""`nekonex account`, with no server anywhere."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest
import typer

from nekonex.cli import main
from nekonex.kerberos import derive_key
from nekonex.storage import open_local
from tests.support.commands import Commands

FIRST = 1_000_000_000


def keys_of(folder: Path, pid: int) -> dict[int, bytes]:
    async def look() -> dict[int, bytes]:
        async with open_local(folder / "data") as stores:
            account = await stores.accounts.get(pid)
            assert account is not None
            return dict(account.keys)

    return asyncio.run(look())


def test_accounts_are_numbered_from_a_thousand_million_on(run: Commands) -> None:
    assert run.add() == FIRST
    assert run.add("--name", "neko") == FIRST + 1
    assert run.add("--pid", 1337, "--name", "elite") == 1337
    assert run.add() == FIRST + 2
    listed = json.loads(run("account", "list", "--json"))
    assert [(each["pid"], each["name"]) for each in listed] == [
        (1337, "elite"),
        (FIRST, str(FIRST)),
        (FIRST + 1, "neko"),
        (FIRST + 2, str(FIRST + 2)),
    ]
    assert all(set(each) == {"pid", "name", "created"} for each in listed)
    lines = run("account", "list").splitlines()
    assert lines[0].split() == ["PID", "name", "created"]
    assert lines[1].split()[:2] == ["1337", "elite"]


@pytest.mark.parametrize("typed", [b"pass word\nanother line\n", b"pass word\r\n", b"pass word"])
def test_the_password_is_the_first_line_as_it_is(run: Commands, typed: bytes) -> None:
    run("account", "add", "--password-stdin", typed=typed)
    assert keys_of(run.folder, FIRST) == {
        derivation: derive_key("pass word", FIRST, derivation) for derivation in (0, 1)
    }


@pytest.mark.parametrize(
    ("arguments", "typed", "told"),
    [
        (["--name", "12345"], b"secret\n", "digits only"),
        (["--name", "\uff11\uff12"], b"secret\n", "digits only"),
        (["--name", "GUEST"], b"secret\n", "belongs to a special user"),
        (["--name", "Quazal Rendez-Vous"], b"secret\n", "belongs to a special user"),
        (["--name", ""], b"secret\n", "must not be empty"),
        (["--pid", "2"], b"secret\n", "special user of every server"),
        (["--pid", "0"], b"secret\n", "a PID is between"),
        (["--pid", "4294967296"], b"secret\n", "a PID is between"),
        (["--pid", "x"], b"secret\n", "a valid integer"),
        ([], b"\n", "a password must not be empty"),
        ([], b"", "a password must not be empty"),
        ([], b"\xff\n", "not UTF-8"),
        ([], b"x" * 65 + b"\n", "at most 64 bytes"),
    ],
)
def test_what_no_account_may_have_is_bad_use(
    run: Commands, arguments: list[str], typed: bytes, told: str
) -> None:
    assert told in run.fails(2, "account", "add", "--password-stdin", *arguments, typed=typed)
    assert json.loads(run("account", "list", "--json")) == []


def test_what_another_account_has_is_refused(run: Commands) -> None:
    run.add("--pid", 1337, "--name", "neko")
    error = run.fails(1, "account", "add", "--password-stdin", "--pid", 1337, typed=b"x\n")
    assert error == "there is already an account with the PID 1337"
    error = run.fails(1, "account", "add", "--password-stdin", "--name", "NEKO", typed=b"x\n")
    assert error == "there is already an account with the name 'NEKO'"


@pytest.mark.parametrize("command", [("add",), ("passwd", "1337")])
def test_without_a_terminal_there_is_nobody_to_ask(run: Commands, command: tuple[str, ...]) -> None:
    error = run.fails(2, "account", *command, typed=b"secret\n")
    assert error == "there is no terminal to ask for a password; give it with --password-stdin"


class Terminal:
    def isatty(self) -> bool:
        return True


def test_at_a_terminal_it_is_asked_for_twice(
    run: Commands, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[dict[str, object]] = []

    def prompt(text: str, **how: object) -> str:
        asked.append(how)
        return "typed"

    monkeypatch.setattr(typer, "prompt", prompt)
    monkeypatch.setattr("sys.stdin", Terminal())
    assert main(["account", "add"]) == 0
    # Not on standard output: a script that reads the number from there may be at a terminal.
    assert asked == [{"hide_input": True, "confirmation_prompt": True, "err": True}]
    assert keys_of(run.folder, FIRST)[0] == derive_key("typed", FIRST)


def test_a_password_is_changed(run: Commands) -> None:
    pid = run.add(password="old")
    run("account", "passwd", pid, "--password-stdin", typed=b"new\n")
    assert keys_of(run.folder, pid)[0] == derive_key("new", pid)
    error = run.fails(1, "account", "passwd", 5, "--password-stdin", typed=b"new\n")
    assert error == "there is no account with the PID 5"


def test_a_number_is_not_given_out_again(run: Commands) -> None:
    pid = run.add()
    assert run("account", "remove", pid) == f"removed {pid}\n"
    assert run.fails(1, "account", "remove", pid) == f"there is no account with the PID {pid}"
    assert run.add() == pid + 1


def test_a_csv_file_is_imported(run: Commands) -> None:
    key = derive_key("known elsewhere", 1338)
    Path("in.CSV").write_text(f"pid,name,password,key\n1337,neko,secret,\n1338,,,{key.hex()}\n")
    assert run("account", "import", "in.CSV") == "added 2 accounts\n"
    assert keys_of(run.folder, 1337)[0] == derive_key("secret", 1337)
    assert keys_of(run.folder, 1338) == {0: key}


def test_a_json_file_is_imported(run: Commands) -> None:
    Path("in.json").write_text('[{"pid": 1337, "name": "neko", "password": "secret"}]')
    assert run("account", "import", "in.json") == "added 1 accounts\n"
    assert keys_of(run.folder, 1337)[0] == derive_key("secret", 1337)


def test_one_bad_line_and_nothing_is_imported(run: Commands) -> None:
    Path("in.csv").write_text("1337,neko,secret\nx,tom,secret\n1339,neko,\n")
    status, out, err = run.attempt("account", "import", "in.csv")
    assert (status, out) == (1, "")
    assert err.splitlines() == [
        "nekonex: in.csv: line 2: 'x' is not a PID",
        "nekonex: in.csv: line 3: there is neither a password nor a key; no account was added",
    ]
    assert json.loads(run("account", "list", "--json")) == []


@pytest.mark.parametrize(
    ("name", "content", "status", "told"),
    [
        ("in.txt", b"", 2, "neither a .csv nor a .json file"),
        ("missing.csv", None, 2, "missing.csv cannot be read: No such file"),
        ("in.csv", b"\xff", 1, "in.csv is not UTF-8"),
        ("in.json", b"{}", 1, "the JSON must be a list of objects"),
    ],
)
def test_a_file_that_is_none_is_refused(
    run: Commands, name: str, content: bytes | None, status: int, told: str
) -> None:
    if content is not None:
        Path(name).write_bytes(content)
    assert told in run.fails(status, "account", "import", name)
