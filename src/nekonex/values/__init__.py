"""Values that every layer shares: dates, station addresses, results and their names."""

from nekonex.values.datetimes import DateTime
from nekonex.values.errors import ERROR_CODES, ERROR_NAMES
from nekonex.values.results import Result, RMCError
from nekonex.values.stationurl import StationURL
from nekonex.values.unavailable import ServiceUnavailable

__all__ = [
    "ERROR_CODES",
    "ERROR_NAMES",
    "DateTime",
    "RMCError",
    "Result",
    "ServiceUnavailable",
    "StationURL",
]
