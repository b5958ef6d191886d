"""`nekonex community`: official communities, and what players founded, with or without a server."""

import re
import time
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

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
    visible,
)
from nekonex.cli._services import GameOption, Services, open_services, run, scope_of
from nekonex.cli._times import TIME_HELP, parse_time, show_time
from nekonex.config import Config
from nekonex.domain import MAX_PID, SECURE_SERVER_PID
from nekonex.domain.matchmaking import (
    Community,
    CommunityStore,
    CommunityType,
    Outcome,
    official_community,
)
from nekonex.values import DateTime

__all__ = ["register"]

community = group("community", "Make official communities; list and remove those of anybody.")

_MAX_GID: Final = 0xFFFFFFFF
_PAGE: Final = 100
_ATTRIBUTE: Final = re.compile(r"([0-9]{1,3})=([0-9]{1,10})", re.ASCII)
_TYPES: Final = {each.value: each.name.lower() for each in CommunityType}

GidArgument = Annotated[
    int,
    typer.Argument(metavar="GID", min=0, max=_MAX_GID, help="The number that list shows."),
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(community)


@community.command("add")
def _add(
    description: Annotated[
        str, typer.Argument(metavar="DESCRIPTION", help="What consoles may show as its name.")
    ],
    game: Annotated[str, typer.Option("--game", metavar="NAME", help="The game that it is of.")],
    owner: Annotated[
        int,
        typer.Option(
            "--owner",
            metavar="PID",
            min=1,
            max=MAX_PID,
            help="Whose it is; the owner can end it. Default: the secure server's user, "
            "whom no player can be.",
            show_default=False,
        ),
    ] = SECURE_SERVER_PID,
    attribute: Annotated[
        list[str] | None,
        typer.Option(
            "--attribute",
            metavar="INDEX=VALUE",
            help="One of the six attributes, 0 to 5; the others are 0. May be repeated.",
            show_default=False,
        ),
    ] = None,
    start: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="TIME", help=f"When joining begins: {TIME_HELP} Default: now."
        ),
    ] = None,
    until: Annotated[
        str | None, typer.Option("--until", metavar="TIME", help="When it ends. Default: never.")
    ] = None,
    most: Annotated[
        int,
        typer.Option(
            "--max",
            metavar="N",
            help="How many may be members. Default: any number, up to the game's limit.",
            show_default=False,
        ),
    ] = 0,
    password_stdin: Annotated[
        bool,
        typer.Option(
            "--password-stdin",
            help="Joining takes a password: the first line of standard input.",
        ),
    ] = False,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="FILE", help="What the game keeps with it: the application buffer."
        ),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Make an official community and print its number, the gid. A server that runs has it at once.

    Consoles find it and can join it. None can change it.
    """
    loaded = load(config)
    name = scope_of(loaded, game)
    attributes = _attributes(attribute or ())
    begin, end = parse_time(start, "--from"), parse_time(until, "--until")
    content = _read(data)
    password = password_line() if password_stdin else ""
    if password_stdin and not password:
        raise CommandError("a password must not be empty", EXIT_USAGE)
    try:
        template = official_community(
            description,
            now=time.time(),
            owner=owner,
            attributes=attributes,
            start=begin,
            end=end,
            max_participants=most,
            password=password,
            application_data=content,
        )
    except ValueError as error:
        raise CommandError(str(error), EXIT_USAGE) from None

    async def add() -> Community:
        async with open_services(loaded) as services:
            return await services.communities(name).create(template)

    typer.echo(run(add()).gid)


@community.command("list")
def _list(
    game: GameOption = None,
    everybodys: Annotated[
        bool, typer.Option("--all", help="Also those that players founded.")
    ] = False,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List the official communities, the oldest of each game first."""
    loaded = load(config)
    scope = scope_of(loaded, game)
    names = [scope] if scope else _games(loaded)

    async def find() -> list[tuple[str, Community]]:
        async with open_services(loaded) as services:
            return [
                (name, each)
                for name in names
                async for each in _all(services.communities(name))
                if everybodys or each.type == CommunityType.OFFICIAL
            ]

    found = run(find())
    if as_json:
        print_json([_as_dict(name, each) for name, each in found])
        return
    table = plain_table("gid", "game", "type", "owner", "members", "from", "until", "description")
    for name, each in found:
        table.add_row(
            str(each.gid),
            name,
            _type(each),
            str(each.owner),
            f"{len(each.participants)}/{each.max_participants or 'any'}",
            _date(each.participation_start),
            _date(each.participation_end),
            visible(each.description),
        )
    print_table(table)


