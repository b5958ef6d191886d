"""What a game expects of the transport, the tickets and the structure encoding.

`Settings` is a flat table with the keys, types and defaults of NintendoClients'
settings object, so that code written for that library reads and writes it
unchanged. Three keys are our own:

- `prudp.legacy_signature`: "auto", True or False; whether a v1 CONNECT signed with
  an empty connection signature is accepted. "auto" lets the NEX version decide.
- `prudp.silence_timeout`: a peer is not given up before it has been silent for this
  many seconds, for titles that stop sending while they load; 0 leaves the decision
  to `prudp.resend_timeout` and `prudp.resend_limit` alone.
- `nex.versions`: versions that differ for one group of protocols, such as
  `{"ranking": "3.6.0"}`.

`Settings.transport()` checks every value and freezes them for the engine.
"""

import contextlib
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Protocol, Self

__all__ = [
    "Settings",
    "SettingsSource",
    "TransportSettings",
    "Version",
    "default",
    "format_version",
    "load",
    "parse_version",
    "version_code",
]

Version = tuple[int, int, int]
"""A NEX version as (major, minor, patch): compares correctly, 3.10 after 3.9."""

STRUCT_HEADER_SINCE: Final[Version] = (3, 5, 0)
CLIENT_VERSION_SINCE: Final[Version] = (4, 4, 0)


class SettingsSource(Protocol):
    """Any object that answers to the setting names, NintendoClients' settings included."""

    def __getitem__(self, key: str, /) -> Any:
        """Return the value of a setting."""


