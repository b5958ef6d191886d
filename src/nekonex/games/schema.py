"""What is known of a game, in the form of a profile file and of a `[[game]]` section.

Both have the same keys: a profile only fills what the configuration leaves out.
"""

import math
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, PlainValidator

from nekonex.domain.matchmaking.search.query import parse_filter
from nekonex.domain.ranking import Period, RankingRules
from nekonex.games.fields import (
    AccessKey,
    Attribute,
    Byte,
    Count,
    EnvironmentText,
    Flag,
    FragmentSize,
    FunctionMask,
    KeySize,
    LegacySignature,
    NexVersion,
    PidSize,
    Positive,
    PositiveSeconds,
    ResendLimit,
    Seconds,
    Section,
    ServerId,
    Slug,
    Texts,
    TitleId,
    UInt32,
    ZeroOrOne,
    ZeroToTwo,
    not_allowed,
    split_list,
)
from nekonex.games.protocol_names import PROTOCOL_IDS, PROTOCOL_VARIANTS
from nekonex.settings import Settings, default

__all__ = [
    "ForceCriteria",
    "ForceSection",
    "ForceSessions",
    "ForceTemplate",
    "GameIdentity",
    "GameLimits",
    "KerberosSection",
    "LoginRules",
    "NexSection",
    "NexVersionsSection",
    "PrudpSection",
    "PrudpV0Section",
    "RankingSection",
    "TitleProfile",
]

# A game whose structures have no header must not negotiate more: clients that decide
# by the minor version alone, as NintendoClients does, would expect one from 3 on.
MINOR_VERSION_WITHOUT_HEADER = 2


def _only_udp(value: int) -> int:
    if value != 0:
        raise not_allowed("0 (UDP); the other transports are Switch-only")
    return value


class PrudpSection(Section):
    """The transport; names and meaning as in NintendoClients' settings."""

    transport: Annotated[int, AfterValidator(_only_udp)] = 0
    version: ZeroToTwo = 2
    minor_version: Byte = 4
    supported_functions: FunctionMask = 0
    compression: ZeroOrOne = 0
    encryption: ZeroOrOne = 1
    resend_timeout: PositiveSeconds = 1.0
    resend_limit: ResendLimit = 2
    ping_timeout: PositiveSeconds = 5.0
    silence_timeout: Seconds = 0.0
    fragment_size: FragmentSize = 1300
    max_substream_id: Byte = 0


class PrudpV0Section(Section):
    """What differs between users of PRUDP v0."""

    signature_version: ZeroOrOne = 0
    flags_version: ZeroOrOne = 1
    checksum_version: ZeroOrOne = 1


class KerberosSection(Section):
    """Tickets and keys."""

    key_size: KeySize = 32
    key_derivation: ZeroOrOne = 0
    ticket_version: ZeroOrOne = 1


class NexSection(Section):
    """The encoding of structures."""

    struct_header: Flag | None = None
    """Whether structures carry a header; None: from NEX 3.5 on."""
    pid_size: PidSize = 4
    client_version: Count = 0


class NexVersionsSection(Section):
    """Versions of groups of protocols that differ from the game's `nex_version`."""

    datastore: NexVersion = ""
    matchmaking: NexVersion = ""
    messaging: NexVersion = ""
    nat_traversal: NexVersion = ""
    ranking: NexVersion = ""
    ranking2: NexVersion = ""
    utility: NexVersion = ""


def _attribute(value: int) -> int:
    if not 0 <= value <= 5:
        raise not_allowed("attributes, by their numbers from 0 to 5")
    return value


def _criterion(value: str) -> str:
    wanted = parse_filter(value)
    if wanted is not None and not wanted.ranges:
        raise not_allowed('a criterion that a number can meet, such as "5", "1,8" or ""')
    return value


AttributeKey = Annotated[int, AfterValidator(_attribute)]


class ForceCriteria(Section):
    """Written into every search criterion before the search."""

    attributes: Mapping[AttributeKey, Annotated[str, AfterValidator(_criterion)]] = {}


