"""`nekonex titles`: what is known of which game."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any

import typer

from nekonex.cli._common import (
    EXIT_USAGE,
    CommandError,
    ConfigOption,
    JsonOption,
    group,
    plain_table,
    print_json,
    print_table,
)
from nekonex.games.profiles import all_profiles, closest, load_profile, search, slugs
from nekonex.games.schema import TitleProfile

__all__ = ["no_such_title", "register"]

titles = group("titles", "List, search and show the title profiles that come with nekonex.")


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(titles)


def no_such_title(slug: str) -> CommandError:
    """Return the error of a title that has no profile."""
    near = closest(slug)
    hint = f"did you mean {' or '.join(near)}?" if near else "nekonex titles list shows all"
    return CommandError(f"there is no title profile {slug!r}; {hint}", EXIT_USAGE)


@titles.command("list")
def _list(as_json: JsonOption = False, config: ConfigOption = None) -> None:  # noqa: ARG001
    """List all titles."""
    _print_titles(all_profiles(), as_json=as_json)


@titles.command("search")
def _search(
    text: Annotated[
        list[str],
        typer.Argument(
            metavar="TEXT", help="Words of the name, the platform, an id or the access key."
        ),
    ],
    as_json: JsonOption = False,
    config: ConfigOption = None,  # noqa: ARG001
) -> None:
    """List the titles in which every word occurs."""
    words = " ".join(text)
    found = search(words)
    if not found and not as_json:
        raise CommandError(f"no title matches {words!r}")
    _print_titles(found, as_json=as_json)


@titles.command("show")
def _show(
    slug: Annotated[str, typer.Argument(metavar="SLUG", help="The name that the list shows.")],
    as_json: JsonOption = False,
    config: ConfigOption = None,  # noqa: ARG001
) -> None:
    """Show everything that is known of one title, with its sources."""
    if slug not in slugs():
        raise no_such_title(slug)
    profile = load_profile(slug)
    if as_json:
        print_json(_as_dict(profile))
        return
    table = plain_table("", "")
    table.show_header = False
    for key, value in _rows(profile):
        table.add_row(key, value)
    print_table(table)
    typer.echo(f"\nTo serve it: nekonex init --title {slug}")


def _as_dict(profile: TitleProfile) -> dict[str, Any]:
    return profile.model_dump(mode="json", exclude_unset=True)


def _print_titles(profiles: Iterable[TitleProfile], *, as_json: bool) -> None:
    if as_json:
        print_json([_as_dict(profile) for profile in profiles])
        return
    table = plain_table("name", "title", "platform", "NEX", "access key", "server id")
    for profile in profiles:
        table.add_row(
            profile.slug,
            profile.full_title,
            ", ".join(profile.platforms),
            profile.nex_version,
            profile.access_key or "-",
            ", ".join(profile.server_ids) or "-",
        )
    print_table(table)


def _rows(profile: TitleProfile) -> Iterable[tuple[str, str]]:
    yield "name", profile.slug
    yield "title", profile.full_title
    values = _as_dict(profile)
    for key in ("slug", "full_title"):
        del values[key]
    last = [(key, values.pop(key, [])) for key in ("notes", "sources")]
    if not profile.access_key:
        yield "access_key", "not known for certain"
    for key in ("server_ids", "title_ids"):
        if not values.get(key):
            yield key, "in no public source"
    yield from _flat(values)
    yield "structure header", "yes" if profile.settings().struct_header else "no"
    for key, texts in last:
        for text in texts:
            yield key, text
            key = ""  # noqa: PLW2901


def _flat(values: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, str]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{key}.")
        elif isinstance(value, list):
            yield f"{prefix}{key}", ", ".join(map(str, value))
        elif isinstance(value, bool):
            yield f"{prefix}{key}", "true" if value else "false"
        else:
            yield f"{prefix}{key}", str(value)
