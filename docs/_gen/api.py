"""The page of the Python API: signatures and docstrings of what is public."""

from __future__ import annotations

import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final

from docs._gen.tables import attribute_docstrings, instance_docstrings, one_line, table

__all__ = ["SECTIONS", "api_pages"]

PLAIN_DEFAULT: Final = re.compile(r"[-\w.\"' ()]*")
"""Defaults that read well; others are an ellipsis."""

SECTIONS: Final[Mapping[str, tuple[str, Mapping[str, tuple[str, ...]]]]] = {
    "Serve and connect": (
        "Without the app: sockets, protocols and sessions.",
        {
            "nekonex": ("serve", "listen", "connect", "method", "Protocol", "Session"),
            "nekonex.rmc": ("RMCConnectionClosed", "CallLimitError", "InvalidReplyError"),
        },
    ),
    "Settings": (
        "What a game expects of the transport, the tickets and the encoding.",
        {"nekonex.settings": ("default", "load", "Settings", "parse_version")},
    ),
    "Values": (
        "What handlers take and give.",
        {"nekonex.values": ("DateTime", "StationURL", "Result", "RMCError", "ServiceUnavailable")},
    ),
    "Structures": (
        "What is on the wire; see also [a protocol of your own](../tutorial/own-protocol.md).",
        {"nekonex.wire": ("Structure", "field", "V", "Rev", "WireContext", "WireError")},
    ),
    "Protocol servers": (
        "Override their methods to change what they do.",
        {
            "nekonex.nex": (
                "AuthenticationServer",
                "SecureConnectionServer",
                "NATTraversalServer",
                "MatchMakingServer",
                "MatchMakingExtServer",
                "MatchmakeExtensionServer",
                "RankingServer",
                "DataStoreServer",
                "UtilityServer",
                "HealthServer",
                "ConnectedPlayer",
                "CallbackTokenVerifier",
                "check_token_rules",
            ),
            "nekonex.nex.backend": ("login", "request_login", "SecureLogin"),
        },
    ),
    "Accounts, access and players": (
        "The rules behind the protocols.",
        {
            "nekonex.domain": (
                "AccountService",
                "AccessService",
                "ReportService",
                "PlayerRegistry",
                "Player",
                "Notification",
                "IdentityService",
                "AccountSource",
                "CallbackSource",
                "SpecialUsers",
                "AuthenticationUser",
                "on_loop",
            ),
            "nekonex.events": (
                "EventBus",
                "PlayerLoggedIn",
                "PlayerLoggedOut",
                "LoginFailed",
                "ReportReceived",
                "GatheringCreated",
                "GatheringJoined",
                "GatheringLeft",
                "GatheringHandedOver",
                "GatheringClosed",
                "ScoreUploaded",
                "ObjectPosted",
                "ObjectUpdated",
                "ObjectRated",
                "ObjectDeleted",
            ),
            "nekonex.kerberos": (
                "derive_key",
                "WorkerKeyDeriver",
                "LegacyTokenVerifier",
                "TokenError",
            ),
        },
    ),
    "Matchmaking": (
        "Gatherings, and the rules that a game may add to them.",
        {
            "nekonex.domain.matchmaking": (
                "Matchmaking",
                "MatchmakingHooks",
                "MatchmakingError",
                "Refusal",
                "Gathering",
                "MatchmakeSession",
                "Community",
                "Participant",
                "GatheringFlag",
                "SessionQuery",
                "NumberFilter",
                "Selection",
                "GatheringStore",
                "LiveStore",
                "CommunityStore",
                "PreferenceStore",
                "Outcome",
                "TitleRules",
                "SessionRule",
                "UnreachablePairs",
            ),
            "nekonex.storage": ("memory_matchmaking",),
        },
    ),
    "Rankings": (
        "Scores, and the rules that a game may add to them; see [rankings](../how-to/rankings.md).",
        {
            "nekonex.domain.ranking": (
                "Rankings",
                "RankingHooks",
                "RankingRules",
                "RankingError",
                "ScoreUpload",
                "Score",
                "RankedScore",
                "RankingMode",
                "RankCalculation",
                "RankQuery",
                "Board",
                "GroupFilter",
                "ScoreStore",
            ),
        },
    ),
    "Data store": (
        "Objects, and the rules that a game may add to them; see [here](../how-to/data-store.md).",
        {
            "nekonex.domain.datastore": (
                "DataStore",
                "DataStoreHooks",
                "ObjectKeys",
                "DataStoreError",
                "StoredObject",
                "Permission",
                "Rating",
                "RatingRules",
                "Draft",
                "Caller",
                "ObjectTarget",
            ),
            "nekonex.domain.datastore.ports": ("ObjectStore", "Outcome", "FileOperation"),
            "nekonex.domain.datastore.files": ("FileStore", "UploadForm", "Download"),
            "nekonex.domain.datastore.query": ("ObjectQuery", "Target", "OrderColumn"),
        },
    ),
    "Games": (
        "What `server` names; see [a game of your own](../tutorial/your-game.md).",
        {"nekonex": ("Game", "GameServices")},
    ),
    "NekoConnect": (
        "Clients, and the server by itself. Plugins are given [other things](plugins.md#ctx).",
        {
            "nekonex.connect": (
                "Client",
                "SyncClient",
                "Message",
                "Status",
                "StatusError",
                "DisconnectedError",
                "LoginRefusedError",
                "ImpostorError",
                "ConnectServer",
            ),
        },
    ),
    "NekoConnect without sockets": (
        "Both ends of a connection, fed with bytes and the time; see [here](nekoconnect.md).",
        {
            "nekonex.connect.protocol": (
                "ClientSession",
                "ServerSession",
                "Gatekeeper",
                "Request",
                "Rejection",
                "Frame",
                "FrameDecoder",
                "FrameError",
                "encode_frame",
                "Password",
                "RandomSource",
            ),
        },
    ),
    "Testing": (
        "See [test a game or a plugin](../how-to/testing.md).",
        {
            "nekonex.testing": (
                "running_server",
                "running_plugin",
                "RunningPlugin",
                "PluginClient",
                "PluginCells",
            ),
            "nekonex.app": ("Server", "HostedGame"),
        },
    ),
    "NintendoClients and nex-protocols-common": (
        "See [coming from NintendoClients](../how-to/nintendoclients.md).",
        {
            "nekonex.compat": (
                "serve",
                "CommonAuthenticationServer",
                "CommonSecureConnectionServer",
                "CommonNATTraversalServer",
                "CommonMatchMakingServer",
                "CommonMatchMakingServerExt",
                "CommonMatchmakeExtensionServer",
                "secure_key",
                "CompatClient",
            )
        },
    ),
}


