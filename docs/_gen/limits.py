"""The tables of limits, and of what is counted when they are reached."""

from __future__ import annotations

import dataclasses
import importlib
import pkgutil
from collections.abc import Iterator, Mapping
from enum import StrEnum
from itertools import chain
from typing import Any, Final

from docs._gen.tables import attribute_docstrings, constant_docstrings, one_line, table
from nekonex.connect import ConnectLimits, ConnectStats, CutOff
from nekonex.connect.packages import PackageLimits
from nekonex.domain.cells import CellLimits
from nekonex.domain.datastore import DataStoreLimits
from nekonex.domain.matchmaking import MatchmakingLimits, NumberFilter, UnreachableLimits
from nekonex.domain.ranking import RankingLimits
from nekonex.domain.unique_ids import UniqueIdLimits
from nekonex.nex import LoginLimits, NATLimits, SecureLimits
from nekonex.nex.nat_traversal import IgnoredReport, NATStats, SkippedProbe
from nekonex.prudp.limits import CloseReason, DropReason, Limits
from nekonex.rmc import RMCLimits, RMCStats
from nekonex.web import ClosedConnection, HttpLimits, HttpStats, RefusedTransfer

__all__ = [
    "close_reasons",
    "connect_counters",
    "connect_reasons",
    "constants",
    "counters",
    "drop_reasons",
    "http_counters",
    "http_reasons",
    "limit_tables",
    "nat_counters",
    "nat_reasons",
]

CLASSES: Final = (
    (Limits, "One UDP port: `listen(…, limits=…)`"),
    (RMCLimits, "The calls of a connection: `serve(…, rmc_limits=…)`"),
    (LoginLimits, "An authentication server: `AuthenticationServer(…, limits=…)`"),
    (SecureLimits, "A secure connection server: `SecureConnectionServer(…, limits=…)`"),
    (MatchmakingLimits, "The matchmaking of a game: `Matchmaking(…, limits=…)`"),
    (UnreachableLimits, "Who could not reach whom: `UnreachablePairs(…)`"),
    (NATLimits, "A NAT traversal server: `NATTraversalServer(…, limits=…)`"),
    (RankingLimits, "The rankings of a game: `Rankings(…, limits=…)`"),
    (DataStoreLimits, "The data store of a game: `DataStore(…, limits=…)`"),
    (UniqueIdLimits, "The unique ids of a game: `UniqueIds(…, limits=…)`"),
    (HttpLimits, "The HTTP port: `make_application(…, limits=…)`, `HttpListener(…, limits=…)`"),
    (ConnectLimits, "NekoConnect: `ConnectServer(…, limits=…)`; the app has most in `[connect]`"),
    (CellLimits, "The database of a plugin: `CellStore.store(…, limits)`"),
    (PackageLimits, "Packages of plugins: `build_package`, `read_package` and the others there"),
)

