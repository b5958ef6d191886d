"""`nekonex ranking`: leaderboards, with or without a server."""

from typing import Annotated, Any, Final

import typer

from nekonex.app.control_ranking import MAX_TOP
from nekonex.cli._common import (
    ConfigOption,
    JsonOption,
    group,
    load,
    plain_table,
    print_json,
    print_table,
)
from nekonex.cli._records import do_command
from nekonex.cli._services import GameOption, PidArgument, scope_of
from nekonex.cli._times import show_time

__all__ = ["register"]

ranking = group("ranking", "Look at leaderboards, and remove scores.")

_SECONDS: Final = 60.0
"""How long a server is given."""

CategoryArgument = Annotated[
    int,
    typer.Argument(
        metavar="CATEGORY", min=0, max=(1 << 32) - 1, help="The number that list shows."
    ),
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(ranking)


@ranking.command("list")
def _list(
    game: GameOption = None, as_json: JsonOption = False, config: ConfigOption = None
) -> None:
    """List what there are scores of: tracks, modes, levels."""
    loaded = load(config)
    scope = scope_of(loaded, game) or None
    found: list[dict[str, Any]] = do_command(loaded, "rankings", seconds=_SECONDS, game=scope)
    if as_json:
        print_json(found)
        return
    table = plain_table("game", "category", "order", "scores")
    for each in found:
        table.add_row(each["game"], str(each["category"]), each["order"], str(each["scores"]))
    print_table(table)


@ranking.command("top")
def _top(
    category: CategoryArgument,
    count: Annotated[
        int, typer.Option("--count", metavar="N", min=1, max=MAX_TOP, help="At most so many.")
    ] = 10,
    game: GameOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show the best scores of a category."""
    loaded = load(config)
    scope = scope_of(loaded, game) or None
    found: list[dict[str, Any]] = do_command(
        loaded, "top_scores", seconds=_SECONDS, game=scope, category=category, count=count
    )
    for each in found:
        each["updated"] = show_time(each["updated"])
    if as_json:
        print_json(found)
        return
    table = plain_table("rank", "PID", "unique id", "score", "groups", "updated")
    for each in found:
        numbers = (each["rank"], each["pid"], each["unique_id"], each["score"])
        groups = " ".join(map(str, each["groups"]))
        table.add_row(*map(str, numbers), groups, each["updated"])
    print_table(table)


@ranking.command("remove")
def _remove(
    category: CategoryArgument,
    pid: PidArgument,
    unique_id: Annotated[
        int | None,
        typer.Option(
            "--unique-id",
            metavar="N",
            min=0,
            max=(1 << 64) - 1,
            help="Only the score of this save slot. Default: all that the player has there.",
        ),
    ] = None,
    game: GameOption = None,
    config: ConfigOption = None,
) -> None:
    """Remove a player's scores from a category. To keep the player out: see ban."""
    loaded = load(config)
    removed = do_command(
        loaded,
        "remove_scores",
        seconds=_SECONDS,
        game=scope_of(loaded, game) or None,
        category=category,
        pid=pid,
        unique_id=unique_id,
    )
    scores = removed["scores"]
    what = "the score" if len(scores) == 1 else f"the {len(scores)} scores"
    numbers = ", ".join(map(str, scores))
    typer.echo(f"removed {what} {numbers} of player {pid} from {removed['game']} {category}")
