"""Station URLs: how consoles write down where they can be reached."""

from __future__ import annotations

import re
from typing import Final, Literal, NoReturn, Self, get_args, overload

__all__ = ["StationURL"]

MAX_LENGTH: Final = 1024
"""Characters in a station URL; console libraries keep them in buffers of about this size."""

MAX_ADDRESS_LENGTH: Final = 256
"""Characters in the address; a host name has at most 253."""

SCHEMES: Final = ("prudp", "prudps", "udp")

TextKey = Literal["address", "Uri", "Rsa", "Ra", "Ntrpa"]
TEXT_KEYS: Final = frozenset(get_args(TextKey))
"""Keys whose values are text."""

IntKey = Literal[
    "port", "stream", "sid", "PID", "CID", "type", "RVCID", "natm", "natf", "upnp", "pmp",
    "probeinit", "PRID", "fastproberesponse", "NodeID", "R", "Rsp", "Rp", "Tpt", "Pl", "Ntrpp",
]  # fmt: skip
INT_KEYS: Final = frozenset(get_args(IntKey))
"""Keys whose values are decimal numbers."""

_BEHIND_NAT: Final = 1
_PUBLIC: Final = 2

_INT: Final = re.compile(r"-?[0-9]{1,20}")


class StationURL:
    """An address with parameters, `prudps:/address=192.0.2.1;port=60000;PID=2;…`.

    Every parameter is kept as the text that was received, unknown ones too, in
    order; so `str(StationURL.parse(text)) == text` for every text that is accepted,
    the empty one apart.

    `url["port"]` gives an int for the keys that hold numbers, and text for all
    others. A well-known key that is absent is 0 or "", an unknown one a KeyError.
    Setting a value that would not survive the wire is a ValueError.
    """

    __slots__ = ("params", "scheme")

    scheme: str
    """`prudp`, `prudps` or `udp`."""

    params: dict[str, str]
    """All parameters in order, as text. Change them through item access, which checks."""

    def __init__(self, scheme: str = "prudp", **params: int | str) -> None:
        if scheme not in SCHEMES:
            raise ValueError(f"a station URL's scheme is one of {SCHEMES}, not {scheme!r}")
        self.scheme = scheme
        self.params = {}
        for key, value in params.items():
            self[key] = value

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a station URL; the empty string is the default one, `prudp:/`.

        Raise ValueError, with the reason, for anything that is not well formed: too
        long, another scheme, a section after `#`, a field that is not `key=value`, a
        field twice, a number that is none, a port above 65535.
        """
        if not text:
            return cls()
        if len(text) > MAX_LENGTH:
            raise ValueError(f"a station URL has at most {MAX_LENGTH} characters")
        scheme, separator, rest = text.partition(":/")
        if not separator or scheme not in SCHEMES:
            raise ValueError(f"a station URL begins with {', '.join(SCHEMES)} and ':/'")
        url = cls(scheme)
        if rest:
            url.params = _parse_params(rest)
        return url

    @property
    def address(self) -> tuple[str, int]:
        """Host and port; `("", 0)` where the URL has none."""
        return (self.params.get("address", ""), int(self.params.get("port", 0)))

    @property
    def is_public(self) -> bool:
        """Whether bit 1 of `type` is set."""
        return int(self.params.get("type", 0)) & _PUBLIC != 0

    @property
    def is_behind_nat(self) -> bool:
        """Whether bit 0 of `type` is set."""
        return int(self.params.get("type", 0)) & _BEHIND_NAT != 0

    def copy(self) -> Self:
        """Return an independent copy."""
        url = type(self)(self.scheme)
        url.params = dict(self.params)
        return url

    @overload
    def __getitem__(self, key: IntKey) -> int: ...

    @overload
    def __getitem__(self, key: TextKey) -> str: ...

    @overload
    def __getitem__(self, key: str) -> int | str: ...

    def __getitem__(self, key: str) -> int | str:
        if key in INT_KEYS:
            return int(self.params.get(key, 0))
        if key in TEXT_KEYS:
            return self.params.get(key, "")
        return self.params[key]

    def __setitem__(self, key: str, value: int | str) -> None:
        if not key or not (key.isascii() and key.isprintable()) or any(c in ";#= " for c in key):
            raise ValueError(f"{key!r} cannot be a key of a station URL")
        text = str(int(value)) if isinstance(value, int) else value
        if not isinstance(text, str):
            raise TypeError(f"the value of {key!r} must be an int or a str, not {value!r}")
        if not text.isprintable() or not text.isascii() or any(c in ";#=" for c in text):
            raise ValueError(f"{value!r} cannot be a value in a station URL")
        _check_value(key, text)
        changed = {**self.params, key: text}
        if len(_compose(self.scheme, changed)) > MAX_LENGTH:
            raise ValueError(f"a station URL has at most {MAX_LENGTH} characters")
        self.params = changed

    def __delitem__(self, key: str) -> None:
        del self.params[key]

    def __contains__(self, key: object) -> bool:
        return key in self.params

    def __eq__(self, other: object) -> bool:
        """Compare scheme and parameters; their order does not matter."""
        if not isinstance(other, StationURL):
            return NotImplemented
        return self.scheme == other.scheme and self.params == other.params

    def __hash__(self) -> NoReturn:
        raise TypeError("a StationURL can change and has no hash; use str(url) as a key")

    def __str__(self) -> str:
        return _compose(self.scheme, self.params)

    def __repr__(self) -> str:
        return f"StationURL({str(self)!r})"


def _compose(scheme: str, params: dict[str, str]) -> str:
    return f"{scheme}:/{';'.join([f'{key}={value}' for key, value in params.items()])}"


def _parse_params(text: str) -> dict[str, str]:
    if not (text.isascii() and text.isprintable()):
        raise ValueError("a station URL is made of printable ASCII characters")
    if "#" in text:
        raise ValueError("a station URL with a '#' section is not supported")
    params: dict[str, str] = {}
    for field in text.split(";"):
        key, separator, value = field.partition("=")
        if not separator or not key or "=" in value:
            raise ValueError(f"the field {field!r} of a station URL is not 'key=value'")
        if key in params:
            raise ValueError(f"the field {key!r} is in a station URL twice")
        if key in INT_KEYS or key == "address":
            _check_value(key, value)
        params[key] = value
    return params


def _check_value(key: str, text: str) -> None:
    if key == "address":
        if len(text) > MAX_ADDRESS_LENGTH:
            raise ValueError(f"an address has at most {MAX_ADDRESS_LENGTH} characters")
    elif key in INT_KEYS:
        if not (text.isdigit() and len(text) <= 20) and not _INT.fullmatch(text):
            raise ValueError(f"{key}={text!r} in a station URL is not a number")
        if key == "port" and not 0 <= int(text) <= 65535:
            raise ValueError(f"port {text} is not between 0 and 65535")