def parse_version(value: int | str | tuple[int, ...]) -> Version:
    """Read a NEX version: `30504`, `"30504"`, `"3.5.4"`, `"3.10"` or `(3, 5, 4)`.

    The numeric form has two decimal digits for the minor version and two for the
    patch: 31000 is 3.10.0. Raise ValueError for anything else.
    """
    if isinstance(value, bool | float):
        raise TypeError(f"{value!r} is not a NEX version; write 30504 or '3.5.4'")
    if isinstance(value, tuple):
        parts = value
    elif isinstance(value, str) and "." in value:
        texts = value.split(".")
        if not all(text.isascii() and text.isdecimal() for text in texts):
            raise ValueError(f"{value!r} is not a NEX version such as '3.5.4' or 30504")
        parts = tuple(int(text) for text in texts)
    else:
        if isinstance(value, str) and not (value.isascii() and value.isdecimal()):
            raise ValueError(f"{value!r} is not a NEX version such as '3.5.4' or 30504")
        code = int(value)
        parts = (code // 10000, code // 100 % 100, code % 100)
    if not 2 <= len(parts) <= 3 or not all(0 <= part <= 99 for part in parts):
        raise ValueError(f"{value!r} is not a NEX version: two or three parts from 0 to 99")
    return (parts[0], parts[1], parts[2] if len(parts) == 3 else 0)


def version_code(version: tuple[int, ...]) -> int:
    """Return the numeric form of a version: `(3, 5, 4)` is 30504."""
    major, minor, patch = parse_version(version)
    return major * 10000 + minor * 100 + patch


def format_version(version: int | str | tuple[int, ...]) -> str:
    """Return the dotted form of a version in any form: 31000 is `"3.10.0"`."""
    return ".".join(str(part) for part in parse_version(version))


@dataclass(frozen=True, slots=True, kw_only=True)
class TransportSettings:
    """The checked, immutable form of `Settings` that connections are made from."""

    access_key: str
    """The game's access key, as text (eight hexadecimal digits, or `ridfebb9`)."""
    version: int
    """0, 1, or 2 to tell both apart by the packet's magic number."""
    minor_version: int
    """The highest minor version that a v1 handshake negotiates."""
    supported_functions: int
    """The 24-bit function mask that a v1 handshake negotiates."""
    compression: int
    """0 none, 1 zlib."""
    encryption: int
    """Kept for NintendoClients' sake and without effect, there as here: UDP is always RC4."""
    resend_timeout: float
    """Seconds before an unacknowledged packet is sent again."""
    resend_limit: int
    """How often it is sent again before the connection is given up."""
    ping_timeout: float
    """Seconds without a packet before a ping is sent."""
    silence_timeout: float = 0.0
    """Seconds of silence before which a connection is never given up."""
    fragment_size: int
    """The largest payload of one packet, in bytes."""
    max_substream_id: int
    """The highest reliable substream; 1 means two substreams."""
    v0_signature_version: int
    """0 for the session-key signature of v0 DATA, 1 for the friends server's."""
    v0_flags_version: int
    """The layout of type and flags in v0: 1, or 0 for the oldest titles."""
    v0_checksum_version: int
    """1 for the one-byte v0 checksum, 0 for the four-byte one."""
    legacy_signature: bool | None
    """Whether the v1 legacy connection signature is used; None lets NEX < 3.5 decide."""
    session_key_size: int
    """Length of the ticket's session key in bytes: 16 or 32."""
    ticket_version: int
    """0 or 1: the layout of the ticket that only servers read."""
    key_derivation: int
    """0 for the iterated-MD5 password derivation of Wii U and 3DS, 1 for the later one."""
    pid_size: int
    """4 or 8 bytes."""
    nex_version: Version
    """The main NEX version; (0, 0, 0) when none was set."""
    struct_header: bool
    """Whether structures carry a revision and a length."""


_CHOICES: Final[Mapping[str, tuple[int, ...]]] = {
    "prudp.version": (0, 1, 2),
    "prudp.compression": (0, 1),
    "prudp.encryption": (0, 1),
    "prudp_v0.signature_version": (0, 1),
    "prudp_v0.flags_version": (0, 1),
    "prudp_v0.checksum_version": (0, 1),
    "kerberos.key_size": (16, 32),
    "kerberos.key_derivation": (0, 1),
    "kerberos.ticket_version": (0, 1),
    "nex.pid_size": (4, 8),
}

# The bounds are those of the fields on the wire; a fragment must fit in a UDP
# datagram together with the largest v1 header and its options.
_RANGES: Final[Mapping[str, tuple[int, int]]] = {
    "prudp.minor_version": (0, 0xFF),
    "prudp.supported_functions": (0, 0xFFFFFF),
    "prudp.resend_limit": (0, 1000),
    "prudp.fragment_size": (1, 65000),
    "prudp.max_substream_id": (0, 0xFF),
}

_SECONDS: Final[Mapping[str, bool]] = {
    # value: whether zero is allowed
    "prudp.resend_timeout": False,
    "prudp.ping_timeout": False,
    "prudp.silence_timeout": True,
}


def _to_version_code(value: int | str | tuple[int, ...]) -> int:
    return version_code(parse_version(value))


def _to_legacy_signature(value: object) -> str | bool:
    if isinstance(value, str):
        lowered = value.lower()
        if lowered == "auto":
            return "auto"
        if lowered in {"true", "false"}:
            return lowered == "true"
    elif isinstance(value, bool):
        return value
    raise ValueError(f"prudp.legacy_signature is {value!r}; allowed: 'auto', True, False")


def _to_versions(value: Mapping[str, int | str | tuple[int, ...]]) -> Mapping[str, str]:
    return MappingProxyType({str(key): format_version(each) for key, each in value.items()})


_CONVERTERS: Final[Mapping[str, Callable[[Any], Any]]] = {
    "nex.version": _to_version_code,
    "nex.client_version": int,
    "nex.struct_header": int,
    "nex.pid_size": int,
    "nex.versions": _to_versions,
    "prudp.access_key": str,
    "prudp.version": int,
    "prudp.minor_version": int,
    "prudp.supported_functions": int,
    "prudp.transport": int,
    "prudp.compression": int,
    "prudp.encryption": int,
    "prudp.resend_timeout": float,
    "prudp.resend_limit": int,
    "prudp.ping_timeout": float,
    "prudp.silence_timeout": float,
    "prudp.fragment_size": int,
    "prudp.max_substream_id": int,
    "prudp.legacy_signature": _to_legacy_signature,
    "prudp_v0.signature_version": int,
    "prudp_v0.flags_version": int,
    "prudp_v0.checksum_version": int,
    "kerberos.key_size": int,
    "kerberos.key_derivation": int,
    "kerberos.ticket_version": int,
}

# The values are facts of NintendoClients' default, 3ds and friends configurations;
# tests/interop/test_settings.py compares them with that library.
_DEFAULT: Final[Mapping[str, Any]] = {
    "nex.version": 0,
    "nex.client_version": 0,
    "nex.pid_size": 4,
    "nex.versions": MappingProxyType({}),
    "prudp.access_key": "",
    "prudp.version": 2,
    "prudp.minor_version": 4,
    "prudp.supported_functions": 0,
    "prudp.transport": 0,
    "prudp.compression": 0,
    "prudp.encryption": 1,
    "prudp.resend_timeout": 1.0,
    "prudp.resend_limit": 2,
    "prudp.ping_timeout": 5.0,
    "prudp.silence_timeout": 0.0,
    "prudp.fragment_size": 1300,
    "prudp.max_substream_id": 0,
    "prudp.legacy_signature": "auto",
    "prudp_v0.signature_version": 0,
    "prudp_v0.flags_version": 1,
    "prudp_v0.checksum_version": 1,
    "kerberos.key_size": 32,
    "kerberos.key_derivation": 0,
    "kerberos.ticket_version": 1,
}

_PRESETS: Final[Mapping[str, Mapping[str, Any]]] = {
    "default": {},
    "3ds": {"prudp.version": 0, "prudp.fragment_size": 962},
    "friends": {
        "prudp.version": 0,
        "prudp.fragment_size": 962,
        "prudp_v0.signature_version": 1,
        "kerberos.key_size": 16,
    },
}


class Settings:
    """A game's settings by name: `settings["prudp.access_key"]`.

    Reading or writing a name that does not exist raises KeyError; a value of the
    wrong type raises ValueError or TypeError. Numbers may be given as text.
    """

    __slots__ = ("_values",)

    TRANSPORT_UDP: Final = 0
    TRANSPORT_TCP: Final = 1
    TRANSPORT_WEBSOCKET: Final = 2
    COMPRESSION_NONE: Final = 0
    COMPRESSION_ZLIB: Final = 1
    ENCRYPTION_NONE: Final = 0
    ENCRYPTION_RC4: Final = 1

    def __init__(self, preset: str = "default") -> None:
        self._values: dict[str, Any] = {}
        self.load(preset)

    def __getitem__(self, name: str) -> Any:
        if name == "nex.struct_header" and name not in self._values:
            return int(self.nex_version >= STRUCT_HEADER_SINCE)
        return self._values[name]

    def __setitem__(self, name: str, value: object) -> None:
        converter = _CONVERTERS.get(name)
        if converter is None:
            raise KeyError(f"Unknown setting: {name}")
        self._values[name] = converter(value)

    def __repr__(self) -> str:
        """Name the game by its NEX version only: an access key stays out of logs."""
        return f"<Settings nex={format_version(self['nex.version'])}>"

    @classmethod
    def from_mapping(cls, source: SettingsSource) -> Self:
        """Make settings from any object with item access by the same names.

        Names that the source does not have keep their defaults. A
        `nex.struct_header` of 0 counts as never set, because NintendoClients has
        no other way to say so; with `prudp.version` 0 it means what it says, because
        v0 negotiates nothing that could switch the headers on. A mapping with a name
        that does not exist raises KeyError.
        """
        settings = cls()
        if isinstance(source, Settings):
            settings._values = source.as_dict()
            return settings
        if isinstance(source, Mapping) and (unknown := sorted(source.keys() - _CONVERTERS.keys())):
            raise KeyError(f"Unknown setting: {unknown[0]}")
        for name in _CONVERTERS:
            with contextlib.suppress(KeyError):
                settings[name] = source[name]
        if not settings._values.get("nex.struct_header") and settings["prudp.version"] != 0:
            settings._values.pop("nex.struct_header", None)
        return settings

    @property
    def nex_version(self) -> Version:
        """The main NEX version; (0, 0, 0) when none was set."""
        return parse_version(self._values["nex.version"])

    @property
    def nex_versions(self) -> Mapping[str, Version]:
        """The versions of the protocol groups that differ from the main one."""
        return {key: parse_version(text) for key, text in self._values["nex.versions"].items()}

    @property
    def struct_header(self) -> bool:
        """Whether structures carry a header: as set, else from NEX 3.5 on."""
        return bool(self["nex.struct_header"])

    def configure(
        self,
        access_key: str,
        nex_version: int | str | tuple[int, ...],
        client_version: int | None = None,
    ) -> None:
        """Set what every game needs: its access key and its NEX version.

        Raise ValueError if `client_version` is missing for NEX 4.4 or later, whose
        login sends it.
        """
        version = parse_version(nex_version)
        if version >= CLIENT_VERSION_SINCE and client_version is None:
            raise ValueError("NEX 4.4.0 or later requires client version")
        self["prudp.access_key"] = access_key
        self["nex.version"] = version
        if version >= CLIENT_VERSION_SINCE:
            self["nex.client_version"] = client_version

    def load(self, preset: str) -> None:
        """Apply a preset over the current values: "default", "3ds" or "friends".

        "default" resets everything, so that a struct header set earlier is forgotten.
        Raise ValueError for any other name.
        """
        try:
            values = _PRESETS[preset]
        except KeyError:
            known = ", ".join(_PRESETS)
            raise ValueError(f"there is no preset {preset!r}; known presets: {known}") from None
        if not self._values or preset == "default":
            self._values = dict(_DEFAULT)
        self._values.update(values)

    def reset(self) -> None:
        """Go back to the defaults."""
        self.load("default")

    def as_dict(self) -> dict[str, Any]:
        """Return the values by name; `nex.struct_header` is there only if it was set."""
        return dict(self._values)

    def copy(self) -> Self:
        """Return an independent copy."""
        return type(self).from_mapping(self)

    def transport(self) -> TransportSettings:
        """Check every value and return them frozen.

        Raise ValueError, naming the setting, for a transport other than UDP and for
        a value out of range.
        """
        self._check()
        values = self._values
        legacy = values["prudp.legacy_signature"]
        return TransportSettings(
            access_key=values["prudp.access_key"],
            version=values["prudp.version"],
            minor_version=values["prudp.minor_version"],
            supported_functions=values["prudp.supported_functions"],
            compression=values["prudp.compression"],
            encryption=values["prudp.encryption"],
            resend_timeout=values["prudp.resend_timeout"],
            resend_limit=values["prudp.resend_limit"],
            ping_timeout=values["prudp.ping_timeout"],
            silence_timeout=values["prudp.silence_timeout"],
            fragment_size=values["prudp.fragment_size"],
            max_substream_id=values["prudp.max_substream_id"],
            v0_signature_version=values["prudp_v0.signature_version"],
            v0_flags_version=values["prudp_v0.flags_version"],
            v0_checksum_version=values["prudp_v0.checksum_version"],
            legacy_signature=None if legacy == "auto" else legacy,
            session_key_size=values["kerberos.key_size"],
            ticket_version=values["kerberos.ticket_version"],
            key_derivation=values["kerberos.key_derivation"],
            pid_size=values["nex.pid_size"],
            nex_version=self.nex_version,
            struct_header=self.struct_header,
        )

    def _check(self) -> None:
        values = self._values
        if values["prudp.transport"] != self.TRANSPORT_UDP:
            raise ValueError(
                f"prudp.transport is {values['prudp.transport']}; only 0 (UDP) is supported"
            )
        for name, choices in _CHOICES.items():
            if values[name] not in choices:
                allowed = ", ".join(map(str, choices))
                raise ValueError(f"{name} is {values[name]}; allowed: {allowed}")
        for name, (low, high) in _RANGES.items():
            if not low <= values[name] <= high:
                raise ValueError(f"{name} is {values[name]}; allowed: {low} to {high}")
        for name, zero_allowed in _SECONDS.items():
            seconds = values[name]
            if not math.isfinite(seconds) or seconds < 0 or not (seconds or zero_allowed):
                raise ValueError(f"{name} is {seconds}; allowed: a number of seconds above 0")


def default() -> Settings:
    """Return new settings with the defaults."""
    return Settings()


def load(preset: str) -> Settings:
    """Return new settings from a preset: "default", "3ds" or "friends"."""
    return Settings(preset)
