"""What consoles are told when the rules of the data store refuse something.

Codes as nex-protocols-common-go answers them. A lock has a code of its own, AlreadyLocked, but
what is known of the original answers OperationNotAllowed to who may not rate again yet.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.values import Result, RMCError

__all__ = ["REFUSAL_NAMES", "SUCCESS", "error_of", "results_of"]

REFUSAL_NAMES: Final[dict[Refusal, str]] = {
    Refusal.INVALID: "DataStore::InvalidArgument",
    Refusal.NOT_FOUND: "DataStore::NotFound",
    Refusal.NOT_PERMITTED: "DataStore::PermissionDenied",
    Refusal.WRONG_PASSWORD: "DataStore::InvalidPassword",
    Refusal.NOT_ALLOWED: "DataStore::OperationNotAllowed",
    Refusal.UNDER_REVIEW: "DataStore::UnderReviewing",
    Refusal.NOT_EQUAL: "DataStore::ValueNotEqual",
    Refusal.OVER_CAPACITY: "DataStore::OverCapacity",
    Refusal.LOCKED: "DataStore::OperationNotAllowed",
}
"""The name of the error for each refusal."""

SUCCESS: Final = Result.success("DataStore::Unknown")
"""What stands in a list of results for what was done."""


def error_of(error: Exception) -> Exception:
    """Return the RMCError that a DataStoreError is answered with; others as they are."""
    if isinstance(error, DataStoreError):
        return RMCError(REFUSAL_NAMES[error.refusal])
    return error


def results_of(outcomes: Iterable[object]) -> list[Result]:
    """Return the results of the items of a list: errors where these are the outcome."""
    return [_result_of(each) for each in outcomes]


def _result_of(outcome: object) -> Result:
    match outcome:
        case DataStoreError(refusal=refusal):
            return Result.error(REFUSAL_NAMES[refusal])
        case RMCError(result=result):
            return result
        case _:
            return SUCCESS