class ForceTemplate(Section):
    """Written into the session that a console passes to AutoMatchmake, before the search.

    That is where it looks for sessions like that one: with criteria the session is left alone.
    """

    attributes: Mapping[AttributeKey, UInt32] = {}
    game_mode: UInt32 | None = None
    clear: Annotated[
        tuple[Literal["matchmake_param", "application_buffer"], ...], BeforeValidator(split_list)
    ] = ()


class ForceSessions(Section):
    """Written into stored sessions, of one game mode or of all."""

    game_mode: UInt32 | None = None
    open_participation: Flag | None = None
    user_password_enabled: Flag | None = None


class ForceSection(Section):
    """What the server writes over what consoles send, and when."""

    criteria: ForceCriteria = ForceCriteria()
    template: ForceTemplate = ForceTemplate()
    created: ForceSessions = ForceSessions()
    """Applied to each session after it was created."""
    matched: ForceSessions = ForceSessions()
    """Applied to the stored sessions before a search by criteria that is to join one."""


def _category(value: int) -> int:
    if not 0 <= value <= 0xFFFFFFFF:
        raise not_allowed("categories, by their numbers from 0 to 4294967295")
    return value


def _time_scope(value: int) -> int:
    if value not in {0, 1}:
        raise not_allowed("time scopes 0 and 1")
    return value


def _window(value: object) -> Period | float:
    periods = {each.value: each for each in Period}
    if isinstance(value, str) and value in periods:
        return periods[value]
    if isinstance(value, EnvironmentText):
        with suppress(ValueError):
            value = float(value)
    if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf:
        return float(value)
    raise not_allowed("'day', 'week', 'month', or a number of seconds above 0")


CategoryKey = Annotated[int, AfterValidator(_category)]
TimeScopeKey = Annotated[int, AfterValidator(_time_scope)]
Window = Annotated[Period | float, PlainValidator(_window)]


class RankingSection(Section):
    """`[game.ranking]`: which scores are better, since when they count, what is shown with them."""

    order: Literal["upload", "ascending", "descending"] = "upload"
    """Which scores are better in every category; "upload": as its first upload says."""
    categories: Mapping[CategoryKey, Literal["ascending", "descending"]] = {}
    """Which scores are better in single categories: `{ "5" = "ascending" }`."""
    time_scopes: Mapping[TimeScopeKey, Window] = {}
    """Since when scores count in time scopes 0 and 1: since the beginning of the day, week or
    month (UTC), or for a number of seconds. One that is not here is all time."""
    max_common_data: Positive = 255
    """Bytes that players may have shown with their scores."""
    common_data_size: Positive | None = None
    """Bytes that it must be, where the game has a fixed size."""

    def rules(self) -> RankingRules:
        """Return the rules that these keys stand for."""
        return RankingRules(
            descending=None if self.order == "upload" else self.order == "descending",
            categories={key: order == "descending" for key, order in self.categories.items()},
            windows=dict(self.time_scopes),
            common_data_size=self.common_data_size,
            max_common_data=self.max_common_data,
        )


class GameLimits(Section):
    """What games differ in that they let their players use."""

    max_owned_communities: Positive = 4
    """Communities that one player may found."""
    max_joined_communities: Positive = 16
    """Communities that one player may be a member of."""


def _known_protocols(names: tuple[str, ...]) -> tuple[str, ...]:
    for name in names:
        if name not in PROTOCOL_IDS:
            raise not_allowed(f"any of {', '.join(PROTOCOL_IDS)} ({name!r} is none of them)")
    return names


def _known_variants(variants: Mapping[str, str]) -> Mapping[str, str]:
    for protocol, variant in variants.items():
        known = PROTOCOL_VARIANTS.get(protocol)
        if known is None:
            raise not_allowed(f"variants of {', '.join(PROTOCOL_VARIANTS)} (not of {protocol!r})")
        if variant not in known:
            raise not_allowed(f"{' or '.join(sorted(known))} for {protocol}")
    return variants


@dataclass(frozen=True, slots=True)
class LoginRules:
    """What a game accepts from players who show no token."""

    require_token: bool
    """Whether every player must show a valid one, in LoginEx or in RegisterEx."""
    login_without_token: bool
    register_without_token: bool


