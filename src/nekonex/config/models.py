"""The whole configuration as typed, immutable objects: every section, key and default."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, Field, ValidationInfo

from nekonex.games.fields import (
    Count,
    Flag,
    Port,
    Positive,
    PositiveSeconds,
    Seconds,
    Section,
    SInt32,
    Slug,
    not_allowed,
    split_list,
)
from nekonex.games.schema import GameIdentity, GameLimits

__all__ = [
    "AccountsSection",
    "Config",
    "ConnectSection",
    "DataStoreSection",
    "Document",
    "GameConfig",
    "GrpcSection",
    "HttpSection",
    "LimitsSection",
    "S3Section",
    "ServerSection",
    "StorageSection",
    "TlsSection",
    "UtilitySection",
    "sections",
]

MIB = 1024 * 1024
MAX_SETTING_TEXT = 65_534
"""Bytes of a text, whose length on the wire has 16 bits and counts a zero byte at the end."""


def _named(value: object) -> object:
    """Refuse an empty text, which would be the folder of the file."""
    if value == "":
        raise not_allowed("a path in quotes")
    return value


def _resolve(path: Path, info: ValidationInfo) -> Path:
    base: Path = (info.context or {}).get("base", Path())
    if "\0" in str(path):
        raise not_allowed("a path without zero bytes")
    try:
        return base / path.expanduser()
    except RuntimeError:
        raise not_allowed("a path; nobody here has that home directory") from None


FilePath = Annotated[Path, BeforeValidator(_named), AfterValidator(_resolve)]
"""A path; a relative one is relative to the file that holds it."""


def _host(value: str) -> str:
    if not value or re.search(r"[\s/]", value):
        raise not_allowed("an address or host name such as 127.0.0.1 or 0.0.0.0")
    return value


Host = Annotated[str, AfterValidator(_host)]


def _external_address(value: str) -> str:
    if value == "auto":
        return value
    try:
        IPv4Address(value)
    except ValueError:
        # A name that could be taken for a mistyped address is not let through as a name.
        if re.fullmatch(r"(?=.*[A-Za-z])[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?", value):
            return value
        raise not_allowed("'auto', an IPv4 address or a host name") from None
    return value


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
    except ValueError:
        raise not_allowed("empty, or a URL such as https://nex.example.org") from None
    if value and (parts.scheme not in {"http", "https"} or not parts.hostname):
        raise not_allowed("empty, or a URL such as https://nex.example.org")
    return value.rstrip("/")


def _repository(value: str) -> str:
    try:
        parts = urlsplit(value)
    except ValueError:
        raise not_allowed("https URLs (http only on this machine)") from None
    loopback = parts.hostname in {"localhost", "127.0.0.1", "::1"}
    if not parts.hostname or parts.scheme not in ({"http", "https"} if loopback else {"https"}):
        raise not_allowed("https URLs (http only on this machine)")
    return value


def _store(default: str, *schemes: str) -> AfterValidator:
    def check(value: str) -> str:
        if value != default and not any(
            value.startswith(f"{scheme}://") and len(value) > len(scheme) + 3 for scheme in schemes
        ):
            raise not_allowed(" or ".join([f"'{default}'", *(f"{each}://…" for each in schemes)]))
        return value

    return AfterValidator(check)


def _server_class(value: str) -> str:
    names, colon, name = value.partition(":")
    path_is_good = colon and all(part.isidentifier() for part in [*names.split("."), name])
    if value != "common" and not path_is_good:
        raise not_allowed("'common' or a class such as 'package.module:Class'")
    return value


def _token_key(value: str) -> str:
    if value and not re.fullmatch(r"[0-9A-Fa-f]{64}", value):
        raise not_allowed("64 hexadecimal digits (32 bytes)")
    return value.lower()


def _plugin_password(value: str) -> str:
    if value.casefold() == "change me":
        raise not_allowed('any text but "change me", or empty to have one made')
    return value


class ServerSection(Section):
    """`[server]`: the process."""

    data_dir: FilePath = Field(default=Path("data"), validate_default=True)
    """Accounts, scores, objects and secrets; made on the first start."""
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    log_format: Literal["text", "json"] = "text"


class HttpSection(Section):
    """`[http]`: dashboard, uploads and downloads, metrics."""

    enabled: Flag = True
    host: Host = "127.0.0.1"
    port: Port = 8080
    public_url: Annotated[str, AfterValidator(_url)] = ""
    """What consoles are told for uploads and downloads; empty: derived from the address."""
    admin_password: str = Field(default="", repr=False)
    """Empty: the dashboard answers only on loopback."""


class TlsSection(Section):
    """`[connect.tls]`: certificate and key, both or neither."""

    cert: FilePath | None = None
    """The certificate, and those it was issued by, in PEM form; without it there is no TLS."""
    key: FilePath | None = None
    """Its private key, in PEM form, without a passphrase."""


class ConnectSection(Section):
    """`[connect]`: NekoConnect, the socket for plugins."""

    enabled: Flag = True
    host: Host = "127.0.0.1"
    port: Port = 10390
    password: Annotated[str, AfterValidator(_plugin_password)] = Field(default="", repr=False)
    """Empty: made on the first start and kept in the data directory."""
    allow_open: Flag = False
    """Serve without any password."""
    plugins_dir: FilePath = Field(default=Path("plugins"), validate_default=True)
    """Where plugins are, each in a folder of its own; it need not exist."""
    max_data: Positive = MIB
    """Bytes of data in one frame."""
    max_connections: Positive = 1000
    """Connections at a time."""
    max_waiting: Positive = 1000
    """Calls of one plugin that wait at a time."""
    auth_timeout: PositiveSeconds = 10.0
    """How long a client may take to authenticate."""
    idle_timeout: Seconds = 0.0
    """0: an idle connection stays."""
    plugin_timeout: PositiveSeconds = 30.0
    """How long one call of a plugin may work."""
    plugin_threads: Positive = 32
    """Threads of a plugin that does not say how many it wants."""
    rate_limit: Count = 0
    """Frames a second of one connection; 0: no limit."""
    send_queue: Positive = 4 * MIB
    """Bytes that may wait for a client that does not read."""
    send_timeout: PositiveSeconds = 30.0
    """How long a client may take nothing of them."""
    cell_size: Positive = MIB
    """Bytes of one value in a plugin's database."""
    database_size: Positive = 64 * MIB
    """Bytes of one plugin's database."""
    watch: Flag = False
    """Reload a plugin when its files change."""
    repositories: Annotated[
        tuple[Annotated[str, AfterValidator(_repository)], ...], BeforeValidator(split_list)
    ] = ()
    """Where `nekonex plugin` searches for plugins, and installs them from."""
    tls: TlsSection = TlsSection()


