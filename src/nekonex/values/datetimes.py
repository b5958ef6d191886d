"""The 64-bit calendar date of NEX."""

from __future__ import annotations

import datetime as dt
from typing import Final, NoReturn, Self

__all__ = ["DateTime"]

_LIMIT: Final = 1 << 64
_YEAR_LIMIT: Final = 1 << 38


class DateTime:
    """A date and time in UTC, as the bit field that is sent.

    From the lowest bit: second (6 bits), minute (6), hour (5), day (5), month (4)
    and year (the rest). Every 64-bit value is a `DateTime`, because consoles send
    values that are no date: 0 for "never", for one. `to_datetime` is where that
    shows. Immutable, and ordered by `value`, which is the order of the dates too.
    """

    __slots__ = ("value",)

    value: int
    """The bit field."""

    def __init__(self, value: int) -> None:
        if not 0 <= value < _LIMIT:
            raise ValueError(f"a DateTime has 64 bits; {value} does not fit")
        object.__setattr__(self, "value", value)

    @classmethod
    def make(
        cls,
        year: int,
        month: int = 1,
        day: int = 1,
        hour: int = 0,
        minute: int = 0,
        second: int = 0,
    ) -> Self:
        """Build a date from its parts; raise ValueError for a part that its bits cannot hold.

        Whether the parts are a date of the calendar is not checked.
        """
        if not (
            0 <= year < _YEAR_LIMIT
            and 0 <= month < 16
            and 0 <= day < 32
            and 0 <= hour < 32
            and 0 <= minute < 64
            and 0 <= second < 64
        ):
            parts = (year, month, day, hour, minute, second)
            raise ValueError(f"a part of the date {parts} does not fit its bits")
        return cls(second | minute << 6 | hour << 12 | day << 17 | month << 22 | year << 26)

    @classmethod
    def never(cls) -> Self:
        """Return the value that stands for no date: 0."""
        return cls(0)

    @classmethod
    def future(cls) -> Self:
        """Return the last second of the year 9999, which stands for "does not end"."""
        return cls.make(9999, 12, 31, 23, 59, 59)

    @classmethod
    def from_timestamp(cls, timestamp: float) -> Self:
        """Convert seconds since 1970, dropping the fraction.

        Raise ValueError or OverflowError for a time that `datetime` cannot express.
        """
        return cls.from_datetime(dt.datetime.fromtimestamp(timestamp, dt.UTC))

    @classmethod
    def from_datetime(cls, moment: dt.datetime) -> Self:
        """Convert an aware `datetime`; raise ValueError for a naive one, whose zone is unknown."""
        if moment.tzinfo is None:
            raise ValueError("a datetime without a time zone cannot become a DateTime")
        utc = moment.astimezone(dt.UTC)
        return cls.make(utc.year, utc.month, utc.day, utc.hour, utc.minute, utc.second)

    @property
    def year(self) -> int:
        """The year."""
        return self.value >> 26

    @property
    def month(self) -> int:
        """The month, 1 to 12 in a real date."""
        return self.value >> 22 & 15

    @property
    def day(self) -> int:
        """The day of the month, 1 to 31 in a real date."""
        return self.value >> 17 & 31

    @property
    def hour(self) -> int:
        """The hour, 0 to 23 in a real date."""
        return self.value >> 12 & 31

    @property
    def minute(self) -> int:
        """The minute, 0 to 59 in a real date."""
        return self.value >> 6 & 63

    @property
    def second(self) -> int:
        """The second, 0 to 59 in a real date."""
        return self.value & 63

    def to_datetime(self) -> dt.datetime:
        """Return the aware UTC `datetime`; raise ValueError if the bits are no date."""
        if self.year > dt.MAXYEAR:
            raise ValueError(f"there is no year {self.year}")
        return dt.datetime(
            self.year,
            self.month,
            self.day,
            self.hour,
            self.minute,
            self.second,
            tzinfo=dt.UTC,
        )

    def timestamp(self) -> int:
        """Return the seconds since 1970; raise ValueError if the bits are no date."""
        return int(self.to_datetime().timestamp())

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"a DateTime is immutable; {name} cannot be set")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"a DateTime is immutable; {name} cannot be deleted")

    def __reduce__(self) -> tuple[type[DateTime], tuple[int]]:
        return (type(self), (self.value,))

    def __copy__(self) -> Self:
        return self

    def __deepcopy__(self, memo: object) -> Self:
        return self

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, DateTime):
            return NotImplemented
        return self.value == other.value

    def __hash__(self) -> int:
        return hash((DateTime, self.value))

    def __lt__(self, other: DateTime) -> bool:
        if not isinstance(other, DateTime):
            return NotImplemented
        return self.value < other.value

    def __le__(self, other: DateTime) -> bool:
        if not isinstance(other, DateTime):
            return NotImplemented
        return self.value <= other.value

    def __gt__(self, other: DateTime) -> bool:
        if not isinstance(other, DateTime):
            return NotImplemented
        return self.value > other.value

    def __ge__(self, other: DateTime) -> bool:
        if not isinstance(other, DateTime):
            return NotImplemented
        return self.value >= other.value

    def __str__(self) -> str:
        return (
            f"{self.year:04}-{self.month:02}-{self.day:02} "
            f"{self.hour:02}:{self.minute:02}:{self.second:02}"
        )

    def __repr__(self) -> str:
        return f"DateTime({self.value}, {str(self)!r})"
