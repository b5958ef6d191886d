"""`nekonex objects`: what players stored, with or without a server."""

from collections.abc import AsyncIterator
from typing import Annotated, Any, Final

import typer

from nekonex.cli._common import (
    EXIT_USAGE,
    CommandError,
    ConfigOption,
    JsonOption,
    group,
    load,
    plain_table,
    print_json,
    print_table,
    visible,
)
from nekonex.cli._records import do_command
from nekonex.cli._services import GameOption, Services, open_services, run, scope_of
from nekonex.cli._times import show_time
from nekonex.config import Config
from nekonex.domain import MAX_PID
from nekonex.domain.datastore import NO_SLOT, Level, Permission, Status, StoredObject
from nekonex.domain.datastore.ports import ObjectStore

__all__ = ["register"]

objects = group("objects", "List, review and remove what players stored; verify its files.")

VERIFY_SECONDS: Final = 3600.0
"""How long a server is given to verify."""

_MAX_DATA_ID: Final = 2**63 - 1
_PAGE: Final = 500
_UNFINISHED: Final = "unfinished"
_STATUSES: Final = {each.value: each.name.lower() for each in Status}
_LEVELS: Final = {each.value: each.name.lower().replace("_", " ") for each in Level}

DataIdArgument = Annotated[
    int,
    typer.Argument(metavar="ID", min=1, max=_MAX_DATA_ID, help="The number that list shows."),
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(objects)


@objects.command("list")
def _list(
    game: GameOption = None,
    owner: Annotated[
        int | None,
        typer.Option(
            "--owner", metavar="PID", min=0, max=MAX_PID, help="Only those of this player."
        ),
    ] = None,
    status: Annotated[
        str | None,
        typer.Option(
            "--status",
            metavar="STATUS",
            help="Only normal, pending (for a review), rejected or unfinished ones.",
        ),
    ] = None,
    after: Annotated[
        int,
        typer.Option(
            "--after", metavar="ID", min=0, max=_MAX_DATA_ID, help="Only those with larger numbers."
        ),
    ] = 0,
    limit: Annotated[
        int, typer.Option("--limit", metavar="N", min=1, help="At most so many of each game.")
    ] = 100,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List stored objects, the oldest of each game first."""
    known = (*_STATUSES.values(), _UNFINISHED)
    if status is not None and status not in known:
        raise CommandError(f"--status is {status!r}; allowed: {', '.join(known)}", EXIT_USAGE)
    loaded = load(config)
    scope = scope_of(loaded, game)
    names = [scope] if scope else _games(loaded)

    def is_wanted(stored: StoredObject) -> bool:
        return owner in {None, stored.owner} and status in {None, _status(stored)}

    async def find() -> list[tuple[str, StoredObject]]:
        async with open_services(loaded) as services:
            found: list[tuple[str, StoredObject]] = []
            for name in names:
                left = limit
                async for each in _all(services.objects(name), after):
                    if is_wanted(each):
                        found.append((name, each))
                        left -= 1
                        if not left:
                            break
            return found

    found = run(find())
    if as_json:
        print_json([_as_dict(name, each) for name, each in found])
        return
    table = plain_table(
        "id", "game", "owner", "type", "status", "bytes", "slot", "created", "expires", "name"
    )
    for name, each in found:
        table.add_row(
            str(each.data_id),
            name,
            str(each.owner),
            str(each.data_type),
            _status(each),
            str(_size(each)),
            "" if each.slot == NO_SLOT else str(each.slot),
            show_time(each.created),
            show_time(each.expires),
            visible(each.name),
        )
    print_table(table)


@objects.command("show")
def _show(
    data_id: DataIdArgument,
    game: GameOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show all that is known of an object, but not its passwords."""
    name, found = _find(load(config), game, data_id)
    told = {
        **_as_dict(name, found),
        "version": found.version,
        "key": found.key or None,
        "access": _permission(found.access),
        "update": _permission(found.update),
        "flags": found.flags,
        "period": found.period,
        "refers_to": found.refer_data_id or None,
        "updated": show_time(found.updated),
        "referred": show_time(found.referred),
        "referred_count": found.referred_count,
        "tags": list(found.tags),
        "ratings": [
            {"slot": each.slot, "total": each.total, "count": each.count} for each in found.ratings
        ],
        "meta_binary": found.meta_binary.hex(),
    }
    if as_json:
        print_json(told)
        return
    for key, value in told.items():
        typer.echo(f"{key}: {_text(value)}".rstrip())


@objects.command("verify")
def _verify(
    mend: Annotated[
        bool,
        typer.Option(
            "--mend",
            help="Delete objects whose files are missing or of another size, and what nobody "
            "finished or knows; carry out what was left over.",
        ),
    ] = False,
    game: GameOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Compare what is known of objects with their files. Exit status 1 if they disagree.

    A server that runs does it itself. Where none runs, none can start meanwhile.
    """
    loaded = load(config)
    scope = scope_of(loaded, game) or None
    reports = do_command(loaded, "verify_objects", seconds=VERIFY_SECONDS, game=scope, mend=mend)
    if as_json:
        print_json(reports)
    else:
        _print_reports(reports)
    left = sum(each["found"] - each["mended"] for each in reports)
    if left:
        hint = "" if mend else "; --mend removes what cannot be used"
        raise CommandError(f"{left} of the things above are not as they should be{hint}")


@objects.command("approve")
def _approve(data_id: DataIdArgument, game: GameOption = None, config: ConfigOption = None) -> None:
    """Let everybody see an object whom its permission lets, after a review."""
    _review(load(config), game, data_id, Status.NORMAL)
    typer.echo(f"approved {data_id}")


@objects.command("reject")
def _reject(data_id: DataIdArgument, game: GameOption = None, config: ConfigOption = None) -> None:
    """Let nobody but its owner see an object. It stays until it expires: see remove."""
    _review(load(config), game, data_id, Status.REJECTED)
    typer.echo(f"rejected {data_id}")


@objects.command("remove")
def _remove(data_id: DataIdArgument, game: GameOption = None, config: ConfigOption = None) -> None:
    """Remove an object, with its file. The number is not given out again."""
    loaded = load(config)
    name, found = _find(loaded, game, data_id)
    do_command(loaded, "remove_object", game=name, data_id=data_id)
    typer.echo(f"removed {data_id} of player {found.owner}")


# -- doing ---------------------------------------------------------------------------------


def _review(config: Config, game: str | None, data_id: int, status: Status) -> None:
    name, _ = _find(config, game, data_id)
    do_command(config, "review_object", game=name, data_id=data_id, status=status.name.lower())


def _find(config: Config, game: str | None, data_id: int) -> tuple[str, StoredObject]:
    """Return an object and its game; each game has its own numbers."""
    scope = scope_of(config, game)
    names = [scope] if scope else _games(config)

    async def find() -> list[tuple[str, StoredObject]]:
        async with open_services(config) as services:
            return await _in_games(services, names, data_id)

    found = run(find())
    if not found:
        where = scope or "any configured game"
        raise CommandError(f"there is no object {data_id} in {where}")
    if len(found) > 1:
        having = " and ".join(name for name, _ in found)
        raise CommandError(
            f"{having} have an object {data_id} each; say which with --game", EXIT_USAGE
        )
    return found[0]


async def _in_games(
    services: Services, names: list[str], data_id: int
) -> list[tuple[str, StoredObject]]:
    found = [(name, await services.objects(name).get(data_id)) for name in names]
    return [(name, each) for name, each in found if each is not None]


async def _all(store: ObjectStore, after: int) -> AsyncIterator[StoredObject]:
    while page := await store.page(after, _PAGE):
        for each in page:
            yield each
        after = page[-1].data_id


def _games(config: Config) -> list[str]:
    return [each.name for each in config.games]


# -- showing -------------------------------------------------------------------------------


def _print_reports(reports: list[dict[str, Any]]) -> None:
    for each in reports:
        typer.echo(f"{each['game']}: {each['objects']} objects, {each['files']} files")
    if not any(each["found"] for each in reports):
        return
    table = plain_table("game", "what", "id", "mended", "key", "detail")
    for each in reports:
        for one in each["disagreements"]:
            table.add_row(
                each["game"],
                one["kind"],
                str(one["data_id"] or ""),
                "yes" if one["mended"] else "no",
                visible(one["key"]),
                one["detail"],
            )
    print_table(table)


def _as_dict(game: str, each: StoredObject) -> dict[str, Any]:
    return {
        "id": each.data_id,
        "game": game,
        "owner": each.owner,
        "name": each.name,
        "type": each.data_type,
        "status": _status(each),
        "bytes": _size(each),
        "slot": None if each.slot == NO_SLOT else each.slot,
        "created": show_time(each.created),
        "expires": show_time(each.expires) or None,
    }


def _status(stored: StoredObject) -> str:
    """Return the status of an object as it is listed."""
    if not stored.complete:
        return _UNFINISHED
    return _STATUSES.get(stored.status, str(stored.status))


def _size(stored: StoredObject) -> int:
    """Return the bytes of an object's file, which may still have to come."""
    if stored.complete or stored.upload is None:
        return stored.size
    return stored.upload.size


def _permission(permission: Permission) -> dict[str, Any]:
    level = _LEVELS.get(permission.level, str(permission.level))
    return {"level": level, "recipients": list(permission.recipients)}


def _text(value: Any) -> str:
    """Return a value for people; what consoles sent is made visible."""
    match value:
        case None:
            return ""
        case dict():
            shown = (f"{key} {_text(each)}" for key, each in value.items() if each or each == 0)
            return " ".join(shown)
        case list():
            return ", ".join(_text(each) for each in value)
    return visible(str(value))
