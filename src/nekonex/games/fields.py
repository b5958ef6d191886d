"""The value types of title profiles and of the configuration file.

A value that comes from an environment variable is text (`EnvironmentText`), so there
numbers, true and false are read from text, and a list is one text with commas. In a file
each has its own type. A validator refuses a value by naming what is allowed; the
configuration loader puts file, key and value before it.
"""

import re
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, PlainValidator
from pydantic_core import PydanticCustomError

from nekonex.settings import format_version, parse_version

__all__ = [
    "AccessKey",
    "Attribute",
    "Byte",
    "Count",
    "EnvironmentText",
    "Flag",
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
    "SInt32",
    "Seconds",
    "Section",
    "ServerId",
    "Slug",
    "Texts",
    "TitleId",
    "UInt32",
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


class EnvironmentText(str):
    """The value of an environment variable, which may stand for a number, true or false."""

    __slots__ = ()


def _whole(value: object) -> object:
    """Refuse what pydantic would read as a whole number although it is something else."""
    if isinstance(value, bool | float) or _is_quoted(value):
        raise not_allowed("a whole number")
    return value


def _number(value: object) -> object:
    """Refuse what pydantic would read as a number although it is something else."""
    if isinstance(value, bool) or _is_quoted(value):
        raise not_allowed("a number")
    return value


def _truth(value: object) -> object:
    """Refuse what pydantic would read as true or false although it is something else."""
    if not isinstance(value, bool | EnvironmentText):
        raise not_allowed("true or false")
    return value


def _is_quoted(value: object) -> bool:
    return isinstance(value, str) and not isinstance(value, EnvironmentText)


def split_list(value: object) -> object:
    """Read an environment variable `a, b` as a list of two; other values pass unchanged."""
    if isinstance(value, EnvironmentText):
        return [EnvironmentText(part.strip()) for part in value.split(",") if part.strip()]
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


def _up_to(most: int, allowed: str) -> AfterValidator:
    def check(value: int) -> int:
        if not 0 <= value <= most:
            raise not_allowed(allowed)
        return value

    return AfterValidator(check)


def _signed(value: int) -> int:
    if not -(1 << 31) <= value < 1 << 31:
        raise not_allowed("a whole number from -2147483648 to 2147483647")
    return value


def _positive(value: int) -> int:
    if value < 1:
        raise not_allowed("a whole number, 1 or more")
    return value


def _slug(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]+([-_][A-Za-z0-9]+)*", value):
        raise not_allowed("letters and digits, joined by single dashes")
    return value


def _allowed(text: str) -> Any:
    """Attach the words that an error message uses for the range of a number."""
    return Field(json_schema_extra={"allowed": text})


_WHOLE: Final = BeforeValidator(_whole)
_NUMBER: Final = BeforeValidator(_number)

Flag = Annotated[bool, BeforeValidator(_truth)]

Port = Annotated[
    int, _WHOLE, Field(ge=0, le=65535), _allowed("a whole number from 0 to 65535 (0: any free)")
]
Byte = Annotated[int, _WHOLE, Field(ge=0, le=255), _allowed("a whole number from 0 to 255")]
Attribute = Annotated[int, _WHOLE, _up_to(5, "the number of an attribute, 0 to 5")]
UInt32 = Annotated[int, _WHOLE, _up_to(0xFFFFFFFF, "a whole number from 0 to 4294967295")]
SInt32 = Annotated[int, _WHOLE, AfterValidator(_signed)]
FunctionMask = Annotated[
    int, _WHOLE, Field(ge=0, le=0xFFFFFF), _allowed("a whole number of 24 bits")
]
ResendLimit = Annotated[
    int, _WHOLE, Field(ge=0, le=1000), _allowed("a whole number from 0 to 1000")
]
FragmentSize = Annotated[
    int, _WHOLE, Field(ge=1, le=65000), _allowed("a whole number from 1 to 65000")
]
Count = Annotated[int, _WHOLE, Field(ge=0), _allowed("a whole number, 0 or more")]
Positive = Annotated[int, _WHOLE, AfterValidator(_positive)]
Seconds = Annotated[
    float, _NUMBER, Field(ge=0, allow_inf_nan=False), _allowed("a number of seconds, 0 or more")
]
PositiveSeconds = Annotated[
    float, _NUMBER, Field(gt=0, allow_inf_nan=False), _allowed("a number of seconds above 0")
]
ZeroOrOne = Annotated[int, _WHOLE, _one_of(0, 1), _allowed("0 or 1")]
ZeroToTwo = Annotated[int, _WHOLE, _one_of(0, 1, 2), _allowed("0 or 1 or 2")]
KeySize = Annotated[int, _WHOLE, _one_of(16, 32), _allowed("16 or 32")]
PidSize = Annotated[int, _WHOLE, _one_of(4, 8), _allowed("4 or 8")]
AccessKey = Annotated[str, AfterValidator(_access_key)]
ServerId = Annotated[str, _hex_id(8, "1010EB00")]
TitleId = Annotated[str, _hex_id(16, "000500001010ED00")]
NexVersion = Annotated[str, PlainValidator(_nex_version)]
LegacySignature = Annotated[bool | Literal["auto"], PlainValidator(_legacy_signature)]
Slug = Annotated[str, AfterValidator(_slug)]
Texts = Annotated[tuple[str, ...], BeforeValidator(split_list)]