@community.command("remove")
def _remove(gid: GidArgument, config: ConfigOption = None) -> None:
    """Remove a community, official or not, with its members. The number is not given out again."""
    loaded = load(config)

    async def remove() -> Community:
        async with open_services(loaded) as services:
            store, _ = await _find(services, loaded, gid)
            return (await store.change(gid, lambda _: Outcome(None))).before

    members = len(run(remove()).participants)
    typer.echo(f"removed {gid}" + (f", which had {_counted(members)}" if members else ""))


@community.command("members")
def _members(gid: GidArgument, as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the members of a community, the oldest first."""
    loaded = load(config)

    async def find() -> Community:
        async with open_services(loaded) as services:
            _, found = await _find(services, loaded, gid)
            return found

    members = run(find()).participants
    if as_json:
        print_json(
            [{"pid": each.pid, "visits": each.visits, "message": each.message} for each in members]
        )
        return
    table = plain_table("PID", "visits", "message")
    for each in members:
        table.add_row(str(each.pid), str(each.visits), visible(each.message))
    print_table(table)


async def _find(services: Services, config: Config, gid: int) -> tuple[CommunityStore, Community]:
    """Return a community and the store of its game; CommandError if no game has it."""
    for name in _games(config):
        store = services.communities(name)
        found = await store.get(gid)
        if found is not None:
            return store, found
    raise CommandError(f"no configured game has a community {gid}")


async def _all(store: CommunityStore) -> AsyncIterator[Community]:
    after = 0
    while page := await store.page(after, _PAGE):
        for each in page:
            yield each
        after = page[-1].gid


def _games(config: Config) -> list[str]:
    return [each.name for each in config.games]


def _attributes(texts: Sequence[str]) -> dict[int, int]:
    attributes: dict[int, int] = {}
    for text in texts:
        match = _ATTRIBUTE.fullmatch(text)
        if match is None:
            raise CommandError(
                f"--attribute is {text!r}; it is an index and a value, such as 0=5", EXIT_USAGE
            )
        index = int(match[1])
        if index in attributes:
            raise CommandError(f"--attribute {index} is there twice", EXIT_USAGE)
        attributes[index] = int(match[2])
    return attributes


def _read(file: Path | None) -> bytes:
    if file is None:
        return b""
    try:
        return file.read_bytes()
    except OSError as error:
        raise CommandError(f"{file} cannot be read: {error.strerror}", EXIT_USAGE) from None


def _as_dict(game: str, each: Community) -> dict[str, Any]:
    return {
        "gid": each.gid,
        "game": game,
        "type": _type(each),
        "owner": each.owner,
        "members": len(each.participants),
        "max": each.max_participants or None,
        "from": _date(each.participation_start) or None,
        "until": _date(each.participation_end) or None,
        "password": bool(each.password),
        "attributes": list(each.attributes),
        "description": each.description,
        "created": show_time(each.registered),
    }


def _counted(members: int) -> str:
    return "1 member" if members == 1 else f"{members} members"


def _type(each: Community) -> str:
    return _TYPES.get(each.type, str(each.type))


def _date(moment: DateTime) -> str:
    """Return a date as other commands do; "" for none, and what a console sent if it is none."""
    if not moment.value:
        return ""
    try:
        return show_time(moment.timestamp())
    except ValueError:
        return str(moment)
