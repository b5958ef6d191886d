"""The value types of title profiles and of the configuration file.

A value that comes from an environment variable is text, so numbers are accepted as
text everywhere, and a list may be one text with commas. A validator refuses a value by
naming what is allowed; the configuration loader puts file, key and value before it.
"""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator
from pydantic_core import PydanticCustomError

from nekonex.settings import format_version, parse_version

__all__ = [
    "AccessKey",
    "Byte",
    "Count",
    "FragmentSize",
    "FunctionMask",
    "KeySize",
    "LegacySignature",
    "NexVersion",
    "PidSize",
    "Port",
    "Positive",
    "PositiveSeconds",
    "ResendLimit",
    "Seconds",
    "Section",
    "ServerId",
    "Slug",
    "Texts",
    "TitleId",
    "ZeroOrOne",
    "ZeroToTwo",
    "not_allowed",
    "split_list",
]


class Section(BaseModel):
    """A table of a TOML file: immutable, and without room for unknown keys."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def not_allowed(allowed: str) -> PydanticCustomError:
    """Return the error of a value that is refused, from the words for what is allowed."""
    return PydanticCustomError("not_allowed", "{allowed}", {"allowed": allowed})


def _no_bool(value: object) -> object:
    """Refuse true and false where a number is meant; pydantic would read 1 and 0."""
    if isinstance(value, bool):
        raise not_allowed("a number")
    return value


def split_list(value: object) -> object:
    """Read `a, b` as a list of two; anything but text passes unchanged."""
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def _access_key(value: str) -> str:
    # Hexadecimal for every game, and ridfebb9 for the friends server. The console
    # hashes the text, so upper case would be another key.
    if value and not re.fullmatch(r"[0-9a-f]{8}|ridfebb9", value):
        raise not_allowed("eight lower-case hexadecimal digits such as 25dbf96a")
    return value


def _hex_id(digits: int, example: str) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(rf"[0-9A-Fa-f]{{{digits}}}", value):
            raise not_allowed(f"{digits} hexadecimal digits such as {example}")
        return value.upper()

    return AfterValidator(check)


def _nex_version(value: object) -> str:
    allowed = "a NEX version such as 30504 or '3.5.4'"
    if not isinstance(value, str | int) or isinstance(value, bool):
        raise not_allowed(allowed)
    if value == "":
        return ""
    try:
        version = parse_version(value)
    except ValueError:
        raise not_allowed(allowed) from None
    if version < (0, 1, 0):
        raise not_allowed(allowed)
    return format_version(version)


def _legacy_signature(value: object) -> bool | str:
    text = str(value).lower()
    if text == "auto":
        return "auto"
    if text in {"true", "false"}:
        return text == "true"
    raise not_allowed("'auto', true or false")


def _one_of(*choices: int) -> AfterValidator:
    def check(value: int) -> int:
        if value not in choices:
            raise not_allowed(" or ".join(map(str, choices)))
        return value

    return AfterValidator(check)


def _slug(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]+([-_][A-Za-z0-9]+)*", value):
        raise not_allowed("letters and digits, joined by single dashes")
    return value


def _allowed(text: str) -> Any:
    """Attach the words that an error message uses for the range of a number."""
    return Field(json_schema_extra={"allowed": text})


_NUMBER: Final = BeforeValidator(_no_bool)

Port = Annotated[
    int, _NUMBER, Field(ge=0, le=65535), _allowed("a whole number from 0 to 65535 (0: any free)")
]
Byte = Annotated[int, _NUMBER, Field(ge=0, le=255), _allowed("a whole number from 0 to 255")]
FunctionMask = Annotated[
    int, _NUMBER, Field(ge=0, le=0xFFFFFF), _allowed("a whole number of 24 bits")
]
ResendLimit = Annotated[
    int, _NUMBER, Field(ge=0, le=1000), _allowed("a whole number from 0 to 1000")
]
FragmentSize = Annotated[
    int, _NUMBER, Field(ge=1, le=65000), _allowed("a whole number from 1 to 65000")
]
Count = Annotated[int, _NUMBER, Field(ge=0), _allowed("a whole number, 0 or more")]
Positive = Annotated[int, _NUMBER, Field(ge=1), _allowed("a whole number, 1 or more")]
Seconds = Annotated[
    float, _NUMBER, Field(ge=0, allow_inf_nan=False), _allowed("a number of seconds, 0 or more")
]
PositiveSeconds = Annotated[
    float, _NUMBER, Field(gt=0, allow_inf_nan=False), _allowed("a number of seconds above 0")
]
ZeroOrOne = Annotated[int, _NUMBER, _one_of(0, 1)]
ZeroToTwo = Annotated[int, _NUMBER, _one_of(0, 1, 2)]
KeySize = Annotated[int, _NUMBER, _one_of(16, 32)]
PidSize = Annotated[int, _NUMBER, _one_of(4, 8)]
AccessKey = Annotated[str, AfterValidator(_access_key)]
ServerId = Annotated[str, _hex_id(8, "1010EB00")]
TitleId = Annotated[str, _hex_id(16, "000500001010ED00")]
NexVersion = Annotated[str, PlainValidator(_nex_version)]
LegacySignature = Annotated[bool | Literal["auto"], PlainValidator(_legacy_signature)]
Slug = Annotated[str, AfterValidator(_slug)]
Texts = Annotated[tuple[str, ...], BeforeValidator(split_list)]