def api_pages() -> Iterator[str]:
    """Yield a section for each group of names."""
    for heading, (about, modules) in SECTIONS.items():
        yield f"\n## {heading}\n\n{about}\n"
        for module_name, names in modules.items():
            module = importlib.import_module(module_name)
            for name in names:
                yield from _entry(module_name, name, getattr(module, name))


def _entry(module: str, name: str, value: Any) -> Iterator[str]:
    yield f"\n### `{module}.{name}`\n"
    if not (inspect.isclass(value) and issubclass(value, BaseException)):
        yield f"```python\n{_declaration(name, value)}\n```\n"
    yield _prose(inspect.getdoc(value) or "")
    if inspect.isclass(value):
        rows = list(_members(value))
        if rows:
            yield ""
            yield from table(("member", "meaning"), rows)


def _declaration(name: str, value: Any) -> str:
    if inspect.isclass(value) and (
        getattr(value, "_is_protocol", False) or issubclass(value, Enum)
    ):
        return f"class {name}"
    try:
        signature = inspect.signature(value)
    except ValueError:
        return name
    parameters = [_parameter(each) for each in signature.parameters.values() if each.name != "self"]
    parameters = _with_star(list(signature.parameters.values()), parameters)
    kind = "class " if inspect.isclass(value) else ""
    flat = f"{kind}{name}({', '.join(parameters)})"
    if len(flat) <= 84:
        return flat
    lines = "".join(f"    {each},\n" for each in parameters)
    return f"{kind}{name}(\n{lines})"


def _with_star(found: list[inspect.Parameter], texts: list[str]) -> list[str]:
    kinds = [each.kind for each in found if each.name != "self"]
    for index, kind in enumerate(kinds):
        if kind is inspect.Parameter.VAR_POSITIONAL:
            break
        if kind is inspect.Parameter.KEYWORD_ONLY:
            return [*texts[:index], "*", *texts[index:]]
    return texts


def _parameter(parameter: inspect.Parameter) -> str:
    text = parameter.name
    if parameter.kind is inspect.Parameter.VAR_POSITIONAL:
        text = f"*{text}"
    elif parameter.kind is inspect.Parameter.VAR_KEYWORD:
        text = f"**{text}"
    if parameter.default is inspect.Parameter.empty:
        return text
    default = repr(parameter.default)
    return f"{text}={default if PLAIN_DEFAULT.fullmatch(default) else '…'}"


def _members(cls: type) -> Iterator[tuple[str, str]]:
    if issubclass(cls, Enum) or dataclasses.is_dataclass(cls):
        yield from _values(cls)
    for name, meaning in sorted(instance_docstrings(cls).items()):
        yield f"`{name}`", _prose(one_line(meaning))
    for name, member in inspect.getmembers_static(cls):
        if name.startswith(("_", "wire_")):
            continue
        plain = member.__func__ if isinstance(member, classmethod | staticmethod) else member
        if isinstance(plain, property):
            text, shown = plain.__doc__, name
        elif inspect.isfunction(plain):
            text, shown = plain.__doc__, f"{name}({', '.join(_names_of(plain))})"
        else:
            continue
        if text and not _from_elsewhere(cls, name):
            yield f"`{shown}`", _prose(one_line(text.split("\n\n", maxsplit=1)[0]))


def _values(cls: Any) -> Iterator[tuple[str, str]]:
    """Yield the fields of a dataclass, or the members of an enumeration, that say what they are."""
    texts = attribute_docstrings(cls)
    if not issubclass(cls, Enum):
        names = [each.name for each in dataclasses.fields(cls)]
    else:
        names = list(cls.__members__)
        texts = {name: texts.get(name, str(cls[name].value)) for name in names}
    yield from ((f"`{name}`", _prose(one_line(texts[name]))) for name in names if name in texts)


def _names_of(function: Any) -> list[str]:
    found = inspect.signature(function).parameters
    return [name for name in found if name not in {"self", "cls"}]


def _from_elsewhere(cls: type, name: str) -> bool:
    """Tell whether a member comes from a base outside of this package."""
    owner = next(base for base in cls.__mro__ if name in vars(base))
    return not owner.__module__.startswith("nekonex")


def _prose(text: str) -> str:
    """Return a docstring as Markdown."""
    return re.sub(r":(?:func|meth|class|attr):`([^`]+)`", r"`\1`", text.replace("``", "`"))