CONSTANTS: Final[Mapping[str, tuple[str, ...]]] = {
    "nekonex.prudp.udp": ("DATAGRAMS_PER_WAKE", "SOCKET_BUFFER"),
    "nekonex.prudp.rtt": ("MINIMUM_TIMEOUT",),
    "nekonex.rmc.listener": ("GOODBYE_SECONDS", "LOGOUT_SECONDS"),
    "nekonex.kerberos.freshness": ("TICKET_MAX_AGE",),
    "nekonex.nex.tokens": ("TOKEN_LIMIT",),
    "nekonex.nex.authentication.admission": ("NAME_LIMIT",),
    "nekonex.nex.secure.server": ("KICK_SECONDS",),
    MatchmakingLimits.__module__: (
        "MAX_TEXT",
        "MAX_USER_PASSWORD",
        "MAX_BUFFER",
        "MAX_SESSION_KEY",
        "MAX_PARAMS",
        "MAX_PARAM_TEXT",
        "MAX_PARTICIPANTS",
    ),
    NumberFilter.__module__: ("MAX_VALUES",),
    "nekonex.domain.accounts": ("PASSWORD_LIMIT", "FIRST_FREE_PID", "LAST_FREE_PID"),
    "nekonex.domain.reports": ("REPORT_SIZE_LIMIT", "REPORTS_PER_PLAYER"),
    DataStoreLimits.__module__: (
        "MAX_NAME",
        "MAX_META_BINARY",
        "MAX_RECIPIENTS",
        "MAX_TAGS",
        "MAX_TAG",
        "MAX_PERIOD",
        "MAX_RATING_SLOTS",
    ),
    "nekonex.domain.datastore.files": ("MAX_KEY", "MAX_KEY_PART"),
    "nekonex.storage.objects.local": ("FILE_THREADS", "DISK_RESERVE", "LEFTOVER_SECONDS"),
    "nekonex.storage.sqlite.database": (
        "BUSY_TIMEOUT",
        "COMMITS_PER_CHECKPOINT",
        "MAPPED_BYTES",
        "MAX_LOG_PAGES",
        "MAX_WAITING",
    ),
    "nekonex.storage.sqlite.groups": ("MAX_GROUP",),
    "nekonex.storage.ranking.index": ("MAX_WINDOWS",),
    "nekonex.storage.ranking.common_data": ("MAX_CACHED_BYTES",),
    "nekonex.web.listener": ("BACKLOG", "RECEIVE_BUFFER", "GRACE_SECONDS", "CUT_SECONDS"),
    "nekonex.domain.cells": ("MAX_CELL_NAME",),
    "nekonex.storage.sqlite.cells": ("BYTES_AT_ONCE",),
    "nekonex.app.connect": ("BACKLOG", "RECEIVE_BUFFER"),
    "nekonex.app.connect_password": ("PASSWORD_LENGTH",),
    "nekonex.app.plugin_controls": ("MAX_LISTED", "MAX_REASON"),
    "nekonex.app.control": ("MAX_CLIENTS", "IDLE_SECONDS"),
    "nekonex.app.control_ranking": ("MAX_TOP",),
    "nekonex.app.control_address": ("LINE_LIMIT", "REPLY_LIMIT"),
    "nekonex.app.hosting": ("EXPEL_SECONDS",),
    "nekonex.app.watch": ("LOOK_SECONDS",),
    "nekonex.app.process": ("STOP_SECONDS",),
}

WHOLE_PACKAGES: Final = ("nekonex.connect",)
"""All constants of these that have a number and a text, but for those that bound nothing."""

NO_BOUNDS: Final = frozenset({"DEFAULT_PORT", "HEADER_SIZE", "RANDOM_SIZE"})

DROPS: Final[Mapping[DropReason, str]] = {
    DropReason.MALFORMED: "Bytes that are no packet of the version, or an empty datagram.",
    DropReason.UNKNOWN_PORT: "A handshake for a virtual port that nothing serves.",
    DropReason.UNKNOWN_CONNECTION: "A packet of nobody who is connected; usual after a restart.",
    DropReason.UNEXPECTED_TYPE: "A packet type that has no place there.",
    DropReason.BAD_SIGNATURE: "The signature is wrong: often a wrong access key.",
    DropReason.BAD_SESSION_ID: "The session id of another connection.",
    DropReason.BAD_SUBSTREAM: "A substream that was not negotiated.",
    DropReason.BAD_HANDSHAKE: "SYN or CONNECT with values that were not offered.",
    DropReason.BAD_TICKET: "A ticket that this server's key does not open.",
    DropReason.TICKET_EXPIRED: "A ticket older than 120 seconds, or from the future.",
    DropReason.TICKET_REPLAYED: "A ticket that opened a connection before.",
    DropReason.WRONG_PID: "A ticket of another player.",
    DropReason.UNPROVEN_REPLACEMENT: "A forgeable CONNECT that would replace somebody else.",
    DropReason.TOO_MANY_CONNECTIONS: "`max_connections` is reached.",
    DropReason.TOO_MANY_FROM_ADDRESS: "`max_connections_per_address` is reached.",
    DropReason.HANDSHAKE_RATE: "`handshakes_per_second` is reached.",
    DropReason.AMPLIFICATION: "An answer that would be larger than what an unproven address sent.",
    DropReason.NOT_ACCEPTING: "A packet for a connection that is ending.",
    DropReason.DUPLICATE: "A reliable packet that was accepted before; it is acknowledged again.",
    DropReason.OUT_OF_WINDOW: "A reliable packet too far ahead; the peer sends it again.",
    DropReason.RECEIVER_FULL: "Too many requests wait; not acknowledged, so it comes again.",
    DropReason.BAD_PAYLOAD: "An unreliable packet that cannot be decompressed.",
    DropReason.BAD_AGGREGATE_ACK: "An aggregate acknowledgement that cannot be read.",
    DropReason.SOCKET_FULL: "The system did not take a datagram that was to be sent.",
}


