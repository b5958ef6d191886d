"""The tables of protocols and methods: which there are, and which are answered."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Mapping
from typing import Final

from docs._gen.tables import one_line, table
from nekonex.app.matchmaking import EXTENSIONS
from nekonex.app.records import RANKINGS
from nekonex.games.data_stores import DATA_STORES
from nekonex.nex import (
    AuthenticationServer,
    DataStoreServer,
    HealthServer,
    MatchmakeExtensionServer,
    MatchMakingExtServer,
    MatchMakingServer,
    NATTraversal,
    NATTraversalServer,
    RankingServer,
    SecureConnectionServer,
    UtilityServer,
)
from nekonex.rmc import MethodDefinition, Protocol
from nekonex.settings import format_version
from nekonex.wire import V

__all__ = ["SERVERS", "protocol_tables", "variant_tables"]

SERVERS: Final[tuple[type[Protocol], ...]] = (
    NATTraversalServer,
    AuthenticationServer,
    SecureConnectionServer,
    HealthServer,
    MatchMakingServer,
    MatchMakingExtServer,
    MatchmakeExtensionServer,
    UtilityServer,
    RankingServer,
    DataStoreServer,
)
VARIANTS: Final[tuple[tuple[type[Protocol], Mapping[str, type[Protocol]]], ...]] = (
    (MatchmakeExtensionServer, EXTENSIONS),
    (RankingServer, RANKINGS),
    (DataStoreServer, DATA_STORES),
)
CONSOLES: Final = frozenset({(NATTraversal.PROTOCOL_ID, 2)})
"""Methods that consoles answer, and the server calls."""


def protocol_tables() -> Iterator[str]:
    """Yield a heading and a table for each protocol that the app serves."""
    for server in SERVERS:
        yield f"\n### Protocol {server.PROTOCOL_ID}: `{_definition_of(server).__name__}`\n"
        found = sorted(server.definitions(), key=lambda each: (each.method_id, bool(each.when)))
        yield from table(
            ("number", "method, and what it does", "exists", "served"), map(_row, found)
        )


def variant_tables() -> Iterator[str]:
    """Yield the table of the methods that single titles have in place of common ones."""
    rows = []
    for base, servers in VARIANTS:
        common = {each.method_id for each in base.definitions()}
        for variant, server in sorted(servers.items()):
            own = {each.method_id: each for each in server.definitions() if each.owner is server}
            left = {each.method_id for each in server.definitions()}
            for number in sorted(own.keys() | (common - left)):
                text = "not there: the game has something else under this number"
                if number in own:
                    text = f"`{own[number].name}`<br>{_text(own[number])}"
                rows.append((f"`{variant}`", f"{server.PROTOCOL_ID}.{number}", text))
    yield from table(("variant", "number", "method, and what it does"), rows)


def _row(definition: MethodDefinition) -> tuple[str, ...]:
    return (
        str(definition.method_id),
        # In one cell, because some names are too long to stand beside anything.
        f"`{definition.name}`<br>{_text(definition)}",
        _exists(definition),
        _served(definition),
    )


def _exists(definition: MethodDefinition) -> str:
    parts = []
    if isinstance(definition.when, V):
        parts.append(f"from NEX {format_version(definition.when.version)} on")
    if definition.until is not None:
        parts.append(f"before NEX {format_version(definition.until.version)}")
    return "; ".join(parts)


def _served(definition: MethodDefinition) -> str:
    """Tell whether a server class, or the definition itself, says what is done."""
    protocol = definition.owner
    if (getattr(protocol, "PROTOCOL_ID", None), definition.method_id) in CONSOLES:
        return "by consoles"
    if NotImplementedError.__name__ in inspect.unwrap(definition.function).__code__.co_names:
        return "no"
    return "refused" if _text(definition).startswith("Refuse:") else "yes"


def _text(definition: MethodDefinition) -> str:
    text = inspect.getdoc(definition.function) or ""
    return one_line(text.split("\n\n", maxsplit=1)[0]).replace("``", "`")


def _definition_of(server: type[Protocol]) -> type[Protocol]:
    """Return the class that says what is on the wire: the last base with the same name less."""
    return next(base for base in server.__mro__ if f"{base.__name__}Server" == server.__name__)
