"""What callbacks return and raise."""

from __future__ import annotations

import enum
import urllib.error
from email.message import Message
from typing import NoReturn

import pytest

from nekonex.nex.results import result_of, result_of_error
from nekonex.values import Result, RMCError


class ForeignResult:
    """As NintendoClients has it: methods, not attributes."""

    def __init__(self, code: int) -> None:
        self._code = code

    def is_error(self) -> bool:
        return bool(self._code & 0x80000000)

    def code(self) -> int:
        return self._code


class ForeignError(Exception):
    def result(self) -> ForeignResult:
        return ForeignResult(0x8068000B)

    def code(self) -> int:
        return 0x8068000B


class StatusCode(enum.Enum):
    NOT_FOUND = (5, "not found")


class GrpcError(Exception):
    def code(self) -> StatusCode:
        return StatusCode.NOT_FOUND

    def result(self) -> NoReturn:
        raise self


class TestResultOf:
    def test_nothing_is_success(self) -> None:
        assert result_of(None) == Result.success()

    def test_a_result_is_itself(self) -> None:
        result = Result.error("Authentication::UnderMaintenance")
        assert result_of(result) is result

    def test_a_result_with_methods_is_understood(self) -> None:
        assert result_of(ForeignResult(0x8068000B)).name == "Authentication::UnderMaintenance"
        assert result_of(ForeignResult(0x00010001)).is_success

    @pytest.mark.parametrize("value", [True, False, 0, "", "Core::Unknown", object()])
    def test_anything_else_is_refused(self, value: object) -> None:
        with pytest.raises(TypeError, match="returns a Result or None"):
            result_of(value)


class TestResultOfError:
    def test_ours(self) -> None:
        error = RMCError("RendezVous::PermissionDenied")
        assert result_of_error(error) == error.result

    def test_one_with_methods(self) -> None:
        found = result_of_error(ForeignError())
        assert found is not None
        assert found.name == "Authentication::UnderMaintenance"

    @pytest.mark.parametrize(
        "error",
        [
            ValueError("bad"),
            GrpcError(),
            urllib.error.HTTPError("http://localhost", 404, "gone", Message(), None),
        ],
        ids=["ValueError", "gRPC", "HTTP"],
    )
    def test_errors_of_other_kinds_are_none(self, error: Exception) -> None:
        assert result_of_error(error) is None
