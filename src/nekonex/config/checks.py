"""What no single key can tell: ports that clash, settings that contradict each other."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from nekonex.config.environment import same_name
from nekonex.config.errors import Origin
from nekonex.config.models import Config, ConnectSection, Document, GameConfig
from nekonex.games.profiles import load_profile

__all__ = ["check", "config_warnings"]

FRAME_OVERHEAD: Final = 1024
"""More bytes than a frame of NekoConnect has besides its data."""

_WILDCARDS = {"", "0.0.0.0", "::"}  # noqa: S104
_LOOPBACK = {"localhost", "::1"}


def check(document: Document, origin: Origin) -> None:
    """Raise ConfigError for the first contradiction between keys."""
    _check_sections(document, origin)
    names: set[str] = set()
    for index, game in enumerate(document.game):
        if same_name(game.name) in names:
            raise origin.error(("game", index, "name"), "is given to two games; names are unique")
        names.add(same_name(game.name))
        _check_identity(index, game, origin)
        _check_tokens(index, game, document, origin)
        _check_limits(index, game, origin)
    _check_ports(document, origin)


def _check_sections(document: Document, origin: Origin) -> None:
    connect, storage, accounts = document.connect, document.storage, document.accounts
    if connect.allow_open and connect.password:
        raise origin.error(
            ("connect", "allow_open"), "is true although a password is set; choose one of the two"
        )
    if connect.send_queue < connect.max_data + FRAME_OVERHEAD:
        raise origin.error(
            ("connect", "send_queue"),
            f"is {connect.send_queue}; allowed: a frame, which is max_data ({connect.max_data}) "
            f"and {FRAME_OVERHEAD} bytes, or more",
        )
    if (connect.tls.cert is None) != (connect.tls.key is None):
        missing = "cert" if connect.tls.cert is None else "key"
        raise origin.error(("connect", "tls", missing), "is missing: TLS needs cert and key")
    if storage.objects == "s3" and not storage.s3.bucket:
        raise origin.error(("storage", "s3", "bucket"), 'is missing: storage.objects is "s3"')
    if bool(storage.s3.access_key) != bool(storage.s3.secret_key):
        missing = "secret_key" if storage.s3.access_key else "access_key"
        raise origin.error(("storage", "s3", missing), "is missing: the two keys go together")
    if accounts.backend == "grpc" and not accounts.grpc.host:
        raise origin.error(("accounts", "grpc", "host"), 'is missing: accounts.backend is "grpc"')


def _check_identity(index: int, game: GameConfig, origin: Origin) -> None:
    if not game.access_key:
        notes = load_profile(game.title).notes if game.title else ()
        hint = next((note for note in notes if "access key" in note), None)
        text = f"; {hint}" if hint else "; give it, or a title whose profile has it"
        raise origin.error(("game", index, "access_key"), f"is missing{text}")
    if not game.nex_version:
        raise origin.error(
            ("game", index, "nex_version"), "is missing; give it, or a title whose profile has it"
        )
    try:
        game.settings().transport()
    except ValueError as error:
        raise origin.error(("game", index), f"has settings that do not work: {error}") from None


def _check_tokens(index: int, game: GameConfig, document: Document, origin: Origin) -> None:
    can_verify = bool(game.token_key) or document.accounts.backend == "grpc"
    if game.require_token and not can_verify and game.server == "common":
        raise origin.error(
            ("game", index, "require_token"),
            "is true, but nothing can verify tokens; give token_key, "
            'accounts.backend = "grpc" or a server class of your own',
        )
    rules = game.login_rules(can_verify=can_verify)
    verifies = can_verify or rules.require_token
    if verifies and rules.login_without_token and rules.register_without_token:
        raise origin.error(
            ("game", index, "allow_register"),
            "is true although Login is accepted without a token: nobody would have to show one",
        )


def _check_limits(index: int, game: GameConfig, origin: Origin) -> None:
    limits = game.limits
    if limits.max_queued_bytes < limits.max_message_size:
        raise origin.error(
            ("game", index, "limits", "max_queued_bytes"),
            f"is {limits.max_queued_bytes}; allowed: max_message_size "
            f"({limits.max_message_size}) or more",
        )


@dataclass(frozen=True, slots=True)
class _Listener:
    kind: str
    host: str
    port: int
    location: tuple[str | int, ...]

    def clashes_with(self, other: "_Listener") -> bool:
        if self.kind != other.kind or self.port != other.port or self.port == 0:
            return False
        hosts = {"127.0.0.1" if host in _LOOPBACK else host for host in (self.host, other.host)}
        return len(hosts) == 1 or bool(hosts & _WILDCARDS)


def _listeners(document: Document) -> Iterator[_Listener]:
    if document.http.enabled:
        yield _Listener("TCP", document.http.host, document.http.port, ("http", "port"))
    if document.connect.enabled:
        yield _Listener("TCP", document.connect.host, document.connect.port, ("connect", "port"))
    for index, game in enumerate(document.game):
        for key in ("auth_port", "secure_port"):
            yield _Listener("UDP", game.host, getattr(game, key), ("game", index, key))


def _check_ports(document: Document, origin: Origin) -> None:
    seen: list[_Listener] = []
    for listener in _listeners(document):
        for other in seen:
            if listener.clashes_with(other):
                raise origin.error(
                    listener.location,
                    f"is {listener.port}, which {origin.key(other.location)} has already; "
                    "give each a port of its own, or 0 for any free one",
                )
        seen.append(listener)


def _is_loopback(host: str) -> bool:
    return host in {"127.0.0.1", *_LOOPBACK}


def config_warnings(config: Config) -> list[str]:
    """Return what is allowed but worth a second look, a sentence each."""
    found: list[str] = []
    http = config.http
    files_stay_here = http.enabled and not http.public_url and _is_loopback(http.host)
    for game in config.games:
        needs = load_profile(game.title).needs if game.title else ()
        if needs:
            quirks = ", ".join(needs)
            found.append(f"game {game.name}: real consoles will not connect, for want of {quirks}")
        if files_stay_here and not _is_loopback(game.host):
            found.append(
                f"game {game.name}: consoles can reach {game.host}, but neither upload nor "
                f"download anything: [http] host is {http.host}"
            )
        if game.guest and not _is_loopback(game.host):
            found.append(f"game {game.name}: guest lets anyone in who can reach {game.host}")
    found.extend(_connect_warnings(config.connect))
    return found


def _connect_warnings(connect: ConnectSection) -> Iterator[str]:
    if not connect.enabled or _is_loopback(connect.host):
        return
    if connect.allow_open:
        yield f"connect: allow_open lets anyone in who can reach {connect.host}"
    if connect.tls.cert is None:
        yield (
            f"connect: anyone on the way to {connect.host} can read and change what is sent, "
            "because [connect.tls] has no cert and key"
        )
