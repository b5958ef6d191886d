"""Whether the logic file of a package is Python, which can be told without running it."""

from __future__ import annotations

import warnings

from nekonex.connect.packages.errors import LogicError

__all__ = ["check_compiles"]


def check_compiles(source: bytes, file: str) -> None:
    """Raise LogicError, with file, line and column, for what this Python cannot compile."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(source, file, "exec", dont_inherit=True)
    except SyntaxError as error:
        where = f"{file}:{error.lineno or 1}:{max(error.offset or 1, 1)}"
        raise LogicError(f"{where}: {error.msg}") from None
    except (ValueError, RecursionError, MemoryError) as error:
        # Zero bytes, and expressions that are nested too deep, often without a word.
        reason = str(error) or "it is nested too deep"
        raise LogicError(f"{file}:1:1: it cannot be compiled: {reason}") from None