class GameIdentity(Section):
    """The keys that a profile file and a `[[game]]` section share."""

    server_ids: Annotated[tuple[ServerId, ...], BeforeValidator(split_list)] = ()
    """What consoles and account servers call this game."""
    title_ids: Annotated[tuple[TitleId, ...], BeforeValidator(split_list)] = ()
    access_key: AccessKey = ""
    nex_version: NexVersion = ""
    build_string: str = "nekonex"
    """The server name of the login reply; only Monster Hunter 4 is known to check it."""
    legacy_signature: LegacySignature = "auto"
    crossplay: Flag = False
    """Whether the login structures of NEX 4 carry the platform fields of crossplay."""
    require_token: Flag | None = None
    """Whether every player must show a valid token; None: where tokens can be verified."""
    allow_login: Flag = False
    """Accept Login, which carries no token: the game shows its token in RegisterEx."""
    allow_register: Flag | None = None
    """Accept Register, which carries no token; None: where LoginEx has shown one."""
    token_title_ids: Annotated[tuple[TitleId, ...], BeforeValidator(split_list)] = ()
    """Titles that a token may be for; empty: any of `title_ids`."""
    ignore_attributes: Annotated[tuple[Attribute, ...], BeforeValidator(split_list)] = ()
    """Attributes that a search by criteria does not look at."""
    ignore_closing_by_others: Flag = False
    """Whether CloseParticipation by others than the owner succeeds, and changes nothing."""
    protocols: Annotated[Texts, AfterValidator(_known_protocols)] = ()
    """What the game is known to use; a server answers the others too."""
    variants: Annotated[Mapping[str, str], AfterValidator(_known_variants)] = {}
    """Protocols with methods of the game's own, in place of later generic ones."""
    force: ForceSection = ForceSection()
    ranking: RankingSection = RankingSection()
    limits: GameLimits = GameLimits()
    prudp: PrudpSection = PrudpSection()
    prudp_v0: PrudpV0Section = PrudpV0Section()
    kerberos: KerberosSection = KerberosSection()
    nex: NexSection = NexSection()
    nex_versions: NexVersionsSection = NexVersionsSection()

    def login_rules(self, *, can_verify: bool) -> LoginRules:
        """Return the rules that follow from the keys on tokens.

        `can_verify` says whether there is anything that tells a good token from a bad
        one; without it a token proves nothing, and none is demanded unless the
        configuration says so.
        """
        required = can_verify if self.require_token is None else self.require_token
        login = self.allow_login or not required
        register = self.allow_register
        if register is None:
            register = not (login and (can_verify or required))
        return LoginRules(required, login, register)

    def settings(self) -> Settings:
        """Return the engine's settings for this game; what is not given is the default."""
        result = default()
        result["prudp.access_key"] = self.access_key
        result["nex.version"] = self.nex_version or 0
        result["nex.versions"] = self.nex_versions.model_dump(exclude_defaults=True)
        result["prudp.legacy_signature"] = self.legacy_signature
        for prefix in ("prudp", "prudp_v0", "kerberos", "nex"):
            section: Section = getattr(self, prefix)
            for key, value in section.model_dump(exclude_unset=True, exclude_none=True).items():
                result[f"{prefix}.{key}"] = value
        if not result.struct_header and "minor_version" not in self.prudp.model_fields_set:
            result["prudp.minor_version"] = MINOR_VERSION_WITHOUT_HEADER
        return result


class TitleProfile(GameIdentity):
    """A title profile: a game's identity, and where it is known from."""

    slug: Slug
    full_title: str
    platforms: tuple[Literal["Wii U", "3DS"], ...]
    sources: tuple[str, ...]
    notes: tuple[str, ...] = ()
    needs: tuple[
        Literal[
            "encrypted_connect",
            "hpp",
            "old_stream_type",
            "quazal_rc4",
            "v0_legacy_data_signature",
        ],
        ...,
    ] = ()
    """What the game's transport needs and this server does not have yet."""
