"""`nekonex config`: look at a configuration without starting anything."""

from collections.abc import Iterator

import typer
from rich.table import Table

from nekonex.app import StartError, load_game, tls_context
from nekonex.cli._common import (
    EXIT_USAGE,
    CommandError,
    ConfigOption,
    group,
    load,
    plain_table,
    print_table,
)
from nekonex.config import Config, config_warnings

__all__ = ["register"]

config_group = group("config", "Look at the configuration.")


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(config_group)


@config_group.callback()
def _group() -> None:
    """Look at the configuration."""


@config_group.command("check")
def _check(config: ConfigOption = None) -> None:
    """Check the configuration, classes and certificates too, and print what would be served."""
    loaded = load(config)
    for game in loaded.games:
        load_game(loaded, game)
    try:
        tls = tls_context(loaded)
    except StartError as error:
        raise CommandError(str(error), EXIT_USAGE) from error
    table = plain_table("", "")
    table.show_header = False
    for key, value in _rows(loaded, with_tls=tls is not None):
        table.add_row(key, value)
    print_table(table)
    if loaded.games:
        typer.echo()
        print_table(_games(loaded))
    for text in config_warnings(loaded):
        typer.echo(f"\nwarning: {text}")
    typer.echo("\nThe configuration is good.")


def _rows(config: Config, *, with_tls: bool) -> Iterator[tuple[str, str]]:
    yield "configuration", str(config.file or "built in (there is no nekonex.toml here)")
    for number, variable in enumerate(config.variables):
        yield ("changed by" if number == 0 else ""), variable
    yield "data", str(config.server.data_dir)
    yield "http", _address(config.http.host, config.http.port, enabled=config.http.enabled)
    connect = config.connect
    address = _address(connect.host, connect.port, enabled=connect.enabled)
    yield "connect", f"{address}, TLS" if with_tls and connect.enabled else address
    if connect.enabled:
        yield "plugins", str(connect.plugins_dir)
    storage = config.storage
    kinds = (storage.documents, storage.rankings, storage.objects)
    # Only the kind of a store: its URL may hold a password.
    yield "storage", ", ".join(kind.partition("://")[0] for kind in kinds)
    yield "accounts", config.accounts.backend
    if not config.games:
        yield "games", "none"


def _games(config: Config) -> Table:
    table = plain_table("game", "title", "NEX", "auth", "secure", "server", "guest")
    for game in config.games:
        table.add_row(
            game.name,
            game.title or "-",
            game.nex_version,
            _address(game.host, game.auth_port),
            _address(game.host, game.secure_port),
            game.server,
            "yes" if game.guest else "no",
        )
    return table


def _address(host: str, port: int, *, enabled: bool = True) -> str:
    if not enabled:
        return "off"
    return f"{host}:{port or 'any free port'}"