class S3Section(Section):
    """`[storage.s3]`."""

    endpoint: Annotated[str, AfterValidator(_url)] = ""
    """Empty: Amazon's."""
    bucket: str = ""
    region: str = ""
    access_key: str = Field(default="", repr=False)
    secret_key: str = Field(default="", repr=False)


class StorageSection(Section):
    """`[storage]`: where data lives."""

    documents: Annotated[str, _store("sqlite", "mongodb", "mongodb+srv")] = Field(
        default="sqlite", repr=False
    )
    rankings: Annotated[str, _store("sqlite", "redis", "rediss")] = Field(
        default="sqlite", repr=False
    )
    objects: Literal["local", "s3"] = "local"
    s3: S3Section = S3Section()


class GrpcSection(Section):
    """`[accounts.grpc]`: an account server of Pretendo's kind."""

    host: str = ""
    port: Port = 50051
    api_key: str = Field(default="", repr=False)


class AccountsSection(Section):
    """`[accounts]`: who may log in."""

    backend: Literal["local", "grpc"] = "local"
    grpc: GrpcSection = GrpcSection()


class LimitsSection(GameLimits):
    """`[game.limits]`: what one game lets its peers use."""

    max_connections: Positive = 50_000
    max_connections_per_address: Positive = 1024
    handshakes_per_second: Positive = 100
    """Of one address, counted after the signature was verified."""
    tracked_addresses: Positive = 65_536
    """Addresses whose rate is remembered; the least recent is forgotten first."""
    limit_loopback: Flag = False
    """Whether the limits of an address hold for this machine too."""
    max_message_size: Positive = MIB
    """Bytes of one reassembled message."""
    window: Positive = 64
    """Unacknowledged packets of a substream."""
    max_waiting_requests: Positive = 64
    """Requests of a connection that wait for their turn."""
    max_queued_bytes: Positive = 4 * MIB
    """Bytes that wait to be sent to a connection."""
    request_timeout: PositiveSeconds = 60.0
    """How long a request may be worked on before it answers Core::Timeout."""
    call_timeout: PositiveSeconds = 10.0
    """How long the server waits for a console's answer to a call."""
    report_max_bytes: Positive = 65_536
    reports_per_pid: Positive = 32
    max_gatherings: Positive = 65_536
    """Sessions and other gatherings, communities apart, that are open at a time."""
    unreachable_seconds: PositiveSeconds = 600.0
    """How long two players whose consoles could not reach each other are not matched again."""
    friends_seconds: PositiveSeconds = 10.0
    """How long a list of friends is believed before it is asked for again."""
    max_object_size: Positive = 16 * MIB
    """Bytes of one file in the data store."""
    max_objects: Positive = 1000
    """Objects that one player may have in the data store, unfinished ones too."""
    max_stored: Positive = 512 * MIB
    """Bytes of all files of one player in the data store."""
    unfinished_seconds: Positive = 10_800
    """How long an upload may take from its announcement to its completion."""


