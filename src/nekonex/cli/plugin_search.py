"""`nekonex plugin search`: what the configured repositories have."""

from typing import Annotated
from urllib.parse import urlsplit

import typer

from nekonex.cli._common import (
    EXIT_USAGE,
    CommandError,
    ConfigOption,
    JsonOption,
    load,
    plain_table,
    print_json,
    print_table,
    report,
    visible,
)
from nekonex.connect.packages import IndexEntry, newest, read_repositories, search

__all__ = ["add_to"]


def add_to(plugin: typer.Typer) -> None:
    """Add the command to the group."""
    plugin.command("search")(_search)


def _search(
    text: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[TEXT]...",
            help="Words of the name, the greeter or the description. Default: list all.",
            show_default=False,
        ),
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """List what the configured repositories have.

    Every word has to occur in what is listed. Of each plugin the newest version is shown, with
    --json all.
    """
    loaded = load(config)
    if not loaded.connect.repositories:
        raise CommandError("[connect] repositories has no URL to search", EXIT_USAGE)
    words = " ".join(text or ()).split()
    entries = read_repositories(loaded.connect.repositories, lambda line: report(visible(line)))
    found = search(entries, words)
    if as_json:
        print_json([_as_dict(each) for each in found])
        return
    if not found:
        wanted = " ".join(words)
        raise CommandError(
            f"no plugin matches {wanted!r}" if words else "there is no plugin in them"
        )
    table = plain_table("greeter", "name", "version", "repository", "about")
    for each in newest(found):
        host = urlsplit(each.repository).netloc
        table.add_row(*map(visible, (each.greeter, each.name, each.version, host, each.about)))
    print_table(table)


def _as_dict(entry: IndexEntry) -> dict[str, str]:
    return {
        "name": entry.name,
        "version": entry.version,
        "greet": entry.greeter,
        "sha256": entry.sha256,
        "file": entry.file,
        "about": entry.about,
        "home": entry.home,
        "icon": entry.icon,
        "repository": entry.repository,
    }