def limit_tables() -> Iterator[str]:
    """Yield a heading and a table for each class of limits."""
    for cls, about in CLASSES:
        meanings = attribute_docstrings(cls)
        yield f"\n### `{cls.__name__}`\n\n{about}.\n"
        yield from table(
            ("name", "default", "meaning"),
            (
                (f"`{each.name}`", _value(each.default), one_line(meanings[each.name]))
                for each in _fields(cls)
            ),
        )


def constants() -> Iterator[str]:
    """Yield the table of the bounds that cannot be set."""
    rows = []
    for name, constant_names in (*CONSTANTS.items(), *chain(*map(_bounds_in, WHOLE_PACKAGES))):
        module = importlib.import_module(name)
        texts = constant_docstrings(module)
        for constant in constant_names:
            value = _value(getattr(module, constant))
            text = one_line(texts.get(constant, ""))
            rows.append((f"`{constant}`", value, text, name.removeprefix("nekonex.")))
    yield from table(("name", "value", "meaning", "module"), rows)


def _bounds_in(package: str) -> Iterator[tuple[str, tuple[str, ...]]]:
    folders = importlib.import_module(package).__path__
    for found in pkgutil.walk_packages(folders, f"{package}."):
        module = importlib.import_module(found.name)
        names = constant_docstrings(module).keys() - NO_BOUNDS
        bounds = [each for each in names if isinstance(getattr(module, each), int | float)]
        yield found.name, tuple(sorted(each for each in bounds if not each.startswith("_")))


def drop_reasons() -> Iterator[str]:
    """Yield the table of the reasons why packets are dropped."""
    yield from table(("reason", "what it was"), ((f"`{each}`", DROPS[each]) for each in DropReason))


def close_reasons() -> Iterator[str]:
    """Yield the table of the reasons why connections end."""
    yield from table(("name", "as it is logged"), ((f"`{e.name}`", e.value) for e in CloseReason))


def counters() -> Iterator[str]:
    """Yield the table of what is counted of calls."""
    return _counters(RMCStats)


def nat_counters() -> Iterator[str]:
    """Yield the table of what is counted of NAT traversal."""
    return _counters(NATStats)


def nat_reasons() -> Iterator[str]:
    """Yield the table of why probes are skipped and results ignored."""
    return _reasons({"skipped": SkippedProbe, "ignored": IgnoredReport})


def http_counters() -> Iterator[str]:
    """Yield the table of what is counted of HTTP."""
    return _counters(HttpStats)


def http_reasons() -> Iterator[str]:
    """Yield the table of why connections are closed and transfers refused."""
    transfers = "uploads_refused`, `downloads_refused"
    return _reasons({"closed": ClosedConnection, transfers: RefusedTransfer})


def connect_counters() -> Iterator[str]:
    """Yield the table of what is counted of NekoConnect."""
    return _counters(ConnectStats)


def connect_reasons() -> Iterator[str]:
    """Yield the table of why clients of NekoConnect are cut off."""
    return _reasons({"cut_off": CutOff})


def _reasons(counters: Mapping[str, type[StrEnum]]) -> Iterator[str]:
    rows = [
        (f"`{counter}`", f"`{each}`", one_line(attribute_docstrings(kind)[each.name]))
        for counter, kind in counters.items()
        for each in kind
    ]
    yield from table(("counter", "reason", "meaning"), rows)


def _counters(cls: Any) -> Iterator[str]:
    meanings = attribute_docstrings(cls)
    yield from table(
        ("counter", "meaning"),
        ((f"`{each.name}`", one_line(meanings.get(each.name, ""))) for each in _fields(cls)),
    )


def _fields(cls: Any) -> tuple[dataclasses.Field[Any], ...]:
    return dataclasses.fields(cls)


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:,}" if isinstance(value, int) else f"{value:g}"