def _key(most: int, allowed: str) -> AfterValidator:
    def check(value: int) -> int:
        if not 0 <= value <= most:
            raise not_allowed(allowed)
        return value

    return AfterValidator(check)


def _setting_text(value: str) -> str:
    if len(value.encode("utf-8", "surrogatepass")) > MAX_SETTING_TEXT:
        raise not_allowed(f"texts of up to {MAX_SETTING_TEXT} bytes")
    return value


TableIndex = Annotated[int, _key(0xFFFFFFFF, "tables, by their numbers from 0 to 4294967295")]
SettingKey = Annotated[int, _key(0xFFFF, "settings, by their numbers from 0 to 65535")]
SettingText = Annotated[str, AfterValidator(_setting_text)]


class UtilitySection(Section):
    """`[game.utility]`: what consoles are answered that ask for a game's settings."""

    integer_settings: Mapping[TableIndex, Mapping[SettingKey, SInt32]] = {}
    """Tables of numbers: `{ "0" = { "1" = 5 } }` is setting 1 of table 0."""
    string_settings: Mapping[TableIndex, Mapping[SettingKey, SettingText]] = {}
    """Tables of texts likewise."""


class DataStoreSection(Section):
    """`[game.data_store]`: what players store for others."""

    review: Flag = False
    """Whether objects that ask for a review wait for it (`nekonex objects approve`)."""


class GameConfig(GameIdentity):
    """`[[game]]`: one game, after its title profile has filled what it leaves out."""

    name: Slug
    title: str = ""
    """The title profile; empty: none."""
    server: Annotated[str, AfterValidator(_server_class)] = "common"
    host: Host = "127.0.0.1"
    auth_port: Port = 1223
    secure_port: Port = 1224
    external_address: Annotated[str, AfterValidator(_external_address)] = "auto"
    guest: Flag = False
    token_key: Annotated[str, AfterValidator(_token_key)] = Field(default="", repr=False)
    """The AES key of login tokens in Pretendo's older format; empty: none are verified."""
    limits: LimitsSection = LimitsSection()
    utility: UtilitySection = UtilitySection()
    data_store: DataStoreSection = DataStoreSection()


class Document(Section):
    """The configuration file as a whole."""

    server: ServerSection = ServerSection()
    http: HttpSection = HttpSection()
    connect: ConnectSection = ConnectSection()
    storage: StorageSection = StorageSection()
    accounts: AccountsSection = AccountsSection()
    game: tuple[GameConfig, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A configuration that was loaded and checked."""

    file: Path | None
    """The file it came from; None for the built-in configuration."""
    variables: tuple[str, ...]
    """The environment variables that changed it."""
    server: ServerSection
    http: HttpSection
    connect: ConnectSection
    storage: StorageSection
    accounts: AccountsSection
    games: tuple[GameConfig, ...]

    def game(self, name: str) -> GameConfig:
        """Return the game of that name; KeyError if there is none."""
        for game in self.games:
            if game.name == name:
                return game
        raise KeyError(f"there is no game {name!r}")


def sections(document: Document) -> dict[str, Any]:
    """Return the parts of a document as arguments of `Config`."""
    parts = {name: getattr(document, name) for name in Document.model_fields}
    parts["games"] = parts.pop("game")
    return parts
