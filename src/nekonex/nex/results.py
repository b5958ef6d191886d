"""Results and errors of user callbacks, ours or those of a library that looks the same."""

from __future__ import annotations

from nekonex.values import Result, RMCError

__all__ = ["result_of", "result_of_error"]


def result_of(value: object) -> Result:
    """Return what a callback's return value means; None is success.

    Besides `Result`, objects with ``is_error`` and ``code`` are understood, both as attributes
    and as methods, as NintendoClients' results have them. TypeError for anything else.
    """
    if value is None:
        return Result.success()
    if isinstance(value, Result):
        return value
    if hasattr(value, "is_error"):
        code = getattr(value, "code", None)
        code = code() if callable(code) else code
        if isinstance(code, int) and not isinstance(code, bool):
            return Result(code)
    raise TypeError(f"a callback returns a Result or None, not {type(value).__name__}")


def result_of_error(error: Exception) -> Result | None:
    """Return the result that a raised error stands for; None if it is no RMC error.

    NintendoClients' ``RMCError`` is recognised by its methods ``result()`` and ``code()``. Errors
    of gRPC have those too, but their codes are no numbers.
    """
    if isinstance(error, RMCError):
        return error.result
    code = getattr(error, "code", None)
    if not callable(code) or not callable(getattr(error, "result", None)):
        return None
    number = code()
    return Result.error(number) if isinstance(number, int) else None
