"""`nekonex account`: the accounts of the players, whether or not the server runs."""

import sys
from collections import Counter
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from nekonex.app import NoServerError, RefusedCommandError, ask
from nekonex.cli._common import (
    EXIT_USAGE,
    CommandError,
    ConfigOption,
    JsonOption,
    group,
    load,
    password_line,
    plain_table,
    print_json,
    print_table,
    report,
)
from nekonex.cli._records import do_command
from nekonex.cli._services import PidArgument, open_services, run
from nekonex.cli._times import show_time
from nekonex.config import Config
from nekonex.domain import Account, ImportReport, import_accounts, read_csv, read_json
from nekonex.domain.errors import NoSuchAccountError

__all__ = ["register"]

FORGET_SECONDS: Final = 600.0
"""How long a server is given to remove what a player left."""

account = group("account", "Add, list, change and remove accounts.")

PasswordStdin = Annotated[
    bool,
    typer.Option(
        "--password-stdin", help="Read the password from the first line of standard input."
    ),
]

_READERS: Final = {".csv": read_csv, ".json": read_json}


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(account)


@account.command("add")
def _add(
    pid: Annotated[
        int | None,
        typer.Option(metavar="N", help="The player's number. Default: the next free one."),
    ] = None,
    name: Annotated[
        str | None, typer.Option(metavar="S", help="A name to log in with. Default: the number.")
    ] = None,
    password_stdin: PasswordStdin = False,
    config: ConfigOption = None,
) -> None:
    """Add an account and print its number, the PID. A server that runs sees it at once."""
    loaded = load(config)
    password = _password(from_stdin=password_stdin)

    async def add() -> Account:
        async with open_services(loaded) as services:
            return await services.accounts.add(name, password, pid)

    typer.echo(run(add()).pid)


@account.command("list")
def _list(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List all accounts."""
    loaded = load(config)

    async def accounts() -> list[Account]:
        async with open_services(loaded) as services:
            return [each async for each in services.accounts.accounts()]

    found = run(accounts())
    if as_json:
        print_json([_as_dict(each) for each in found])
        return
    table = plain_table("PID", "name", "created")
    for each in found:
        table.add_row(str(each.pid), each.name, show_time(each.created))
    print_table(table)


@account.command("passwd")
def _passwd(
    pid: PidArgument, password_stdin: PasswordStdin = False, config: ConfigOption = None
) -> None:
    """Give an account another password."""
    loaded = load(config)
    password = _password(from_stdin=password_stdin)

    async def change() -> None:
        async with open_services(loaded) as services:
            await services.accounts.set_password(pid, password)

    run(change())
    typer.echo(f"changed the password of {pid}")


@account.command("remove")
def _remove(
    pid: PidArgument,
    data: Annotated[
        bool,
        typer.Option(
            "--data",
            help="With what the player left in all games: reports, scores, objects with their "
            "files, unique ids, communities. Can be repeated, also without the account.",
        ),
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Remove an account; the player is disconnected. The number is not given out again."""
    loaded = load(config)
    # The account goes first: a console that is disconnected must not come back and leave more.
    missing = _without_account(loaded, pid, needed=not data)
    if not data:
        _disconnect(loaded, pid)
        typer.echo(f"removed {pid}")
        return
    try:
        left = _forget(loaded, pid)
    except CommandError as error:
        done = "" if missing else "the account is removed, but not all it left; repeat this: "
        raise CommandError(f"{done}{error}", error.code) from error
    if missing is not None and not any(left.values()):
        raise missing
    told = ", ".join(f"{count} {what.replace('_', ' ')}" for what, count in left.items())
    removed = f"{missing}; removed" if missing else f"removed {pid} and"
    typer.echo(f"{removed} what it left: {told}")


@account.command("import")
def _import(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="CSV with the columns pid, name, password, key, or JSON: a list of objects "
            "with these members. A key is what was derived from the password, in hexadecimal.",
        ),
    ],
    config: ConfigOption = None,
) -> None:
    """Add the accounts of a file: all of them, or none if there is anything wrong with one."""
    loaded = load(config)
    read = _READERS.get(file.suffix.lower())
    if read is None:
        raise CommandError(f"{file} is neither a .csv nor a .json file", EXIT_USAGE)
    try:
        records = read(file.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}", EXIT_USAGE) from None
    except UnicodeDecodeError:
        raise CommandError(f"{file} is not UTF-8") from None
    except ValueError as error:
        raise CommandError(f"{file}: {error}") from None

    async def add() -> ImportReport:
        async with open_services(loaded) as services:
            return await import_accounts(services.accounts, records)

    result = run(add())
    what = "line" if read is read_csv else "entry"
    for problem in result.problems[:-1]:
        report(f"{file}: {what} {problem.line}: {problem.reason}")
    if result.problems:
        last = result.problems[-1]
        raise CommandError(f"{file}: {what} {last.line}: {last.reason}; no account was added")
    typer.echo(f"added {result.added} accounts")


def _password(*, from_stdin: bool) -> str:
    """Return the password that a command was given; CommandError where there is no way to ask."""
    if from_stdin:
        return password_line()
    if not sys.stdin.isatty():
        raise CommandError(
            "there is no terminal to ask for a password; give it with --password-stdin", EXIT_USAGE
        )
    return str(typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True))


def _without_account(config: Config, pid: int, *, needed: bool) -> CommandError | None:
    """Remove an account; return, or raise if there has to be one, that there is none."""

    async def remove() -> CommandError | None:
        async with open_services(config) as services:
            try:
                await services.accounts.remove(pid)
            except NoSuchAccountError as error:
                if needed:
                    raise
                return CommandError(str(error))
        return None

    return run(remove())


def _forget(config: Config, pid: int) -> dict[str, int]:
    """Disconnect a player and remove what it left; return how much of what, in all games."""
    games = do_command(config, "forget", seconds=FORGET_SECONDS, pid=pid)

    async def forget() -> int:
        async with open_services(config) as services:
            return await services.reports.forget(pid)

    left = Counter(reports=run(forget()))
    for game in games:
        left.update({what: count for what, count in game.items() if what != "game"})
    return dict(left)


def _disconnect(config: Config, pid: int) -> None:
    try:
        ask(config.server.data_dir, "kick", pid=pid, reason="the account was removed")
    except NoServerError:
        return
    except RefusedCommandError as error:
        report(f"the account is removed, but the player may still be connected: {error}")


def _as_dict(each: Account) -> dict[str, Any]:
    return {"pid": each.pid, "name": each.name, "created": show_time(each.created)}
