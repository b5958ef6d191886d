"""Result codes and the error that carries one."""

from __future__ import annotations

import copy
import pickle

import pytest

from nekonex.values import ERROR_CODES, ERROR_NAMES, Result, RMCError


def test_success() -> None:
    result = Result.success("DataStore::Unknown")
    assert result.code == 0x00690001
    assert result.is_success
    assert not result.is_error
    assert result.name == "success"
    assert str(result) == "success (0x00690001)"
    result.raise_if_error()
    assert Result() == Result.success() == Result(0x00010001)
    assert Result.success(0x80010005) == Result(0x00010005)


def test_error() -> None:
    result = Result.error("Core::InvalidArgument")
    assert result.code == 0x8001000A
    assert result.is_error
    assert not result.is_success
    assert result.name == "Core::InvalidArgument"
    assert repr(result) == "Result(0x8001000A, 'Core::InvalidArgument')"
    with pytest.raises(RMCError) as caught:
        result.raise_if_error()
    assert caught.value.result == result


def test_codes_without_a_name() -> None:
    assert Result.error(0x7FFF).name == "unknown error"
    assert RMCError(0x7FFF).name == "unknown error"


@pytest.mark.parametrize("make", [Result.success, Result.error, RMCError])
def test_names_that_do_not_exist(make: type) -> None:
    with pytest.raises(ValueError, match="no result is called 'Core::Nonsense'"):
        make("Core::Nonsense")


@pytest.mark.parametrize("code", [-1, 1 << 32])
def test_32_bits(code: int) -> None:
    with pytest.raises(ValueError, match="32 bits"):
        Result(code)


def test_it_is_a_value() -> None:
    result = Result(7)
    assert hash(result) == hash(Result(7))
    assert result != 7
    assert copy.deepcopy(result) is result
    assert copy.copy(result) is result
    assert pickle.loads(pickle.dumps(result)) == result
    with pytest.raises(AttributeError, match="immutable"):
        result.code = 8
    with pytest.raises(AttributeError, match="immutable"):
        del result.code


def test_rmc_error() -> None:
    error = RMCError("RendezVous::SessionVoid")
    assert error.code == 0x80030073
    assert error.name == "RendezVous::SessionVoid"
    assert str(error) == "RendezVous::SessionVoid (0x80030073)"
    assert RMCError(0x30073).code == RMCError(0x80030073).code == 0x80030073
    assert RMCError().name == "Core::Unknown"
    assert pickle.loads(pickle.dumps(error)).code == error.code


def test_tables_are_inverse() -> None:
    assert len(ERROR_CODES) == len(ERROR_NAMES) == 271
    assert all(ERROR_NAMES[code] == name for name, code in ERROR_CODES.items())
    assert all(code < 1 << 31 for code in ERROR_NAMES)
    assert ERROR_CODES["Core::NotImplemented"] == 0x00010002
    assert ERROR_CODES["Authentication::UnderMaintenance"] >> 16 == 0x68
